"""Who speaks here: the brand's settings, for templates and mails, and the stylesheet of its accents."""

import time
from hashlib import sha256

from django.conf import settings
from django.db.models.signals import post_delete, post_save
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.cache import patch_cache_control
from django.views.decorators.http import require_safe
from wagtail.images.exceptions import InvalidFilterSpecError
from wagtail.images.models import SourceImageIOError
from wagtail.models import Site

from .models import BrandSettings

SECONDS = 30  # an editor's change shows at once in the process that saved it, this much later in the others
MOST_HOSTS = 100  # names in requests are strangers' words where ALLOWED_HOSTS is wide
_kept: dict[int, tuple[float, BrandSettings]] = {}
_of_host: dict[str, tuple[float, BrandSettings]] = {}


def of_request(request: HttpRequest | None) -> BrandSettings:
    """The brand of the request's site, or of the default one; never writes, never fails for want of a row."""
    host = request.get_host() if request is not None else ""
    until, brand = _of_host.get(host, (0.0, None))
    if brand is None or time.monotonic() > until:
        site = Site.find_for_request(request) if request is not None else None
        brand = of_site(site or Site.objects.filter(is_default_site=True).first())
        if len(_of_host) >= MOST_HOSTS:
            _of_host.clear()
        _of_host[host] = (_later(), brand)
    return brand


def of_site(site: Site | None) -> BrandSettings:
    key = site.pk if site else 0
    until, brand = _kept.get(key, (0.0, None))
    if brand is None or time.monotonic() > until:
        brand = BrandSettings.objects.select_related("logo").filter(site=site).first() or BrandSettings(site=site)
        brand.stylesheet_url = stylesheet_url(brand)
        brand.logo_url = _logo_url(brand)
        _kept[key] = (_later(), brand)
    return brand


def _later() -> float:
    return time.monotonic() + getattr(settings, "BRAND_SECONDS", SECONDS)


def forget(**_signal: object) -> None:
    """Ask the database again; a saved change calls it."""
    _kept.clear()
    _of_host.clear()


def stylesheet(brand: BrandSettings) -> str:
    """The accents as tokens.css takes them, light and dark; their contrast was checked when they were saved."""
    light, dark = brand.accent, brand.accent_dark
    if not (_is_colour(light) and _is_colour(dark)):
        return ""
    return (
        f":root{{--accent:{light}}}\n"
        f'@media (prefers-color-scheme:dark){{:root:not([data-theme="light"]){{--accent:{dark}}}}}\n'
        f'[data-theme="dark"]{{--accent:{dark}}}\n'
    )


def stylesheet_url(brand: BrandSettings) -> str:
    mark = sha256(stylesheet(brand).encode()).hexdigest()[:10]
    return f"{reverse('brand_css')}?v={mark}"


def _is_colour(value: str) -> bool:
    return len(value) == 7 and value[0] == "#" and all(digit in "0123456789abcdefABCDEF" for digit in value[1:])


def _logo_url(brand: BrandSettings) -> str:
    if brand.logo is None:
        return ""
    try:
        return brand.logo.get_rendition("max-112x112|format-webp").url
    except (SourceImageIOError, InvalidFilterSpecError, OSError):
        return ""  # its file is gone: the drawn mark stands in


@require_safe
def brand_css(request: HttpRequest) -> HttpResponse:
    """`/brand.css`, cached for ever under its mark."""
    response = HttpResponse(stylesheet(of_request(request)), content_type="text/css; charset=utf-8")
    patch_cache_control(response, public=True, max_age=365 * 24 * 60 * 60 if "v" in request.GET else 60)
    return response


def register() -> None:
    """Called when the apps are ready."""
    for signal in (post_save, post_delete):
        for model in (BrandSettings, Site):
            signal.connect(forget, sender=model, dispatch_uid=f"brand.forget.{signal}.{model.__name__}")
