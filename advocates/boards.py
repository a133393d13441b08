"""Leaderboards: a score a person, and a histogram of scores so that a place is a count (RULINGS 24).

A change costs the same at a million people: the scores of one person and the few buckets they leave and enter. Boards
of all products add up days, so the daily cap holds; product boards add up entries and have none. Weeks and months
are kept for a year; what is older lives in the ledger.

Who is left out: staff, people who chose so, suspended, silenced and former members. Imported people who have not
taken over their account stand on their products' boards, with a note of where they come from, and on no other: they
did not choose to compete here (docs/decisions/0062).
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, date, timedelta

from django.db import connection, transaction
from django.db.models import Count, Q, QuerySet

from community.accounts.models import Standing, User
from community.core import clock

from .models import BoardBucket, BoardScore, Period

ALL_TIME = date(1970, 1, 1)
WEEKS_KEPT, MONTHS_KEPT = timedelta(weeks=53), timedelta(days=400)
CHUNK = 400

Key = tuple[int, str, date, int]  # person, period, start, product or 0


def today() -> date:
    return clock.now().astimezone(UTC).date()


def start_of(period: str, day: date) -> date:
    """The first day of the week (Monday) or month a day is in, in UTC."""
    if period == Period.WEEK:
        return day - timedelta(days=day.weekday())
    if period == Period.MONTH:
        return day.replace(day=1)
    return ALL_TIME


def is_kept(period: str, start: date) -> bool:
    if period == Period.WEEK:
        return start >= today() - WEEKS_KEPT
    if period == Period.MONTH:
        return start >= today() - MONTHS_KEPT
    return True


def is_listed(person: User, product_key: int) -> bool:
    """Whether somebody takes a place on a board."""
    if person.standing in (Standing.STAFF, Standing.ERASED) or not person.is_active:
        return False
    if person.hide_from_boards or person.is_silenced():
        return False
    return bool(product_key) or not person.source or person.claimed_at is not None


def _by_board(deltas: Mapping[tuple[int, date, int], int]) -> dict[Key, int]:
    scores: dict[Key, int] = defaultdict(int)
    for (person_id, day, product), points in deltas.items():
        for period in Period.values:
            start = start_of(period, day)
            if is_kept(period, start):
                scores[person_id, period, start, product] += points
    return scores


def add(deltas: Mapping[tuple[int, date, int], int], people: Mapping[int, User]) -> dict[int, int]:
    """Change scores and buckets. Returns each person's sum of days, the score of all time and all products."""
    changes = _by_board(deltas)
    known = {
        (row.person_id, row.period, row.start, row.product_key): row
        for row in BoardScore.objects.filter(
            person__in={key[0] for key in changes},
            start__in={key[2] for key in changes},
            product_key__in={key[3] for key in changes},
        )
    }
    rows: list[BoardScore] = []
    moves: dict[tuple[str, date, int, int], int] = defaultdict(int)
    sums: dict[int, int] = {}
    for key in sorted(changes):
        person_id, period, start, product = key
        row = known.get(key) or BoardScore(
            person_id=person_id,
            period=period,
            start=start,
            product_key=product,
            listed=is_listed(people[person_id], product),
        )
        before, row.points = row.points, row.points + changes[key]
        if row.listed and before != row.points:
            moves[period, start, product, before] -= 1
            moves[period, start, product, row.points] += 1
        rows.append(row)
        if period == Period.ALL and product == 0:
            sums[person_id] = row.points
    BoardScore.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["person", "period", "start", "product_key"],
        update_fields=["points"],
    )
    _move(moves)
    return sums


def _move(moves: Mapping[tuple[str, date, int, int], int]) -> None:
    """Let people leave and enter buckets: one statement, in one order, by adding; so that writers don't cross."""
    wanted = [(*key, number) for key, number in sorted(moves.items()) if number and key[3] > 0]
    if not wanted:
        return
    quote = connection.ops.quote_name
    table = quote(BoardBucket._meta.db_table)
    rows = ", ".join(["(%s, %s, %s, %s, %s)"] * len(wanted))
    sql = (
        f"INSERT INTO {table} (period, start, product_key, points, people) VALUES {rows} "  # noqa: S608
        f"ON CONFLICT (period, start, product_key, points) DO UPDATE SET people = {table}.people + excluded.people"
    )
    params = [
        connection.ops.adapt_datefield_value(value) if isinstance(value, date) else value
        for row in wanted
        for value in row
    ]
    with connection.cursor() as cursor:
        cursor.execute(sql, params)


def write_anew(deltas: Mapping[tuple[int, date, int], int], people: Mapping[int, User]) -> None:
    """Scores of these people from scratch; the buckets are counted afterwards."""
    BoardScore.objects.filter(person__in=list(people)).delete()
    BoardScore.objects.bulk_create(
        [
            BoardScore(
                person_id=person_id,
                period=period,
                start=start,
                product_key=product,
                points=points,
                listed=is_listed(people[person_id], product),
            )
            for (person_id, period, start, product), points in _by_board(deltas).items()
        ],
        batch_size=CHUNK,
    )


def recount_buckets() -> None:
    """The histogram anew from the scores."""
    found = (
        BoardScore.objects.filter(listed=True, points__gt=0)
        .order_by()
        .values("period", "start", "product_key", "points")
        .annotate(people=Count("pk"))
    )
    rows = [BoardBucket(**row) for row in found]
    BoardBucket.objects.all().delete()
    BoardBucket.objects.bulk_create(rows, batch_size=CHUNK)


@transaction.atomic
def relist(person: User) -> None:
    """Let somebody appear or vanish, on all boards, as they are now."""
    person = User.objects.select_for_update(of=("self",), no_key=True).get(pk=person.pk)
    moves: dict[tuple[str, date, int, int], int] = defaultdict(int)
    changed = []
    for row in BoardScore.objects.filter(person=person):
        wanted = is_listed(person, row.product_key)
        if row.listed != wanted:
            row.listed = wanted
            moves[row.period, row.start, row.product_key, row.points] += 1 if wanted else -1
            changed.append(row)
    BoardScore.objects.bulk_update(changed, ["listed"], batch_size=CHUNK)
    for start in range(0, len(moves), CHUNK):
        _move(dict(sorted(moves.items())[start : start + CHUNK]))


def out_of_step() -> QuerySet[User]:
    """People whose wish or standing differs from how the boards have them: for the sweep."""
    now = clock.now()
    off = (
        Q(hide_from_boards=True)
        | Q(is_active=False)
        | Q(silenced_until__gt=now)
        | Q(standing__in=(Standing.STAFF, Standing.ERASED))
    )
    imported = ~Q(source="") & Q(claimed_at__isnull=True)
    shown = BoardScore.objects.filter(period=Period.ALL, listed=True).values("person")
    unlisted = BoardScore.objects.filter(period=Period.ALL, listed=False)
    vanish = Q(pk__in=shown) & off
    appear = ~off & (
        Q(pk__in=unlisted.exclude(product_key=0).values("person"))
        | (Q(pk__in=unlisted.filter(product_key=0).values("person")) & ~imported)
    )
    return User.objects.filter(vanish | appear)


def keep_in_step() -> int:
    """Sweep: wishes changed in the settings and silences that ended. Returns how many people were relisted."""
    people = list(out_of_step())
    for person in people:
        relist(person)
    return len(people)


@transaction.atomic
def prune() -> None:
    """Sweep: weeks and months that are kept no longer, and empty buckets."""
    for period, kept in ((Period.WEEK, WEEKS_KEPT), (Period.MONTH, MONTHS_KEPT)):
        for model in (BoardScore, BoardBucket):
            model._base_manager.filter(period=period, start__lt=today() - kept).delete()
    BoardBucket.objects.filter(people__lte=0).delete()


# Reading


def place(period: str, start: date, product_key: int, points: int) -> int:
    """The dense rank of so many points: how many different higher scores there are, and one."""
    higher = BoardBucket.objects.filter(
        period=period, start=start, product_key=product_key, points__gt=points, people__gt=0
    )
    return higher.count() + 1


def _with_places(rows: Iterable[BoardScore], first: int) -> list[BoardScore]:
    """Give rows in order their places, counting from the place of the first."""
    numbered = list(rows)
    current, last = first, None
    for row in numbered:
        if last is not None and row.points != last:
            current += 1
        row.place, last = current, row.points  # type: ignore[attr-defined]
    return numbered


def top(period: str, product_key: int = 0, *, count: int = 20, on: date | None = None) -> list[BoardScore]:
    """The first of a board, each with its `place`; people with equal points share one."""
    start = start_of(period, on or today())
    rows = BoardScore.objects.on(period, start, product_key).shown().in_order().select_related("person")[:count]
    return _with_places(rows, 1)


def around(person: User, period: str, product_key: int = 0, *, reach: int = 2) -> list[BoardScore]:
    """Somebody with the neighbours above and below; empty when they are not on the board."""
    start = start_of(period, today())
    board = BoardScore.objects.on(period, start, product_key).shown().select_related("person")
    mine = board.filter(person=person).first()
    if mine is None:
        return []
    above = board.filter(Q(points__gt=mine.points) | Q(points=mine.points, person_id__lt=person.pk))
    below = board.filter(Q(points__lt=mine.points) | Q(points=mine.points, person_id__gt=person.pk))
    upper = list(above.order_by("points", "-person_id")[:reach])[::-1]
    rows = [*upper, mine, *below.in_order()[:reach]]
    return _with_places(rows, place(period, start, product_key, rows[0].points))
