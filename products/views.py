from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import AnonymousUser
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.cache import patch_cache_control
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import HttpResponseClientRedirect
from wagtail import views as wagtail
from wagtail.url_routing import RouteResult

from community.core import brand as brands

from . import compare as comparing
from . import made, services, structured
from .models import Product
from .pages import give_pictures, in_language, pages_in_language


@require_safe
def product(request: HttpRequest, slug: str) -> HttpResponse:
    """A product's page: found in one query, then served by Wagtail with its restrictions and hooks."""
    page = get_object_or_404(in_language().filter(slug=slug).for_page(request.user))
    # Where Wagtail keeps what its walk through the tree found.
    request._wagtail_route_for_request = RouteResult(page)  # type: ignore[attr-defined]
    return wagtail.serve(request, request.path)


@require_safe
def share(request: HttpRequest, slug: str) -> HttpResponse:
    """The picture that a shared link shows."""
    return _drawn(request, slug, made.PICTURE)


@require_safe
def leaflet(request: HttpRequest, slug: str) -> HttpResponse:
    """A leaflet with a code that leads to the page, as PDF."""
    response = _drawn(request, slug, made.LEAFLET)
    response["Content-Disposition"] = f'inline; filename="{slug}.pdf"'
    return response


def _drawn(request: HttpRequest, slug: str, kind: made.Kind) -> HttpResponse:
    page = get_object_or_404(in_language().filter(slug=slug).for_page(AnonymousUser()))
    if page.guarded:
        raise Http404  # what is behind a password or a sign-in is told to nobody else
    brand = brands.of_request(request)
    response = HttpResponse(made.content(kind, page, brand), content_type=kind.content_type)
    # Under its mark it never changes; without, it follows the page and the reader's language.
    fixed = request.GET.get("v") == made.version(kind, page, brand)
    patch_cache_control(
        response, public=True, **({"max_age": 365 * 24 * 60 * 60, "immutable": True} if fixed else {"max_age": 300})
    )
    return response


def compare(request: HttpRequest) -> HttpResponse:
    """Up to four products side by side: `?p=duo&p=uno`, with `&only=differences` what differs. A POST adds one or takes
    one away: `with`, `without`, from those in `p` or else those that wait."""
    if request.method == "POST":
        return _choose(request)
    if request.method not in ("GET", "HEAD"):
        return HttpResponseNotAllowed(["GET", "HEAD", "POST"])
    if not request.GET.getlist("p") and (waiting := comparing.chosen(request)) and "p" not in request.GET:
        return redirect(comparing.address(waiting))
    everything = list(pages_in_language())
    by_slug = {page.slug: page for page in everything}
    asked = list(dict.fromkeys(slug for slug in request.GET.getlist("p") if slug in by_slug))
    chosen = give_pictures([by_slug[slug] for slug in asked[: comparing.MOST]])
    groups = [*comparing.ratings(chosen), *comparing.table(chosen)]
    rows = [row for group in groups for row in group["rows"]]
    only = request.GET.get("only") == "differences" and len(chosen) > 1
    if only:
        groups = [{**group, "rows": [row for row in group["rows"] if row["differ"]]} for group in groups]
    slugs = [page.slug for page in chosen]
    return render(
        request,
        "products/compare.html",
        {
            "chosen": chosen,
            "left_out": [by_slug[slug] for slug in asked if slug not in slugs],
            "others": [page for page in everything if page.slug not in slugs],
            "most": comparing.MOST,
            "groups": [group for group in groups if group["rows"]],
            "rows": len(rows),
            "differing": sum(row["differ"] for row in rows),
            "only": only,
            "all_url": comparing.address(slugs),
            "only_url": comparing.address(slugs, only=True),
            "structured": [
                structured.crumbs(
                    request, (_("Home"), "/"), (_("Products"), "/products/"), (_("Compare"), request.path)
                )
            ],
        },
    )


def _choose(request: HttpRequest) -> HttpResponse:
    """Add a product to the comparison, or take one away; back to where somebody pressed the button."""
    sent = [slug.replace("\0", "") for slug in request.POST.getlist("p")[: comparing.MOST]]
    before = [slug for slug in sent if slug] or comparing.chosen(request)
    there = set(Product.objects.filter(slug__in=before).values_list("slug", flat=True))
    before = [slug for slug in dict.fromkeys(before) if slug in there and slug != request.POST.get("without")]
    added = request.POST.get("with", "").replace("\0", "")
    if added and added not in before:
        get_object_or_404(Product, slug=added)
        if len(before) == comparing.MOST:
            # The page says that it doesn't fit, and where to make room.
            full = comparing.address([*before, added])
            return HttpResponseClientRedirect(full) if request.htmx else redirect(full)  # type: ignore[attr-defined]
        before.append(added)
    page = Product.objects.filter(slug=request.POST.get("back", "").replace("\0", "")).first()
    if request.htmx and page is not None:  # type: ignore[attr-defined]
        response = render(request, "products/_compare_choice.html", {"product": page, "compared": before})
    else:
        response = redirect(page.get_absolute_url() if page is not None else comparing.address(before))
    comparing.keep(response, before)
    return response


@require_POST
@login_required
def shelf(request: HttpRequest, slug: str) -> HttpResponse:
    """Put a product on one's shelf, or take it off (`on` is empty)."""
    product = get_object_or_404(Product, slug=slug)
    if request.POST.get("on"):
        services.add_to_shelf(product, by=request.user)
    else:
        services.remove_from_shelf(product, by=request.user)
    if request.htmx:  # type: ignore[attr-defined]
        on_shelf = bool(request.POST.get("on"))
        return render(request, "products/_shelf.html", {"product": product, "on_shelf": on_shelf})
    return redirect(product.get_absolute_url())
