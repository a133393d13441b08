"""The proof that the log is the source: everything this room keeps, made anew from the events, equals what is live.

The events run through the very functions that heard them (`reputation.hear`), as things were then: `Past` knows from
the log who was staff and which product a thread was about at the time. It happens in one transaction, which is rolled
back unless there is something to mend.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.contrib.contenttypes.prefetch import GenericPrefetch
from django.db import connection, transaction
from django.db.models import Q, QuerySet

from community.accounts.models import Standing, User
from community.events.models import Event
from community.moderation.models import Flag
from community.posts.models import Revision
from community.questions.models import Answer, FollowUp, Thread
from community.sharing.models import Recipe, Tip
from reviews.models import Review

from . import badges, boards, reputation, totals
from .models import Award, Badge, BoardBucket, BoardScore, Competence, DayTotal, ReputationEntry

LEFT = ("person.erased", "person.merged")
MOVED = ("thread.merged", "thread.split", "thread.posts_moved")
# What a post was about. Read for the posts in hand alone, so they are no part of the walk through the log.
ABOUT = ("thread.posted", "thread.edited", "thread.moved", "tip.published", "tip.edited")
AWAY = ("hidden", "deleted")
CHUNK = 500
ASIDE = "kept_before_"


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
    """Who was staff, what threads were about, what answers they had, what was out of sight: at the event in hand.

    Kept in mind are only those who changed sides, threads whose posts went elsewhere and what is out of sight; all else
    is read for some events at a time. So a rebuild takes no more memory for a long history.
    """

    def __init__(self, batch: totals.Batch) -> None:
        self.batch = batch
        # Whoever ever changed sides began as a member; of the others, what they are is what they were.
        changed = Event.objects.filter(kind__in=("person.role_changed", *LEFT))
        batch.standings = dict.fromkeys(changed.values_list("subject_id", flat=True).distinct(), Standing.MEMBER.value)
        batch.away = set()
        for event in changed.filter(kind="person.merged").order_by("id"):
            for key in _moved(event):
                batch.authors.setdefault(key, event.subject_id)
        # Answers go only between these, so those they ever had stand in one of them now.
        moves = Event.objects.filter(kind__in=MOVED).values_list("subject_id", "data")
        concerned = {pk for subject, data in moves for pk in (subject, data["into"])}
        batch.answers = {pk: set() for pk in concerned}
        batch.about = self._about
        self.at = 0
        self.histories: dict[tuple[type, int], list[tuple[int, totals.About]]] = {}

    def events(self) -> QuerySet[Event]:
        """What there is to walk through, in the order in which it was heard."""
        thread, answer = (ContentType.objects.get_for_model(model) for model in (Thread, Answer))
        gone = Event.objects.filter(kind__in=[f"{noun}.{verb}" for noun in ("thread", "answer") for verb in AWAY])
        came = Q(kind__in=("thread.posted", "answer.posted"))
        wanted = Q(kind__in=(*reputation.HEARD, "person.role_changed", *LEFT, *MOVED))
        for content_type in (thread, answer):
            ids = gone.filter(subject_type=content_type).values("subject_id")
            wanted |= came & Q(subject_type=content_type, subject_id__in=ids)
        if self.batch.answers:
            moved = Answer._base_manager.filter(thread__in=list(self.batch.answers)).values("pk")
            wanted |= Q(kind="answer.posted", subject_type=answer, subject_id__in=moved)
        return Event.objects.filter(wanted).order_by("id")

    def prepare(self, events: Sequence[Event]) -> None:
        """Read what the posts of these events were about."""
        posts: dict[type, set[int]] = {Thread: set(), Tip: set()}
        for event in events:
            subject: Any = event.subject
            if isinstance(subject, FollowUp):
                subject = subject.answer
            if isinstance(subject, Thread | Tip):
                posts[type(subject)].add(subject.pk)
            elif isinstance(subject, Answer):
                posts[Thread] |= {subject.thread_id, event.data.get("thread") or subject.thread_id}
        self.histories = {}
        for model, ids in posts.items():
            told = Event.objects.filter(
                subject_type=ContentType.objects.get_for_model(model), subject_id__in=ids, kind__in=ABOUT
            )
            topics = {} if model is Tip else dict(Thread._base_manager.filter(pk__in=ids).values_list("pk", "topic"))
            for pk, subject_id, data in told.order_by("id").values_list("pk", "subject_id", "data"):
                history = self.histories.setdefault((model, subject_id), [])
                named = data.get("products") or [data.get("product")]
                # Not every change is about the topic; what no event ever named is what it is now.
                topic = data.get("topic", history[-1][1].topic if history else topics.get(subject_id))
                history.append((pk, totals.About(named[0], topic)))

    def _about(self, post: Any) -> totals.About | None:
        """What a post was about at the event in hand, if the log says so."""
        before = [about for pk, about in self.histories.get((type(post), post.pk), ()) if pk < self.at]
        return before[-1] if before else None

    def turn(self, event: Event) -> None:
        batch: Any = self.batch
        self.at = event.pk
        noun, _dot, verb = event.kind.partition(".")
        if event.kind in LEFT:
            batch.standings[event.subject_id] = Standing.ERASED.value
            if verb == "merged":
                batch.authors.update(dict.fromkeys(_moved(event), event.data["into"]))
            return
        self._as_it_was_then(event.subject)
        if noun in ("thread", "answer") and verb in (*AWAY, "restored") and event.subject is not None:
            key = (type(event.subject), event.subject_id)
            (batch.away.add if verb in AWAY else batch.away.discard)(key)
        elif verb == "posted":
            batch.away.discard((type(event.subject), event.subject_id))
            if event.data.get("thread") in batch.answers:
                batch.answers[event.data["thread"]].add(event.subject_id)
        elif event.kind in MOVED:
            moved = set(event.data["answers"])
            batch.answers[event.subject_id] -= moved
            batch.answers[event.data["into"]] |= moved
        elif event.kind == "person.role_changed":
            standing = Standing.STAFF if event.data.get("role") else Standing.MEMBER
            batch.standings[event.subject_id] = standing.value

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


def _kept() -> dict[str, QuerySet[Any]]:
    """Everything this room keeps, by what it says and not by row numbers."""
    scores = BoardScore.objects.exclude(points=0).values_list("person", "period", "start", "board", "points", "listed")
    places = BoardBucket.objects.filter(people__gt=0)
    return {
        "ledger": ReputationEntry.objects.values_list(
            "person", "day", "points", "reason", "rule_version", "exempt", "event", "takes_back", "target_type",
            "target_id", "giver", "product", "topic", "weighs", "at",
            # Which line it reverses: the one of that event.
            "reverses__event", "reverses__person", "reverses__giver", "reverses__takes_back",
        ),
        "days": DayTotal.objects.values_list("person", "day", "capped", "exempt", "cap"),
        "boards": scores,
        "places": places.values_list("period", "start", "board", "points", "people"),
        "competence": Competence.objects.exclude(score=0).values_list("person", "kind", "key", "score"),
        "people": User.objects.values_list("pk", "reputation", "rank_name", "rank_picture"),
        "badges": Award.objects.by_rule().values_list("badge__slug", "person", "per_key"),
        "badge counts": User.objects.values_list("pk", *(f"badge_counts__{level}" for level in Badge.Level.values)),
    }  # fmt: skip


def _let_writers_wait() -> None:
    """Nobody holds a person meanwhile, and everything that is heard here begins with that (listeners.hold_everybody).

    It begins when those are done who hold one. On SQLite the transaction itself is the lock.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            table = connection.ops.quote_name(User._meta.db_table)
            cursor.execute(f"LOCK TABLE {table} IN EXCLUSIVE MODE")


def _put_aside() -> None:
    """A copy of all that is kept, beside it in the database, until the transaction ends."""
    with connection.cursor() as cursor:
        for number, rows in enumerate(_kept().values()):
            sql, params = _named(rows)
            cursor.execute(f"CREATE TEMPORARY TABLE {ASIDE}{number} AS {sql}", params)


def _drop_aside() -> None:
    with connection.cursor() as cursor:
        for number in range(len(_kept())):
            cursor.execute(f"DROP TABLE {ASIDE}{number}")


def _names(rows: QuerySet[Any]) -> str:
    return ", ".join(f"c{number}" for number in range(len(rows.query.values_select)))


def _named(rows: QuerySet[Any]) -> tuple[str, tuple[Any, ...]]:
    """A statement whose columns are c0, c1 and so on, whatever they are called in their tables."""
    sql, params = rows.order_by().query.sql_with_params()
    return f"WITH q ({_names(rows)}) AS ({sql}) SELECT {_names(rows)} FROM q", params  # noqa: S608


def _compare(report: Report, shown: int) -> None:
    """What is kept now and what was put aside: the database says which rows one has more often than the other."""
    for number, (name, rows) in enumerate(_kept().items()):
        (sql, params), names = _named(rows), _names(rows)
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT SUM(side), {names} FROM (SELECT {names}, 1 AS side FROM ({sql}) fresh "  # noqa: S608
                f"UNION ALL SELECT {names}, -1 AS side FROM {ASIDE}{number}) both_sides "
                f"GROUP BY {names} HAVING SUM(side) <> 0 ORDER BY {names}",
                params,
            )
            told = {1: 0, -1: 0}
            report.counts[name] = 0
            while some := cursor.fetchmany(CHUNK):
                for more, *row in some:
                    side = 1 if more > 0 else -1
                    report.counts[name] += abs(more)
                    if told[side] < shown:
                        told[side] += 1
                        words = "missing" if side > 0 else "too much"
                        report.differences.append(f"{name}: {words} {_words(row)}")


def _words(row: Iterable[Any]) -> str:
    return " ".join(str(value) for value in row)


def _in_chunks(events: QuerySet[Event]) -> Iterator[list[Event]]:
    """In the order in which they were heard, with what they are about, and without its words."""
    words = ("body_source", "body_html", "body_text")
    of_thread = [f"thread__{name}" for name in words]
    questions = GenericPrefetch(
        "subject",
        [
            Thread._base_manager.defer(*words),
            Answer._base_manager.select_related("thread").defer(*words, *of_thread),
            FollowUp._base_manager.select_related("answer__thread"),
            Flag.objects.prefetch_related("target"),
        ],
    )
    walk = events.prefetch_related(questions).iterator(chunk_size=CHUNK)
    while chunk := list(islice(walk, CHUNK)):
        yield chunk


def rebuild(
    *, write: bool, shown: int = 20, progress: Callable[[int, int], None] = lambda done, everything: None
) -> Report:
    """Make everything anew and say what differs; `write` keeps the new, otherwise nothing changes.

    Reading goes on meanwhile, writing waits: a vote of that minute would stand in the one and not in the other.
    """
    report = Report()
    with transaction.atomic():
        _let_writers_wait()
        boards.prune()
        boards.keep_in_step()
        _put_aside()
        ReputationEntry.objects.all().wipe()
        with totals.telling() as batch:
            batch.waits = True
            past = Past(batch)
            events = past.events()
            everything = events.count()
            for chunk in _in_chunks(events):
                past.prepare(chunk)
                for event in chunk:
                    past.turn(event)
                    if event.kind in reputation.HEARD and event.subject is not None:
                        reputation.hear(event)
                report.events += len(chunk)
                progress(report.events, everything)
            batch.write()
        # Days keep the cap they had: it is the one thing that the log doesn't know.
        totals.recount()
        totals.rename_by_rank()
        with totals.telling():
            badges.award_badges()
        badges.recount_all()
        _compare(report, shown)
        _drop_aside()
        if report.is_clean or not write:
            transaction.set_rollback(True)
    return report
