"""Structured data of the catalogue: the same figures that the page shows, never others."""

from typing import TYPE_CHECKING, Any

from django.http import HttpRequest
from django.utils.translation import gettext as _

from .models import Family, Product

if TYPE_CHECKING:
    from .pages import CataloguePage, ProductPage


def shown_mean(product: Product) -> str:
    """The mean of the stars as it is printed: one decimal."""
    return f"{product.rating_mean:.1f}" if product.rating_mean is not None else ""


def crumbs(request: HttpRequest, *steps: tuple[str, str]) -> dict[str, Any]:
    """A BreadcrumbList of (name, path)."""
    return {
        "@context": "https://schema.org",
        "@type": "BreadcrumbList",
        "itemListElement": [
            {"@type": "ListItem", "position": place, "name": name, "item": request.build_absolute_uri(path)}
            for place, (name, path) in enumerate(steps, start=1)
        ],
    }


def catalogue(request: HttpRequest, page: "CataloguePage", family: Family | None) -> list[dict[str, Any]]:
    steps = [(_("Home"), "/"), (page.title, "/products/")]
    if family is not None:
        steps.append((family.name, f"/products/?family={family.slug}"))
    return [crumbs(request, *steps)]


def product_page(request: HttpRequest, page: "ProductPage") -> list[dict[str, Any]]:
    product = page.product
    address = request.build_absolute_uri(product.get_absolute_url())
    data: dict[str, Any] = {
        "@context": "https://schema.org",
        "@type": "Product",
        "@id": address,
        "name": page.title,
        "description": page.search_description or page.tagline,
        "url": address,
        "category": product.family.name,
    }
    pictures = [
        request.build_absolute_uri(item.image.get_rendition("width-1200|format-webp").url) for item in page.pictures()
    ]
    if pictures:
        data["image"] = pictures
    skus = [variant.value["sku"] for variant in page.variants if variant.value["sku"]]
    if skus:
        data["sku"] = skus[0]
    if product.rating_count:
        data["aggregateRating"] = {
            "@type": "AggregateRating",
            "ratingValue": shown_mean(product),
            "ratingCount": product.rating_count,
            "bestRating": 5,
            "worstRating": 1,
        }
    path = crumbs(
        request,
        (_("Home"), "/"),
        (_("Products"), "/products/"),
        (product.family.name, f"/products/?family={product.family.slug}"),
        (page.title, product.get_absolute_url()),
    )
    return [data, path]
