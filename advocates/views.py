"""Pages about those who help: the advocates, the boards, the points, the badges. All of them are reads."""

from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import Any

from django.core.cache import cache
from django.core.paginator import Paginator
from django.db.models import Count, Exists, F, OuterRef, Q, Subquery, Value
from django.db.models.functions import Coalesce, NullIf
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from community.accounts.models import Standing, TrustLevel, User
from community.core import clock
from community.core.models import Numbers
from community.posts.models import Topic
from community.posts.tagging import NEW_TAG_REPUTATION
from community.questions import ideas
from community.questions.models import FollowUp
from community.questions.permissions import FREE_EDIT_REPUTATION, INVITE_REPUTATION, SUGGEST_REPUTATION
from products.models import Product

from . import badges, boards, competence, reputation, trust, why
from .models import AdvocateMembership, Award, Badge, BoardScore, Help, Period, Rank

SHOWN, ON_HOME = 50, 10


@dataclass
class Subject:
    """What a board is about: a product, a topic, a kind of help, or everything."""

    of: str = ""  # as it stands in the address: product:duo
    board: str = boards.EVERYTHING
    label: str = ""
    product: Product | None = None
    topic: Topic | None = None


def _subject(request: HttpRequest) -> Subject:
    """What a board is about, from its address (`?of=topic:milk`; `?product=duo` of old). Raises Http404."""
    of = request.GET.get("of", "")
    if slug := request.GET.get("product", ""):
        of = f"product:{slug}"
    kind, _colon, slug = of.partition(":")
    if not of:
        return Subject()
    if kind == "product":
        product = get_object_or_404(Product, slug=slug)
        return Subject(of, boards.of_product(product.pk), product.label, product=product)
    if kind == "topic":
        topic = get_object_or_404(Topic, slug=slug)
        return Subject(of, boards.of_topic(topic.pk), topic.name, topic=topic)
    if kind == "help" and slug in Help.values:
        return Subject(of, boards.of_help(slug), str(Help(slug).label))
    raise Http404


def _board(request: HttpRequest, shown: int) -> dict[str, Any]:
    period, subject = request.GET.get("period", Period.MONTH), _subject(request)
    if period not in Period.values:
        raise Http404
    rows = boards.top(period, subject.board, count=shown)
    mine: list[BoardScore] = []
    if request.user.is_authenticated and all(row.person_id != request.user.pk for row in rows):
        mine = boards.around(request.user, period, subject.board)
    _add_fixes([*rows, *mine], subject, period)
    return {
        "rows": rows,
        "mine": mine,
        "period": period,
        "period_label": Period(period).label,
        "periods": Period.choices,
        "subject": subject,
        "product": subject.product,
        "subjects": _subjects(),
        "first_lines": why.lines(rows[0]) if rows else [],
    }


def _subjects() -> list[tuple[str, list[tuple[str, str]]]]:
    """What one can choose a board of, in groups. One query."""
    named = Coalesce(NullIf("short_name", Value("")), "name")
    products = Product.objects.order_by().annotate(kind=Value("product"), named=named)
    topics = Topic.objects.order_by().annotate(kind=Value("topic"), named=F("name"))
    fields = ("kind", "slug", "named")
    rows = sorted(products.values_list(*fields).union(topics.values_list(*fields)), key=lambda row: row[2].lower())
    return [
        (_("Products"), [(f"product:{slug}", label) for kind, slug, label in rows if kind == "product"]),
        (_("Topics"), [(f"topic:{slug}", label) for kind, slug, label in rows if kind == "topic"]),
        (_("Kinds of help"), [(f"help:{kind}", str(label)) for kind, label in Help.choices]),
    ]


def _add_fixes(rows: list[BoardScore], subject: Subject, period: str) -> None:
    """How many of somebody's fixes were asked about after three days, and how many of them had held."""
    people = {row.person_id for row in rows}
    if not people:
        return
    said = FollowUp.objects.filter(
        ~Q(answer__author=F("answer__thread__author")),
        answer__author__in=people,
        answer__visibility="visible",
        answer__thread__visibility="visible",
    )
    if subject.product is not None:
        said = said.filter(answer__thread__product=subject.product)
    if subject.topic is not None:
        said = said.filter(answer__thread__topic=subject.topic)
    if period != Period.ALL:
        start = boards.start_of(period, boards.today())
        said = said.filter(answered_at__gte=datetime.combine(start, time(), tzinfo=UTC))
    found = {
        row["answer__author"]: row
        for row in said.order_by()
        .values("answer__author")
        .annotate(asked=Count("pk"), held=Count("pk", filter=Q(outcome=FollowUp.Outcome.YES)))
    }
    for row in rows:
        fixes = found.get(row.person_id, {"asked": 0, "held": 0})
        row.asked, row.held = fixes["asked"], fixes["held"]  # type: ignore[attr-defined]


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Who the advocates are, what ties them to the brand, who helped most, how one becomes one."""
    members = AdvocateMembership.objects.current().for_listing().order_by("state", "since", "pk")
    context = {
        "members": members,
        "former": AdvocateMembership.objects.with_honours()[:SHOWN],
        "top_rules": reputation.current_rules(clock.now())[:6],
        "cap": Numbers.load().daily_reputation_cap,
        **_board(request, ON_HOME),
    }
    return render(request, "advocates/home.html", context)


@require_safe
def leaderboard(request: HttpRequest) -> HttpResponse:
    """A board of a period and a product; whoever is signed in sees themselves with their neighbours."""
    return render(request, "advocates/leaderboard.html", _board(request, SHOWN))


@require_safe
def why_there(request: HttpRequest, username: str) -> HttpResponse:
    """Why somebody has their place on a board: what gave the points, and which posts."""
    period, subject = request.GET.get("period", Period.MONTH), _subject(request)
    if period not in Period.values:
        raise Http404
    person = get_object_or_404(User, username=username)
    found = why.why(person, period, subject.board)
    if found is None:
        raise Http404
    context = {"why": found, "period": period, "period_label": Period(period).label, "subject": subject}
    return render(request, "advocates/why.html", context)


def _opens(user: Any) -> list[dict[str, Any]]:
    """What points open, from how many, and for whoever is signed in how many are missing."""
    doors = (
        (SUGGEST_REPUTATION, _("Suggest edits to other people's posts")),
        (INVITE_REPUTATION, _("Invite somebody to answer")),
        (NEW_TAG_REPUTATION, _("Make a new tag")),
        (FREE_EDIT_REPUTATION, _("Edit other people's posts, and decide on suggested edits")),
    )
    have = user.reputation if user.is_authenticated and not user.speaks_for_brand else None
    return [
        {"says": says, "points": needed, "missing": None if have is None else max(0, needed - have)}
        for needed, says in doors
    ]


def _trusted() -> list[tuple[str, list[str]]]:
    """What each level of trust opens, made from the numbers that hold: a line and what stands in it, level by level."""
    most = Numbers.load()
    free, no, yes = _("any number"), _("no"), _("yes")
    return [
        (_("Links in a post"), [str(most.newcomer_links), free, free, free]),
        (_("Pictures in a post"), [str(most.newcomer_images), free, free, free]),
        (_("People named in a post"), [str(most.newcomer_mentions), *(str(most.mentions),) * 3]),
        (_("Voting down"), [no, yes, yes, yes]),
        (
            _("Votes a day"),
            [str(number) for number in (most.votes_newcomer, most.votes_member, most.votes_regular, most.votes_leader)],
        ),
        (_("Votes out on ideas"), [str(ideas.most_votes(level, most)) for level in TrustLevel.values]),
        (_("Questions on the first day"), [str(most.newcomer_threads_first_day), free, free, free]),
        (_("Answers on the first day"), [str(most.newcomer_replies_first_day), free, free, free]),
        (
            _("Flags that hide a post"),
            [_("moderators look"), str(most.member_flags_to_hide), *(str(most.regular_flags_to_hide),) * 2],
        ),
    ]


@require_safe
def points(request: HttpRequest) -> HttpResponse:
    """How points work, made from the rules themselves."""
    rules = [rule for _reason, rule in reputation.current_rules(clock.now())]
    return render(
        request,
        "advocates/points.html",
        {
            "gains": [rule for rule in rules if rule.points > 0],
            "losses": [rule for rule in rules if rule.points < 0],
            "cap": Numbers.load().daily_reputation_cap,
            "ranks": Rank.objects.all(),
            "signs": sorted((rule for rule in rules if rule.weighs), key=lambda rule: -rule.weighs),
            "half_life_months": round(competence.HALF_LIFE_DAYS / 30.4),
            "opens": _opens(request.user),
            "trusted": _trusted(),
            "levels": TrustLevel.choices,
            "standing": trust.way_up(request.user) if request.user.is_authenticated else None,
            "member": trust.REACH[1],
            "regular": trust.REACH[2],
            "leader": trust.REACH[3],
        },
    )


def _shown(prefix: str = "") -> Q:
    """Awards of people who have a page."""
    return Q(**{f"{prefix}person__is_active": True}) & ~Q(**{f"{prefix}person__standing": Standing.ERASED})


HOLDERS_REMEMBERED_FOR = 300  # seconds: how many have a badge is counted over all awards


def _holders() -> dict[int, int]:
    """How many people have each badge."""
    rows = Award.objects.filter(_shown()).order_by().values("badge").annotate(n=Count("person", distinct=True))
    return {row["badge"]: row["n"] for row in rows}


@require_safe
def badge_list(request: HttpRequest) -> HttpResponse:
    """All badges by area, how many have them, which are mine and how near I am to others; and the ranks."""
    shown = list(Badge.objects.filter(retired_at=None))
    holders = cache.get_or_set("badge-holders", _holders, HOLDERS_REMEMBERED_FOR) or {}
    mine: dict[int, int] = {}
    near: dict[int, badges.Progress] = {}
    if request.user.is_authenticated:
        rows = Award.objects.filter(person=request.user).order_by().values("badge").annotate(n=Count("pk"))
        mine = {row["badge"]: row["n"] for row in rows}
        near = {one.badge.pk: one for one in badges.progress(request.user, shown, mine)}
    order = {level: number for number, level in enumerate(Badge.Level.values)}
    for one in shown:
        one.mine, one.holders = mine.get(one.pk, 0), holders.get(one.pk, 0)  # type: ignore[attr-defined]
        one.toward = near.get(one.pk)  # type: ignore[attr-defined]
    shown.sort(key=lambda one: (order.get(one.level, 0), one.position, one.pk))
    areas = [(area, label, [one for one in shown if one.area == area]) for area, label in Badge.Area.choices]
    context = {"areas": [row for row in areas if row[2]], "ranks": Rank.objects.all()}
    return render(request, "advocates/badges.html", context)


@require_safe
def badge(request: HttpRequest, slug: str) -> HttpResponse:
    """One badge and who has it, each person once, whoever earned it last first."""
    me = request.user.pk if request.user.is_authenticated else 0
    mine = Exists(Award.objects.filter(badge=OuterRef("pk"), person=me))
    found: Any = get_object_or_404(Badge.objects.annotate(mine=mine), slug=slug)
    awards = Award.objects.for_listing().filter(_shown(), badge=found)
    if found.awarded == Badge.Awarded.MANY:
        later = Award.objects.filter(badge=found, person=OuterRef("person")).filter(
            Q(at__gt=OuterRef("at")) | Q(at=OuterRef("at"), pk__gt=OuterRef("pk"))
        )
        awards = awards.filter(~Exists(later))
        every = Award.objects.filter(badge=found, person=OuterRef("person")).order_by().values("person")
        awards = awards.annotate(times=Subquery(every.annotate(n=Count("pk")).values("n")))
    page = Paginator(awards, 30).get_page(request.GET.get("page"))
    toward = None
    if request.user.is_authenticated and found.retired_at is None and not found.by_hand:
        have = {found.pk: int(found.mine)}
        toward = next((one for one in badges.progress(request.user, [found], have) if one.have), None)
    return render(request, "advocates/badge.html", {"badge": found, "page": page, "toward": toward})
