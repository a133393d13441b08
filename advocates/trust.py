"""Trust levels: what somebody may do, by conduct over time (FEATURES F; docs/decisions/0063).

Points don't buy trust: what counts is time, taking part, that others found it useful, and no trouble. A level is
kept on easier terms than it was reached on, so that nobody flickers at the edge. Newcomers are looked at when they do
something, everybody else once a day and when trouble was confirmed.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.db.models import Count, Q, QuerySet

from community.accounts.models import Standing, TrustLevel, User
from community.accounts.permissions import MEMBER_AFTER_DAYS, MEMBER_AFTER_POSTS
from community.core import clock
from community.events.log import record
from community.events.models import Event
from community.moderation.models import Flag
from community.posts.models import Comment
from community.questions.models import Answer, Thread
from community.sharing.models import Recipe, Tip
from reviews.models import Review

from .models import AdvocateMembership, Reason, ReputationEntry

WRITTEN = (Thread, Answer, Comment, Review, Recipe, Tip)
USEFUL = (
    Reason.THREAD_UP,
    Reason.ANSWER_UP,
    Reason.ACCEPTED,
    Reason.HELPFUL,
    Reason.MADE,
    Reason.WORKED,
    Reason.HELD,
    Reason.EDIT,
)


@dataclass(frozen=True)
class Terms:
    """What a level asks for. `window` is over how many days posts, use and trouble are looked at; None is for ever."""

    days: int
    posts: int
    useful: int
    people: int
    window: int | None
    most_upheld: int
    either: bool = False  # posts or use, not both


REACH: dict[int, Terms] = {
    TrustLevel.MEMBER: Terms(
        days=MEMBER_AFTER_DAYS, posts=MEMBER_AFTER_POSTS, useful=1, people=1, window=None, most_upheld=1, either=True
    ),
    TrustLevel.REGULAR: Terms(days=30, posts=15, useful=10, people=5, window=180, most_upheld=1),
    TrustLevel.LEADER: Terms(days=180, posts=40, useful=40, people=20, window=365, most_upheld=0),
}
# Easier than the above: a quiet half-year costs nothing that was close.
KEEP: dict[int, Terms] = {
    TrustLevel.MEMBER: Terms(days=0, posts=0, useful=0, people=0, window=90, most_upheld=2),
    TrustLevel.REGULAR: Terms(days=0, posts=5, useful=4, people=2, window=180, most_upheld=2),
    TrustLevel.LEADER: Terms(days=0, posts=15, useful=15, people=8, window=365, most_upheld=1),
}


@dataclass(frozen=True)
class Conduct:
    posts: int
    useful: int
    people: int
    upheld: int


def conduct_of(person: User, since: datetime | None) -> Conduct:
    """What somebody did since a moment, as far as it still stands."""
    posts = 0
    for model in WRITTEN:
        rows = model.objects.visible().filter(author=person)
        posts += rows.filter(created_at__gte=since).count() if since else rows.count()
    entries = ReputationEntry.objects.filter(person=person, reason__in=USEFUL).standing()
    if since:
        entries = entries.filter(at__gte=since)
    found = entries.order_by().aggregate(
        all=Count("pk"), known=Count("giver", distinct=True), unknown=Count("pk", filter=Q(giver__isnull=True))
    )
    return Conduct(posts, found["all"], found["known"] + found["unknown"], _upheld_against(person, since))


def _upheld_against(person: User, since: datetime | None) -> int:
    """Posts of somebody that moderators agreed were out of order."""
    condition = Q()
    for model in WRITTEN:
        condition |= Q(
            target_type=ContentType.objects.get_for_model(model),
            target_id__in=model._base_manager.filter(author=person).values("pk"),
        )
    flags = Flag.objects.filter(condition, state=Flag.State.UPHELD).exclude(
        reason__in=(Flag.Reason.DUPLICATE, Flag.Reason.WRONG_PRODUCT, Flag.Reason.OUTDATED)
    )
    if since:
        flags = flags.filter(decided_at__gte=since)
    return flags.order_by().values("target_type", "target_id").distinct().count()


def _meets(person: User, terms: Terms, known: dict[int | None, Conduct]) -> bool:
    now = clock.now()
    if now - person.date_joined < timedelta(days=terms.days):
        return False
    if terms.window not in known:
        known[terms.window] = conduct_of(person, now - timedelta(days=terms.window) if terms.window else None)
    conduct = known[terms.window]
    if conduct.upheld > terms.most_upheld:
        return False
    useful = conduct.useful >= terms.useful and conduct.people >= terms.people
    posts = conduct.posts >= terms.posts
    return (posts or useful) if terms.either else (posts and useful)


@dataclass(frozen=True)
class WayUp:
    """Where somebody stands: their level, the next one and what it asks for, and what they have of it."""

    level: TrustLevel
    next: TrustLevel | None
    terms: Terms | None
    days: int
    has: Conduct | None


def way_up(person: User) -> WayUp | None:
    """How far somebody is on the way to the next level; None for staff, whose rights come from their work."""
    if person.speaks_for_brand:
        return None
    now, level = clock.now(), TrustLevel(person.trust)
    days = (now - person.date_joined).days
    if level == TrustLevel.LEADER:
        return WayUp(level, None, None, days, None)
    terms = REACH[level + 1]
    since = now - timedelta(days=terms.window) if terms.window else None
    return WayUp(level, TrustLevel(level + 1), terms, days, conduct_of(person, since))


def level_of(person: User) -> int:
    """The level somebody's conduct comes to now, from the one they have."""
    known: dict[int | None, Conduct] = {}
    level = person.trust
    if person.is_silenced():
        # In trouble now: nobody rises, regulars and leaders wait as members.
        return min(level, TrustLevel.MEMBER)
    floor = TrustLevel.MEMBER if level else TrustLevel.NEWCOMER
    if AdvocateMembership.objects.current().filter(user=person).exists():
        floor = TrustLevel.REGULAR  # the brand vouches for its advocates
    while level > floor and not _meets(person, KEEP[level], known):
        level -= 1
    if level == TrustLevel.MEMBER == floor and not _meets(person, KEEP[level], known):
        return TrustLevel.NEWCOMER
    level = max(level, floor)
    while level < TrustLevel.LEADER and _meets(person, REACH[level + 1], known):
        level += 1
    return level


@transaction.atomic
def evaluate(person: User) -> int:
    """Write somebody's level if it changed, and say so. Staff and people who can't sign in are left alone."""
    row = User.objects.select_for_update(of=("self",), no_key=True).get(pk=person.pk)
    if row.standing in (Standing.STAFF, Standing.ERASED) or (row.source and row.claimed_at is None):
        return row.trust
    level = level_of(row)
    if level != row.trust:
        previous, row.trust = row.trust, level
        row.save(update_fields=["trust"])
        record("person.trust_changed", actor=None, subject=row, level=level, previous=previous)
    person.trust = row.trust
    return row.trust


def due() -> QuerySet[User]:
    """Whose level may have changed since yesterday: who did something of late, or stands above what must be kept."""
    recent = clock.now() - timedelta(days=2)
    active = Event.objects.filter(occurred_at__gte=recent, actor__isnull=False).values("actor")
    judged = ReputationEntry.objects.filter(at__gte=recent).values("person")
    return (
        User.objects.members()
        .filter(Q(source="") | Q(claimed_at__isnull=False))
        .filter(Q(pk__in=active) | Q(pk__in=judged) | Q(trust__gte=TrustLevel.REGULAR))
        .order_by("pk")
    )


def evaluate_all(people: Iterable[User] | None = None) -> int:
    """The daily look. Returns how many levels changed."""
    changed = 0
    for person in due().iterator(chunk_size=500) if people is None else people:
        before = person.trust
        changed += evaluate(person) != before
    return changed
