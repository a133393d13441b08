"""Answer once, reach everyone affected: one official answer, posted to every thread that is about the same.

The first is posted at once; the worker posts the others, each in a transaction of its own, so that one that is closed
meanwhile keeps nobody waiting. Each asker hears of it as of any official answer.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import date, datetime

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _

from community.accounts.models import Department, User
from community.core.errors import Conflict, NotAllowed, require
from community.core.rows import retried
from community.events.log import is_replaying, record
from community.questions import services as questions
from community.questions.models import Answer, Kind, Thread

from . import services
from .models import Cluster, ClusterThread, Incident, IncidentThread
from .permissions import why_not_work

logger = logging.getLogger(__name__)

MOST = 100  # threads in one go
BATCH = 50
State = ClusterThread.State
SOLVABLE = (Kind.QUESTION, Kind.PROBLEM)


@retried
def answer_all(
    thread: Thread,
    by: User,
    *,
    threads: Iterable[int],
    body: str,
    department: Department,
    sources: Iterable[str] = (),
    recheck_on: date | None = None,
    promise: tuple[str, datetime] | None = None,
) -> Cluster:
    """Answer a thread officially, and others that are about the same with the same words.

    `threads` are the ids of the others. Raises NotAllowed, ValidationError by field, Conflict.
    """
    require(why_not_work(by))
    wanted = _wanted(threads, without=thread.pk)
    if not wanted:
        raise ValidationError({"threads": _("Tick at least one other thread.")})
    answer = services.answer_officially(
        thread, by, body=body, department=department, sources=sources, recheck_on=recheck_on, promise=promise
    )
    return spread(answer, by, department, wanted)


def _wanted(threads: Iterable[int], *, without: int) -> list[Thread]:
    """Those of them that are still open to an answer."""
    ids = set(threads) - {without}
    if len(ids) > MOST:
        raise ValidationError({"threads": _("At most %(most)d threads at once.") % {"most": MOST}})
    found = Thread.objects.visible().filter(
        pk__in=ids, kind__in=SOLVABLE, solved_at=None, official_at=None, closed_at=None, duplicate_of=None
    )  # fmt: skip
    return list(found.order_by("pk"))


def spread(answer: Answer, by: User, department: Department, threads: Iterable[Thread]) -> Cluster:
    """Have the worker post an answer that stands to these threads as well."""
    threads = list(threads)
    cluster, _new = Cluster.objects.get_or_create(answer=answer, defaults={"by": by, "department": department})
    ClusterThread.objects.bulk_create(
        [ClusterThread(cluster=cluster, thread=thread) for thread in threads], ignore_conflicts=True
    )
    record("escalation.clustered", actor=by, subject=answer.thread, answer=answer.pk, cluster=cluster.pk,
           threads=sorted(thread.pk for thread in threads))  # fmt: skip
    from .tasks import answer_clusters

    answer_clusters.enqueue()
    return cluster


def post_waiting(limit: int = BATCH) -> int:
    """Post what waits; safe with any number of workers. Returns how many were answered."""
    if is_replaying():
        return 0
    waiting = ClusterThread.objects.filter(state=State.WAITING).order_by("pk").values_list("pk", flat=True)
    return sum(_post(pk) for pk in list(waiting[:limit]))


def _post(pk: int) -> int:
    row = ClusterThread.objects.select_related("cluster__answer__thread", "cluster__by", "cluster__department").get(
        pk=pk
    )
    cluster = row.cluster
    try:
        with transaction.atomic():
            thread = Thread.objects.select_for_update(of=("self",), no_key=True).get(pk=row.thread_id)
            if not ClusterThread.objects.filter(pk=pk, state=State.WAITING).update(state=State.POSTED):
                return 0
            first = cluster.answer
            if not _is_shown(first):
                raise Conflict(_("The first answer is not shown any more."))
            if thread.solved_at or thread.official_at:
                raise Conflict(_("It has been settled meanwhile."))
            answer = questions.post_answer(
                thread, cluster.by, body=_words(cluster, thread), official_for=cluster.department
            )
            ClusterThread.objects.filter(pk=pk).update(answer=answer)
    except (Conflict, NotAllowed, ValidationError, Thread.DoesNotExist) as problem:
        why = getattr(problem, "reason", "") or " ".join(getattr(problem, "messages", [str(problem)]))
        with transaction.atomic():
            if ClusterThread.objects.filter(pk=pk, state=State.WAITING).update(state=State.SKIPPED, why=why[:300]):
                _tell_otherwise(row)
        return 0
    except Exception:
        logger.exception("A thread of cluster %s could not be answered and is tried again", cluster.pk)
        return 0
    return 1


def _tell_otherwise(row: ClusterThread) -> None:
    """Where the solution of a known issue can't be posted any more, who asked is told of it by a notice of its own."""
    first, thread = row.cluster.answer, Thread.objects.select_related("merged_into").filter(pk=row.thread_id).first()
    if thread is None or not _is_shown(first) or not (thread.merged_into or thread).is_visible:
        return
    about = IncidentThread.objects.filter(
        thread__in=[thread.pk, thread.merged_into_id or thread.pk], incident__state=Incident.State.SOLVED
    )
    if (known := about.select_related("incident").first()) is not None:
        record("incident.passed_on", actor=row.cluster.by, subject=known.incident, thread=thread.pk)


def _is_shown(first: Answer) -> bool:
    return first.is_visible and (first.thread.merged_into or first.thread).is_visible


def _words(cluster: Cluster, thread: Thread) -> str:
    """The same words, and where they were said first, in the language of the thread."""
    first = cluster.answer.thread
    with translation.override(thread.language):
        where = _("The same was asked, and answered first, in [%(title)s](%(url)s).") % {
            "title": first.title.replace("[", "(").replace("]", ")"), "url": cluster.answer.get_absolute_url(),
        }  # fmt: skip
    return f"{cluster.answer.body_source.rstrip()}\n\n{where}"
