"""Reviews for machines: schema.org, saying what the page shows.

Only reviews written here count for that: what came from another site, and what people with a tie to the brand wrote, is
shown and not marked up, as Google's rules want it (docs/decisions/0132).
"""

from collections.abc import Iterable
from typing import Any

from django.utils.translation import gettext as _

from community.core import ties
from products.models import Product
from products.structured import kind_of, known_as, rating

from .models import Disclosure, Review


def may_be_marked_up(review: Review) -> bool:
    return review.counts and not review.source


def _crumbs(base_url: str, *steps: tuple[str, str]) -> dict[str, Any]:
    return {
        "@context": "https://schema.org",
        "@type": "BreadcrumbList",
        "itemListElement": [
            {"@type": "ListItem", "position": place, "name": name, "item": base_url + path}
            for place, (name, path) in enumerate(steps, start=1)
        ],
    }


def _steps(product: Product) -> list[tuple[str, str]]:
    return [
        (_("Products"), "/products/"),
        (product.label, product.get_absolute_url()),
        (_("Reviews"), f"/reviews/?product={product.slug}"),
    ]


def _tied(review: Review) -> dict[str, str]:
    said = "" if review.disclosure == Disclosure.BOUGHT else review.get_disclosure_display()
    return ties.known_of(review.author, review.created_at, said)


def one_review(review: Review, base_url: str) -> dict[str, Any]:
    """A `Review`, without what it is of."""
    return {
        "@type": "Review",
        "url": base_url + review.get_absolute_url(),
        "name": review.title,
        "reviewBody": review.body_text,
        "inLanguage": review.language,
        "datePublished": (review.published_at or review.created_at).date().isoformat(),
        **({"dateModified": review.edited_at.date().isoformat()} if review.edited_at else {}),
        "author": {"@type": "Person", "name": str(review.author), **_tied(review)},
        "reviewRating": {"@type": "Rating", "ratingValue": review.current_stars, "bestRating": 5, "worstRating": 1},
    }


def review_data(review: Review, base_url: str) -> list[dict[str, Any]]:
    """What the page of one review says: the review, where it may be marked up, and the way here."""
    product = review.product
    way = _crumbs(base_url, *_steps(product), (review.title, review.get_absolute_url()))
    if not may_be_marked_up(review):
        return [way]
    reviewed = {"@type": "Product", "name": product.name, "url": base_url + product.get_absolute_url()}
    return [{"@context": "https://schema.org", **one_review(review, base_url), "itemReviewed": reviewed}, way]


def product_data(product: Product, reviews: Iterable[Review], base_url: str) -> dict[str, Any] | None:
    """A `Product`, or group of variants, with the reviews that a page shows of it; the same `@id` as on its own page.
    None without any."""
    told = [one_review(review, base_url) for review in reviews if may_be_marked_up(review)]
    if not told:
        return None
    return {
        "@context": "https://schema.org",
        "@type": kind_of(product),
        "@id": base_url + product.get_absolute_url(),
        "name": product.name,
        "url": base_url + product.get_absolute_url(),
        **known_as(product),
        **rating(product),
        "review": told,
    }


def list_data(product: Product, reviews: Iterable[Review], base_url: str) -> list[dict[str, Any]]:
    """What the list of a product's reviews says."""
    data = product_data(product, reviews, base_url)
    return [*([data] if data else []), _crumbs(base_url, *_steps(product))]
