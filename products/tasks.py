from django_tasks import task

from . import made


@task()
def draw() -> None:
    """Draw what is missing or out of date; asked for by whoever publishes a product page."""
    if made.make_missing() == made.AT_ONCE:
        draw.enqueue()
