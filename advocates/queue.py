"""The expert queue: open questions for one advocate, who takes one, who passes, and how well routing does."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Avg, Case, Count, F, Q, Value, When
from django.utils.translation import gettext as _

from community.accounts.models import Standing, User
from community.core import clock
from community.core.errors import Conflict, require
from community.core.models import Numbers
from community.core.rows import retried
from community.questions.models import Kind, Thread
from community.questions.permissions import why_not_answer
from community.questions.querysets import OPEN

from . import ranking, rhythm
from .models import AdvocateMembership, Ask, Claim

State = AdvocateMembership.State
CLAIM_SECONDS = 600
LOOKED_AT, SHOWN = 200, 20
REPLIED = 0.5  # a question that has an answer already needs another half as much
KINDS = (Kind.QUESTION, Kind.PROBLEM)


@dataclass
class Row:
    """An open question as one advocate sees it."""

    thread: Thread
    ask: Ask | None
    knows: float
    fit: float
    score: float
    claim: Claim | None = None

    @property
    def minutes(self) -> int:
        """For how long at most somebody else may go on writing."""
        return max(1, ceil((self.claim.until - clock.now()).total_seconds() / 60)) if self.claim is not None else 0

    @property
    def asked(self) -> bool:
        return self.ask is not None and self.ask.passed_at is None and not self.ask.by_choice


@dataclass
class Mine:
    """The queue of one advocate."""

    rows: list[Row]
    member: AdvocateMembership
    here: float
    asked: int
    limit: int

    @property
    def here_percent(self) -> float:
        return round(100 * self.here, 1)


def member_of(user: Any) -> AdvocateMembership | None:
    """Their place in the programme, if they are an advocate now. One query, with the rhythm and how often asked."""
    if not user.is_authenticated or user.standing != Standing.ADVOCATE:
        return None
    return (
        AdvocateMembership.objects.current()
        .annotate(asked=ranking.asked_this_week("user__"))
        .select_related("user", "user__rhythm", "stand_in")
        .prefetch_related("expertise")
        .filter(user=user)
        .first()
    )


def open_questions() -> Any:
    return Thread.objects.visible().filter(OPEN, kind__in=KINDS, locked_at__isnull=True)


def for_advocate(member: Any) -> Mine:
    """Their queue: what they were asked about first, then what fits them best by `ranking`'s calculation.

    Five queries and those of `member_of`.
    """
    now, limit, user = clock.now(), Numbers.load().asks_per_advocate_a_week, member.user
    products = [row.product_id for row in member.expertise.all()]
    asks = {ask.thread_id: ask for ask in Ask.objects.filter(person=user)}
    passed = [pk for pk, ask in asks.items() if ask.passed_at or ask.handed_to_id]
    waiting = [pk for pk, ask in asks.items() if not (ask.passed_at or ask.handed_to_id or ask.answered_at)]
    threads = list(
        open_questions()
        .filter(Q(product__in=products) | Q(product=None) | Q(pk__in=waiting))
        .exclude(author=user)
        .exclude(pk__in=passed)
        .exclude(answers__author=user)
        .select_related("product", "topic", "author", "claim", "claim__person")
        # What one was asked about first, then what nobody has replied to; engines differ in where they put nothing.
        .order_by(
            Case(When(pk__in=waiting, then=Value(0)), default=Value(1)),
            F("first_reply_at").asc(nulls_first=True),
            "-created_at",
        )[:LOOKED_AT]
    )
    known = ranking.Known([user.pk], threads, now)
    here = rhythm.likelihood(getattr(user, "rhythm", None), now)
    rows = []
    for thread in threads:
        candidate = ranking.Candidate(
            member, known.of(user.pk, thread), known.fit(user.pk, thread), here, member.asked, limit
        )
        score = candidate.score * (REPLIED if thread.first_reply_at else 1)
        claim = getattr(thread, "claim", None)
        rows.append(
            Row(
                thread, asks.get(thread.pk), candidate.knows, candidate.fit, round(score, 2),
                claim if claim is not None and claim.until > now else None,
            )
        )  # fmt: skip
    rows.sort(key=lambda row: (not row.asked, -row.score, row.thread.created_at, row.thread.pk))
    return Mine(rows[:SHOWN], member, here, member.asked, limit)


# Taking one


def _require_advocate(by: User) -> None:
    here = AdvocateMembership.objects.here().filter(user=by).exists()
    require("" if here else _("This is for advocates who are here."))


def _open(thread: Thread) -> Thread:
    row = Thread.objects.filter(pk=thread.pk).first()
    if row is None or not row.is_visible or row.solved_at or row.closed_at or row.duplicate_of_id:
        raise Conflict(_("This question is settled or closed meanwhile."))
    return row


@retried
def take(thread: Thread, by: User) -> Claim:
    """Say that one is writing an answer. For ten minutes no other advocate takes it; taking it again begins anew.

    Of two at once one wins: the row is claimed by a conditional update, and there is one row a thread.
    """
    _require_advocate(by)
    require(why_not_answer(by, _open(thread)))
    now = clock.now()
    until = now + timedelta(seconds=CLAIM_SECONDS)
    free = Claim.objects.filter(Q(person=by) | Q(until__lte=now), thread=thread)
    if not free.update(person=by, until=until):
        try:
            with transaction.atomic():
                Claim.objects.create(thread_id=thread.pk, person=by, until=until)
        except IntegrityError:
            raise Conflict(_("Somebody else is writing an answer. It is free again in ten minutes at most.")) from None
    return Claim.objects.get(thread=thread)


def let_go(thread: Thread, by: User) -> bool:
    """Somebody else may take it. Twice is harmless."""
    return bool(Claim.objects.filter(thread=thread, person=by).delete()[0])


@retried
def pass_on(thread: Thread, by: User, why: str) -> Ask:
    """Say no, quietly, and why: routing learns from it (`ranking.learn`). Twice is harmless."""
    _require_advocate(by)
    if why not in Ask.Why.values:
        raise Conflict(_("Choose one of the three reasons."))
    ask, _new = Ask.objects.select_for_update(of=("self",), no_key=True).get_or_create(
        person=by, thread=thread, defaults={"at": clock.now(), "by_choice": True}
    )
    ask.thread = thread
    if ask.passed_at is not None or ask.answered_at is not None:
        return ask
    ask.passed_at, ask.why = clock.now(), why
    ask.save(update_fields=["passed_at", "why"])
    ranking.learn(ask, why)
    let_go(thread, by)
    return ask


@retried
def rest_no_longer(by: User) -> None:
    """There is time again: they are asked as before."""
    AdvocateMembership.objects.filter(user=by).update(resting_until=None)


def answered(thread: Thread, person_id: int, at: datetime) -> None:
    """An advocate answered: what was asked of them is done. Runs in the transaction of the answer."""
    Ask.objects.filter(thread=thread, person=person_id, answered_at=None).update(answered_at=at, passed_at=None, why="")
    Claim.objects.filter(thread=thread, person=person_id).delete()
    ranking.unlearn(person_id, thread)
    rhythm.note(person_id, at)


def hand_over(member: AdvocateMembership, stand_in: User) -> list[int]:
    """What was asked of somebody and is still open goes to who stands in for them. Returns the threads' ids.

    It takes no place of its own and counts in the stand-in's week. Runs in the transaction of the absence.
    """
    now = clock.now()
    waiting = (
        Ask.objects.filter(
            person=member.user_id, by_choice=False, answered_at=None, passed_at=None, handed_to=None,
            thread__in=open_questions(),
        )
        .exclude(thread__author=stand_in)
        .exclude(thread__answers__author=stand_in)
    )  # fmt: skip
    threads = list(waiting.order_by("thread").values_list("thread", flat=True))
    Ask.objects.filter(person=member.user_id, thread__in=threads).update(handed_to=stand_in)
    Ask.objects.bulk_create(
        [Ask(person=stand_in, thread_id=thread, at=now) for thread in threads], ignore_conflicts=True
    )
    Claim.objects.filter(person=member.user_id).delete()
    return threads


# How well it does


@dataclass(frozen=True)
class Routing:
    """Of the questions somebody was asked about in a time."""

    threads: int
    first_answered: int
    any_answered: int
    asks: int
    passed: int
    hours: float | None  # from being asked to answering, on average

    @property
    def first_percent(self) -> int | None:
        return round(100 * self.first_answered / self.threads) if self.threads else None

    @property
    def any_percent(self) -> int | None:
        return round(100 * self.any_answered / self.threads) if self.threads else None


def figures(since: datetime) -> Routing:
    """How often the first asked answered, and whether any of those asked did. One query.

    Whoever handed a question on counts as not having been asked.
    """
    first, done = Q(place=1, handed_to=None), Q(answered_at__isnull=False)
    found = Ask.objects.filter(at__gte=since, by_choice=False).aggregate(
        threads=Count("thread", filter=first, distinct=True),
        first_answered=Count("thread", filter=first & done, distinct=True),
        any_answered=Count("thread", filter=done, distinct=True),
        asks=Count("pk"),
        passed=Count("pk", filter=Q(passed_at__isnull=False)),
        took=Avg(F("answered_at") - F("at"), filter=done),
    )
    took = found.pop("took")
    return Routing(**found, hours=round(took.total_seconds() / 3600, 1) if took is not None else None)
