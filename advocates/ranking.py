"""Who is asked first, and why: one calculation for the ladder's quiet asking, the queue and the manager's page.

    score = (START + knows) · fit · here · fresh

knows   what others found of their answers on this product and topic (`competence.py`)
fit     what their passes taught: 1, or less for a while (`learn`)
here    the chance that they answer something in the next four hours, by their own pattern (`rhythm.py`)
fresh   1 for whom nobody asked this week, falling to 0.4 with the last ask the week bears

START lets somebody new be asked at all: it is worth one accepted answer.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import models
from django.db.models import Count, Q
from django.utils.translation import gettext as _

from community.core import clock
from community.core.models import Numbers
from community.questions.models import Answer, Thread

from . import rhythm
from .competence import TOPIC_COUNTS, worth
from .models import AdvocateMembership, Ask, Competence, Lesson

WEEK = timedelta(days=7)
START = 15.0
TIRED = 0.6  # what the last ask of a week leaves away
LESSON_LASTS = timedelta(days=180)
Kind = Competence.Kind
# reason: (on what, times, never below); "no time" is a rest instead
LESSONS = {
    Ask.Why.NOT_MY_PRODUCT: (Kind.PRODUCT, 0.5, 0.25),
    Ask.Why.DONT_KNOW: (Kind.TOPIC, 0.75, 0.4),
}
REST, LONGEST_REST = timedelta(days=3), timedelta(days=14)


class Out(models.TextChoices):
    """Why somebody is not asked about a thread."""

    NO = "", ""
    AWAY = "away", "away"
    RESTING = "resting", "resting"
    OTHER_PRODUCT = "other_product", "other_product"
    ASKER = "asker", "asker"
    ANSWERED = "answered", "answered"
    ASKED = "asked", "asked"
    FULL = "full", "full"


@dataclass(frozen=True)
class Candidate:
    """An advocate for one thread, with every figure that their place follows from."""

    member: AdvocateMembership
    knows: float
    fit: float
    here: float
    asked: int  # this week
    limit: int
    out: str = ""

    @property
    def fresh(self) -> float:
        return 1 - TIRED * min(1.0, self.asked / max(1, self.limit))

    @property
    def score(self) -> float:
        """Of the figures as they are shown, so that whoever reckons it again comes to the same."""
        return round((START + round(self.knows)) * round(self.fit, 2) * round(self.here, 3) * round(self.fresh, 2), 2)

    @property
    def here_percent(self) -> float:
        return round(100 * self.here, 1)

    @property
    def fit_percent(self) -> int:
        return round(100 * self.fit)

    @property
    def fresh_percent(self) -> int:
        return round(100 * self.fresh)

    @property
    def start(self) -> int:
        return int(START)


class Known:
    """What advocates know, and what their passes taught, of many products and topics. Two queries."""

    def __init__(self, people: Iterable[int], threads: Sequence[Thread], at: datetime) -> None:
        about = Q(kind=Kind.PRODUCT, key__in={thread.product_id for thread in threads if thread.product_id})
        about |= Q(kind=Kind.TOPIC, key__in={thread.topic_id for thread in threads if thread.topic_id})
        ids = list(people)
        self.points: dict[tuple[int, str, int | None], float] = {
            (row.person_id, row.kind, row.key): worth(row.score, at)
            for row in Competence.objects.filter(about, person__in=ids, score__gt=0)
        }
        self.lessons: dict[tuple[int, str, int | None], float] = {
            (row.person_id, row.kind, row.key): row.factor
            for row in Lesson.objects.filter(about, person__in=ids, at__gt=at - LESSON_LASTS)
        }

    def of(self, person: int, thread: Thread) -> float:
        of_product = self.points.get((person, Kind.PRODUCT, thread.product_id), 0.0)
        return round(of_product + TOPIC_COUNTS * self.points.get((person, Kind.TOPIC, thread.topic_id), 0.0), 1)

    def fit(self, person: int, thread: Thread) -> float:
        of_product = self.lessons.get((person, Kind.PRODUCT, thread.product_id), 1.0)
        return of_product * self.lessons.get((person, Kind.TOPIC, thread.topic_id), 1.0)


def asked_this_week(prefix: str = "", at: datetime | None = None) -> Count:
    """How often somebody was asked in seven days; what they found in their queue themselves doesn't count."""
    asks = f"{prefix}asks"
    since = (at or clock.now()) - WEEK
    return Count(asks, filter=Q(**{f"{asks}__at__gt": since, f"{asks}__by_choice": False}), distinct=True)


class Field:
    """All advocates, and what it takes to rank them for these threads. Seven queries, however many there are."""

    def __init__(self, threads: Sequence[Thread]) -> None:
        self.now, self.numbers = clock.now(), Numbers.load()
        self.members: list[Any] = list(
            AdvocateMembership.objects.current()
            .filter(user__standing="advocate")
            .exclude(user__silenced_until__gt=self.now)
            .annotate(asked=asked_this_week("user__", self.now))
            .select_related("user", "user__rhythm", "stand_in")
            .prefetch_related("expertise")
            .order_by("pk")
        )
        people = [member.user_id for member in self.members]
        self.known = Known(people, threads, self.now)
        self.here = {
            member.user_id: rhythm.likelihood(getattr(member.user, "rhythm", None), self.now)
            for member in self.members
        }  # fmt: skip
        self.products = {member.user_id: {row.product_id for row in member.expertise.all()} for member in self.members}
        self.wrote: dict[int, set[int]] = {thread.pk: set() for thread in threads}
        self.asked: dict[int, set[int]] = {thread.pk: set() for thread in threads}
        wrote = Answer._base_manager.filter(thread__in=self.wrote, author__in=people)
        for pk, person in wrote.values_list("thread", "author"):
            self.wrote[pk].add(person)
        for pk, person in Ask.objects.filter(thread__in=self.asked, person__in=people).values_list("thread", "person"):
            self.asked[pk].add(person)

    def note(self, thread: Thread, people: Iterable[int]) -> None:
        """These were asked about this thread meanwhile: they count as asked for the threads that follow."""
        new = set(people)
        self.asked[thread.pk] |= new
        for member in self.members:
            member.asked += member.user_id in new

    def of(self, thread: Thread) -> list[Candidate]:
        """The first to be asked first; those who are not asked come last, with the reason."""
        known, limit = self.known, self.numbers.asks_per_advocate_a_week
        rows = [
            Candidate(
                member, known.of(member.user_id, thread), known.fit(member.user_id, thread), self.here[member.user_id],
                member.asked, limit, str(self._out(member, thread, limit)),
            )
            for member in self.members
        ]  # fmt: skip
        rows.sort(key=lambda row: (bool(row.out), -row.score, row.asked, -row.member.user.reputation, row.member.pk))
        return rows

    def _out(self, member: Any, thread: Thread, limit: int) -> str:
        person = member.user_id
        if member.state == AdvocateMembership.State.AWAY:
            return Out.AWAY
        if thread.author_id == person:
            return Out.ASKER
        if person in self.wrote[thread.pk]:
            return Out.ANSWERED
        if person in self.asked[thread.pk]:
            return Out.ASKED
        if thread.product_id is not None and thread.product_id not in self.products[person]:
            return Out.OTHER_PRODUCT
        if member.resting_until is not None and member.resting_until > self.now:
            return Out.RESTING
        return Out.FULL if member.asked >= limit else Out.NO


def rank(threads: Sequence[Thread]) -> dict[int, list[Candidate]]:
    """All advocates for each thread, as `Field` ranks them."""
    field = Field(threads)
    return {thread.pk: field.of(thread) for thread in threads}


def compared(first: Candidate, second: Candidate) -> tuple[list[str], list[str]]:
    """What speaks for the first of two and what for the second, each in a sentence; what is alike is left out."""
    one, two = str(first.member.user), str(second.member.user)
    own: list[str] = []
    others: list[str] = []

    def say(ahead: float, behind: float, words: str, of_ahead: Any, of_behind: Any) -> None:
        if ahead == behind:
            return
        names = (one, of_ahead, of_behind) if ahead > behind else (two, of_behind, of_ahead)
        said = words % {"name": names[0], "n": names[1], "other": names[2]}
        (own if ahead > behind else others).append(said)

    say(
        round(first.knows), round(second.knows), _("%(name)s knows more of it: %(n)s points against %(other)s."),
        round(first.knows), round(second.knows),
    )  # fmt: skip
    say(
        first.fit, second.fit, _("%(name)s passed less on the like: fit %(n)s %% against %(other)s %%."),
        first.fit_percent, second.fit_percent,
    )  # fmt: skip
    say(
        first.here, second.here,
        _("%(name)s is likelier to answer within four hours: %(n)s %% against %(other)s %%."),
        first.here_percent, second.here_percent,
    )  # fmt: skip
    say(
        first.fresh, second.fresh,
        _("%(name)s was asked less this week: %(n)s against %(other)s."), first.asked, second.asked,
    )  # fmt: skip
    return own, others


# What a pass teaches


def learn(ask: Ask, why: str) -> None:
    """A pass changes one thing, for half a year at most and never beyond its bound:

    not my product   what they know of this product counts half, at least a quarter
    I don't know     what they know of this topic (of this product, where there is no topic) counts three quarters,
                     at least two fifths
    no time now      they are not asked for three days more, at most a fortnight ahead
    """
    now, thread = clock.now(), ask.thread
    if why == Ask.Why.NO_TIME:
        member = AdvocateMembership.objects.select_for_update(of=("self",), no_key=True).get(user=ask.person_id)
        begin = max(now, member.resting_until or now)
        member.resting_until = min(begin + REST, now + LONGEST_REST)
        member.save(update_fields=["resting_until"])
        return
    kind, times, least = LESSONS[Ask.Why(why)]
    if kind == Kind.TOPIC and thread.topic_id is None:
        kind = Kind.PRODUCT
    key = thread.product_id if kind == Kind.PRODUCT else thread.topic_id
    if key is None:
        return
    row, _new = Lesson.objects.select_for_update().get_or_create(
        person_id=ask.person_id, kind=kind, key=key, defaults={"at": now}
    )
    before = row.factor if row.at > now - LESSON_LASTS else 1.0
    row.factor, row.at = max(least, before * times), now
    row.save(update_fields=["factor", "at"])


def unlearn(person_id: int, thread: Thread) -> None:
    """They answered after all: what passes taught about this product and topic is forgotten."""
    about = Q(kind=Kind.PRODUCT, key=thread.product_id or 0) | Q(kind=Kind.TOPIC, key=thread.topic_id or 0)
    Lesson.objects.filter(about, person=person_id).delete()
