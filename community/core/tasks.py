from django_tasks import task

from . import outbox, pictures


@task()
def deliver() -> None:
    """Send what is due; asked for by whoever queues a mail."""
    outbox.deliver_due()


@task()
def make_pictures() -> None:
    """Make sizes of pictures that are missing, some at a time; asked for by whoever publishes one."""
    if pictures.make_missing() == pictures.AT_ONCE:
        pictures.nudge()
