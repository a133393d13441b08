"""What waits for moderators: what is flagged, what waits for a look, appeals, what is hidden."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.apps import apps
from django.contrib.contenttypes.models import ContentType
from django.db.models import Count, F, Model, Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from community.core import clock

from . import doors, penalties
from .models import Appeal, Claim, Flag, Look, Moderated, ModerationRules, PenaltyAppeal, WatchedWord

AT_ONCE = 50  # things of a kind on one page; the oldest first, so that nothing starves
QUEUES = {
    "flagged": gettext_lazy("Flagged"),
    "pending": gettext_lazy("Waits for a look"),
    "appeals": gettext_lazy("Appeals"),
    "hidden": gettext_lazy("Hidden"),
}


def kinds() -> list[type[Model]]:
    """Every model that can be moderated, whichever room it lives in."""
    return [model for model in apps.get_models() if issubclass(model, Moderated)]


class Item:
    """One thing that somebody has to decide about."""

    look: Look | None = None
    appeal: Appeal | None = None
    claim: Claim | None = None
    left = False  # chosen with others, and it could not be decided

    def __init__(self, target: Any, flags: list[Flag], since: Any, old_after: int | None) -> None:
        self.target, self.flags, self.since = target, flags, since
        self.type = ContentType.objects.get_for_model(target)
        self.noun = target._meta.verbose_name
        self.title = getattr(target, "title", "") or getattr(getattr(target, "thread", None), "title", "")
        self.text = getattr(target, "body_text", "") or ""
        self.reasons = sorted({flag.get_reason_display() for flag in flags})
        self.notes = [flag.note for flag in flags if flag.note]
        # Until when somebody should have looked, where the room promised that.
        self.due = getattr(target, "due_at", None) if target.visibility == Moderated.Visibility.PENDING else None
        self.late = self.due is not None and self.due < clock.now()
        waits_long = bool(since and old_after) and (clock.now() - since).total_seconds() > old_after * 3600
        self.old = self.late or (self.due is None and waits_long)

    @property
    def key(self) -> str:
        """Which post, and how it was when somebody looked."""
        return f"{self.type.pk}-{self.target.pk}-{self.target.visibility}"

    @property
    def why(self) -> list[str]:
        """Why a rule put it here, with what it saw."""
        if self.look is None:
            return []
        details = self.look.details
        said = self.look.labels()
        if found := details.get("said"):
            said.append("“" + "”, “".join(found) + "”")
        if hosts := details.get("hosts"):
            said.append(", ".join(hosts))
        if score := details.get("score"):
            said.append(_("score %(score)s") % {"score": score})
        return said

    @property
    def hide_at(self) -> str:
        """Where its room takes it out of sight; empty when the queue's own button does."""
        return doors.of(self.target).hide_at(self.target)

    @property
    def link(self) -> str:
        return self.target.get_absolute_url() if hasattr(self.target, "get_absolute_url") else ""


def _batch(model: type[Model], condition: dict[str, Any], most: int | None = AT_ONCE) -> list[Any]:
    """Rows of one kind with what an item shows, `most` of them at most; one query."""
    joined = [name for name in ("author", "thread") if any(field.name == name for field in model._meta.fields)]
    due = [F("due_at").asc(nulls_last=True)] if any(field.name == "due_at" for field in model._meta.fields) else []
    return list(model._base_manager.filter(**condition).select_related(*joined).order_by(*due, "pk")[:most])


def flagged() -> list[Item]:
    """Posts with open flags, or pointed out by a rule, the longest waiting first: two queries and one for each kind of
    post."""
    hours = ModerationRules.load().flag_alarm_hours
    groups: dict[tuple[int, int], list[Flag]] = defaultdict(list)
    since: dict[tuple[int, int], Any] = {}
    for flag in Flag.objects.filter(state=Flag.State.OPEN).order_by("created_at", "pk")[: AT_ONCE * 4]:
        groups[flag.target_type_id, flag.target_id].append(flag)
        since.setdefault((flag.target_type_id, flag.target_id), flag.created_at)
    for look in Look.objects.filter(decided_at=None, held=False).order_by("created_at", "pk")[:AT_ONCE]:
        key = (look.target_type_id, look.target_id)
        groups[key]
        since[key] = min(since.get(key, look.created_at), look.created_at)
    targets = _targets(groups)
    oldest = sorted((key for key in groups if key in targets), key=lambda key: (since[key], key))
    return [Item(targets[key], groups[key], since[key], hours) for key in oldest][:AT_ONCE]


def appealed() -> list[Item]:
    """Hidden posts whose author asks for somebody else, the longest waiting first."""
    hours = ModerationRules.load().flag_alarm_hours
    rows = list(Appeal.objects.filter(granted=None).select_related("hidden_by").order_by("created_at", "pk")[:AT_ONCE])
    targets = _targets((row.target_type_id, row.target_id) for row in rows)
    items = []
    for row in rows:
        if target := targets.get((row.target_type_id, row.target_id)):
            item = Item(target, [], row.created_at, hours)
            item.appeal = row
            items.append(item)
    return items


def penalty_appeals(user: Any) -> list[PenaltyAppeal]:
    """What people say against a warning, silence or suspension, the longest waiting first; one query."""
    after = timedelta(hours=ModerationRules.load().flag_alarm_hours)
    rows = PenaltyAppeal.objects.filter(granted=None).select_related("author", "penalty__by")
    found = list(rows.order_by("created_at", "pk")[:AT_ONCE])
    for row in found:
        row.old = row.created_at + after < clock.now()  # type: ignore[attr-defined]
        row.closed = penalties.why_not_decide(user, row)  # type: ignore[attr-defined]
    return found


def _targets(keys: Iterable[tuple[int, int]]) -> dict[tuple[int, int], Any]:
    """Posts by type and id; a query for each kind."""
    by_type: dict[int, list[int]] = defaultdict(list)
    for type_id, target_id in keys:
        by_type[type_id].append(target_id)
    targets: dict[tuple[int, int], Any] = {}
    for type_id, ids in by_type.items():
        model = ContentType.objects.get_for_id(type_id).model_class()
        if model is not None:
            targets |= {(type_id, row.pk): row for row in _batch(model, {"pk__in": ids}, most=None)}
    return targets


def with_more(items: list[Item]) -> list[Item]:
    """What rules said of them, and who is looking at them: two queries, and one for the words."""
    looks, claims = {}, {}
    by_type: dict[int, list[int]] = defaultdict(list)
    for item in items:
        by_type[item.type.pk].append(item.target.pk)
    about = Q(pk__in=[])
    for type_id, ids in by_type.items():
        about |= Q(target_type=type_id, target_id__in=ids)
    for look in Look.objects.filter(about, decided_at=None):
        looks[look.target_type_id, look.target_id] = look
    for claim in Claim.objects.filter(about, until__gt=clock.now()).select_related("by"):
        claims[claim.target_type_id, claim.target_id] = claim
    wanted = {pk for look in looks.values() for pk in look.details.get("words", ())}
    said = dict(WatchedWord.objects.filter(pk__in=wanted).values_list("pk", "pattern")) if wanted else {}
    for item in items:
        key = (item.type.pk, item.target.pk)
        item.look, item.claim = looks.get(key), claims.get(key)
        if item.look is not None:
            item.look.details["said"] = [said[pk] for pk in item.look.details.get("words", ()) if pk in said]
    return items


def in_state(visibility: str) -> list[Item]:
    """What is pending or hidden, of every kind; a query each. Late ones first, then the longest waiting."""
    waits = visibility == Moderated.Visibility.PENDING  # what is hidden, rests
    old_after = ModerationRules.load().pending_alarm_hours if waits else None
    items = [
        Item(row, [], getattr(row, "hidden_at", None) or getattr(row, "created_at", None), old_after)
        for model in kinds()
        for row in _batch(model, {"visibility": visibility})
    ]
    items.sort(key=lambda item: (not item.late, (item.due if item.late else item.since) or clock.now()))
    return items[:AT_ONCE]


def counts() -> dict[str, int]:
    """How much is in each queue, for its tab: three queries."""
    flags = Flag.objects.filter(state=Flag.State.OPEN).order_by().values("target_type", "target_id")
    pointed_out = Look.objects.filter(decided_at=None, held=False).order_by().values("target_type", "target_id")
    flagged = flags.union(pointed_out).count()
    open_ones = Appeal.objects.filter(granted=None).order_by().values("pk", "author")
    appeals = open_ones.union(PenaltyAppeal.objects.filter(granted=None).order_by().values("pk", "author"), all=True)
    each = [
        model._base_manager.filter(visibility__in=["pending", "hidden"])
        .order_by()
        .values_list("visibility")
        .annotate(n=Count("pk"))
        for model in kinds()
    ]
    states: Counter[str] = Counter()
    for visibility, n in each[0].union(*each[1:], all=True):
        states[visibility] += n
    return {"flagged": flagged, "pending": states["pending"], "appeals": appeals.count(), "hidden": states["hidden"]}


def count_waiting() -> int:
    """How many posts wait for a decision."""
    waiting = counts()
    return waiting["flagged"] + waiting["pending"] + waiting["appeals"]


def fits(item: Item, kind: str, reason: str) -> bool:
    if kind and item.target.noun != kind:
        return False
    reasons = {flag.reason for flag in item.flags} | set(item.look.reasons if item.look else ())
    return not reason or reason in reasons
