from django_tasks import task

from . import documents


@task()
def index() -> None:
    """Index what changed; asked for by whatever changed it."""
    documents.index_changes()
