"""/ideas/: what owners propose, by what became of it and by how many want it; one's votes; praise of a product."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_safe

from community.posts.doors import to_login
from products.models import Product

from .. import ideas as rules
from .. import permissions
from ..forms import IdeaForm
from ..models import IdeaStatus, IdeaStep, Kind, Thread
from .listing import _address, _facet, _one, _show, page_of

S = IdeaStatus
# What one wants to know first, before the nine statuses.
TABS: tuple[tuple[str, Any, tuple[IdeaStatus, ...]], ...] = (
    ("", gettext_lazy("All"), tuple(S)),
    ("open", gettext_lazy("Open"), (S.NEW, S.IN_REVIEW, S.NEEDS_INFO, S.FUTURE)),
    ("coming", gettext_lazy("Coming"), (S.PLANNED, S.IN_PROGRESS)),
    ("shipped", gettext_lazy("Shipped"), (S.SHIPPED,)),
    ("declined", gettext_lazy("Not planned"), (S.DECLINED, S.EXISTS)),
)
SORTS: dict[str, tuple[Any, str]] = {
    "votes": (gettext_lazy("Most votes"), "score"),
    "newest": (gettext_lazy("Newest"), "created_at"),
    "active": (gettext_lazy("Latest activity"), "active_at"),
}
RETURNED = 20  # votes that came back, on the page of one's votes


@require_safe
@ensure_csrf_cookie
def ideas(request: HttpRequest) -> HttpResponse:
    """The board. What it shows stands in its address, and nowhere else."""
    if request.GET.get("status") in ("open", "coming"):  # as these two were called first
        return redirect(_address(request, show=request.GET["status"], status=None), permanent=True)
    tab = _one(request, "show", [key for key, _word, _statuses in TABS], "")
    sort = _one(request, "sort", SORTS, "votes")
    products = list(Product.objects.order_by("position", "name").only("slug", "name", "short_name"))
    chosen_products = _facet(request, "product", [product.slug for product in products])
    chosen = _facet(request, "status", S.values)
    all_ideas = Thread.objects.visible().filter(kind=Kind.IDEA)

    # Each count is what one would get by choosing it with everything else as it is.
    ids = {product.pk for product in products if product.slug in chosen_products}
    in_tab = set(next(statuses for key, _word, statuses in TABS if key == tab))
    found: dict[tuple[str, int | None], int] = Counter()
    for status, product, count in all_ideas.order_by().values_list("idea_status", "product").annotate(n=Count("pk")):
        found[status or S.NEW, product] += count

    def counted(statuses: Iterable[str], among: set[int]) -> int:
        wanted = set(statuses)
        return sum(n for (s, p), n in found.items() if s in wanted and (not among or p in among))

    wanted = [s for s in S if s in in_tab and (not chosen or s in chosen)]
    named = [*wanted, ""] if S.NEW in wanted else wanted
    rows = all_ideas.filter(idea_status__in=named).select_related("author", "product").with_my_vote(request.user)
    if ids:
        rows = rows.filter(product__in=ids)
    column = SORTS[sort][1]
    page = page_of(rows, column, after=request.GET.get("after", ""), before=request.GET.get("before", ""))
    for thread in page.rows:
        thread.why_not_vote = why_not_vote(request, thread)  # type: ignore[attr-defined]
    total = counted(wanted, ids)
    words = {s.value: s.label for s in S} | {product.slug: product.label for product in products}
    context = {
        "threads": page.rows,
        "page": page,
        "tabs": [
            (word, counted(statuses, ids), _address(request, show=key, status=None), key == tab)
            for key, word, statuses in TABS
        ],
        "tab": tab,
        "status_facet": [(s, counted([s], ids), s in chosen) for s in S if s in in_tab],
        "product_facet": [(p, counted(wanted, {p.pk}), p.slug in chosen_products) for p in products],
        "total": total,
        "all": counted(S, set()),
        "came_true": counted([S.SHIPPED], set()),
        "purse": rules.purse_of(request.user) if request.user.is_authenticated else None,
        "sorts": [(key, word, key == sort) for key, (word, _column) in SORTS.items()],
        "chips": [
            (words[value], _address(request, **{name: [v for v in values if v != value]}))
            for name, values in (("status", chosen), ("product", chosen_products))
            for value in values
        ],
        "clear": _address(request, product=None, status=None),
        "one_product": next((p for p in products if chosen_products == [p.slug]), None),
        "next_url": _address(request, keep_page=True, after=page.after, before=None) if page.after else "",
        "previous_url": _address(request, keep_page=True, before=page.before, after=None) if page.before else "",
        "first_url": _address(request) if request.GET.get("after") or request.GET.get("before") else "",
    }
    return _show(request, "questions/ideas.html", "questions/_ideas.html", context)


def why_not_vote(request: HttpRequest, thread: Thread) -> str:
    """Why somebody can't change their vote on this idea; a visitor is led to signing in instead."""
    if not request.user.is_authenticated:
        return permissions.why_idea_counts_no_more(thread)
    if getattr(thread, "my_vote", 0):
        return permissions.why_not_take_back(request.user, thread)
    return permissions.why_not_vote(request.user, thread)


@require_safe
@ensure_csrf_cookie
def votes(request: HttpRequest) -> HttpResponse:
    """Where one's votes are, and which came back. `for` names an idea that one would vote for."""
    user = request.user
    if not user.is_authenticated:
        return to_login(request, request.get_full_path())
    return show_votes(request, _wanted(request, request.GET.get("for", "")))


def show_votes(request: HttpRequest, wanted: Thread | None = None, status: int = 200) -> HttpResponse:
    user = request.user
    mine = (
        Thread.objects.visible_to(user)
        .filter(kind=Kind.IDEA, votes__voter=user, votes__value=1)
        .select_related("product")
        .order_by("-votes__created_at", "-pk")
        .with_my_vote(user)
    )
    purse = rules.purse_of(user)
    context = {
        "purse": purse,
        "out": mine.filter(rules.open_ideas()),
        "returned": mine.exclude(rules.open_ideas())[:RETURNED],
        "wanted": wanted,
        "why_not": rules.why_no_vote_left(purse) if wanted else "",
        "here": reverse("questions:idea_votes") + (f"?{urlencode({'for': wanted.pk})}" if wanted else ""),
    }
    return render(request, "questions/idea_votes.html", context, status=status)


def _wanted(request: HttpRequest, given: str) -> Thread | None:
    """An idea one would vote for, and can."""
    if not given.isdecimal() or len(given) > 17:
        return None
    rows = Thread.objects.visible_to(request.user).filter(kind=Kind.IDEA).with_my_vote(request.user)
    thread = rows.filter(pk=int(given)).first()
    if thread is None or thread.my_vote or permissions.why_not_vote(request.user, thread):
        return None
    return thread


def refuse_vote(request: HttpRequest, thread: Thread) -> HttpResponse:
    """All votes are out: show where they are, so that one can be taken back."""
    if getattr(request, "htmx", False):
        response = HttpResponse(status=204)
        response["HX-Redirect"] = f"{reverse('questions:idea_votes')}?{urlencode({'for': thread.pk})}"
        return response
    return show_votes(request, thread, status=403)


def of_thread(request: HttpRequest, thread: Thread) -> dict[str, Any] | None:
    """What the page of an idea shows beside what every thread shows. One query; the votes come with the thread."""
    if not thread.is_idea:
        return None
    user = request.user
    steps = list(IdeaStep.objects.filter(thread=thread).select_related("by__department").order_by("-at", "-pk"))
    most = getattr(thread, "my_most_votes", None)
    return {
        "steps": steps,
        "last": steps[0] if steps else None,
        "purse": rules.Purse(most, thread.my_votes_out) if most is not None else None,
        "why_not_vote": why_not_vote(request, thread),
        "form": IdeaForm(thread=thread, auto_id="idea_%s") if may_judge(user, thread) else None,
    }


def may_judge(user: Any, thread: Thread) -> bool:
    return (
        user.is_authenticated
        and not permissions.why_not_moderate_thread(user)
        and not (thread.closed_at or thread.duplicate_of_id)
    )


PRAISE = 24


@require_safe
def praise(request: HttpRequest, slug: str) -> HttpResponse:
    """All praise of a product, newest first."""
    product = get_object_or_404(Product.objects.select_related("family"), slug=slug)
    rows = Thread.objects.visible().filter(kind=Kind.PRAISE, product=product).select_related("author__department")
    page = page_of(
        rows, "created_at", after=request.GET.get("after", ""), before=request.GET.get("before", ""), size=PRAISE
    )
    if not page.rows and request.GET:
        return redirect("questions:praise", slug)
    if not page.rows:
        raise Http404
    context = {
        "product": product,
        "praise": page.rows,
        "total": rows.count(),
        "next_url": _address(request, keep_page=True, after=page.after, before=None) if page.after else "",
        "previous_url": _address(request, keep_page=True, before=page.before, after=None) if page.before else "",
        "first_url": request.path if request.GET else "",
    }
    return render(request, "questions/praise.html", context)
