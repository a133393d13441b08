from django_tasks import task

from . import delivery


@task()
def announce() -> None:
    """Give people their notices; asked for by whatever just happened."""
    delivery.announce_due()
