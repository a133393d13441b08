"""Background entries: nudges; what is to be done stands in rows."""

from django_tasks import task

from . import clusters, handoffs, simulation


@task()
def send_hand_offs() -> None:
    """Send the webhooks that are due; asked for by whoever hands a case over."""
    handoffs.send_due()


@task()
def answer_clusters() -> None:
    """Post official answers to the threads they are for; asked for by whoever answers several at once."""
    clusters.post_waiting()


@task()
def work_out(pk: int) -> None:
    """Work a simulation out; asked for by whoever made the draft."""
    simulation.run(pk)
