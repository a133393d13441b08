"""The shelf is its owner's alone; that a code was used stays, without by whom."""

from community.core.personal import CUT, GONE, MOVES, STAYS, Joining, Leaving, before_joining, before_leaving, tie

from .models import OrderLine, Ownership
from .shelf import orders

tie(
    "products.Ownership.owner", left=GONE, joined=MOVES,
    copy="product__name version__name bought_on verified serial added_at",
)  # fmt: skip
tie("products.ReceiptCode.used_by", left=CUT, joined=MOVES, copy="batch__product__name used_at")
tie("products.CodeBatch.made_by", left=STAYS, joined=MOVES)
tie("products.OwnerAlert.issued_by", left=STAYS, joined=MOVES)


@before_leaving
def forget_orders(leaving: Leaving) -> None:
    """Lines that wait for an address of theirs, known by its hash."""
    OrderLine.objects.filter(matched_at=None, address__in=orders.hashes_of(leaving.person)).delete()


@before_joining
def one_copy_a_product(joining: Joining) -> None:
    """What the account that goes knows of a product that both have, and the other doesn't, comes along."""
    gone = {row.product_id: row for row in Ownership.objects.filter(owner=joining.gone)}
    kept = Ownership.objects.select_for_update().filter(owner=joining.kept, product__in=gone)
    for row in kept.order_by("pk"):
        other = gone[row.product_id]
        for field in ("verified", "bought_on", "serial", "version_id"):
            if not getattr(row, field):
                setattr(row, field, getattr(other, field))
        row.added_at = min(row.added_at, other.added_at)
        row.save()
        other.delete()
