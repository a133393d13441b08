"""What Google's product review feed has to be, in our words: elements, order, how many, which values. Schema 2.4."""

import re
from collections.abc import Callable
from typing import Any
from xml.etree.ElementTree import Element

from tests import schema_org

# name: (least, most, content). Content is a check of the text, or the children as another list of the same kind.
Rules = list[tuple[str, int, int | None, Any]]


def words(value: str) -> bool:
    return bool(value.strip())


def address(value: str) -> bool:
    return bool(re.fullmatch(r"https?://[^\s<>\"]+", value))


def moment(value: str) -> bool:
    return "T" in value and not schema_org.moment(value)


def one_of(*values: str) -> Callable[[str], bool]:
    return lambda value: value in values


def number(value: str) -> bool:
    return bool(re.fullmatch(r"\d+(\.\d+)?", value))


def language(value: str) -> bool:
    return bool(re.fullmatch(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*", value))


def gtin(value: str) -> bool:
    return not schema_org.gtin(value)


truth = one_of("true", "false")
PRODUCT_IDS: Rules = [
    ("gtins", 0, 1, [("gtin", 1, None, gtin)]),
    ("mpns", 0, 1, [("mpn", 1, None, words)]),
    ("skus", 0, 1, [("sku", 1, None, words)]),
    ("brands", 0, 1, [("brand", 1, None, words)]),
    ("asins", 0, 1, [("asin", 1, None, words)]),
]
PRODUCT: Rules = [("product_ids", 0, 1, PRODUCT_IDS), ("product_name", 0, 1, words), ("product_url", 1, 1, address)]
REVIEW: Rules = [
    ("review_id", 1, 1, words),
    ("reviewer", 1, 1, [("name", 1, 1, words), ("reviewer_id", 0, 1, words)]),
    ("is_verified_purchase", 0, 1, truth),
    ("is_incentivized_review", 0, 1, truth),
    ("review_timestamp", 1, 1, moment),
    ("title", 0, 1, words),
    ("content", 1, 1, words),
    ("review_language", 0, 1, language),
    ("review_country", 0, 1, words),
    ("pros", 0, 1, [("pro", 1, None, words)]),
    ("cons", 0, 1, [("con", 1, None, words)]),
    ("review_url", 1, 1, address),
    ("reviewer_images", 0, 1, [("reviewer_image", 1, None, [("url", 1, 1, address)])]),
    ("ratings", 1, 1, [("overall", 1, 1, number)]),
    ("products", 1, 1, [("product", 1, None, PRODUCT)]),
    ("is_spam", 0, 1, truth),
    ("collection_method", 0, 1, one_of("unsolicited", "post_fulfillment")),
    ("transaction_id", 0, 1, words),
]
FEED: Rules = [
    ("version", 1, 1, one_of("2.4")),
    ("aggregator", 0, 1, [("name", 1, 1, words)]),
    ("publisher", 1, 1, [("name", 1, 1, words), ("favicon", 0, 1, address)]),
    ("reviews", 0, 1, [("review", 1, None, REVIEW)]),
]
ATTRIBUTES: dict[str, dict[str, Callable[[str], bool]]] = {
    "name": {"is_anonymous": truth},
    "review_url": {"type": one_of("singleton", "group")},
    "overall": {"min": number, "max": number},
}
NEEDED_ATTRIBUTES = {"review_url": {"type"}, "overall": {"min", "max"}}


def problems(feed: Element) -> list[str]:
    """What is wrong with a feed; empty when it keeps the rules."""
    if feed.tag != "feed":
        return [f"<{feed.tag}> is not <feed>"]
    found = _check(feed, FEED, "feed")
    ids = [element.text for element in feed.iter("review_id")]
    if len(ids) != len(set(ids)):
        found.append("a review_id stands there twice")
    for overall in feed.iter("overall"):
        if not float(overall.get("min", 0)) <= float(overall.text or 0) <= float(overall.get("max", 0)):
            found.append("a rating is outside of its bounds")
        if overall.get("min", "") >= overall.get("max", ""):
            found.append("the bounds of a rating are none")
    for several in (one for name in ("gtins", "skus", "mpns", "brands") for one in feed.iter(name)):
        values = [one.text for one in several]
        if len(values) != len(set(values)):
            found.append(f"a number stands there twice: {values}")
    for ids_of in feed.iter("product_ids"):
        if ids_of.find("mpns") is not None and ids_of.find("brands") is None:
            found.append("an mpn needs a brand")
    return found


def _check(element: Element, rules: Rules, where: str) -> list[str]:
    found: list[str] = []
    order = [name for name, *_rest in rules]
    tags = [child.tag for child in element]
    found += [f"{where}: <{tag}> is not known" for tag in tags if tag not in order]
    places = [order.index(tag) for tag in tags if tag in order]
    if places != sorted(places):
        found.append(f"{where}: the order is wrong: {tags}")
    for name, least, most, content in rules:
        children = element.findall(name)
        if len(children) < least or (most is not None and len(children) > most):
            found.append(f"{where}: {len(children)} of <{name}>")
        for child in children:
            allowed, needed = ATTRIBUTES.get(name, {}), NEEDED_ATTRIBUTES.get(name, set())
            told = dict(child.attrib)
            wrong = [key for key, value in told.items() if key not in allowed or not allowed[key](value)]
            if wrong or not needed <= told.keys():
                found.append(f"{where}/{name}: attributes {told}")
            if isinstance(content, list):
                found += _check(child, content, f"{where}/{name}")
            elif len(child) or not content(child.text or ""):
                found.append(f"{where}/{name}: {child.text!r}")
    return found
