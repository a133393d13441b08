"""What recipes and tips hear: whatever changes which of them are seen changes the numbers of their products."""

from community.core import pictures
from community.events.log import listen
from community.events.models import Event

from . import services


@listen("recipe.published", "recipe.edited")
def make_its_picture(event: Event) -> None:
    if event.subject.picture_id:
        pictures.nudge()


@listen(
    *(
        f"{noun}.{what}"
        for noun in ("recipe", "tip")
        for what in ("published", "edited", "hidden", "restored", "deleted")
    )
)
def recount_products(event: Event) -> None:
    services.recount_products([*event.subject.product_ids, *event.data.get("products_before", [])])
