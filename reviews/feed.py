"""All reviews for Google's product ratings, as XML by the rules of schema 2.4 (docs/decisions/0132).

Written piece by piece: a thousand reviews or a million take the same memory. Google expects all of them each time and
forgets what is not there any longer, so that a deleted review needs no word.
"""

import re
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC
from xml.sax.saxutils import escape, quoteattr

from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.db.models import Exists, OuterRef, Prefetch

from community.core.models import BrandSettings
from community.posts.models import Upload
from products.models import Product, Version
from products.pages import ProductPage

from .models import Chapter, Review, ReviewRequest
from .querysets import ReviewQuerySet

CHUNK = 500
VERSION = "2.4"
# What XML can't hold, escaped or not.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<feed xmlns:vc="http://www.w3.org/2007/XMLSchema-versioning" '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
    'xsi:noNamespaceSchemaLocation="http://www.google.com/shopping/reviews/schema/product/2.4/product_reviews.xsd">\n'
)


def eligible() -> ReviewQuerySet:
    """Reviews written here, by people without a tie to the brand and not paid for them."""
    return Review.objects.counted().filter(source="").exclude(disclosure="paid")


def written(brand: BrandSettings) -> Iterator[str]:
    """The feed, a piece for each chunk of reviews."""
    yield _HEAD + _tag("version", VERSION) + _tag("publisher", _tag("name", brand.name), raw=True)
    last = 0
    asked = ReviewRequest.objects.filter(person=OuterRef("author"), product=OuterRef("product"))
    rows = (
        eligible()
        .annotate(was_asked=Exists(asked.filter(asked_in__at__lt=OuterRef("created_at"))))
        .select_related("author", "product")
        .prefetch_related(Prefetch("chapters", Chapter.objects.defer("body_source", "body_html")))
        .defer("body_source", "body_html")
        .order_by("pk")
    )
    while chunk := list(rows.filter(pk__gt=last)[:CHUNK]):
        head = "" if last else "<reviews>\n"
        last = chunk[-1].pk
        told = [review for review in chunk if not _tied(review)]
        products = {review.product_id for review in told}
        (skus, gtins), photos = _numbers(products), _photos(told)
        yield head + "".join(
            _review(
                review,
                _many("gtins", "gtin", [review.product.gtin, *gtins.get(review.product_id, [])])
                + _many("skus", "sku", skus.get(review.product_id, []))
                + _many("brands", "brand", [brand.name]),
                photos.get(review.pk, []),
            )
            for review in told
        )
    yield ("</reviews>\n" if last else "") + "</feed>\n"


def _tied(review: Review) -> bool:
    """Whether its author had declared a tie to the brand for a day on which they wrote some of it."""
    moments = [review.created_at, *(chapter.created_at for chapter in review.chapters.all())]
    return any(review.author.ties_on(moment) for moment in moments)


def _numbers(products: set[int]) -> tuple[dict[int, list[str]], dict[int, list[str]]]:
    """Article numbers and GTINs by product: those of its variants and of its series."""
    skus: dict[int, list[str]] = defaultdict(list)
    gtins: dict[int, list[str]] = defaultdict(list)
    pages = ProductPage.objects.for_everybody().filter(product__in=products).order_by("pk").only("product", "variants")
    for page in pages:
        for variant in page.variants:
            skus[page.product_id].append(variant.value["sku"].strip())
            gtins[page.product_id].append(variant.value["gtin"] or "")
    series = Version.objects.filter(product__in=products).exclude(gtin="").order_by("position", "pk")
    for product, gtin in series.values_list("product", "gtin"):
        gtins[product].append(gtin)
    return skus, gtins


def _photos(reviews: list[Review]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    rows = Upload.objects.filter(
        target_type=ContentType.objects.get_for_model(Review), target_id__in=[review.pk for review in reviews]
    )
    for photo in rows:
        if photo.target_id is not None:
            found.setdefault(photo.target_id, []).append(_absolute(photo.file.url))
    return found


def _review(review: Review, ids: str, photos: list[str]) -> str:
    """One review; the elements in the order the schema wants. `ids` are those of its product, as XML."""
    author = review.author
    if author.is_erased:
        reviewer = _tag("name", "Anonymous", is_anonymous="true")
    else:
        reviewer = _tag("name", author.name or author.username) + _tag("reviewer_id", str(author.pk))
    moment = (review.published_at or review.created_at).astimezone(UTC)
    product: Product = review.product
    parts = [
        _tag("review_id", str(review.pk)),
        _tag("reviewer", reviewer, raw=True),
        _tag("is_verified_purchase", "true" if review.verified else "false"),
        _tag("is_incentivized_review", "true" if review.disclosure == "free" else "false"),
        _tag("review_timestamp", moment.strftime("%Y-%m-%dT%H:%M:%SZ")),
        _tag("title", review.title),
        _tag("content", _words(review)),
        _tag("review_language", review.language),
        _many("pros", "pro", [review.did_well]),
        _many("cons", "con", [review.could_be_better]),
        _tag("review_url", _absolute(review.get_absolute_url()), type="singleton"),
        _tag("reviewer_images", "".join(_tag("reviewer_image", _tag("url", url), raw=True) for url in photos), raw=True)
        if photos
        else "",
        _tag("ratings", _tag("overall", str(review.current_stars), min="1", max="5"), raw=True),
        _tag(
            "products",
            _tag(
                "product",
                _tag("product_ids", ids, raw=True)
                + _tag("product_name", product.name)
                + _tag("product_url", _absolute(product.get_absolute_url())),
                raw=True,
            ),
            raw=True,
        ),
        _tag("is_spam", "false"),
        _tag("collection_method", "post_fulfillment" if getattr(review, "was_asked", False) else "unsolicited"),
    ]
    return _tag("review", "".join(parts), raw=True) + "\n"


def _words(review: Review) -> str:
    """The text, and each later look under its age: the stars are those of the newest."""
    looks = [f"{chapter.age}: {chapter.body_text}" for chapter in review.chapters.all()]
    return "\n\n".join([review.body_text, *looks])


def _absolute(path: str) -> str:
    return path if path.startswith(("http://", "https://")) else settings.BASE_URL.rstrip("/") + path


def _many(outer: str, inner: str, values: list[str]) -> str:
    told = "".join(_tag(inner, value) for value in dict.fromkeys(values) if value.strip())
    return _tag(outer, told, raw=True) if told else ""


def _tag(name: str, content: str, *, raw: bool = False, **attributes: str) -> str:
    """An element; `raw` content is XML already."""
    inside = content if raw else escape(_FORBIDDEN.sub("", content))
    told = "".join(f" {key}={quoteattr(value)}" for key, value in attributes.items())
    return f"<{name}{told}>{inside}</{name}>"
