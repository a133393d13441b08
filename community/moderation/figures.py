"""What was taken out of sight, and why: by month, without names. For everybody to read."""

from collections import Counter
from datetime import datetime
from typing import Any

from django.core.cache import cache
from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.db.models.functions import TruncMonth
from django.utils.translation import gettext as _

from community.accounts.models import Penalty
from community.core import clock
from community.events.models import Event

from .models import Appeal, Flag, Look, PenaltyAppeal

KEY = "moderation.figures"
MONTHS = 12
KEPT_SECONDS = 600
OTHERWISE = ("rule", "moderator")
# Reviews have a page and figures of their own.
NOUNS = ("thread", "answer", "comment", "recipe", "tip")
HIDDEN, DELETED = [f"{noun}.hidden" for noun in NOUNS], [f"{noun}.deleted" for noun in NOUNS]


def by_month() -> dict[str, Any]:
    """Months, the newest first, and for each why posts were refused or hidden, what was left as it was, how many
    warnings, silences and suspensions there were, and what came of appeals. Six queries, once in ten minutes."""
    return cache.get_or_set(KEY, _count, KEPT_SECONDS)


def _count() -> dict[str, Any]:
    since = _months_ago(MONTHS - 1)
    upheld: Counter[tuple[datetime, str]] = Counter()
    left: Counter[datetime] = Counter()
    # Once a post and reason, however many flagged it.
    flags = Flag.objects.filter(decided_at__gte=since)
    each = _grouped(flags, "state", "reason", "target_type", n=Count("target_id", distinct=True))
    for month, state, reason, _type, n in each:
        if state == Flag.State.UPHELD:
            upheld[month, reason] += n
        else:
            left[month] += n
    looks = Look.objects.filter(decided_at__gte=since)
    for month, kept, n in _grouped(looks, "kept", n=Count("pk")):
        if kept:
            left[month] += n
        else:
            upheld[month, "rule"] += n
    for month, n in _grouped(_seen_by_moderators(since), by="occurred_at", n=Count("pk")):
        upheld[month, "moderator"] += n
    appeals: Counter[datetime] = Counter()
    granted: Counter[datetime] = Counter()
    for model in (Appeal, PenaltyAppeal):
        rows = model._base_manager.filter(decided_at__gte=since)
        for month, n, yes in _grouped(rows, n=Count("pk"), granted=Count("pk", filter=Q(granted=True))):
            appeals[month] += n
            granted[month] += yes
    given = Penalty.objects.filter(at__gte=since)
    people = Counter(dict(_grouped(given, by="at", n=Count("pk"))))
    found = {month for month, _reason in upheld} | set(left) | set(appeals) | set(people)
    reasons = [*Flag.Reason.values, *OTHERWISE]
    used = [reason for reason in reasons if any(upheld[month, reason] for month in found)]
    return {
        "reasons": used,
        "rows": [
            {
                "month": month,
                "counts": [upheld[month, reason] for reason in used],
                "left": left[month],
                "people": people[month],
                "appeals": appeals[month],
                "granted": granted[month],
            }
            for month in sorted(found, reverse=True)
        ],
    }


def _seen_by_moderators(since: datetime) -> QuerySet[Event]:
    """What moderators took out of sight themselves: nobody had flagged it, and no rule had put it before them."""
    # What was hidden first and taken away for good later counts once.
    how = Q(kind__in=HIDDEN) | Q(kind__in=DELETED, data__own=False, data__before__in=["visible", "pending"])
    hidden = Event.objects.filter(how, actor__isnull=False, occurred_at__gte=since)
    about = {"target_type": OuterRef("subject_type"), "target_id": OuterRef("subject_id")}
    flagged = Flag.objects.filter(**about, state=Flag.State.UPHELD)
    looked_at = Look.objects.filter(**about, kept=False)
    return hidden.exclude(Exists(flagged) | Exists(looked_at))


def label_of(reason: str) -> str:
    if reason == "rule":
        return _("Held by a rule, and not shown")
    return _("Seen by a moderator, without a flag") if reason == "moderator" else str(Flag.Reason(reason).label)


def _grouped(
    rows: QuerySet[Any], *fields: str, by: str = "decided_at", **counted: Any
) -> QuerySet[Any, tuple[Any, ...]]:
    named = rows.order_by().annotate(month=TruncMonth(by)).values("month", *fields).annotate(**counted)
    return named.values_list("month", *fields, *counted)


def _months_ago(months: int) -> datetime:
    now = clock.now().replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    years, month = divmod(now.year * 12 + now.month - 1 - months, 12)
    return now.replace(year=years, month=month + 1)
