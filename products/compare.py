"""Which products somebody compares: they stand in the address of the page, and wait in a cookie while one chooses.

The cookie holds up to four slugs and nothing about the person. It is written when somebody asks for it, by a POST.
"""

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.template.defaultfilters import floatformat
from django.urls import reverse
from django.utils.translation import gettext as _

MOST = 4
COOKIE = "compare"
DAYS = 30


def chosen(request: HttpRequest) -> list[str]:
    """The slugs that wait, in the order of choosing; they may name products that are no longer there."""
    kept = request.COOKIES.get(COOKIE, "").split(".")
    return list(dict.fromkeys(slug for slug in kept if 0 < len(slug) <= 80))[:MOST]


def keep(response: HttpResponse, slugs: Iterable[str]) -> None:
    """Let these wait, or none any more."""
    value = ".".join(slugs)
    if not value:
        response.delete_cookie(COOKIE, samesite="Lax")
        return
    response.set_cookie(COOKIE, value, max_age=DAYS * 24 * 60 * 60, httponly=True, samesite="Lax")


def address(slugs: Iterable[str], only: bool = False) -> str:
    """Where these stand side by side; `only` with what differs."""
    asked = [("p", slug) for slug in slugs] + ([("only", "differences")] if only else [])
    return f"{reverse('products:compare')}?{urlencode(asked)}" if asked else reverse("products:compare")


def table(pages: list[Any]) -> list[dict[str, Any]]:
    """The specifications side by side: groups of rows with `name`, the `cells` in the order of the pages, and whether
    they `differ`. A cell is what a page says (empty where it is silent) and in which language."""
    values: dict[tuple[str, str], dict[int, str]] = {}
    headings: dict[str, list[str]] = {}
    first: dict[Any, str] = {}  # the language of who said a heading or a name first
    for page in pages:
        for group in page.specification:
            heading = group.value["heading"].partition(" (")[0]
            first.setdefault(heading, page.language)
            for row in group.value["rows"]:
                names = headings.setdefault(heading, [])
                if row["name"] not in names:
                    names.append(row["name"])
                    first[heading, row["name"]] = page.language
                values.setdefault((heading, row["name"]), {})[page.pk] = row["value"]
    return [
        {
            "heading": heading,
            "language": first[heading],
            "rows": [_row(name, values[heading, name], pages, first[heading, name]) for name in names],
        }
        for heading, names in headings.items()
    ]


def ratings(pages: list[Any]) -> list[dict[str, Any]]:
    """What owners gave the products in detail, as a group for the top of the table; none when nobody rated any."""
    values: dict[str, dict[int, str]] = {}
    for page in pages:
        for each in page.product.in_detail:
            values.setdefault(each["name"], {})[page.pk] = f"{floatformat(each['mean'], 1)} ({each['of']})"
    rows = [_row(name, found, pages) for name, found in values.items()]
    return [{"heading": _("Owners rate, from 1 to 5"), "rows": rows}] if rows else []


def _row(name: str, values: dict[int, str], pages: list[Any], language: str = "") -> dict[str, Any]:
    """`language`: of what editors wrote; without, it is said in the reader's."""
    cells = [(values.get(page.pk, ""), page.language if language else "") for page in pages]
    differ = len({" ".join(value.casefold().split()) for value, _language in cells}) > 1
    return {"name": name, "language": language, "cells": cells, "differ": differ}
