"""Keyed hashes of what must not be read in a copy of the database: receipt codes, addresses of buyers."""

from django.conf import settings
from django.utils.crypto import salted_hmac


def keyed(what: str, value: str) -> str:
    """64 hex digits, made with today's SECRET_KEY."""
    return salted_hmac(f"products.shelf.{what}", value, algorithm="sha256").hexdigest()


def all_keyed(what: str, value: str) -> list[str]:
    """The hash under today's key and under the former ones that are still listed: codes are printed for years."""
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    salt = f"products.shelf.{what}"
    return [salted_hmac(salt, value, secret=key, algorithm="sha256").hexdigest() for key in keys]
