"""Background entries. Each is safe to run twice."""

from django_tasks import task

from . import copies


@task()
def make_copies() -> int:
    """Somebody asked for a copy of their data."""
    return copies.make_waiting()
