"""Structured data of the catalogue: the same figures that the page shows, never others."""

from typing import TYPE_CHECKING, Any

from django.http import HttpRequest
from django.utils.translation import gettext as _

from community.core.models import CommunityImage

from .models import Family, Product

if TYPE_CHECKING:
    from .pages import CataloguePage, ProductPage


def shown_mean(product: Product) -> str:
    """The mean of the stars as it is printed: one decimal."""
    return f"{product.rating_mean:.1f}" if product.rating_mean is not None else ""


def rating(product: Product) -> dict[str, Any]:
    """An AggregateRating, when there is one to tell: with reviews, and all of them written here. Google wants no
    ratings gathered from other sites, and what is told must equal what is seen."""
    if not product.rating_count or product.imported_count:
        return {}
    return {
        "aggregateRating": {
            "@type": "AggregateRating",
            "ratingValue": shown_mean(product),
            "ratingCount": product.rating_count,
            "bestRating": 5,
            "worstRating": 1,
        }
    }


def kind_of(product: Product) -> str:
    """What a description of a product is, the same wherever it is described: its page tells of variants, or not.
    A query, unless the page itself has said so."""
    if not hasattr(product, "is_group"):
        from .pages import ProductPage

        page = ProductPage.objects.live().filter(product=product, alias_of=None).first()
        product.is_group = page is not None and "hasVariant" in variants(page, "")  # type: ignore[attr-defined]
    return "ProductGroup" if product.is_group else "Product"  # type: ignore[attr-defined]


def known_as(product: Product) -> dict[str, Any]:
    """The number by which everybody else knows it."""
    return {"gtin": product.gtin} if product.gtin else {}


def _numbers(variant: Any) -> dict[str, Any]:
    return {name: variant[name] for name in ("sku", "gtin") if variant.get(name)}


def variants(page: "ProductPage", address: str) -> dict[str, Any]:
    """The variants of a page: of one, its numbers; of several, a `Product` each in their group, as Google wants them:
    with a number of their own each, and what they differ by. Those without a number can't be told apart by it."""
    every = [variant.value for variant in page.variants]
    if len(every) == 1:
        return _numbers(every[0])
    told = [one for one in every if _numbers(one)]
    if len(told) < 2:
        return {}
    by = page.variants_by
    return {
        "@type": "ProductGroup",
        "productGroupID": page.product.slug,
        **({"variesBy": f"https://schema.org/{by}"} if by else {}),
        "hasVariant": [
            {
                "@type": "Product",
                "name": f"{page.title}, {one['name']}",
                "url": f"{address}#variants",
                **_numbers(one),
                **({by: one["name"]} if by else {}),
                **({"description": one["note"]} if one["note"] else {}),
            }
            for one in told
        ],
    }


def _picture(request: HttpRequest, image: CommunityImage, size: str = "fill-1200x900") -> str:
    """Its address in full; empty when its file has gone or can't be read, which is no reason to show no page."""
    try:
        return request.build_absolute_uri(image.get_rendition(f"{size}|format-webp").url)
    except OSError:  # Wagtail's own error is one of these
        return ""


def _video(request: HttpRequest, page: "ProductPage") -> dict[str, Any] | None:
    """The film, when there is one with a picture: without name, picture and date it would not be valid."""
    if not page.has_film or page.video_poster is None or page.first_published_at is None:
        return None
    poster = _picture(request, page.video_poster, "width-1200")
    if not poster:
        return None
    data = {
        "@context": "https://schema.org",
        "@type": "VideoObject",
        "name": page.video_title or page.title,
        "description": page.video_title or page.tagline,
        "thumbnailUrl": [poster],
        "uploadDate": page.first_published_at.isoformat(timespec="seconds"),
        **({"contentUrl": request.build_absolute_uri(page.video_file.url)} if page.video_file else {}),
        **({"embedUrl": page.film.embed_url.partition("?")[0]} if page.film else {}),
        **({"transcript": page.video_transcript} if page.video_transcript else {}),
    }
    minutes, colon, seconds = page.video_length.partition(":")
    if colon and minutes.isdecimal() and seconds.isdecimal():
        data["duration"] = f"PT{int(minutes)}M{int(seconds)}S"
    return data


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
        steps.append((family.said.name, f"/products/?family={family.slug}"))
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
        "category": product.family.said_in(page.language).name,
    }
    if pictures := [address for item in page.pictures() if (address := _picture(request, item.image))]:
        data["image"] = pictures
    data |= variants(page, address)
    data |= known_as(product)
    data |= rating(product)
    product.is_group = data["@type"] == "ProductGroup"  # type: ignore[attr-defined]  # the reviews below are of it
    path = crumbs(
        request,
        (_("Home"), "/"),
        (_("Products"), "/products/"),
        (product.family.said.name, f"/products/?family={product.family.slug}"),
        (page.title, product.get_absolute_url()),
    )
    film = _video(request, page)
    return [data, path, *([film] if film else [])]
