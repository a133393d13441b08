"""Searching the audit: acts of staff, newest first, by keyset."""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any

from django.db.models import Q

from community.accounts.models import User
from community.events.models import Event
from community.events.querysets import EventQuerySet

from . import words

PER_PAGE = 50


@dataclass
class Line:
    """One act as the screen and the file show it."""

    event: Event
    label: str
    target: str
    address: str
    reason: str
    changes: list[tuple[str, str, str]]
    facts: list[tuple[str, str]]


def search(asked: dict[str, Any]) -> EventQuerySet:
    """Acts by who did it (`who`), to whom (`whom`), of a `group`, of a `kind`, about one row (`about`), within days
    (`since`, `until`), with words in the reason (`q`)."""
    found = Event.objects.acts()
    for name, column in (("who", "actor"), ("whom", "whom")):
        if said := asked.get(name):
            found = found.filter(
                **{f"{column}__in": User.objects.filter(Q(username__iexact=said) | Q(name__iexact=said))}
            )
    if asked.get("group"):
        found = found.filter(words.of_group(asked["group"]))
    if asked.get("kind"):
        found = found.filter(kind=asked["kind"])
    if asked.get("about"):
        content_type, pk = asked["about"]
        found = found.filter(subject_type=content_type, subject_id=pk)
    if since := asked.get("since"):
        found = found.filter(occurred_at__gte=datetime.combine(since, time.min, UTC))
    if until := asked.get("until"):
        found = found.filter(occurred_at__lte=datetime.combine(until, time.max, UTC))
    if asked.get("q"):
        found = found.filter(note__text__icontains=asked["q"])
    return found.select_related("actor", "whom", "note", "subject_type")


# Pages by keyset: a cursor names the act a page begins behind, so that page 500 costs what page 1 does (0053).


def cursor_of(event: Event) -> str:
    return f"{int(event.occurred_at.timestamp() * 1_000_000)}-{event.pk}"


def _place(cursor: str) -> tuple[datetime, int]:
    """Raises ValueError for what never was a cursor."""
    moment, pk = cursor.split("-")
    if len(moment) > 17 or len(pk) > 18:
        raise ValueError(cursor)
    return datetime.fromtimestamp(0, UTC) + timedelta(microseconds=int(moment)), int(pk)


@dataclass
class Page:
    lines: list[Line]
    newer: str = ""
    older: str = ""


def page_of(found: EventQuerySet, *, after: str = "", before: str = "", size: int = PER_PAGE) -> Page:
    """Acts behind `after` (older), or ahead of `before` (newer), or the first page. Raises ValueError at bad cursors.

    One query, and one for each kind of thing that was acted on.
    """
    if after:
        at, pk = _place(after)
        rows = list(found.filter(Q(occurred_at__lt=at) | Q(occurred_at=at, pk__lt=pk)).newest_first()[: size + 1])
        more, rows = len(rows) > size, rows[:size]
        newer, older = bool(rows), more
    elif before:
        at, pk = _place(before)
        ahead = found.filter(Q(occurred_at__gt=at) | Q(occurred_at=at, pk__gt=pk)).order_by("occurred_at", "pk")
        rows = list(ahead[: size + 1])
        more, rows = len(rows) > size, rows[:size][::-1]
        newer, older = more, bool(rows)
    else:
        rows = list(found.newest_first()[: size + 1])
        newer, older, rows = False, len(rows) > size, rows[:size]
    return Page(
        as_lines(rows),
        newer=cursor_of(rows[0]) if rows and newer else "",
        older=cursor_of(rows[-1]) if rows and older else "",
    )


def in_batches(found: EventQuerySet, size: int = 500) -> Any:
    """Every act found, newest first, a batch of lines at a time: for files."""
    cursor = ""
    while True:
        page = page_of(found, after=cursor, size=size)
        yield from page.lines
        if not page.older:
            return
        cursor = page.older


BEFORE_AND_AFTER = (("previous", "status"), ("previous", "value"), ("previous", "role"), ("before", "versions"))


def as_lines(events: list[Event]) -> list[Line]:
    """Events with their targets in words; a query for each kind of target."""
    targets = _targets(events)
    lines = []
    for event in events:
        note = getattr(event, "note", None)
        changes = [(name, _said(old), _said(new)) for name, (old, new) in (note.changes if note else {}).items()]
        facts = dict(event.data)
        for old, new in BEFORE_AND_AFTER:
            if old in facts and new in facts:
                changes.append((new, _said(facts.pop(old)), _said(facts.pop(new))))
        if "what" in facts and event.kind == "personal.viewed":
            facts["what"] = str(words.SEEN.get(facts["what"], facts["what"]))
        target, address = targets.get((event.subject_type_id, event.subject_id), ("", ""))
        lines.append(
            Line(
                event=event,
                label=words.label(event.kind),
                target=target,
                address=address,
                reason=note.text if note else "",
                changes=changes,
                facts=[(name, _said(value)) for name, value in facts.items() if value not in (None, "", [], {})],
            )
        )
    return lines


def _said(value: Any) -> str:
    if value is None or value == "":
        return "–"
    if isinstance(value, list):
        return ", ".join(str(one) for one in value) or "–"
    return str(value)


def _targets(events: list[Event]) -> dict[tuple[int | None, int | None], tuple[str, str]]:
    """What acts were done to, by content type and id: its words and its address."""
    wanted: dict[int, set[int]] = {}
    types = {}
    for event in events:
        if event.subject_type_id and event.subject_id:
            wanted.setdefault(event.subject_type_id, set()).add(event.subject_id)
            types[event.subject_type_id] = event.subject_type
    found: dict[tuple[int | None, int | None], tuple[str, str]] = {}
    for pk, ids in wanted.items():
        model = types[pk].model_class()
        name = str(model._meta.verbose_name) if model else types[pk].model
        rows = model._base_manager.select_related(*_parents(model)).in_bulk(ids) if model else {}
        for one in ids:
            row = rows.get(one)
            found[(pk, one)] = (f"{name}: {row}" if row is not None else f"{name} {one}", _address(row))
    return found


def _parents(model: Any) -> list[str]:
    """What the words and the address of a row are made of beside itself: its thread, review or product."""
    known = ("thread", "recipe", "tip", "product", "user")
    return [field.name for field in model._meta.concrete_fields if field.is_relation and field.name in known]


def _address(row: Any) -> str:
    try:
        return row.get_absolute_url() or ""
    except Exception:  # noqa: BLE001 - a row that lost its page has no address; the entry stands all the same
        return ""
