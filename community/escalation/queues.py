"""The queues of the desk: what is in each, how many there are, in which order, a page at a time.

A queue is a condition on cases. Numbers beside queues stop at 999 and come in one query (docs/decisions/0106); pages
go by keyset (0053), over as many columns as an order needs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode

from django.core.cache import cache
from django.db.models import Count, Exists, F, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from community.accounts.models import Department, User
from community.core import clock
from community.questions import counting
from community.questions.models import Kind

from .models import Escalation, EscalationStep
from .querysets import DESK_DUE, RANK, STAFF_HAVE_IT, EscalationQuerySet
from .rotation import stands_in_for

PER_PAGE = 50
DONE_DAYS = 90  # how far back words are looked for among what is done
ASKER_LAST = Q(thread__asker_spoke_at__isnull=False) & (
    Q(thread__replied_at=None) | Q(thread__asker_spoke_at__gt=F("thread__replied_at"))
)


@dataclass(frozen=True)
class Queue:
    """`condition` is given what somebody wishes to see; `everywhere` ones don't heed the chosen department."""

    label: Any
    hint: Any
    condition: Callable[[Wish], Q]
    everywhere: bool = False
    counted: bool = True
    in_one_pass: bool = False  # no index knows how many: who spoke last stands in the thread, or it is nearly all of it


OPEN = Q(state="open")


def _mine(wish: Wish) -> Q:
    return OPEN & Q(assignee__in={wish.user.pk, *wish.stands_for})


def _unanswered(wish: Wish) -> Q:
    day_ago = clock.now() - timedelta(hours=24)
    waits = Q(thread__first_reply_at=None, thread__needs_info_since=None, thread__created_at__lte=day_ago)
    return OPEN & waits & Q(thread__kind__in=_SOLVABLE)


_SOLVABLE = (Kind.QUESTION, Kind.PROBLEM)
QUEUES: dict[str, Queue] = {
    "due": Queue(
        _("Due next"), _("What staff have or are told of, by the time it is due."),
        lambda wish: STAFF_HAVE_IT,
    ),
    "mine": Queue(
        _("Mine"), _("Yours, and those of people you stand in for today, of any department."), _mine, everywhere=True
    ),
    "department": Queue(
        _("Department"), _("Everything open that belongs to your department, whoever has it."),
        lambda wish: OPEN & Q(department=wish.user.department_id), everywhere=True,
    ),
    "late": Queue(_("Late"), _("A promised time has passed."), lambda wish: OPEN & Q(late_at__isnull=False)),
    "attention": Queue(
        _("Needs attention"),
        _("The asker spoke last: nobody has replied to it yet; or it was paused until today."),
        lambda wish: OPEN & (ASKER_LAST | Q(paused_since__isnull=False, pause_until__lte=clock.now())),
        in_one_pass=True,
    ),
    "unanswered": Queue(
        _("Unanswered 24 h"), _("A question or problem without any reply for a day."), _unanswered, in_one_pass=True
    ),
    "unhelped": Queue(
        _("Didn't help"),
        _("It was answered and is not settled: the asker wrote again, it is open again, or a solution is in doubt."),
        lambda wish: OPEN
        & (Q(thread__first_reply_at__isnull=False) & ASKER_LAST | Q(round__gt=1) | Q(thread__recheck_at__isnull=False)),
        in_one_pass=True,
    ),
    "info": Queue(
        _("Needs info"), _("The asker was asked for something and has not said it yet."),
        lambda wish: OPEN & Q(thread__needs_info_since__isnull=False),
    ),
    "responded": Queue(
        _("Responded"), _("Somebody replied last; the asker has not said whether it helped."),
        lambda wish: OPEN & Q(thread__replied_at__isnull=False, thread__needs_info_since=None) & ~ASKER_LAST,
        in_one_pass=True,
    ),
    "paused": Queue(
        _("Paused"), _("The clocks stand, with the cause."), lambda wish: OPEN & Q(paused_since__isnull=False)
    ),
    "owners": Queue(
        _("With owners"), _("Owners have it; it comes to staff by itself when they don't settle it."),
        lambda wish: OPEN & (Q(phase="remind") | Q(told_at=None, acknowledged_at=None, late_at=None)),
        in_one_pass=True,
    ),
    "done": Queue(
        _("Done"), _("Settled, the newest first."), lambda wish: Q(state="settled") & ~Q(resolved_cause="gone"),
        counted=False,
    ),
}  # fmt: skip


# Orders. Each is a list of (name, expression or None for a column, descending); the id is always the last.


@dataclass(frozen=True)
class Order:
    label: Any
    keys: Sequence[tuple[str, Any, bool]]


ORDERS: dict[str, Order] = {
    "due": Order(_("Late first, then by due time"), [("sort_rank", RANK, False), ("sort_due", DESK_DUE, False)]),
    "oldest": Order(_("Asked longest ago"), [("thread__created_at", None, False)]),
    "newest": Order(_("Asked last"), [("thread__created_at", None, True)]),
    "active": Order(_("Last word first"), [("thread__active_at", None, True)]),
    "reporters": Order(_("Most reporters"), [("thread__me_too_count", None, True)]),
    "done": Order(_("Settled last"), [("resolved_at", None, True)]),
}
CHOOSABLE = [name for name in ORDERS if name != "done"]


class BadCursor(Exception):
    """What stands in an address never named a place in this list."""


@dataclass
class Page:
    rows: list[Escalation]
    after: str = ""  # of the next page, empty on the last
    before: str = ""  # of the previous page, empty on the first


def _write(value: Any) -> str:
    if isinstance(value, datetime):
        since = value - datetime(1970, 1, 1, tzinfo=UTC)
        return str((since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds)
    return str(int(value))


def _value(case: Escalation, name: str) -> Any:
    value: Any = case
    for part in name.split("__"):
        value = getattr(value, part)
    return value


def cursor_of(case: Escalation, order: Order) -> str:
    return ".".join([*(_write(_value(case, name)) for name, _e, _d in order.keys), str(case.pk)])


def _read(cursor: str, order: Order) -> list[Any]:
    parts = cursor.split(".")
    if len(parts) != len(order.keys) + 1 or len(cursor) > 80:
        raise BadCursor
    try:
        numbers = [int(part) for part in parts]
    except ValueError:
        raise BadCursor from None
    if any(abs(number) > 2**62 for number in numbers):
        raise BadCursor
    values: list[Any] = []
    for number, (name, _expression, _descending) in zip(numbers, order.keys, strict=False):
        if name.endswith("_at") or name == "sort_due":
            try:
                moment = datetime.fromtimestamp(number // 1_000_000, tz=UTC)
            except (ValueError, OverflowError, OSError):
                raise BadCursor from None
            values.append(moment.replace(microsecond=number % 1_000_000))
        elif abs(number) > 2**31:
            raise BadCursor
        else:
            values.append(number)
    return [*values, numbers[-1]]


def page_of(
    found: EscalationQuerySet, order: Order, *, after: str = "", before: str = "", size: int = PER_PAGE
) -> Page:
    """One page, from behind the row that `after` names, or up to the one that `before` names. Raises BadCursor."""
    annotated = found.annotate(**{name: expression for name, expression, _d in order.keys if expression is not None})
    keys = [*((name, descending) for name, _e, descending in order.keys), ("pk", order.keys[-1][2])]
    back = bool(before)
    if before or after:
        annotated = annotated.filter(_beyond(keys, _read(before or after, order), back=back))
    ordering = [f"{'-' if descending != back else ''}{name}" for name, descending in keys]
    # First which ones, then all that a row shows: the whole queue is put in order by its own columns alone.
    places = annotated.select_related(None).order_by(*ordering).values("pk")[: size + 1]
    rows = list(annotated.filter(pk__in=places).order_by(*ordering))
    more, rows = len(rows) > size, rows[:size]
    if back:
        rows = rows[::-1]
        if not rows:
            return page_of(found, order, size=size)
        return Page(rows, after=cursor_of(rows[-1], order), before=cursor_of(rows[0], order) if more else "")
    return Page(
        rows,
        after=cursor_of(rows[-1], order) if more else "",
        before=cursor_of(rows[0], order) if after and rows else "",
    )


def _beyond(keys: Sequence[tuple[str, bool]], values: Sequence[Any], *, back: bool) -> Q:
    """What comes after a row in an order, or before it."""
    condition, same = Q(pk__in=[]), Q()
    for (name, descending), value in zip(keys, values, strict=True):
        side = "lt" if descending != back else "gt"
        condition |= same & Q(**{f"{name}__{side}": value})
        same &= Q(**{name: value})
    return condition


# Narrowing down

KEPT = ("queue", "department", "kind", "with", "sort", "q")
WITH = ("nobody", "me", "others")


@dataclass
class Wish:
    """What an agent chose to see, as it stands in the address."""

    user: User
    queue: str = "due"
    department: str = ""
    kind: str = ""
    held: str = ""
    sort: str = ""
    words: str = ""
    own: Department | None = None
    stands_for: set[int] = field(default_factory=set)
    pairs: list[tuple[str, str]] = field(default_factory=list)

    @property
    def order(self) -> Order:
        return ORDERS["done" if self.queue == "done" else self.sort or "due"]

    @property
    def narrowed(self) -> bool:
        return bool(self.kind or self.held or self.words)

    def query(self, **changes: str) -> str:
        """The address of this choice, with some of it changed; always written in the same order."""
        chosen = dict(self.pairs) | changes
        return urlencode([(name, chosen[name]) for name in KEPT if chosen.get(name)])


def read(get: Any, user: User, own: Department | None) -> Wish | None:
    """The choice in an address; None when it names a queue that does not exist. What else is odd is not heeded."""
    queue = get.get("queue", "") or "due"
    if queue not in QUEUES or (queue == "department" and own is None):
        return None
    wish = Wish(user, queue=queue, own=own, stands_for=stands_in_for(user))
    wish.department = get.get("department", own.slug if own else "").replace("\0", "")[:80]
    wish.kind = get.get("kind", "") if get.get("kind", "") in Kind.values else ""
    wish.held = get.get("with", "") if get.get("with", "") in WITH else ""
    wish.sort = get.get("sort", "") if get.get("sort", "") in CHOOSABLE else ""
    wish.words = get.get("q", "").replace("\0", "").strip()[:100]
    known = {
        "queue": queue if queue != "due" else "", "department": wish.department if "department" in get else "",
        "kind": wish.kind, "with": wish.held, "sort": wish.sort, "q": wish.words,
    }  # fmt: skip
    wish.pairs = [(name, value) for name, value in known.items() if value]
    return wish


def query_of(written: str) -> str:
    """Of what a form sent as an address only what a queue knows."""
    pairs = {name: value for name, value in parse_qsl(written[:2000]) if name in KEPT and len(value) <= 100}
    return urlencode([(name, pairs[name]) for name in KEPT if pairs.get(name)])


def scoped(found: EscalationQuerySet, wish: Wish) -> EscalationQuerySet:
    """The cases of the chosen department, and those that no department has yet."""
    if wish.department and wish.department != "all":
        own = wish.own is not None and wish.own.slug == wish.department
        # Its number says more to a database than its name: how many cases are its own.
        chosen = Q(department=wish.own) if own else Q(department__slug=wish.department)
        return found.filter(chosen | Q(department=None))
    return found


def cases_of(name: str, wish: Wish) -> EscalationQuerySet:
    """Everything visible in a queue, before it is narrowed down."""
    queue = QUEUES[name]
    found = Escalation.objects.filter(thread__visibility="visible")
    if not queue.everywhere:
        found = scoped(found, wish)
    return found.filter(queue.condition(wish))


def chosen(wish: Wish) -> EscalationQuerySet:
    """What the agent sees: the queue, narrowed down."""
    found = cases_of(wish.queue, wish)
    if wish.kind:
        found = found.filter(thread__kind=wish.kind)
    if wish.held == "nobody":
        found = found.filter(assignee=None)
    elif wish.held == "me":
        found = found.filter(assignee=wish.user)
    elif wish.held == "others":
        found = found.filter(assignee__isnull=False).exclude(assignee=wish.user)
    if wish.words:
        found = with_words(found, wish)
    return found


def with_words(found: EscalationQuerySet, wish: Wish) -> EscalationQuerySet:
    """By title, text, name of the asker, reference of a hand-off, or the number of the thread."""
    words = wish.words
    if wish.queue == "done":
        found = found.filter(resolved_at__gte=clock.now() - timedelta(days=DONE_DAYS))
    condition: Any = (
        Q(thread__title__icontains=words)
        | Q(thread__body_text__icontains=words)
        | Q(thread__author__name__icontains=words)
        | Exists(EscalationStep.objects.filter(escalation=OuterRef("pk"), reference__iexact=words))
    )
    number = words.removeprefix("#")
    if number.isdecimal() and len(number) < 18:
        condition = condition | Q(thread=int(number))
    return found.filter(condition)


def counts(wish: Wish, names: Iterable[str] = ()) -> dict[str, int]:
    """How many there are in each queue that has a number, up to 999 (1000 is more), in two queries at most.

    `today` is what is due within a day. Numbers that no index knows are read from all that is open at once; where that
    is more than 999, they are kept for a minute.
    """
    wanted = {
        name: cases_of(name, wish) for name in names or QUEUES
        if QUEUES[name].counted and (name != "department" or wish.user.department_id)
    }  # fmt: skip
    if not names:
        wanted["today"] = cases_of("due", wish).filter(next_due_at__lte=clock.now() + timedelta(hours=24))
    own = wish.own if wish.own is not None and wish.own.pk == wish.user.department_id else None
    whole = wish.department in ("", "all") or own is not None and own.slug == wish.department
    passed = {name: QUEUES[name] for name in wanted if name in QUEUES and QUEUES[name].in_one_pass}
    if passed and "department" in wanted and whole:
        passed["department"] = QUEUES["department"]
    if not passed:
        return counting.count_up_to(wanted)
    everything = scoped(Escalation.objects.open(), wish)
    found = counting.count_up_to(
        {name: rows for name, rows in wanted.items() if name not in passed} | {"open": everything}
    )
    many = found.pop("open") > counting.MOST
    key = f"desk:{wish.department}:{wish.user.department_id or ''}:{','.join(passed)}"
    known = cache.get(key) if many else None
    if known is None:
        known = everything.filter(thread__visibility="visible").aggregate(
            **{name: Count("pk", filter=queue.condition(wish)) for name, queue in passed.items()}
        )
        if many:
            cache.set(key, known, counting.KEPT)
    found |= {name: min(number, counting.MOST + 1) for name, number in known.items()}
    return {name: found[name] for name in wanted}
