from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from . import brand as brands


def brand(request: HttpRequest) -> dict[str, Any]:
    """`brand` for every template; asked for only by those that name it."""
    return {"brand": SimpleLazyObject(lambda: brands.of_request(request))}
