"""What recipes and tips hear: whatever changes which of them are seen changes the numbers of their products."""

from community.events.log import listen
from community.events.models import Event

from . import services


@listen(
    *(
        f"{noun}.{what}"
        for noun in ("recipe", "tip")
        for what in ("published", "edited", "hidden", "restored", "deleted")
    )
)
def recount_products(event: Event) -> None:
    services.recount_products([*event.subject.product_ids, *event.data.get("products_before", [])])
