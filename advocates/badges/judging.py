"""Who has grounds for a badge: a rule becomes one query over standing facts."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import CharField, Count, DateTimeField, F, Max, Q, QuerySet, Value

from community.accounts.models import Standing, User
from community.core.models import Vote
from community.events.models import Event
from community.questions.models import FollowUp

from ..models import Badge
from .sources import SOURCES, Source, people_paths

Ground = tuple[int, str]  # person, for which thing ("" when once)
MOST_AT_ONCE = 512
AWARDABLE = ~Q(standing__in=(Standing.STAFF, Standing.ERASED))


# Which people are meant: some ids, all ids in a range, or everybody.
People = Iterable[int] | range | None


def among(path: str, people: People) -> Q:
    """Rows whose person is one of these."""
    if people is None:
        return Q()
    if isinstance(people, range):
        return Q(**{f"{path}__gte": people.start, f"{path}__lt": people.stop})
    return Q(**{f"{path}__in": list(people)})


def grounds(badges: list[Badge], people: People = None) -> dict[Ground, tuple[int, datetime]]:
    """Who has grounds for badges that count the same: how many, and when the last of them came.

    Only those with enough for the least of the badges. `people` narrows it down.
    """
    badge = badges[0]
    rule = badge.award
    least = min(one.award["threshold"] for one in badges)
    source = SOURCES.get(rule["event"])
    if source is None:
        return _grounds_in_log(badge, least, people)
    if rule.get("window_days"):
        return _within_days(_rows(badge, source, people), rule, source, least)
    result = {(person, str(thing)): (n, latest) for person, thing, n, latest in _enough(badge, least, people)}
    for name, operator, value in rule.get("when", []):
        if name == "failed_share":
            result = _few_failed(result, operator, value)
    return result


def _enough(badge: Badge, least: int, people: People) -> Iterator[tuple[int, Any, int, datetime]]:
    """Person, thing, how many and when the last of them came, where there are enough."""
    if people is None or isinstance(people, range):
        yield from _at_least(badge, least, people)
        return
    ids = sorted(set(people))
    for start in range(0, len(ids), MOST_AT_ONCE):
        some = ids[start : start + MOST_AT_ONCE]
        # Few lengths, so that few statements are kept: 1, 2, 4, 8 …; the last of them is named more than once.
        some += some[-1:] * ((1 << (len(some) - 1).bit_length()) - len(some))
        rule = json.dumps(badge.award, sort_keys=True)
        sql, params, places = _statement(badge.event, rule, badge.awarded, badge.per, least, len(some))
        if not sql:
            return
        filled = list(params)
        for place, number in places:
            filled[place] = some[number]
        converters = connection.ops.get_db_converters(Value(None, DateTimeField()))
        with connection.cursor() as cursor:
            cursor.execute(sql, filled)
            rows = cursor.fetchall()
        for person, thing, n, latest in rows:
            for convert in converters:
                latest = convert(latest, None, connection)
            yield person, thing, n, latest


def _at_least(badge: Badge, least: int, people: People) -> QuerySet:
    found = counted(badge, people).filter(how_many__gte=least)
    if badge.awarded != Badge.Awarded.MANY:
        found = found.annotate(thing_key=Value("", CharField()))
    return found.values_list("person_key", "thing_key", "how_many", "latest")


@lru_cache(maxsize=1024)
def _statement(
    event: str, rule: str, awarded: str, per: str, least: int, people: int
) -> tuple[str, tuple[Any, ...], list[tuple[int, int]]]:
    """The statement of a rule for so many people, with their places among its parameters; none for a rule that nobody
    can fulfil, such as a million stars.

    Each vote is judged by some eight rules. Building their statements takes Django more time than the database needs to
    answer them, and they are the same every time but for the people.
    """
    badge = Badge(event=event, award=json.loads(rule), awarded=awarded, per=per)
    stand_ins = {-2_000_000_000 - number: number for number in range(people)}
    try:
        sql, params = _at_least(badge, least, list(stand_ins)).query.sql_with_params()
    except EmptyResultSet:
        return "", (), []
    places = [(place, stand_ins[value]) for place, value in enumerate(params) if _is_one_of(value, stand_ins)]
    return sql, params, places


def _is_one_of(value: Any, numbers: dict[int, int]) -> bool:
    return isinstance(value, int) and value in numbers


def _rows(badge: Badge, source: Source, people: People) -> QuerySet:
    """The facts that count, each with whose it is and for which thing."""
    rule = badge.award
    person = getattr(source, rule["to"])
    rows = source.model._base_manager.filter(source.standing).filter(among(person, people))
    rows = rows.filter(**{f"{person}__isnull": False}).exclude(
        **{f"{person}__standing__in": (Standing.STAFF, Standing.ERASED)}
    )
    for number, (name, operator, value) in enumerate(rule.get("when", [])):
        if name == "failed_share" or name in source.sums:
            continue
        path = source.fields[name]
        if not isinstance(path, str):
            rows = rows.alias(**{f"field{number}": path})
            path = f"field{number}"
        rows = rows.filter(_holds(path, operator, _meaning(name, value, source)))
    keys = {"person_key": F(person)}
    if badge.awarded == Badge.Awarded.MANY:
        keys["thing_key"] = F(source.per[badge.per])
    return rows.order_by().annotate(**keys)


def counted(badge: Badge, people: People = None, *, all_of_them: bool = False) -> QuerySet:
    """How many each person has of what a badge counts: person_key, thing_key where there is one for each, how_many and
    latest. For rules on rows, without a window. `all_of_them`: also of those whose sums don't hold (yet)."""
    rule = badge.award
    source = SOURCES[rule["event"]]
    having = Q()
    sums: dict[str, Any] = {}
    for number, (name, operator, value) in enumerate(rule.get("when", [])):
        if name in source.sums and not all_of_them:
            sums[f"sum{number}"] = source.sums[name]()
            having &= _holds(f"sum{number}", operator, value)
    rows = _rows(badge, source, people)
    keys = ["person_key", *(["thing_key"] if badge.awarded == Badge.Awarded.MANY else [])]
    return rows.values(*keys).annotate(how_many=_counter(rule, source), latest=Max(source.at), **sums).filter(having)


def _within_days(
    rows: QuerySet, rule: dict[str, Any], source: Source, least: int
) -> dict[Ground, tuple[int, datetime]]:
    """Enough of them within some days of each other, whenever that was."""
    what = {"things": source.thing, "events": "pk"}.get(
        rule["count"], source.actor if rule["to"] == "author" else source.author
    )
    span = timedelta(days=rule["window_days"])
    seen: dict[Ground, list[tuple[datetime, Any]]] = defaultdict(list)
    for row in rows.order_by(source.at, "pk").values(
        "pk",
        "person_key",
        *(["thing_key"] if "thing_key" in rows.query.annotations else []),
        at_key=F(source.at),
        what_key=F(what),
    ):
        counted = row["what_key"] if row["what_key"] is not None else f"row {row['pk']}"
        seen[row["person_key"], str(row.get("thing_key", ""))].append((row["at_key"], counted))
    result: dict[Ground, tuple[int, datetime]] = {}
    for ground, moments in seen.items():
        best, latest, first = 0, moments[0][0], 0
        for last, (at, _counted) in enumerate(moments):
            while moments[first][0] < at - span:
                first += 1
            number = len({counted for _at, counted in moments[first : last + 1]})
            if number > best:
                best, latest = number, at
        if best >= least:
            result[ground] = (best, latest)
    return result


def _few_failed(found: dict[Ground, tuple[int, datetime]], operator: str, most: float) -> dict:
    """Keep those whose fixes held often enough, over everything that was ever said about them."""
    rows = (
        FollowUp.objects.filter(answer__author__in={person for person, _thing in found})
        .order_by()
        .values("answer__author")
        .annotate(all=Count("pk"), failed=Count("pk", filter=~Q(outcome=FollowUp.Outcome.YES)))
    )
    shares = {row["answer__author"]: row["failed"] / row["all"] for row in rows}
    return {ground: what for ground, what in found.items() if _compare(shares.get(ground[0], 0.0), operator, most)}


def _grounds_in_log(badge: Badge, least: int, people: People) -> dict[Ground, tuple[int, datetime]]:
    """Kinds of rooms above this one: the log says whom it is about."""
    rule = badge.award
    seen: dict[Ground, dict[Any, datetime]] = defaultdict(dict)
    wanted = people if people is None or isinstance(people, range) else set(people)
    for event in Event.objects.filter(kind=rule["event"]).order_by("id").iterator():
        for person in people_in_log(event, rule["to"]):
            if wanted is not None and person not in wanted:
                continue
            facts = {**event.data, "author": person, "actor": event.actor_id}
            if all(
                _compare(
                    facts.get(name.rpartition(".")[2]),
                    operator,
                    facts.get(value, value) if value in ("author", "actor") else value,
                )
                for name, operator, value in rule.get("when", [])
            ):
                thing = str(event.subject_id) if badge.awarded == Badge.Awarded.MANY else ""
                what = {"things": event.subject_id, "people": event.actor_id, "events": event.pk}[rule["count"]]
                seen[person, thing][what] = event.occurred_at
    allowed = set(User.objects.filter(AWARDABLE, pk__in={person for person, _ in seen}).values_list("pk", flat=True))
    return {
        ground: (len(things), max(things.values()))
        for ground, things in seen.items()
        if len(things) >= least and ground[0] in allowed
    }


def people_in_log(event: Event, to: str) -> list[int]:
    if to == "actor":
        return [event.actor_id] if event.actor_id else []
    named = event.data.get("authors") or [event.data.get("author")]
    return [person for person in named if isinstance(person, int)]


def _compare(have: Any, operator: str, value: Any) -> bool:
    if operator == "is":
        return have == value
    if operator == "is not":
        return have != value
    if have is None:
        return False
    return {">=": have >= value, ">": have > value, "<=": have <= value, "<": have < value}[operator]


def _meaning(name: str, value: Any, source: Source) -> Any:
    """People are compared with people ([asker, is not, author]), ages with days."""
    if value == "author":
        return F(source.author)
    if value == "actor":
        return F(source.actor)
    return timedelta(days=value) if "_days_" in name else value


def _holds(path: str, operator: str, value: Any) -> Q:
    if operator == "is":
        return Q(**{path: value})
    if operator == "is not":
        return ~Q(**{path: value})
    lookup = {">=": "gte", ">": "gt", "<=": "lte", "<": "lt"}[operator]
    return Q(**{f"{path}__{lookup}": value})


def _counter(rule: dict[str, Any], source: Source) -> Any:
    if rule["count"] == "things":
        return Count(source.thing, distinct=True)
    if rule["count"] == "events":
        return Count("pk")
    if rule.get("people"):
        return Count(people_paths(source)[rule["people"]], distinct=True)
    # The different others: who judged, or, of what one did oneself, whose things they were.
    others = source.actor if rule["to"] == "author" else source.author
    if rule["to"] == "actor" or not issubclass(source.model, Vote):
        return Count(others, distinct=True)
    # Rows without a voter are a person each: that is what a tally counted.
    return Count(others, distinct=True) + Count("pk", filter=Q(**{f"{others}__isnull": True}))
