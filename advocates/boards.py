"""Leaderboards: a score a person, and a histogram of scores so that a place is a count (RULINGS 24).

A change costs the same at a million people: the scores of one person and the few buckets they leave and enter. A
board is a word: `all`, `product:7`, `topic:3`, `help:answering`. The board of everything adds up days, so the daily
cap holds; the others add up entries and have none. Weeks and months are kept for a year, quarters for two, years for
ever; what is older lives in the ledger.

Who is left out: staff, people who chose so, suspended, silenced and former members. Each of these is an event that
is heard in its own transaction. A silence ends without one: `BoardAbsence` says when, and whoever reads a board first
after that ends it. Imported people who have not taken over their account stand on their products' boards, with a note
of where they come from, and on no other: they did not choose to compete here (docs/decisions/0062).
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, date, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Count, Exists, Q, QuerySet

from community.accounts.models import Standing, User
from community.core import clock

from .models import BoardAbsence, BoardBucket, BoardScore, Help, Period, Reason

EVERYTHING = "all"
ALL_TIME = date(1970, 1, 1)
KEPT = {Period.WEEK: timedelta(weeks=53), Period.MONTH: timedelta(days=400), Period.QUARTER: timedelta(days=800)}
# What it costs to vote down, and spam, are no help of any kind.
HELP_OF = {
    Reason.THREAD_UP: Help.ASKING,
    Reason.THREAD_DOWN: Help.ASKING,
    Reason.ACCEPTING: Help.ASKING,
    Reason.ANSWER_UP: Help.ANSWERING,
    Reason.ANSWER_DOWN: Help.ANSWERING,
    Reason.ACCEPTED: Help.ANSWERING,
    Reason.HELD: Help.ANSWERING,
    Reason.HELPFUL: Help.REVIEWING,
    Reason.MADE: Help.COOKING,
    Reason.WORKED: Help.TIPS,
    Reason.EDIT: Help.EDITING,
}
CHUNK = 400

Delta = tuple[int, date, str]  # person, day, board
Key = tuple[int, str, date, str]  # person, period, start, board
Move = tuple[str, date, str, int]  # period, start, board, points


def of_product(pk: int) -> str:
    return f"product:{pk}"


def of_topic(pk: int) -> str:
    return f"topic:{pk}"


def of_help(kind: str) -> str:
    return f"help:{kind}"


def boards_of(reason: str, product: int | None, topic: int | None) -> list[str]:
    """On which boards an entry counts, besides that of everything."""
    found = []
    if product is not None:
        found.append(of_product(product))
    if topic is not None:
        found.append(of_topic(topic))
    if reason in HELP_OF:
        found.append(of_help(HELP_OF[Reason(reason)]))
    return found


def today() -> date:
    return clock.now().astimezone(UTC).date()


def start_of(period: str, day: date) -> date:
    """The first day of the week (Monday), month, quarter or year a day is in, in UTC."""
    if period == Period.WEEK:
        return day - timedelta(days=day.weekday())
    if period == Period.MONTH:
        return day.replace(day=1)
    if period == Period.QUARTER:
        return date(day.year, (day.month - 1) // 3 * 3 + 1, 1)
    if period == Period.YEAR:
        return date(day.year, 1, 1)
    return ALL_TIME


def is_kept(period: str, start: date, now: date) -> bool:
    kept = KEPT.get(Period(period))
    return kept is None or start >= now - kept


def is_listed(person: User, board: str) -> bool:
    """Whether somebody takes a place on a board."""
    if person.standing in (Standing.STAFF, Standing.ERASED) or not person.is_active:
        return False
    if person.hide_from_boards or person.is_silenced():
        return False
    return board.startswith("product:") or not person.source or person.claimed_at is not None


def _by_board(deltas: Mapping[Delta, int]) -> dict[Key, int]:
    scores: dict[Key, int] = defaultdict(int)
    now = today()
    for (person_id, day, board), points in deltas.items():
        for period in Period.values:
            start = start_of(period, day)
            if is_kept(period, start, now):
                scores[person_id, period, start, board] += points
    return scores


def add(deltas: Mapping[Delta, int], people: Mapping[int, User]) -> dict[int, int]:
    """Change scores and buckets. Returns each person's sum of days, the score of all time on all boards together."""
    changes = _by_board(deltas)
    known = {
        (row.person_id, row.period, row.start, row.board): row
        for row in BoardScore.objects.filter(
            person__in={key[0] for key in changes},
            start__in={key[2] for key in changes},
            board__in={key[3] for key in changes},
        )
    }
    rows: list[BoardScore] = []
    moves: dict[Move, int] = defaultdict(int)
    sums: dict[int, int] = {}
    for key in sorted(changes):
        person_id, period, start, board = key
        row = known.get(key) or BoardScore(
            person_id=person_id,
            period=period,
            start=start,
            board=board,
            listed=is_listed(people[person_id], board),
        )
        before, row.points = row.points, row.points + changes[key]
        if row.listed and before != row.points:
            moves[period, start, board, before] -= 1
            moves[period, start, board, row.points] += 1
        rows.append(row)
        if period == Period.ALL and board == EVERYTHING:
            sums[person_id] = row.points
    BoardScore.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["person", "period", "start", "board"],
        update_fields=["points"],
    )
    _move(moves)
    return sums


def _move(moves: Mapping[Move, int]) -> None:
    """Let people leave and enter buckets: one statement, in one order, by adding; so that writers don't cross."""
    wanted = [(*key, number) for key, number in sorted(moves.items()) if number and key[3] > 0]
    if not wanted:
        return
    quote = connection.ops.quote_name
    table = quote(BoardBucket._meta.db_table)
    rows = ", ".join(["(%s, %s, %s, %s, %s)"] * len(wanted))
    sql = (
        f"INSERT INTO {table} (period, start, board, points, people) VALUES {rows} "  # noqa: S608
        f"ON CONFLICT (period, start, board, points) DO UPDATE SET people = {table}.people + excluded.people"
    )
    params = [
        connection.ops.adapt_datefield_value(value) if isinstance(value, date) else value
        for row in wanted
        for value in row
    ]
    with connection.cursor() as cursor:
        cursor.execute(sql, params)


def _move_all(moves: Mapping[Move, int]) -> None:
    """`_move`, however many they are."""
    wanted = sorted((move, number) for move, number in moves.items() if number)
    for start in range(0, len(wanted), CHUNK):
        _move(dict(wanted[start : start + CHUNK]))


def write_anew(deltas: Mapping[Delta, int], people: Mapping[int, User]) -> None:
    """Scores of these people from scratch, whose rows are held; they leave and enter buckets as anybody does, since
    others vote meanwhile."""
    moves: dict[Move, int] = defaultdict(int)
    before = BoardScore.objects.filter(person__in=list(people))
    for *move, listed in before.values_list("period", "start", "board", "points", "listed"):
        moves[tuple(move)] -= listed  # type: ignore[index]
    before.delete()
    rows = [
        BoardScore(
            person_id=person_id,
            period=period,
            start=start,
            board=board,
            points=points,
            listed=is_listed(people[person_id], board),
        )
        for (person_id, period, start, board), points in _by_board(deltas).items()
    ]
    BoardScore.objects.bulk_create(rows, batch_size=CHUNK)
    for row in rows:
        moves[row.period, row.start, row.board, row.points] += row.listed
    _move_all(moves)
    for person in people.values():
        _note_absence(person)


def recount_buckets() -> None:
    """The histogram anew from the scores: for the rebuild, while nobody votes."""
    found = (
        BoardScore.objects.filter(listed=True, points__gt=0)
        .order_by()
        .values("period", "start", "board", "points")
        .annotate(people=Count("pk"))
    )
    sql, params = found.values("period", "start", "board", "points", "people").query.sql_with_params()
    table = connection.ops.quote_name(BoardBucket._meta.db_table)
    BoardBucket.objects.all().delete()
    with connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO {table} (period, start, board, points, people) {sql}", params)


@transaction.atomic
def relist(person: User) -> None:
    """Let somebody appear or vanish, on all boards, as they are now."""
    person = User.objects.select_for_update(of=("self",), no_key=True).get(pk=person.pk)
    moves: dict[Move, int] = defaultdict(int)
    changed = []
    for row in BoardScore.objects.filter(person=person):
        wanted = is_listed(person, row.board)
        if row.listed != wanted:
            row.listed = wanted
            moves[row.period, row.start, row.board, row.points] += 1 if wanted else -1
            changed.append(row)
    BoardScore.objects.bulk_update(changed, ["listed"], batch_size=CHUNK)
    _move_all(moves)
    _note_absence(person)


def _note_absence(person: User) -> None:
    """Remember until when somebody is silenced: nothing will tell us."""
    if person.is_silenced():
        BoardAbsence.objects.update_or_create(person=person, defaults={"until": person.silenced_until})
    else:
        BoardAbsence.objects.filter(person=person).delete()


def end_absences() -> int:
    """Let those back whose silence is over: each reader asks, so that a board is true at any moment; and a sweep.
    Returns how many. One query on a table that is all but empty; twice is harmless."""
    over = list(BoardAbsence.objects.filter(until__lte=clock.now()).values_list("person", flat=True))
    for person in User.objects.filter(pk__in=over) if over else ():
        relist(person)
    return len(over)


def out_of_step() -> QuerySet[User]:
    """People whose wish or standing differs from how the boards have them."""
    now = clock.now()
    off = (
        Q(hide_from_boards=True)
        | Q(is_active=False)
        | Q(silenced_until__gt=now)
        | Q(standing__in=(Standing.STAFF, Standing.ERASED))
    )
    imported = ~Q(source="") & Q(claimed_at__isnull=True)
    of_products = Q(board__startswith="product:")
    shown = BoardScore.objects.filter(period=Period.ALL, listed=True).values("person")
    unlisted = BoardScore.objects.filter(period=Period.ALL, listed=False)
    vanish = Q(pk__in=shown) & off
    appear = ~off & (
        Q(pk__in=unlisted.filter(of_products).values("person"))
        | (Q(pk__in=unlisted.exclude(of_products).values("person")) & ~imported)
    )
    return User.objects.filter(vanish | appear)


def keep_in_step() -> int:
    """Nightly: whatever changed people without an event, such as a hand in the database. Returns how many were
    relisted."""
    people = list(out_of_step())
    for person in people:
        relist(person)
    return len(people)


@transaction.atomic
def prune() -> None:
    """Sweep: periods that are kept no longer, and empty buckets."""
    for period, kept in KEPT.items():
        for model in (BoardScore, BoardBucket):
            model._base_manager.filter(period=period, start__lt=today() - kept).delete()
    BoardBucket.objects.filter(people__lte=0).delete()


# Reading


def _with_places(rows: Iterable[BoardScore], first: int) -> list[BoardScore]:
    """Give rows in order their places, counting from the place of the first."""
    numbered = list(rows)
    current, last = first, None
    for row in numbered:
        if last is not None and row.points != last:
            current += 1
        row.place, last = current, row.points  # type: ignore[attr-defined]
    return numbered


def top(period: str, board: str = EVERYTHING, *, count: int = 20, on: date | None = None) -> list[BoardScore]:
    """The first of a board, each with its `place`; people with equal points share one."""
    end_absences()
    start = start_of(period, on or today())
    rows = BoardScore.objects.on(period, start, board).shown().in_order().select_related("person__profile")[:count]
    return _with_places(rows, 1)


def around(person: User, period: str, board: str = EVERYTHING, *, reach: int = 2) -> list[BoardScore]:
    """Somebody with the neighbours above and below; empty when they are not on the board."""
    # Whether anybody's silence is over is asked along the way: nearly always nobody's is.
    over = Exists(BoardAbsence.objects.filter(until__lte=clock.now()))
    mine_alone = BoardScore.objects.on(period, start_of(period, today()), board).shown().filter(person=person)
    mine: Any = mine_alone.annotate(over=over).first()
    if (mine is None or mine.over) and end_absences():
        mine = mine_alone.first()
    if mine is None:
        return []
    mine.person = person
    upper, lower, place = _beside(mine, reach)
    higher = {row.points for row in upper} - {mine.points}
    return _with_places([*upper[::-1], mine, *lower], place - len(higher))


def _beside(mine: BoardScore, reach: int) -> tuple[list[BoardScore], list[BoardScore], int]:
    """Who stands right above, the nearest first, and right below; and the dense place, which is how many different
    higher scores there are, and one.

    Along the indexes alone: with "or", or joined to people, PostgreSQL may read everybody from the first, and places
    that are counted for a row instead of for given points are counted in the table. Four short walks from one place and
    a count, in one statement, which say all there is to say of a score; people afterwards, for those few.
    """
    table = connection.ops.quote_name(BoardScore._meta.db_table)
    on_board = f"SELECT points, person_id FROM {table} WHERE listed AND period = %s AND start = %s AND board = %s"  # noqa: S608
    walks = {
        0: "AND points = %s AND person_id < %s ORDER BY person_id DESC",
        1: "AND points > %s AND person_id <> %s ORDER BY points, person_id DESC",
        2: "AND points = %s AND person_id > %s ORDER BY person_id",
        3: "AND points < %s AND points > 0 AND person_id <> %s ORDER BY points DESC, person_id",
    }
    parts = [
        f"SELECT {walk}, person_id, points FROM ({on_board} {order} LIMIT {reach:d}) w{walk}"  # noqa: S608
        for walk, order in walks.items()
    ]
    start = connection.ops.adapt_datefield_value(mine.start)
    params: list[Any] = [mine.period, start, mine.board, mine.points, mine.person_id] * len(walks)
    buckets = connection.ops.quote_name(BoardBucket._meta.db_table)
    parts.append(
        f"SELECT 4, COUNT(*), 0 FROM {buckets} "  # noqa: S608
        "WHERE period = %s AND start = %s AND board = %s AND points > %s AND people > 0"
    )
    params += [mine.period, start, mine.board, mine.points]
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(parts), params)
        found = cursor.fetchall()
    place = next(number for walk, number, _points in found if walk == 4) + 1
    people = User.objects.in_bulk([person for walk, person, _points in found if walk != 4])

    def along(*turns: int) -> list[BoardScore]:
        return [
            BoardScore(
                person=people[person],
                period=mine.period,
                start=mine.start,
                board=mine.board,
                points=points,
                listed=True,
            )
            for turn in turns
            for walk, person, points in found
            if walk == turn
        ]

    upper, lower = along(0, 1), along(2, 3)
    return upper[:reach], lower[:reach], place
