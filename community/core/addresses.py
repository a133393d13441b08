"""Whether an address that somebody typed leads to something: a page of ours that everybody may read, or an https
address elsewhere, which is not asked.

Pages of editors are known here. A room with pages of its own says which of its rows are there:

    addresses.register("tips:tip", lambda pk, **_: Tip.objects.visible().filter(pk=pk).exists())
"""

from collections.abc import Callable
from typing import Any
from urllib.parse import SplitResult, urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.urls import Resolver404, resolve
from django.utils.translation import gettext as _
from wagtail.models import Locale, Page, Site

Finder = Callable[..., bool]
_finders: dict[str, Finder] = {}
_elsewhere = URLValidator(schemes=["https"])
MOST = 500


def register(view: str, finder: Finder) -> None:
    """`finder(**what the address holds)` says whether the public finds something there."""
    _finders[view] = finder


def checked(address: str) -> str:
    """The address as it is kept: a path of ours, or an https address elsewhere. Raises ValidationError."""
    address = address.strip()
    if len(address) > MOST:
        raise ValidationError(_("This address is too long."))
    if any(sign.isspace() or sign == "\\" for sign in address):
        raise ValidationError(_("Give the whole address: /help/… for a page of ours, or https://…"))
    own = urlsplit(settings.BASE_URL)
    parts = _split(address)
    if parts.netloc and parts.netloc == own.netloc and parts.scheme in ("http", "https"):
        address = parts.path + (f"#{parts.fragment}" if parts.fragment else "")
        parts = _split(address)
    if address.startswith("/") and not parts.netloc:
        if not leads_somewhere(parts.path):
            raise ValidationError(_("Nothing is published at this address."))
        return address
    try:
        _elsewhere(address)
    except ValidationError:
        raise ValidationError(_("Give the whole address: /help/… for a page of ours, or https://…")) from None
    return address


def _split(address: str) -> SplitResult:
    """Raises ValidationError for what is no address at all: https://[a."""
    try:
        return urlsplit(address)
    except ValueError:
        raise ValidationError(_("Give the whole address: /help/… for a page of ours, or https://…")) from None


def leads_somewhere(path: str) -> bool:
    """Whether everybody can read something of ours at this path."""
    if _page_at(path):
        return True
    try:
        found = resolve(path)
    except Resolver404:
        return False
    finder = _finders.get(found.view_name)
    return finder is not None and finder(**found.kwargs)


def _page_at(path: str) -> bool:
    """A live page of the editors that everybody may read, in whichever language."""
    site = Site.objects.select_related("root_page").filter(is_default_site=True).first()
    if site is None:
        return False
    root: Any = site.root_page
    first, _slash, rest = path.strip("/").partition("/")
    locale = Locale.objects.filter(language_code=first).first()
    if locale is not None and locale.pk != root.locale_id:
        root, path = root.get_translation_or_none(locale), f"/{rest}"
    if root is None:
        return False
    inside = path.strip("/")
    url_path = root.url_path + (f"{inside}/" if inside else "")
    return Page.objects.live().public().filter(url_path=url_path).exists()
