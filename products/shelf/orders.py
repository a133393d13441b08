"""Orders that shops tell us of: matched to people by a confirmed address, and by nothing else (decision 0145).

`import_orders` writes lines with a keyed hash of the buyer's address. A line is matched once: at once where somebody
has confirmed that address, else when somebody confirms it or signs in with it. Then the hash goes. Whoever gets the
address later finds nothing: what was bought stays with who was matched. What nobody claims is erased after
`Numbers.orders_kept_days`.
"""

from datetime import date, timedelta

from allauth.account.models import EmailAddress
from django.db import transaction

from community.accounts.models import User
from community.core import clock
from community.core.models import Numbers
from community.core.rows import retried
from products.models import OrderLine, Ownership, Product, Version
from products.services import add_to_shelf, keep

from .hashes import all_keyed, keyed

AT_ONCE = 500


def plain(address: str) -> str:
    """An address as it is hashed and as allauth keeps it."""
    return address.strip().lower()


def key_of(order: str, line: str) -> list[str]:
    """What makes a line of an order the same one in the next table; an order number is nobody else's business.

    Under today's key first, then under the former ones: a line is known when any of them is.
    """
    return all_keyed("order", f"{order}\n{line}")


def kept_since() -> date:
    """The day before which no purchase is taken: its line would be erased already."""
    return (clock.now() - timedelta(days=Numbers.load().orders_kept_days)).date()


@retried
def take_line(
    *, source: str, key: list[str], address: str, product: Product, version: Version | None, bought_on: date
) -> tuple[str, bool]:
    """Write one line of an imported order. Returns ("added", "changed" or "", whether somebody was matched).

    A line that waits follows what the shop says now; one that was matched stays as it is. What is older than lines are
    kept is left out: it was erased, and must not come back with the shop's next table. Twice is harmless.
    """
    if bought_on < kept_since():
        return "", False
    told = {
        "product": product, "version": version, "bought_on": bought_on, "address": keyed("address", plain(address))
    }  # fmt: skip
    row = OrderLine.objects.select_for_update(of=("self",)).filter(source=source, key__in=key).first()
    if row is None:
        row, done = OrderLine.objects.create(source=source, key=key[0], imported_at=clock.now(), **told), "added"
    elif row.matched_at is None:
        done = "changed" if keep(row, **told) else ""
    else:
        return "", False
    owner = User.objects.filter(
        pk__in=EmailAddress.objects.filter(email=plain(address), verified=True).values("user"), is_active=True
    ).first()
    return done, owner is not None and _match(row, owner)


def hashes_of(person: User) -> list[str]:
    """What their confirmed addresses look like in lines that wait, under today's key and former ones."""
    confirmed = EmailAddress.objects.filter(user=person, verified=True).values_list("email", flat=True)
    return [digest for address in confirmed for digest in all_keyed("address", plain(address))]


def match(person: User) -> int:
    """Put on somebody's shelf what was ordered with one of their confirmed addresses. Returns how many lines."""
    if not person.is_active:
        return 0
    lines = OrderLine.objects.waiting().filter(address__in=hashes_of(person)).select_related("product", "version")
    return sum(_match(line, person) for line in lines.order_by("bought_on", "pk"))


@transaction.atomic
def _match(line: OrderLine, owner: User) -> bool:
    """False when somebody else was quicker."""
    won = OrderLine.objects.waiting().filter(pk=line.pk).update(matched_at=clock.now(), address="")
    if not won:
        return False
    known = Ownership.objects.filter(owner=owner, product=line.product).first()
    # What the owner said of it, or an earlier order, stays; the first order knows the day better than memory does.
    keeps_day = known is not None and bool(known.verified and known.bought_on)
    keeps_version = known is not None and known.version_id is not None
    add_to_shelf(
        line.product,
        owner,
        version=None if keeps_version else line.version,
        bought_on=None if keeps_day else line.bought_on,
        verified=Ownership.Verified.ORDER,
    )
    return True


def erase_old() -> int:
    """Erase lines whose time is up: waiting ones with their hash, matched ones with their key. A sweep, daily."""
    until = clock.now() - timedelta(days=Numbers.load().orders_kept_days)
    return OrderLine.objects.filter(imported_at__lt=until).delete()[0]
