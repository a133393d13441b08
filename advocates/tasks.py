"""Background entries. Each is safe to run twice."""

from django_tasks import task

from . import badges, totals


@task()
def rename_by_rank() -> int:
    """A threshold or a name changed: everybody's rank is written anew."""
    return totals.rename_by_rank()


@task()
def judge_badge(slug: str) -> list[int]:
    """A rule changed: it runs over the whole history."""
    step = badges.sweep([slug], restart=True)
    return [step.given, step.taken]
