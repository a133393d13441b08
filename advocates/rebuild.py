"""The proof that the log is the source: everything this room keeps, made anew from the events, equals what is live.

The events run through the very functions that heard them (`reputation.hear`), as things were then: `Past` knows from
the log who was staff and which product a thread was about at the time. It happens in one transaction, which is rolled
back unless there is something to mend.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from django.contrib.contenttypes.prefetch import GenericPrefetch
from django.db import transaction

from community.accounts.models import Standing, User
from community.events.models import Event
from community.moderation.models import Flag
from community.posts.models import Revision
from community.questions.models import Answer, FollowUp, Thread
from community.sharing.models import Recipe, Tip
from reviews.models import Review

from . import badges, boards, reputation, totals
from .models import Award, BoardBucket, BoardScore, Competence, DayTotal, ReputationEntry

LEFT = ("person.erased", "person.merged")
TELLS_THE_PAST = (
    "person.role_changed",
    *LEFT,
    "thread.posted",
    "thread.edited",
    "thread.moved",
    "thread.merged",
    "thread.split",
    "thread.posts_moved",
    "answer.posted",
    "tip.published",
    "tip.edited",
)
AWAY = ("hidden", "deleted")
CHUNK = 500


@dataclass
class Report:
    """What a rebuild found. `differences` holds up to some lines for people; `counts` how many there are."""

    events: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    differences: list[str] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        return not any(self.counts.values())


class Past:
    """Who was staff, what threads were about, what answers they had, what was out of sight: at the event in hand."""

    def __init__(self, batch: totals.Batch) -> None:
        self.batch = batch
        # Whoever ever changed sides began as a member; of the others, what they are is what they were.
        changed = Event.objects.filter(kind__in=("person.role_changed", *LEFT))
        batch.standings = dict.fromkeys(changed.values_list("subject_id", flat=True).distinct(), Standing.MEMBER.value)
        batch.answers, batch.away = defaultdict(set), set()
        for event in changed.filter(kind="person.merged").order_by("id"):
            for key in _moved(event):
                batch.authors.setdefault(key, event.subject_id)

    def turn(self, event: Event) -> None:
        noun, _dot, verb = event.kind.partition(".")
        if event.kind in LEFT:
            self.batch.standings[event.subject_id] = Standing.ERASED.value  # type: ignore[index]
            if verb == "merged":
                self.batch.authors.update(dict.fromkeys(_moved(event), event.data["into"]))
            return
        self._as_it_was_then(event.subject)
        if noun in ("thread", "answer") and verb in (*AWAY, "restored") and event.subject is not None:
            key = (type(event.subject), event.subject_id)
            (self.batch.away.add if verb in AWAY else self.batch.away.discard)(key)  # type: ignore[union-attr, arg-type]
            return
        if verb == "posted":
            self.batch.away.discard((type(event.subject), event.subject_id))  # type: ignore[union-attr, arg-type]
        if event.kind == "answer.posted":
            self.batch.answers[event.data["thread"]].add(event.subject_id)  # type: ignore[index, arg-type]
            return
        if event.kind in ("thread.merged", "thread.split", "thread.posts_moved"):
            moved = set(event.data["answers"])
            self.batch.answers[event.subject_id] -= moved  # type: ignore[index]
            self.batch.answers[event.data["into"]] |= moved  # type: ignore[index]
            return
        if event.kind not in TELLS_THE_PAST:
            return
        if event.kind == "person.role_changed":
            standing = Standing.STAFF if event.data.get("role") else Standing.MEMBER
            self.batch.standings[event.subject_id] = standing.value  # type: ignore[index]
        elif event.subject is not None:
            named = event.data.get("products") or [event.data.get("product")]
            key = (type(event.subject), event.subject_id)
            known = self.batch.about.get(key)
            # Not every change is about the topic; what no event ever named is what it is now.
            topic = event.data.get("topic", known.topic if known else getattr(event.subject, "topic_id", None))
            self.batch.about[key] = totals.About(named[0], topic)

    def _as_it_was_then(self, thing: Any) -> None:
        """Whose a post was, before two accounts became one."""
        if not self.batch.authors or thing is None:
            return
        field = "editor_id" if isinstance(thing, Revision) else "author_id"
        if (then := self.batch.authors.get((type(thing), thing.pk))) is not None:
            setattr(thing, field, then)
        part = {Answer: "thread", FollowUp: "answer", Flag: "target"}.get(type(thing))
        if part is not None:
            self._as_it_was_then(getattr(thing, part))


def _moved(event: Event) -> list[tuple[type, int]]:
    """The posts that went over with an account."""
    kinds = {"thread": Thread, "answer": Answer, "review": Review, "recipe": Recipe, "tip": Tip, "revision": Revision}
    return [(kinds[noun], pk) for noun, ids in event.data["posts"].items() for pk in ids]


def snapshot() -> dict[str, Counter]:
    """Everything this room keeps, by what it says and not by row numbers."""
    entries: dict[int, tuple] = {}
    ledger: Counter = Counter()
    fields = (
        "pk", "person_id", "day", "points", "reason", "rule_version", "exempt", "event_id", "reverses_id",
        "takes_back", "target_type_id", "target_id", "giver_id", "product_id", "topic_id", "weighs", "at",
    )  # fmt: skip
    for row in ReputationEntry.objects.order_by("pk").values_list(*fields).iterator(chunk_size=5000):
        reverses = row[8]
        root = hash(entries[reverses]) if reverses else None
        said: tuple[Any, ...] = (*row[1:8], *row[9:], root)
        entries[row[0]] = said
        ledger[said] += 1
    return {
        "ledger": ledger,
        "days": Counter(DayTotal.objects.values_list("person_id", "day", "capped", "exempt", "cap")),
        "boards": Counter(
            BoardScore.objects.exclude(points=0).values_list(
                "person_id", "period", "start", "board", "points", "listed"
            )
        ),
        "places": Counter(
            BoardBucket.objects.filter(people__gt=0).values_list("period", "start", "board", "points", "people")
        ),
        "competence": Counter(Competence.objects.exclude(score=0).values_list("person_id", "kind", "key", "score")),
        "people": Counter(User.objects.values_list("pk", "reputation", "rank_name", "rank_picture")),
        "badges": Counter(Award.objects.by_rule().values_list("badge__slug", "person_id", "per_key")),
        "badge counts": Counter(
            (pk, tuple(sorted(counts.items()))) for pk, counts in User.objects.values_list("pk", "badge_counts")
        ),
    }


def _compare(before: dict[str, Counter], after: dict[str, Counter], report: Report, shown: int) -> None:
    for name, wanted in after.items():
        missing, surplus = wanted - before[name], before[name] - wanted
        report.counts[name] = missing.total() + surplus.total()
        report.differences += [f"{name}: missing {_words(row)}" for row in list(missing.elements())[:shown]]
        report.differences += [f"{name}: too much {_words(row)}" for row in list(surplus.elements())[:shown]]


def _words(row: tuple) -> str:
    return " ".join(str(value) for value in row)


def _events() -> Iterable[Event]:
    """In the order in which they were heard, with what they are about."""
    questions = GenericPrefetch(
        "subject",
        [
            Thread._base_manager.all(),
            Answer._base_manager.select_related("thread"),
            Flag.objects.prefetch_related("target"),
        ],
    )
    wanted = Event.objects.filter(kind__in=(*reputation.HEARD, *TELLS_THE_PAST)).order_by("id")
    return wanted.prefetch_related(questions).iterator(chunk_size=CHUNK)


def count_events() -> int:
    return Event.objects.filter(kind__in=(*reputation.HEARD, *TELLS_THE_PAST)).count()


def rebuild(*, write: bool, shown: int = 20, progress: Callable[[Iterable[Event]], Iterable[Event]] = iter) -> Report:
    """Make everything anew and say what differs; `write` keeps the new, otherwise nothing changes."""
    report = Report()
    with transaction.atomic():
        boards.prune()
        boards.keep_in_step()
        before = snapshot()
        ReputationEntry.objects.all().wipe()
        with totals.telling() as batch:
            past = Past(batch)
            for event in progress(_events()):
                report.events += 1
                past.turn(event)
                if event.kind in reputation.HEARD and event.subject is not None:
                    reputation.hear(event)
        # Days keep the cap they had: it is the one thing that the log doesn't know.
        totals.recount()
        totals.rename_by_rank()
        with totals.telling():
            badges.award_badges()
        badges.recount_all()
        _compare(before, snapshot(), report, shown)
        if report.is_clean or not write:
            transaction.set_rollback(True)
    return report
