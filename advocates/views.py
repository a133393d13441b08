"""Pages about those who help: the advocates, the boards, the points, the badges. All of them are reads."""

from typing import Any

from django.core.paginator import Paginator
from django.db.models import Count, F, Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from community.accounts.models import Standing
from community.core import clock
from community.core.models import Numbers
from community.posts.tagging import NEW_TAG_REPUTATION
from community.questions.models import FollowUp
from community.questions.permissions import FREE_EDIT_REPUTATION
from products.models import Product

from . import boards, reputation, trust
from .models import AdvocateMembership, Award, Badge, BoardScore, Period, Rank

SHOWN, ON_HOME = 50, 10


def _filters(request: HttpRequest) -> tuple[str, Product | None]:
    """Period and product of a board, from its address; raises Http404 for what there isn't."""
    period = request.GET.get("period", Period.MONTH)
    if period not in Period.values:
        raise Http404
    slug = request.GET.get("product", "")
    return period, get_object_or_404(Product, slug=slug) if slug else None


def _board(request: HttpRequest, shown: int) -> dict[str, Any]:
    period, product = _filters(request)
    key = product.pk if product else 0
    rows = boards.top(period, key, count=shown)
    mine: list[BoardScore] = []
    if request.user.is_authenticated and all(row.person_id != request.user.pk for row in rows):
        mine = boards.around(request.user, period, key)
    _add_fixes([*rows, *mine], product, period)
    return {
        "rows": rows,
        "mine": mine,
        "period": period,
        "period_label": Period(period).label,
        "periods": Period.choices,
        "product": product,
        "products": Product.objects.only("slug", "name", "short_name"),
    }


def _add_fixes(rows: list[BoardScore], product: Product | None, period: str) -> None:
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
    if product is not None:
        said = said.filter(answer__thread__product=product)
    if period != Period.ALL:
        said = said.filter(answered_at__date__gte=boards.start_of(period, boards.today()))
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
            "new_tag": NEW_TAG_REPUTATION,
            "free_edit": FREE_EDIT_REPUTATION,
            "terms": trust.REACH,
            "member": trust.REACH[1],
            "regular": trust.REACH[2],
            "leader": trust.REACH[3],
        },
    )


def _holders() -> Q:
    return ~Q(awards__person__standing=Standing.ERASED) & Q(awards__person__is_active=True)


@require_safe
def badge_list(request: HttpRequest) -> HttpResponse:
    """All badges by level, how many have them, which are mine; and the ranks."""
    badges = list(
        Badge.objects.filter(retired_at=None).annotate(
            holders=Count("awards__person", filter=_holders(), distinct=True)
        )
    )
    mine: dict[int, int] = {}
    if request.user.is_authenticated:
        rows = Award.objects.filter(person=request.user).order_by().values("badge").annotate(n=Count("pk"))
        mine = {row["badge"]: row["n"] for row in rows}
    for one in badges:
        one.mine = mine.get(one.pk, 0)  # type: ignore[attr-defined]
    levels = [
        (level, label, [one for one in badges if one.level == level]) for level, label in reversed(Badge.Level.choices)
    ]
    return render(
        request, "advocates/badges.html", {"levels": levels, "ranks": Rank.objects.all(), "count": len(badges)}
    )


@require_safe
def badge(request: HttpRequest, slug: str) -> HttpResponse:
    """One badge and who has it, the newest first."""
    found = get_object_or_404(Badge, slug=slug)
    awards = (
        Award.objects.for_listing()
        .filter(badge=found, person__is_active=True)
        .exclude(person__standing=Standing.ERASED)
    )
    page = Paginator(awards, 30).get_page(request.GET.get("page"))
    return render(request, "advocates/badge.html", {"badge": found, "page": page})
