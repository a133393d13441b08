"""Receipt codes: on the box or the receipt, each proves one purchase, once.

A code is twelve characters from an alphabet of thirty without look-alikes: 59 random bits. With twenty tries a day
(core/limits.py, "receipt") nobody guesses one. Only keyed hashes are kept: who reads the database has no codes.
"""

import secrets
import unicodedata
from collections.abc import Iterable

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext as _

from community.accounts.models import User
from community.accounts.permissions import why_not_write
from community.core import clock, text
from community.core.errors import require
from community.core.rows import retried
from products.models import CodeBatch, Ownership, Product, ReceiptCode, Version
from products.services import add_to_shelf, why_not_keep_shelves

from .hashes import all_keyed, keyed

ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"  # no 0 O, 1 I L, U
LENGTH, GROUP = 12, 4
MOST = 5000  # codes in a batch: one download
SHORTEST, LONGEST = 8, 40  # of codes that were printed elsewhere


def plain(code: str) -> str:
    """A code as it is hashed: without spaces and dashes, in capitals."""
    return "".join(char for char in unicodedata.normalize("NFKC", code).upper() if char.isalnum())


def _new_code() -> str:
    chars = "".join(secrets.choice(ALPHABET) for _place in range(LENGTH))
    return "-".join(chars[start : start + GROUP] for start in range(0, LENGTH, GROUP))


@transaction.atomic
def make_batch(
    product: Product, by: User, *, count: int, version: Version | None = None, note: str = ""
) -> tuple[CodeBatch, list[str]]:
    """New codes for a product. They are returned this once and can't be read again.

    Raises NotAllowed, ValidationError at `count` or `version`.
    """
    require(why_not_keep_shelves(by))
    if not 1 <= count <= MOST:
        raise ValidationError({"count": _("From 1 to %(most)d codes at a time.") % {"most": MOST}})
    batch = _batch(product, version, note, by)
    codes: set[str] = set()
    while len(codes) < count:
        codes.add(_new_code())
    ordered = sorted(codes)
    _write(batch, ordered)
    return batch, ordered


@transaction.atomic
def take_over(
    product: Product, codes: Iterable[str], *, version: Version | None = None, note: str = "", by: User | None = None
) -> int:
    """Codes that were printed elsewhere. Known ones are left as they are; returns how many are new."""
    wanted = {plain(code): all_keyed("code", plain(code)) for code in codes}  # known under a former key is known
    digests = [digest for known_as in wanted.values() for digest in known_as]
    known = set(ReceiptCode.objects.filter(digest__in=digests).values_list("digest", flat=True))
    new = [code for code, known_as in wanted.items() if known.isdisjoint(known_as)]
    if new:
        _write(_batch(product, version, note, by), new)
    return len(new)


def _batch(product: Product, version: Version | None, note: str, by: User | None) -> CodeBatch:
    if version is not None and version.product_id != product.pk:
        raise ValidationError({"version": _("This is a version of another product.")})
    return CodeBatch.objects.create(
        product=product, version=version, note=text.clean_line(note)[:120], made_by=by, made_at=clock.now()
    )


def _write(batch: CodeBatch, codes: Iterable[str]) -> None:
    rows = [ReceiptCode(batch=batch, digest=keyed("code", plain(code))) for code in codes]
    ReceiptCode.objects.bulk_create(rows, batch_size=1000)


@retried
def redeem(code: str, by: User) -> Ownership:
    """Put the product of a code on the shelf as verified. The same person may type it twice; nobody else may.

    Raises ValidationError at `code` with the same words whether it is wrong or used: the answer tells a guesser
    nothing. The index finds keyed hashes, so neither do the microseconds. Count the tries before (limit "receipt").
    """
    require(why_not_write(by))
    typed = plain(code)
    found: ReceiptCode | None = None
    digests = all_keyed("code", typed) if len(typed) <= LONGEST else []
    for row in ReceiptCode.objects.select_related("batch__product", "batch__version").filter(digest__in=digests):
        if any(constant_time_compare(row.digest, digest) for digest in digests):
            found = row
    unused = ReceiptCode.objects.filter(pk=found.pk if found else None, used_at=None)
    won = unused.update(used_by=by, used_at=clock.now())
    if found is None or (not won and found.used_by_id != by.pk):
        raise ValidationError({"code": _("This code is not right, or somebody has used it. Please look again.")})
    batch = found.batch
    return add_to_shelf(batch.product, by, version=batch.version, verified=Ownership.Verified.RECEIPT)
