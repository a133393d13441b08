"""What schema.org and Google ask of structured data, in our words; `problems` says what a page gets wrong.

A validator of our own, since those of search engines are services and CI has no network: for each type, which
properties there are, what each has to be, and which may not be missing (docs/decisions/0153).
"""

import json
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

Check = Callable[[Any], str]


def words(value: Any) -> str:
    return "" if isinstance(value, str) and value.strip() else "is no text"


def address(value: Any) -> str:
    return "" if isinstance(value, str) and re.fullmatch(r"https?://[^\s<>\"]+", value) else "is no whole address"


def moment(value: Any) -> str:
    try:
        told = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return "is no date"
    return "says a time without its zone" if "T" in value and told.tzinfo is None else ""


def span(value: Any) -> str:
    return "" if isinstance(value, str) and re.fullmatch(r"PT(\d+H)?(\d+M)?(\d+S)?", value) else "is no duration"


def count(value: Any) -> str:
    return "" if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else "is no count"


def number(value: Any) -> str:
    return "" if re.fullmatch(r"\d+(\.\d+)?", str(value)) else "is no number"


def language(value: Any) -> str:
    return "" if isinstance(value, str) and re.fullmatch(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*", value) else "no language"


def gtin(value: Any) -> str:
    digits = str(value)
    weighed = sum(int(one) * (3 if place % 2 else 1) for place, one in enumerate(reversed(digits)) if one.isdecimal())
    return "" if len(digits) in (8, 12, 13, 14) and digits.isdecimal() and weighed % 10 == 0 else "is no GTIN"


def varying(value: Any) -> str:
    known = ("color", "size", "material", "pattern", "suggestedAge", "suggestedGender")
    return "" if value in {f"https://schema.org/{one}" for one in known} else "is nothing that variants differ by"


def many(check: Any) -> tuple[str, Any]:
    return ("many", check)


THING: dict[str, Any] = {
    "@id": address, "name": words, "description": words, "url": address, "image": many(address),
    "identifier": words, "alternateName": words, "sameAs": many(address), "potentialAction": ["SearchAction"],
}  # fmt: skip
POST: dict[str, Any] = {
    "text": words, "headline": words, "datePublished": moment, "dateModified": moment,
    "author": ["Person", "Organization"],
    "inLanguage": language, "upvoteCount": count, "keywords": words, "interactionStatistic": ["InteractionCounter"],
    "commentCount": count, "comment": many(["Comment"]), "aggregateRating": ["AggregateRating"],
    "mainEntityOfPage": address,
    "mainEntity": ["Question", "Person"], "dateCreated": moment, "about": ["Product"],
}  # fmt: skip
RATING: dict[str, Any] = {"ratingValue": number, "bestRating": number, "worstRating": number}
# type: (its own properties, those that may not be missing)
TYPES: dict[str, tuple[dict[str, Any], set[str]]] = {
    "Product": (
        {"category": words, "sku": words, "gtin": gtin, "color": words, "size": words, "material": words,
         "pattern": words, "brand": ["Brand"], "review": many(["Review"]),
         "aggregateRating": ["AggregateRating"]},
        {"name"},
    ),
    "ProductGroup": (
        {"category": words, "brand": ["Brand"], "review": many(["Review"]), "aggregateRating": ["AggregateRating"],
         "gtin": gtin, "productGroupID": words, "variesBy": many(varying), "hasVariant": many(["Product"])},
        {"name"},
    ),
    "Brand": ({}, {"name"}),
    "AggregateRating": ({**RATING, "ratingCount": count, "reviewCount": count}, {"ratingValue", "ratingCount"}),
    "Rating": (RATING, {"ratingValue", "bestRating", "worstRating"}),
    "Review": (
        {**POST, "reviewBody": words, "reviewRating": ["Rating"], "itemReviewed": ["Product"]},
        {"author", "reviewRating", "datePublished", "reviewBody"},
    ),
    "BreadcrumbList": ({"itemListElement": many(["ListItem"])}, {"itemListElement"}),
    "ListItem": ({"position": count, "item": address}, {"position", "name", "item"}),
    "VideoObject": (
        {"thumbnailUrl": many(address), "uploadDate": moment, "contentUrl": address, "embedUrl": address,
         "duration": span, "transcript": words, "inLanguage": language},
        {"name", "thumbnailUrl", "uploadDate"},
    ),
    "QAPage": ({"mainEntity": ["Question"]}, {"mainEntity"}),
    "Question": (
        {**POST, "answerCount": count, "acceptedAnswer": many(["Answer"]), "suggestedAnswer": many(["Answer"])},
        {"name", "answerCount", "text", "author", "datePublished"},
    ),
    "Answer": (POST, {"text", "author", "datePublished", "url"}),
    "Comment": (POST, {"text", "author", "datePublished"}),
    "DiscussionForumPosting": (POST, {"author", "datePublished", "text", "url"}),
    "InteractionCounter": (
        {"interactionType": address, "userInteractionCount": count}, {"interactionType", "userInteractionCount"}
    ),
    "Person": ({"agentInteractionStatistic": ["InteractionCounter"]}, {"name"}),
    "Organization": ({}, {"name"}),
    "ProfilePage": (POST, {"mainEntity"}),
    "Recipe": (
        {**POST, "recipeYield": words, "prepTime": span, "cookTime": span, "totalTime": span,
         "tool": many(["HowToTool"]),
         "recipeIngredient": many(words), "recipeInstructions": many(["HowToStep"])},
        {"name", "recipeIngredient", "recipeInstructions", "author"},
    ),
    "HowTo": ({**POST, "step": many(["HowToStep"])}, {"name", "step"}),
    "HowToStep": ({"text": words, "position": count}, {"text"}),
    "HowToTool": ({}, {"name"}),
    "Article": (POST, {"headline", "datePublished"}),
    "WebSite": ({}, {"name", "url"}),
    "SearchAction": ({"target": ["EntryPoint"], "query-input": words}, {"target", "query-input"}),
    "EntryPoint": ({"urlTemplate": words}, {"urlTemplate"}),
}  # fmt: skip


def of_page(html: str) -> list[dict[str, Any]]:
    """The structured data of a page."""
    return [json.loads(one) for one in re.findall(r'<script type="application/ld\+json">(.*?)</script>', html, re.S)]


def problems(data: Any, where: str = "") -> list[str]:
    """What is wrong with one piece of structured data; empty when it is valid."""
    found = [] if data.get("@context") == "https://schema.org" else [f"{where}: @context is {data.get('@context')!r}"]
    return found + _thing({key: value for key, value in data.items() if key != "@context"}, list(TYPES), where)


def _thing(data: Any, allowed: list[str], where: str) -> list[str]:
    kind = data.get("@type") if isinstance(data, dict) else None
    if kind not in allowed or kind not in TYPES:
        return [f"{where}: {kind!r} where one of {allowed[:3]} belongs"]
    where = f"{where}/{kind}"
    known, needed = TYPES[kind]
    known = {**THING, **known}
    found = [f"{where}: no {name}" for name in sorted(needed - data.keys())]
    for name, value in data.items():
        if name == "@type":
            continue
        if name not in known:
            found.append(f"{where}: {name} is not known")
        else:
            found += _value(value, known[name], f"{where}.{name}")
    return found + _together(kind, data, where)


def _value(value: Any, rule: Any, where: str) -> list[str]:
    if isinstance(rule, tuple):  # one or several
        values = value if isinstance(value, list) else [value]
        return [f"{where} is empty"] if not values else [p for one in values for p in _value(one, rule[1], where)]
    if isinstance(rule, list):
        return _thing(value, rule, where)
    reason = rule(value)
    return [f"{where} {reason}: {value!r}"] if reason else []


def _together(kind: str, data: dict[str, Any], where: str) -> list[str]:
    """What holds between the properties of one thing."""
    found = []
    if kind in ("Rating", "AggregateRating"):
        least, most = float(data.get("worstRating", 1)), float(data.get("bestRating", 5))
        if not least <= float(data.get("ratingValue", 0)) <= most:
            found.append(f"{where}: the rating is outside of its bounds")
    if kind == "AggregateRating" and not data.get("ratingCount"):
        found.append(f"{where}: a rating by nobody")
    if kind == "ProductGroup":
        variants = data.get("hasVariant", [])
        numbers = [(one.get("sku"), one.get("gtin")) for one in variants]
        if len(set(numbers)) < len(numbers) or (None, None) in numbers:
            found.append(f"{where}: its variants can't be told apart by their numbers: {numbers}")
        for by in [data["variesBy"]] if isinstance(data.get("variesBy"), str) else data.get("variesBy", []):
            if any(by.rpartition("/")[2] not in one for one in variants):
                found.append(f"{where}: a variant doesn't say its {by}")
        if variants and "productGroupID" not in data:
            found.append(f"{where}: a group without its number")
    if kind == "BreadcrumbList":
        places = [item.get("position") for item in data.get("itemListElement", [])]
        if places != list(range(1, len(places) + 1)):
            found.append(f"{where}: positions are {places}")
    if kind == "Question" and data.get("answerCount", 0) < len(data.get("acceptedAnswer", [])):
        found.append(f"{where}: more answers than are counted")
    if kind == "VideoObject" and not {"contentUrl", "embedUrl"} & data.keys():
        found.append(f"{where}: nothing to play")
    return found
