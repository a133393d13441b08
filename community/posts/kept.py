"""What a visitor writes before signing up: sealed, and gone when it is posted or after two days.

The session holds a random token and nothing else; the row is found by the token's hash and read with a key made of
the token and SECRET_KEY. So neither a copy of the database nor a look into sessions shows an order number
(decision 0090).
"""

import base64
import json
import secrets
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256

from cryptography.fernet import Fernet, InvalidToken
from django.db import transaction
from django.db.models import QuerySet
from django.utils.crypto import salted_hmac

from community.core import clock

from .models import KeptPicture, KeptPost

KEPT_FOR = timedelta(hours=48)  # a sign-up takes minutes; two days bridge a mail that comes late
SALT = "community.posts.kept"


def keep(fields: dict[str, str], token: str = "") -> str:
    """Keep the fields of a form. Returns the token that reads them again; with a token, what it named is replaced."""
    token = token or secrets.token_urlsafe(32)
    sealed = _lock(token).encrypt(json.dumps(fields).encode()).decode()
    KeptPost.objects.update_or_create(key=_hash(token), defaults={"sealed": sealed, "created_at": clock.now()})
    return token


def kept(token: str) -> dict[str, str]:
    """What was kept under a token; nothing when it is over, was posted, or the secret key has changed since."""
    row = KeptPost.objects.filter(key=_hash(token), created_at__gt=clock.now() - KEPT_FOR).first() if token else None
    return _read(row, token)


def is_kept(token: str) -> bool:
    """Whether something waits under a token. Sessions live longer than what is kept."""
    return KeptPost.objects.filter(key=_hash(token), created_at__gt=clock.now() - KEPT_FOR).exists()


@transaction.atomic
def take(token: str) -> dict[str, str]:
    """`kept`, for exactly one of all who ask at once: the row goes with the transaction that called this.

    What is raised afterwards in that transaction brings the row back.
    """
    rows = KeptPost.objects.select_for_update().filter(key=_hash(token), created_at__gt=clock.now() - KEPT_FOR)
    row = rows.first() if token else None
    fields = _read(row, token)
    if row is not None:
        row.delete()
    return fields


def forget(token: str) -> None:
    """Twice is harmless."""
    KeptPost.objects.filter(key=_hash(token)).delete()


def tidy() -> int:
    """Erase what nobody came back for, with its pictures. Returns how many."""
    return KeptPost.objects.filter(created_at__lte=clock.now() - KEPT_FOR).delete()[1].get("posts.KeptPost", 0)


# Pictures that go with it, sealed with the same key


@dataclass(frozen=True)
class Shot:
    pk: int
    alt: str


def add_picture(token: str, content: bytes, alt: str) -> Shot | None:
    """Keep a picture, made anew by `core.uploads.reencode`, with the text that is kept under a token; at most three."""
    post = KeptPost.objects.filter(key=_hash(token)).first()
    if post is None or post.pictures.count() >= KeptPicture.MOST:
        return None
    lock = _lock(token)
    row = KeptPicture.objects.create(
        post=post, sealed=lock.encrypt(content), sealed_alt=lock.encrypt(alt.encode()).decode(), created_at=clock.now()
    )
    return Shot(row.pk, alt)


def pictures(token: str) -> list[Shot]:
    """The pictures kept under a token, without what they show."""
    lock = _lock(token)
    found = _pictures(token).defer("sealed")
    try:
        return [Shot(row.pk, lock.decrypt(row.sealed_alt.encode()).decode()) for row in found]
    except InvalidToken:
        return []


def picture(token: str, pk: int) -> bytes:
    """A kept picture as WebP; nothing for whoever has not the token that sealed it."""
    row = _pictures(token).filter(pk=pk).first()
    try:
        return _lock(token).decrypt(bytes(row.sealed)) if row is not None else b""
    except InvalidToken:
        return b""


def describe(token: str, pk: int, alt: str) -> None:
    _pictures(token).filter(pk=pk).update(sealed_alt=_lock(token).encrypt(alt.encode()).decode())


def drop_picture(token: str, pk: int) -> None:
    """Twice is harmless."""
    _pictures(token).filter(pk=pk).delete()


def _pictures(token: str) -> QuerySet[KeptPicture]:
    if not token:
        return KeptPicture.objects.none()
    return KeptPicture.objects.filter(post__key=_hash(token), post__created_at__gt=clock.now() - KEPT_FOR)


def _read(row: KeptPost | None, token: str) -> dict[str, str]:
    if row is None:
        return {}
    try:
        return json.loads(_lock(token).decrypt(row.sealed.encode()))
    except InvalidToken:
        return {}


def _hash(token: str) -> str:
    return sha256(token.encode()).hexdigest()


def _lock(token: str) -> Fernet:
    return Fernet(base64.urlsafe_b64encode(salted_hmac(SALT, token, algorithm="sha256").digest()))
