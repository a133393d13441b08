"""User names for people who come with an import."""

import hashlib
import re
import unicodedata

from django.core.exceptions import ValidationError

from community.accounts.names import LONGEST, SHORTEST
from community.accounts.services import check_free


def free_username(name: str, key: str) -> str:
    """A user name like the name, valid and not to be mistaken for another. `key` tells namesakes apart."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    base = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")
    tail = re.sub(r"\D", "", key) or hashlib.sha256(key.encode()).hexdigest()[:6]
    if len(base) < SHORTEST:
        base = f"{base}-member".strip("-")
    for suffix in ("", f"-{tail}", *(f"-{tail}-{number}" for number in range(2, 100))):
        try:
            return check_free(f"{base[: LONGEST - len(suffix)].strip('-')}{suffix}")
        except ValidationError:
            continue
    return check_free(f"member-{hashlib.sha256(f'{name}/{key}'.encode()).hexdigest()[:12]}")
