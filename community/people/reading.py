"""What a person's page tells: only what they show, and only what still stands."""

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from django.contrib.contenttypes.prefetch import GenericPrefetch
from django.db.models import Count, Q, QuerySet, Sum

from advocates import competence
from advocates.models import AdvocateMembership, Badge, DayTotal, Reason, ReputationEntry
from community.accounts.models import FormerUsername, User
from community.posts.models import ShareCredit
from community.questions.models import Answer, FollowUp, Thread
from community.sharing.models import Recipe, Tip
from products.models import Ownership
from reviews.models import Review

MOST_SKILLS, MOST_BADGES = 5, 12


def find(username: str) -> tuple[User | None, User | None]:
    """The person of this name, or the one who had it once: (now, then)."""
    people = User.objects.select_related("profile", "department", "advocate", "advocate__stand_in")
    person = people.filter(username=username.lower()).first() or people.filter(username=username).first()
    if person is not None:
        return person, None
    former = FormerUsername.objects.filter(username=username.lower()).select_related("user").first()
    return None, former.user if former else None


@dataclass
class Figures:
    answers: int = 0
    accepted: int = 0
    asked: int = 0
    held: int = 0

    @property
    def held_percent(self) -> int | None:
        return round(100 * self.held / self.asked) if self.asked else None


def figures(person: User) -> Figures:
    """Visible answers, how many others accepted, and how many fixes they said to have held."""
    for_others = ~Q(thread__author=person)
    counts = (
        Answer.objects.visible()
        .filter(author=person)
        .aggregate(answers=Count("pk"), accepted=Count("pk", filter=Q(accepted_at__isnull=False) & for_others))
    )
    said = FollowUp.objects.filter(
        ~Q(answer__thread__author=person),
        answer__author=person,
        answer__visibility="visible",
        answer__thread__visibility="visible",
    ).aggregate(asked=Count("pk"), held=Count("pk", filter=Q(outcome=FollowUp.Outcome.YES)))
    return Figures(**counts, **said)


def skills(person: User) -> list[competence.Area]:
    """What somebody knows, by what others found of it; it fades by half every 18 months."""
    return competence.areas(person, MOST_SKILLS)


def shelf(person: User) -> list[Ownership]:
    """Their products, if they show them."""
    if not person.profile.show_shelf:
        return []
    return list(person.shelf.select_related("product").order_by("bought_on", "pk"))


def badges(person: User) -> tuple[list[Any], list[Any]]:
    """Each badge once with how often it was earned (`times`), gold first; those shown at once, and the others."""
    found: list[Any] = list(Badge.objects.filter(awards__person=person).annotate(times=Count("awards")).order_by())
    order = {"gold": 0, "silver": 1, "bronze": 2}
    found.sort(key=lambda badge: (order[badge.level], badge.name))
    return found[:MOST_BADGES], found[MOST_BADGES:]


def membership(person: User) -> AdvocateMembership | None:
    found = getattr(person, "advocate", None)
    return found if found is not None and found.is_current else None


def has_little(person: User, found: Figures) -> bool:
    """Pages that say next to nothing, and pages of people whose words live elsewhere, are not for search engines."""
    return bool(person.source and not person.claimed_at) or (
        not found.answers and person.reputation <= 1 and not person.profile.about
    )


def ledger(person: User, reason: str = "", product: str = "") -> QuerySet[ReputationEntry]:
    """Where each point comes from, newest first, with the posts; all of it, or for one reason or product."""
    posts = GenericPrefetch(
        "target",
        [
            Answer._base_manager.select_related("thread"),
            Review._base_manager.select_related("product"),
            Thread._base_manager.all(),
            Tip._base_manager.all(),
            Recipe._base_manager.all(),
        ],
    )
    rows = ReputationEntry.objects.filter(person=person).exclude(reason=Reason.OWNER)  # a sign, but no points
    if reason:
        rows = rows.filter(reason=reason)
    if product:
        rows = rows.filter(product__slug=product)
    return rows.for_person_page().prefetch_related(posts)


@dataclass
class Lines:
    """What a ledger holds, for the choices of its page: by reason and by product, in one query."""

    rows: list[dict[str, Any]]

    @property
    def reasons(self) -> list[tuple[str, str, int]]:
        """For what somebody has points or lost some, and how many that are."""
        sums: dict[str, int] = defaultdict(int)
        for row in self.rows:
            sums[row["reason"]] += row["sum"]
        return sorted(((key, str(Reason(key).label), total) for key, total in sums.items()), key=lambda row: -row[2])

    @property
    def products(self) -> list[tuple[str, str]]:
        found = {row["product__slug"]: row["product__short_name"] or row["product__name"] for row in self.rows}
        return sorted(((slug, name) for slug, name in found.items() if slug), key=lambda pair: pair[1])

    def count(self, reason: str, product: str) -> int:
        return sum(
            row["n"] for row in self.rows if reason in ("", row["reason"]) and product in ("", row["product__slug"])
        )


def lines(person: User) -> Lines:
    rows: Any = (
        ReputationEntry.objects.filter(person=person)
        .exclude(reason=Reason.OWNER)
        .order_by()
        .values("reason", "product__slug", "product__name", "product__short_name")
        .annotate(sum=Sum("points"), n=Count("pk"))
    )
    return Lines(list(rows))


def annotate_ledger(entries: list[ReputationEntry], person: User) -> None:
    """Say of each entry what it was for, as far as it is still shown, and whether its day was over the limit."""
    days = {row.day: row for row in DayTotal.objects.filter(person=person, day__in={entry.day for entry in entries})}
    for entry in entries:
        post: Any = entry.target
        shown = bool(post is not None and getattr(post, "is_visible", False))
        if isinstance(post, Answer):
            shown = shown and post.thread.is_visible
        entry.post = post if shown else None  # type: ignore[attr-defined]
        if shown:
            entry.post_title = str(post.thread if isinstance(post, Answer) else post)  # type: ignore[attr-defined]
        day = days.get(entry.day)
        over = day is not None and not entry.exempt and day.capped > day.cap
        entry.over = day.cap if day is not None and over else 0  # type: ignore[attr-defined]


def brought(person: User) -> int:
    """How many people joined, or wrote a first post, after they came by a link this person shared."""
    return ShareCredit.objects.filter(sharer=person).count()
