"""The shelf is its owner's alone; that a code was used stays, without by whom."""

from community.core.personal import CUT, GONE, MOVES, STAYS, Leaving, before_leaving, tie

from .models import OrderLine
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
