"""Asking back: askers, whether an answer settled it and three days after acceptance whether the fix still works; and
staff, on the day they named, whether an official answer still holds.

When somebody is asked stands in a row (`Thread.remind_at`, `FollowUpRequest.due_at`, `Answer.recheck_on`), in an index
of those that are due at all: a sweep costs what is due, not what there is. A row is claimed by a conditional update in
the transaction of its effects, and what was asked has a unique row of its own; so two sweeps at once ask once, and a
worker that dies in the middle has asked nobody. The mail itself is the notifications' matter: they hear the event.
"""

import logging
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from django.core import signing

from community.accounts.models import User
from community.core import clock, numbers
from community.core.rows import locked, retried
from community.events.log import is_replaying, record

from . import facts, permissions
from .models import Answer, FollowUpRequest, Reminder, Thread
from .services import FOLLOW_UP_AFTER, put_in_doubt

logger = logging.getLogger(__name__)
BATCH = 200
NAMED = 3  # answers that a reminder quotes
TOKEN_HOLDS = timedelta(days=30)
SALT = "questions.still_working"


def interval() -> timedelta:
    return timedelta(hours=max(1, numbers.remembered().remind_after_hours))


# The mail's three links: whoever has them may say for the asker, about this one answer, whether it still works.


def token_for(answer: Answer, asker: User) -> str:
    return signing.dumps([answer.pk, asker.pk, int(clock.now().timestamp())], salt=SALT)


def read_token(token: str) -> tuple[int, int]:
    """The ids of answer and asker. Raises `signing.BadSignature` for what isn't ours, SignatureExpired for what was."""
    answer, asker, at = signing.loads(token, salt=SALT)
    if clock.now() - datetime.fromtimestamp(at, tz=UTC) > TOKEN_HOLDS:
        raise signing.SignatureExpired("too old")
    return answer, asker


# Planning


def plan_reminder(thread: Thread, since: datetime) -> None:
    """Ask the asker about the answers there are, an interval after the last of them. The thread's row is held."""
    if thread.kind in permissions.SOLVABLE and not thread.is_settled:
        thread.remind_at = since + interval()
        thread.save(update_fields=["remind_at"])


def plan_follow_up(answer: Answer) -> None:
    """Ask three days after the acceptance; an answer is asked about once, however often it is accepted."""
    if answer.author_id == answer.thread.author_id:
        return  # the asker's own fix: nobody else's work hangs on it
    request, new = FollowUpRequest.objects.get_or_create(
        answer=answer, defaults={"due_at": clock.now() + FOLLOW_UP_AFTER}
    )
    if not new and not request.asked:
        request.due_at, request.done_at = clock.now() + FOLLOW_UP_AFTER, None
        request.save(update_fields=["due_at", "done_at"])


# Asking


def sweep(now: datetime | None = None) -> Counter[str]:
    """Ask whoever is due at `now`; returns how often what was done. One that fails keeps nobody else waiting."""
    done: Counter[str] = Counter()
    with clock.travel(now or clock.now()) as moment:
        reminders = Thread._base_manager.filter(remind_at__lte=moment).order_by("remind_at", "pk")
        requests = FollowUpRequest.objects.filter(done_at__isnull=True, due_at__lte=moment).order_by("due_at", "pk")
        planned = Answer._base_manager.filter(recheck_on__lte=moment.date()).order_by("recheck_on", "pk")
        for rows, ask in ((reminders, remind), (requests, ask_follow_up), (planned, look_again)):
            failed: set[int] = set()
            while batch := [pk for pk in rows.values_list("pk", flat=True)[: BATCH + len(failed)] if pk not in failed]:
                for pk in batch:
                    outcome = _safely(ask, pk, moment)
                    done[outcome] += 1
                    if outcome == "failed":
                        failed.add(pk)
    del done[""]
    return done


def _safely(ask: Callable[[int, datetime], str], pk: int, moment: datetime) -> str:
    try:
        return ask(pk, moment)
    except Exception:
        logger.exception("%s %s failed and is tried again", ask.__name__, pk)
        return "failed"


@retried
def remind(pk: int, moment: datetime) -> str:
    """Claim a thread that is due and ask its asker. Says what was done; nothing when somebody else has it."""
    if not Thread._base_manager.filter(pk=pk, remind_at__lte=moment).update(remind_at=None):
        return ""
    thread = locked(Thread(pk=pk))
    if thread.needs_info_since is not None and not is_replaying():
        return _remind_of_request(thread, moment)
    answers = _undecided(thread)
    sent = list(thread.reminders.order_by("number").values_list("sent_at", "info"))
    counted = [at for at, info in sent if not info and (thread.reopened_at is None or at > thread.reopened_at)]
    if not answers or len(counted) >= numbers.remembered().reminders or not _can_decide(thread):
        return "dropped"
    spoke = facts.latest(thread.asker_spoke_at, answers[0].moved_at or answers[0].created_at)
    if permissions.why_not_accept(thread.author, thread) or thread.needs_info_since:
        thread.remind_at = moment + interval()  # silenced for now, or busy with another question of ours
    elif spoke is not None and spoke + interval() > moment:
        thread.remind_at = spoke + interval()  # the asker is not silent
    if thread.remind_at is not None:
        thread.save(update_fields=["remind_at"])
        return "later"
    Reminder.objects.create(thread=thread, number=len(sent) + 1, sent_at=moment)
    if len(counted) + 1 < numbers.remembered().reminders:
        thread.remind_at = moment + interval()
        thread.save(update_fields=["remind_at"])
    record(
        "thread.asker_reminded", actor=None, subject=thread, number=len(sent) + 1,
        answers=[answer.pk for answer in answers],
    )  # fmt: skip
    return "reminded"


def _remind_of_request(thread: Thread, moment: datetime) -> str:
    """Asked for something, an asker is reminded as often as of answers; an interval after the last it is silence."""
    over = thread.is_settled or thread.closed_at or thread.locked_at or thread.duplicate_of_id or not thread.is_visible
    if over or not _can_decide(thread):
        return "dropped"
    sent = list(thread.reminders.order_by("number").values_list("sent_at", "info"))
    since = thread.needs_info_since
    if sum(info and since is not None and at > since for at, info in sent) >= numbers.remembered().reminders:
        record("thread.asker_silent", actor=None, subject=thread)
        return "silent"
    Reminder.objects.create(thread=thread, number=len(sent) + 1, info=True, sent_at=moment)
    thread.remind_at = moment + interval()
    thread.save(update_fields=["remind_at"])
    record("thread.asker_reminded", actor=None, subject=thread, number=len(sent) + 1, answers=[], info=True)
    return "reminded"


def _undecided(thread: Thread) -> list[Answer]:
    """The latest visible answers of others since the thread was opened; none when the matter is settled."""
    if thread.is_settled or thread.closed_at or thread.locked_at or thread.duplicate_of_id or not thread.is_visible:
        return []
    answers = thread.answers.visible().exclude(author=thread.author_id)
    if thread.reopened_at:
        answers = answers.filter(created_at__gt=thread.reopened_at)
    return list(answers.order_by("-created_at", "-pk")[:NAMED])


def _can_decide(thread: Thread) -> bool:
    """Whether the asker is somebody who will ever accept: not gone, not suspended."""
    return thread.author.is_active and not thread.author.is_erased and thread.author.suspended_at is None


@retried
def ask_follow_up(pk: int, moment: datetime) -> str:
    """Claim a request that is due and ask whether the fix still works; once an answer, ever."""
    due = FollowUpRequest.objects.filter(pk=pk, done_at__isnull=True, due_at__lte=moment)
    if not due.update(done_at=moment):
        return ""
    request = FollowUpRequest.objects.select_related("answer__thread__author").get(pk=pk)
    answer = request.answer
    if not _worth_asking(answer):
        return "dropped"
    request.asked = True
    request.save(update_fields=["asked"])
    record("follow_up.asked", actor=None, subject=answer, thread=answer.thread_id)
    return "asked"


def _worth_asking(answer: Answer) -> bool:
    """It stands, it leads (one question a thread), and the asker has not told us yet."""
    thread = answer.thread
    return (
        answer.is_visible
        and thread.is_visible
        and answer.is_accepted
        and thread.is_settled
        and thread.leading_solution_id == answer.pk
        and not thread.closed_at
        and not hasattr(answer, "follow_up")
        and _can_decide(thread)
    )


@retried
def look_again(pk: int, moment: datetime) -> str:
    """Claim an official answer whose day has come, and put its thread in the re-check queue."""
    due = Answer._base_manager.filter(pk=pk, recheck_on__lte=moment.date())
    pk_of_thread = due.values_list("thread", flat=True).first()
    if pk_of_thread is None:
        return ""
    thread = locked(Thread(pk=pk_of_thread))  # first the thread, as everywhere
    if not due.update(recheck_on=None):
        return ""
    answer = Answer._base_manager.get(pk=pk)
    away = thread.closed_at or thread.duplicate_of_id or not (thread.is_visible and answer.is_visible)
    if away or not answer.is_official or thread.recheck_at is not None:
        return "dropped"
    put_in_doubt(thread, None, answer, planned=True)
    return "rechecked"


def catch_up(until: datetime, thread: int | None = None) -> None:
    """Inside a replay: ask what came due on the way, each at its own time; nobody is told (demo)."""
    reminders = Thread._base_manager.filter(remind_at__lte=until)
    requests = FollowUpRequest.objects.filter(done_at__isnull=True, due_at__lte=until)
    if thread is not None:
        reminders, requests = reminders.filter(pk=thread), requests.filter(answer__thread=thread)
    while rows := list(reminders.values_list("pk", "remind_at")[:BATCH]):
        for pk, due in rows:
            with clock.travel(due):
                remind(pk, due)
    for pk, due in list(requests.values_list("pk", "due_at")):
        with clock.travel(due):
            ask_follow_up(pk, due)


def run() -> None:
    """The periodic sweep, ticked by the worker."""
    done = sweep()
    if failed := done.get("failed"):
        raise RuntimeError(f"{failed} askers could not be asked; they are tried again")
