"""From entries to days, reputation and ranks, either at once or at the end of a batch.

Live, an entry costs the same at a million people: its day, its boards and its person are changed in place. Loaders,
imports and the rebuild wrap their work in `later()`: entries are written as they come, and the people they touched
are counted anew, once, at its end. Both ways give the same rows; a test holds that.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple

from django.db import connection, transaction
from django.db.models import Case, CharField, F, OuterRef, Q, QuerySet, Subquery, Sum, Value, When
from django.db.models.functions import Coalesce, Greatest, Least

from community.accounts.models import Standing, User
from community.core.models import Numbers
from community.events.models import Event
from community.questions.models import Answer, AnswerVote, Thread, ThreadVote
from community.sharing.models import Recipe, Tip
from reviews.models import Review

from . import boards, competence
from .models import BoardScore, DayTotal, Period, Rank, ReputationEntry
from .querysets import EntryQuerySet

FLOOR = 1
CHUNK = 500
MOST_KNOWN = 5000  # people a batch keeps at hand: it needs no more memory for a million


class About(NamedTuple):
    """Ids of the product and the topic on whose boards a judgement counts."""

    product: int | None = None
    topic: int | None = None


NOTHING = About()


@dataclass
class Batch:
    """What a running `later()` has to count at its end."""

    people: set[int] = field(default_factory=set)
    known: dict[int, User] = field(default_factory=dict)
    # A rebuild tells the past, where people and threads were not what they are now.
    standings: dict[int, str] | None = None
    about: Callable[[Any], "About | None"] = lambda post: None
    answers: dict[int, set[int]] = field(default_factory=dict)  # ids of the answers a thread had, where some moved
    away: set[tuple[type, int]] | None = None  # threads and answers that were out of sight
    authors: dict[tuple[type, int], int] = field(default_factory=dict)  # of posts that changed accounts, then
    jobs: dict[str, set[Any]] = field(default_factory=lambda: defaultdict(set))
    # In a rebuild nobody reads the ledger but its own rules, so lines are written many at a time.
    waits: bool = False
    waiting: list[ReputationEntry] = field(default_factory=list)

    def write(self) -> None:
        ReputationEntry.objects.bulk_create(self.waiting, batch_size=CHUNK)
        self.waiting.clear()


_batch: ContextVar[Batch | None] = ContextVar("advocates_batch", default=None)
_at_end: list[Any] = []


def at_end_of_batch(job: Any) -> Any:
    """Register what else is done once for all that a batch touched: `job(batch)`."""
    if job not in _at_end:
        _at_end.append(job)
    return job


def batch() -> Batch | None:
    return _batch.get()


@contextmanager
def telling() -> Iterator[Batch]:
    """Write entries and count nothing: what `later` and the rebuild have in common."""
    new = Batch()
    token = _batch.set(new)
    try:
        yield new
    finally:
        _batch.reset(token)


def ledger() -> EntryQuerySet:
    """The lines so far, those among them that still wait to be written."""
    running = _batch.get()
    if running is not None and running.waiting:
        running.write()
    return ReputationEntry.objects.all()


def add_to_ledger(entries: Iterable[ReputationEntry]) -> None:
    running = _batch.get()
    if running is not None and running.waits:
        running.waiting += entries
        if len(running.waiting) >= CHUNK:
            running.write()
    else:
        ReputationEntry.objects.bulk_create(entries, batch_size=CHUNK)


@contextmanager
def later() -> Iterator[Batch]:
    """Count at the end of the block instead of at each event. For loaders and imports; nests."""
    outer = _batch.get()
    if outer is not None:
        yield outer
        return
    with telling() as new:
        yield new
        _fresh_statistics()
        with transaction.atomic():
            recount(new.people)
        for job in _at_end:
            job(new)


def _fresh_statistics() -> None:
    """Tell PostgreSQL how full its tables are by now.

    Its own collector sees only what is committed: inside of a long import it plans for empty tables, and counting
    badges takes minutes instead of moments.
    """
    if connection.vendor != "postgresql":
        return
    tables = [model._meta.db_table for model in (Event, ReputationEntry, Thread, Answer, ThreadVote, AnswerVote, User)]
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE " + ", ".join(connection.ops.quote_name(table) for table in tables))


def hold(people: set[int]) -> dict[int, User]:
    """Lock people in id order and say who they are now; in a batch nobody competes, and each is read once."""
    if not people:
        return {}
    running = _batch.get()
    if running is not None:
        missing = people - running.known.keys()
        found = User.objects.in_bulk(missing) if missing else {}
        found.update({pk: running.known[pk] for pk in people & running.known.keys()})
        if len(running.known) > MOST_KNOWN:
            running.known.clear()
        running.known.update(found)
        return found
    rows = User.objects.select_for_update(of=("self",), no_key=True).filter(pk__in=people).order_by("pk")
    return {user.pk: user for user in rows}


def forget(person_id: int) -> None:
    """Somebody changed in the middle of a batch."""
    running = _batch.get()
    if running is not None:
        running.known.pop(person_id, None)


def standing_of(person: User) -> str:
    running = _batch.get()
    if running is not None and running.standings is not None:
        return running.standings.get(person.pk, person.standing)
    return person.standing


def about_of(post: Thread | Tip | Recipe | Review) -> About:
    """On whose boards a judgement counts; a recipe uses several products and counts on none. Threads have topics."""
    if isinstance(post, Recipe):
        return NOTHING
    running = _batch.get()
    if running is not None and (then := running.about(post)) is not None:
        return then
    return About(post.product_id, post.topic_id if isinstance(post, Thread) else None)


def answers_of(thread: Thread) -> list[int]:
    """Ids of the answers a thread has; in a rebuild, had."""
    running = _batch.get()
    if running is not None and thread.pk in running.answers:
        return sorted(running.answers[thread.pk])
    return list(Answer._base_manager.filter(thread=thread).order_by("pk").values_list("pk", flat=True))


def out_of_sight(model: type[Thread] | type[Answer], ids: Iterable[int]) -> set[int]:
    """Which of these were hidden or deleted themselves, whatever holds for their parents."""
    running = _batch.get()
    if running is not None and running.away is not None:
        return {pk for pk in ids if (model, pk) in running.away}
    gone = model._base_manager.filter(pk__in=list(ids), visibility__in=("hidden", "deleted"))
    if model is Answer:
        gone = gone.filter(became=None)  # its words are read still, as the question of another thread
    return set(gone.values_list("pk", flat=True))


def thread_then(event: Event, answer: Answer) -> Thread:
    """The thread an answer stood in when something happened to it: it may have been merged since."""
    pk = event.data.get("thread")
    thread = answer.thread if pk is None or pk == answer.thread_id else Thread._base_manager.get(pk=pk)
    thread.author_id = author_of(thread)
    return thread


def author_of(post: Any) -> int:
    """Whose a post is; in a rebuild, was, before two accounts became one."""
    running = _batch.get()
    if running is None or not running.authors:
        return post.author_id
    return running.authors.get((type(post), post.pk), post.author_id)


def settle(entries: list[ReputationEntry], people: Mapping[int, User]) -> None:
    """Add entries up: their days, boards, and the reputation and rank of their people."""
    running = _batch.get()
    if running is not None:
        running.people.update(entry.person_id for entry in entries)
        return
    deltas = _add_to_days(entries)
    for entry in entries:
        if not entry.points:
            continue
        for board in boards.boards_of(entry.reason, entry.product_id, entry.topic_id):
            deltas[entry.person_id, entry.day, board] += entry.points
    boards.add(deltas, people)
    competence.add(entries)
    write_reputation({entry.person_id for entry in entries})


def _add_to_days(entries: list[ReputationEntry]) -> dict[tuple[int, date, str], int]:
    """Change the days; returns by how much each person's day changed on the board of everything.

    One statement: rows are added to where they stand, and what comes back less what was added is what was before.
    """
    more: dict[tuple[int, date], list[int]] = defaultdict(lambda: [0, 0])
    for entry in entries:
        more[entry.person_id, entry.day][entry.exempt] += entry.points
    quote = connection.ops.quote_name
    table, numbers = quote(DayTotal._meta.db_table), quote(Numbers._meta.db_table)
    default = Numbers._meta.get_field("daily_reputation_cap").default
    cap = f"COALESCE((SELECT daily_reputation_cap FROM {numbers} ORDER BY id LIMIT 1), {int(default)})"  # noqa: S608
    rows = ", ".join([f"(%s, %s, %s, %s, {cap})"] * len(more))
    sql = (
        f"INSERT INTO {table} (person_id, day, capped, exempt, cap) VALUES {rows} "  # noqa: S608
        f"ON CONFLICT (person_id, day) DO UPDATE SET capped = {table}.capped + excluded.capped, "
        f"exempt = {table}.exempt + excluded.exempt RETURNING person_id, day, capped, exempt, cap"
    )
    params: list[Any] = []
    for (person_id, day), (capped, exempt) in sorted(more.items()):
        params += [person_id, connection.ops.adapt_datefield_value(day), capped, exempt]
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        found = cursor.fetchall()
    deltas: dict[tuple[int, date, str], int] = defaultdict(int)
    for person_id, told, *figures in found:
        day = told if isinstance(told, date) else date.fromisoformat(told)
        capped, exempt = more[person_id, day]
        now = DayTotal(capped=figures[0], exempt=figures[1], cap=figures[2])
        before = DayTotal(capped=now.capped - capped, exempt=now.exempt - exempt, cap=now.cap)
        deltas[person_id, day, boards.EVERYTHING] += now.value - before.value
    return deltas


def _reputation(person: Any) -> Any:
    """What all days of this person come to, from the floor up."""
    value = Least(F("cap"), F("capped")) + F("exempt")
    days = DayTotal.objects.filter(person=person).order_by().values("person").annotate(all=Sum(value))
    return Greatest(Value(FLOOR), Value(FLOOR) + Coalesce(Subquery(days.values("all")), 0))


def write_reputation(people: Iterable[int]) -> None:
    """Copy reputation and rank to where bylines read them, in one statement. Nobody else writes these fields."""
    reached = Rank.objects.filter(threshold__lte=_reputation(OuterRef(OuterRef("pk")))).order_by("-threshold")
    User.objects.filter(pk__in=list(people)).update(
        reputation=_reputation(OuterRef("pk")),
        rank_name=_of_rank(reached, "name"),
        rank_picture=_of_rank(reached, "shown"),
    )


def _of_rank(reached: QuerySet[Rank], field: str) -> Case:
    """What the highest rank reached is called, or how it looks. Staff have none, nor has who left."""
    found = Coalesce(Subquery(reached.values(field)[:1]), Value(""))
    return Case(
        When(standing__in=(Standing.STAFF, Standing.ERASED), then=Value("")), default=found, output_field=CharField()
    )


def rename_by_rank(people: Iterable[int] | None = None) -> int:
    """Write everybody's rank anew after a threshold, a name or a picture changed, or a standing. Returns how many
    changed."""
    reached = Rank.objects.filter(threshold__lte=OuterRef("reputation")).order_by("-threshold")
    name, picture = _of_rank(reached, "name"), _of_rank(reached, "shown")
    rows = User.objects.all() if people is None else User.objects.filter(pk__in=list(people))
    off = rows.annotate(wanted=name, pictured=picture).exclude(rank_name=F("wanted"), rank_picture=F("pictured"))
    return off.update(rank_name=name, rank_picture=picture)


def recount(people: Iterable[int] | None = None) -> None:
    """Days, boards, reputation and ranks of these people (or of all) anew from the ledger."""
    if people is None:
        ids = sorted(
            set(ReputationEntry.objects.order_by().values_list("person", flat=True).distinct())
            | set(DayTotal.objects.values_list("person", flat=True).distinct())
            | set(User.objects.exclude(reputation=FLOOR).values_list("pk", flat=True))
        )
    else:
        ids = sorted(people)
    if not ids:
        return
    cap = Numbers.load().daily_reputation_cap
    for start in range(0, len(ids), CHUNK):
        _recount_some(ids[start : start + CHUNK], cap)
    if people is None:
        boards.recount_buckets()


def _recount_some(ids: list[int], cap: int) -> None:
    people = {
        user.pk: user
        for user in User.objects.select_for_update(of=("self",), no_key=True).filter(pk__in=ids).order_by("pk")
    }
    caps = {(row.person_id, row.day): row.cap for row in DayTotal.objects.filter(person__in=ids)}
    found = (
        ReputationEntry.objects.filter(person__in=ids)
        .order_by()
        .values("person", "day")
        .annotate(
            under=Coalesce(Sum("points", filter=Q(exempt=False)), 0),
            beside=Coalesce(Sum("points", filter=Q(exempt=True)), 0),
        )
    )
    days = [
        DayTotal(
            person_id=row["person"],
            day=row["day"],
            capped=row["under"],
            exempt=row["beside"],
            cap=caps.get((row["person"], row["day"]), cap),
        )
        for row in found
    ]
    DayTotal.objects.filter(person__in=ids).delete()
    DayTotal.objects.bulk_create(days, batch_size=CHUNK)
    deltas: dict[tuple[int, date, str], int] = defaultdict(int)
    for day in days:
        deltas[day.person_id, day.day, boards.EVERYTHING] += day.value
    by_board = (
        ReputationEntry.objects.filter(person__in=ids)
        .order_by()
        .values("person", "day", "reason", "product", "topic")
        .annotate(sum=Sum("points"))
    )
    for row in by_board:
        for board in boards.boards_of(row["reason"], row["product"], row["topic"]):
            deltas[row["person"], row["day"], board] += row["sum"]
    boards.write_anew(deltas, people)
    competence.write_anew(people)
    all_time = BoardScore.objects.on(Period.ALL, boards.ALL_TIME, boards.EVERYTHING)
    sums = dict(all_time.filter(person__in=ids).values_list("person", "points"))
    if silent := [pk for pk in ids if pk not in sums]:
        User.objects.filter(pk__in=silent).update(reputation=FLOOR)
    total = all_time.filter(person=OuterRef("pk")).values("points")[:1]
    User.objects.filter(pk__in=list(sums)).update(reputation=Greatest(Value(FLOOR), Value(FLOOR) + Subquery(total)))
    rename_by_rank(ids)
