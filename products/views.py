from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST, require_safe
from wagtail import views as wagtail
from wagtail.url_routing import RouteResult

from . import services, structured
from .models import Product
from .pages import ProductPage, give_pictures, in_language, pages_in_language

MOST_COMPARED = 4


@require_safe
def product(request: HttpRequest, slug: str) -> HttpResponse:
    """A product's page: found in one query, then served by Wagtail with its restrictions and hooks."""
    page = get_object_or_404(in_language().filter(slug=slug).for_page(request.user))
    # Where Wagtail keeps what its walk through the tree found.
    request._wagtail_route_for_request = RouteResult(page)  # type: ignore[attr-defined]
    return wagtail.serve(request, request.path)


@require_GET
def compare(request: HttpRequest) -> HttpResponse:
    """Up to four products side by side: `?p=duo&p=uno`."""
    everything = list(pages_in_language())
    by_slug = {page.slug: page for page in everything}
    slugs = list(dict.fromkeys(slug for slug in request.GET.getlist("p") if slug in by_slug))
    chosen = give_pictures([by_slug[slug] for slug in slugs[:MOST_COMPARED]])
    return render(
        request,
        "products/compare.html",
        {
            "chosen": chosen,
            "left_out": slugs[MOST_COMPARED:],
            "everything": everything,
            "most": MOST_COMPARED,
            "groups": _rows(chosen),
            "structured": [
                structured.crumbs(request, ("Home", "/"), ("Products", "/products/"), ("Compare", request.path))
            ],
        },
    )


def _rows(pages: list[ProductPage]) -> list[dict[str, Any]]:
    """The specifications side by side: each row's values in the order of the pages, empty where one is silent."""
    values: dict[tuple[str, str], dict[int, str]] = {}
    headings: dict[str, list[str]] = {}
    for page in pages:
        for group in page.specification:
            heading = group.value["heading"].partition(" (")[0]
            for row in group.value["rows"]:
                names = headings.setdefault(heading, [])
                if row["name"] not in names:
                    names.append(row["name"])
                values.setdefault((heading, row["name"]), {})[page.pk] = row["value"]
    return [
        {
            "heading": heading,
            "rows": [(name, [values[heading, name].get(page.pk, "") for page in pages]) for name in names],
        }
        for heading, names in headings.items()
    ]


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
