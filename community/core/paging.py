"""One page of a list, as the address asks for it."""

from typing import Any

from django.core.paginator import InvalidPage, Page, Paginator
from django.http import Http404, HttpRequest


def page_of(request: HttpRequest, rows: Any, size: int) -> Page:
    """The page `?page=` names, the first without it. A page that isn't there is 404 (no endless addresses)."""
    try:
        return Paginator(rows, size).page(request.GET.get("page") or 1)
    except InvalidPage:
        raise Http404 from None
