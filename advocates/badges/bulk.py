"""Giving badges to very many at a time: the database counts, compares and writes, and nothing of it is read.

For whole ranges of people, as in a sweep over the history, after an import and in a rebuild. What each has of what is
counted stands in a table of its own for as long as the transaction lasts; what is missing among the awards, and which
have lost their ground, are one statement each, however many badges there are. The same as `giving.look` finds person
by person: tests compare the two.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection, models, transaction
from django.db.models import CharField, QuerySet, Value
from django.db.models.functions import Cast, JSONObject

from community.accounts.models import Standing, User
from community.core import clock
from community.events.log import record_past_of

from ..models import Award, Badge
from .judging import Ground, People, among, counted, grounds
from .sources import SOURCES

TABLE = "badge_grounds"
OUT = (Standing.STAFF.value, Standing.ERASED.value)

Groups = Sequence[list[Badge]]


def hold(people: People) -> None:
    """Lock them in id order, without reading them."""
    rows = User.objects.select_for_update(of=("self",), no_key=True).filter(among("pk", people)).order_by("pk")
    if connection.features.has_select_for_update:
        sql, params = rows.values("pk").query.sql_with_params()
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT COUNT(*) FROM ({sql}) held", params)  # noqa: S608


@contextmanager
def counting(groups: Groups, people: People) -> Iterator[None]:
    """What people have of what these badges count, in a table that is there for this block. In a transaction."""
    moment = models.DateTimeField().db_type(connection)
    columns = f"counts integer, person_id bigint, per_key varchar(40), how_many integer, latest {moment}"
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TEMPORARY TABLE {TABLE} ({columns})")
        for number, group in enumerate(groups):
            _count(cursor, number, group, people)
        if connection.vendor == "postgresql":
            cursor.execute(f"ANALYZE {TABLE}")
    yield
    # After an error it goes with the transaction.
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE {TABLE}")


def _count(cursor: Any, number: int, group: list[Badge], people: People) -> None:
    badge = group[0]
    rule = badge.award
    in_rows = badge.event in SOURCES and not rule.get("window_days")
    if not in_rows or any(name == "failed_share" for name, _operator, _value in rule.get("when", [])):
        adapt = connection.ops.adapt_datetimefield_value
        rows = [(number, *ground, n, adapt(at)) for ground, (n, at) in grounds(group, people).items()]
        cursor.executemany(f"INSERT INTO {TABLE} VALUES (%s, %s, %s, %s, %s)", rows)  # noqa: S608
        return
    least = min(one.award["threshold"] for one in group)
    key = Cast("thing_key", CharField()) if badge.awarded == Badge.Awarded.MANY else Value("", CharField())
    found = counted(badge, people).filter(how_many__gte=least).annotate(key=key)
    try:
        sql, params = found.values_list("person_key", "key", "how_many", "latest").query.sql_with_params()
    except EmptyResultSet:  # a rule that nobody can fulfil
        return
    cursor.execute(f"INSERT INTO {TABLE} SELECT {number:d}, found.* FROM ({sql}) found", params)  # noqa: S608


def _rules(groups: Groups) -> str:
    """The badges as a table: which count they read, how many it takes, whether they are given and kept."""
    rows = [
        f"({badge.pk:d}, {number:d}, {int(badge.award['threshold']):d}, {badge.retired_at is None:d}, {badge.kept:d})"
        for number, group in enumerate(groups)
        for badge in group
    ]
    return f"WITH rules (badge_id, counts, threshold, given, kept) AS (VALUES {', '.join(rows)})"


def _table(model: type[models.Model]) -> str:
    return connection.ops.quote_name(model._meta.db_table)


def _missing() -> str:
    return (
        f"FROM {TABLE} g JOIN rules r ON r.counts = g.counts "  # noqa: S608
        "AND r.threshold <= g.how_many AND r.given = 1 "
        f"WHERE NOT EXISTS (SELECT 1 FROM {_table(Award)} a "
        "WHERE a.badge_id = r.badge_id AND a.person_id = g.person_id AND a.per_key = g.per_key)"
    )


def _lost(people: People) -> str:
    """Awards without their ground; of badges that are kept, only those of staff and former members."""
    some = ""
    if isinstance(people, range):
        some = f"a.person_id >= {people.start:d} AND a.person_id < {people.stop:d} AND "
    out = ", ".join(f"'{standing}'" for standing in OUT)
    return (
        f"FROM {_table(Award)} a JOIN rules r ON r.badge_id = a.badge_id WHERE {some}"  # noqa: S608
        f"NOT EXISTS (SELECT 1 FROM {TABLE} g WHERE g.counts = r.counts AND g.person_id = a.person_id "
        "AND g.per_key = a.per_key AND g.how_many >= r.threshold) AND (r.kept = 0 OR EXISTS "
        f"(SELECT 1 FROM {_table(User)} u WHERE u.id = a.person_id AND u.standing IN ({out})))"
    )


def whom_it_changes(groups: Groups, people: People) -> list[int]:
    """Who would get something or lose something. Holds nobody and changes nothing."""
    with transaction.atomic(), counting(groups, people), connection.cursor() as cursor:
        cursor.execute(f"{_rules(groups)} SELECT g.person_id {_missing()} UNION SELECT a.person_id {_lost(people)}")
        return sorted(person for (person,) in cursor.fetchall())


def lost(groups: Groups, people: People) -> list[tuple[Badge, Ground]]:
    """Which awards have lost their ground. Inside of `counting`."""
    badges = {badge.pk: badge for group in groups for badge in group}
    with connection.cursor() as cursor:
        cursor.execute(f"{_rules(groups)} SELECT a.badge_id, a.person_id, a.per_key {_lost(people)}")
        return [(badges[badge], (person, key)) for badge, person, key in sorted(cursor.fetchall())]


def give(groups: Groups, people: People, news_since: datetime | None) -> tuple[int, list[Award]]:
    """Give all that is missing; returns how many, and which of them are news: earned since then, and dated now.

    The others are dated by the fact that earned them and noted in the log. Inside of `counting`, and the people held.
    """
    before = Award.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {_table(Award)} (badge_id, person_id, per_key, at, reason) {_rules(groups)} "
            f"SELECT r.badge_id, g.person_id, g.per_key, g.latest, '' {_missing()}"
        )
        given = cursor.rowcount
    if not given:
        return 0, []
    badges = [badge.pk for group in groups for badge in group]
    # Others who give at the same moment give to other people: these are held.
    new = Award.objects.filter(among("person", people), pk__gt=before, badge__in=badges)
    news: list[Award] = []
    if news_since is not None:
        news = list(new.filter(at__gte=news_since).select_related("badge").order_by("pk"))
        Award.objects.filter(pk__in=[award.pk for award in news]).update(at=clock.now())
        new = new.filter(at__lt=news_since)
    told = new.order_by("pk").values("at", whom=models.F("person"), data=JSONObject(badge="badge__slug", per="per_key"))
    record_past_of("badge.awarded", User, told)
    copy_counts_of(Award.objects.filter(among("person", people), pk__gt=before, badge__in=badges))
    return given, news


def copy_counts_of(awards: QuerySet[Award]) -> None:
    """Write how many badges of each level the people of these awards have to where bylines read it. They have some."""
    per_level = (
        Award.objects.filter(person__in=awards.order_by().values("person"))
        .order_by()
        .values("person_id", level=models.F("badge__level"))
        .annotate(n=models.Count("pk"))
    )
    sql, params = per_level.values("person_id", "level", "n").query.sql_with_params()
    together = "jsonb_object_agg" if connection.vendor == "postgresql" else "json_group_object"
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {_table(User)} AS u SET badge_counts = c.counts FROM "  # noqa: S608
            f"(SELECT person_id, {together}(level, n) AS counts FROM ({sql}) l GROUP BY person_id) c "
            "WHERE u.id = c.person_id AND u.badge_counts <> c.counts",
            params,
        )
