from django_tasks import task

from . import outbox


@task()
def deliver() -> None:
    """Send what is due; asked for by whoever queues a mail."""
    outbox.deliver_due()
