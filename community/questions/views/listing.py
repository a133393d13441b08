"""/questions/ and /ideas/: named filters with their counts, facets, sorting, and pages by keyset."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db.models import Count, F, Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.cache import patch_vary_headers
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from community.posts.models import Tag
from products.models import Product

from ..models import Answer, IdeaStatus, Kind, Thread
from ..querysets import ThreadQuerySet

ROWS = 20


@dataclass(frozen=True)
class Show:
    """A named filter: its word, which threads, and what to say when there are none."""

    key: str
    word: Any
    condition: Q
    nothing: Any = ""
    advice: Any = ""
    action: str = ""  # name of the page that goes on from there
    action_word: Any = ""
    personal: bool = False


OPEN = Q(closed_at__isnull=True, solved_at__isnull=True)
SHOWS = (
    Show(
        "", gettext_lazy("All"), Q(),
        gettext_lazy("Nothing has been asked here yet"),
        gettext_lazy("Be the first: whoever owns one may know."),
        "questions:ask", gettext_lazy("Ask a question"),
    ),
    Show(
        "unanswered", gettext_lazy("Unanswered"), OPEN & Q(first_reply_at__isnull=True) & ~Q(kind=Kind.PRAISE),
        gettext_lazy("Every question has a reply"),
        gettext_lazy("That does not mean that every reply settled the matter. These need another look."),
        "?show=attention", gettext_lazy("See what needs attention"),
    ),
    Show(
        "attention", gettext_lazy("Needs attention"),
        OPEN & (Q(replied_at__isnull=True, asker_spoke_at__isnull=False) | Q(asker_spoke_at__gt=F("replied_at"))),
        gettext_lazy("Nobody is waiting for your word"),
        gettext_lazy("Here stands whatever its asker spoke last in. You can look at what has no reply at all."),
        "?show=unanswered", gettext_lazy("See unanswered questions"),
    ),
    Show(
        "solved", gettext_lazy("Solved"), Q(solved_at__isnull=False),
        gettext_lazy("Nothing is solved here yet"),
        gettext_lazy("If you know an answer, this is a good day for it."),
        "?show=unanswered", gettext_lazy("See unanswered questions"),
    ),
    Show(
        "official", gettext_lazy("Official"), Q(official_at__isnull=False),
        gettext_lazy("No official answer here yet"),
        gettext_lazy("Departments answer what owners cannot. Perhaps owners could, so far."),
        "?show=solved", gettext_lazy("See what owners solved"),
    ),
)  # fmt: skip
MINE = Show(
    "mine", gettext_lazy("Mine"), Q(),
    gettext_lazy("You have not asked anything here yet"),
    gettext_lazy("What you ask stays here, with whoever has it and until when."),
    "questions:ask", gettext_lazy("Ask a question"), personal=True,
)  # fmt: skip
FOLLOWED = Show(
    "followed", gettext_lazy("Followed"), Q(),
    gettext_lazy("You follow nothing here yet"),
    gettext_lazy("Press “Follow” in a thread to hear when something comes of it."),
    "?show=", gettext_lazy("Look through all questions"), personal=True,
)  # fmt: skip

# What a list is sorted by: its word, the column. Always with the id, so that a page has one end and the next one start.
SORTS: dict[str, tuple[Any, str]] = {
    "active": (gettext_lazy("Latest activity"), "active_at"),
    "newest": (gettext_lazy("Newest"), "created_at"),
    "votes": (gettext_lazy("Most votes"), "score"),
    "me-too": (gettext_lazy("Most “me too”"), "me_too_count"),
    "views": (gettext_lazy("Most viewed"), "view_count"),
}
STATES: tuple[tuple[str, str, Q], ...] = (
    ("none", "none", OPEN & Q(first_reply_at__isnull=True)),
    ("replied", "replied", OPEN & Q(first_reply_at__isnull=False, needs_info_since__isnull=True)),
    ("info", "info", OPEN & Q(needs_info_since__isnull=False)),
    ("recheck", "recheck", Q(recheck_at__isnull=False)),
    ("solved", "solved", Q(solved_at__isnull=False)),
    ("official", "official", Q(official_at__isnull=False)),
)


# Pages by keyset: `after` and `before` name the row a page begins behind, so that page 500 costs what page 1 does, and
# a row that moves up meanwhile is not shown twice.


def cursor_of(thread: Thread, column: str) -> str:
    value = getattr(thread, column)
    if isinstance(value, datetime):
        since = value - datetime(1970, 1, 1, tzinfo=UTC)
        value = (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
    return f"{value}.{thread.pk}"


def read_cursor(cursor: str, column: str) -> tuple[Any, int]:
    """Raises Http404 for what never was a cursor."""
    left, dot, right = cursor.rpartition(".")
    if not dot or not right.isdecimal() or not left.lstrip("-").isdecimal() or len(cursor) > 40:
        raise Http404
    value: Any = int(left)
    if column.endswith("_at"):
        try:
            value = datetime.fromtimestamp(value // 1_000_000, tz=UTC).replace(microsecond=value % 1_000_000)
        except (ValueError, OverflowError, OSError):
            raise Http404 from None
    elif abs(value) > 2**31:
        raise Http404
    if int(right) > 2**62:
        raise Http404
    return value, int(right)


@dataclass
class KeysetPage:
    rows: list[Thread]
    after: str = ""  # of the next page, empty on the last
    before: str = ""  # of the previous page, empty on the first


def page_of(threads: ThreadQuerySet, column: str, *, after: str = "", before: str = "", size: int = ROWS) -> KeysetPage:
    if before:
        value, pk = read_cursor(before, column)
        found = threads.filter(Q(**{f"{column}__gt": value}) | Q(**{column: value, "pk__gt": pk}))
        rows = list(found.order_by(column, "pk")[: size + 1])
        more = len(rows) > size
        rows = rows[:size][::-1]
        if not rows:
            return page_of(threads, column, size=size)
        return KeysetPage(rows, after=cursor_of(rows[-1], column), before=cursor_of(rows[0], column) if more else "")
    if after:
        value, pk = read_cursor(after, column)
        threads = threads.filter(Q(**{f"{column}__lt": value}) | Q(**{column: value, "pk__lt": pk}))
    rows = list(threads.order_by(f"-{column}", "-pk")[: size + 1])
    more = len(rows) > size
    rows = rows[:size]
    return KeysetPage(
        rows,
        after=cursor_of(rows[-1], column) if more else "",
        before=cursor_of(rows[0], column) if after and rows else "",
    )


def with_voices(threads: Iterable[Thread]) -> list[Thread]:
    """The threads, each with `voices`: up to three people who answered, and `leader`, the answer that settled it."""
    threads = list(threads)
    spoken: dict[int, list[Answer]] = {thread.pk: [] for thread in threads}
    if threads:
        for answer in Answer.objects.voices(threads):
            spoken[answer.thread_id].append(answer)
    for thread in threads:
        answers = spoken[thread.pk]
        people = {answer.author_id: answer.author for answer in answers}
        thread.voices = list(people.values())  # type: ignore[attr-defined]
        first = answers[0] if answers else None
        thread.leader = first if first and (first.is_accepted or first.is_official) else None  # type: ignore[attr-defined]
    return threads


def _facet(request: HttpRequest, name: str, known: Iterable[str]) -> list[str]:
    """The chosen values of a facet; one that does not exist is a wrong address."""
    chosen = list(dict.fromkeys(value for value in request.GET.getlist(name) if value))
    if len(chosen) > 20 or not set(chosen) <= set(known):
        raise Http404
    return chosen


def _one(request: HttpRequest, name: str, known: Iterable[str], default: str) -> str:
    value = request.GET.get(name, "") or default
    if value not in known:
        raise Http404
    return value


@require_safe
def questions(request: HttpRequest) -> HttpResponse:
    """The list of threads. What it shows stands in its address, and nowhere else."""
    user = request.user
    signed_in = user.is_authenticated
    shows = [*SHOWS, MINE, FOLLOWED]
    show = next(s for s in shows if s.key == _one(request, "show", [s.key for s in shows], ""))
    sort = _one(request, "sort", SORTS, "active")
    products = list(Product.objects.order_by("position", "name").only("slug", "name", "short_name", "thread_count"))
    chosen_products = _facet(request, "product", [product.slug for product in products])
    chosen_kinds = _facet(request, "kind", Kind.values)
    chosen_states = _facet(request, "state", [key for key, _sign, _condition in STATES])
    tag = get_object_or_404(Tag, slug=request.GET["tag"]) if request.GET.get("tag") else None

    base: ThreadQuerySet = Thread.objects.visible()
    if chosen_products:
        base = base.filter(product__slug__in=chosen_products)
    if tag:
        base = base.filter(tags=tag)
    kinds = Q(kind__in=chosen_kinds) if chosen_kinds else Q()
    states = Q()
    for key, _sign, condition in STATES:
        if key in chosen_states:
            states |= condition
    followed = Q(pk__in=followed_ids(user)) if signed_in else Q(pk__in=[])
    mine = Q(author=user) if signed_in else Q(pk__in=[])
    conditions = {s.key: s.condition for s in SHOWS} | {"mine": mine, "followed": followed}

    # Each count is what one would get by choosing it with everything else as it is.
    counted = base.aggregate(
        total=Count("pk", filter=conditions[show.key] & kinds & states),
        **{f"show_{key or 'all'}": Count("pk", filter=condition & kinds) for key, condition in conditions.items()},
        **{f"kind_{kind}": Count("pk", filter=Q(kind=kind) & conditions[show.key]) for kind in Kind.values},
        **{f"state_{key}": Count("pk", filter=c & conditions[show.key] & kinds) for key, _sign, c in STATES},
        asked=Count("pk"),
        solved=Count("pk", filter=Q(solved_at__isnull=False)),
        waiting=Count("pk", filter=conditions["unanswered"]),
    )
    found = base.filter(conditions[show.key] & kinds & states).select_related("author", "author__department", "product")
    column = SORTS[sort][1]
    page = page_of(found, column, after=request.GET.get("after", ""), before=request.GET.get("before", ""))
    with_voices(page.rows)
    filters = {"product": chosen_products, "kind": chosen_kinds, "state": chosen_states}
    context = {
        "threads": page.rows,
        "page": page,
        "counted": counted,
        "show": show,
        "tabs": [
            (s, counted[f"show_{s.key or 'all'}"], _address(request, show=s.key))
            for s in shows
            if signed_in or not s.personal
        ],
        "state_facet": [(key, sign, counted[f"state_{key}"], key in chosen_states) for key, sign, _c in STATES],
        "kind_facet": [(kind, counted[f"kind_{kind.value}"], kind.value in chosen_kinds) for kind in Kind],
        "product_facet": [(product, product.slug in chosen_products) for product in products],
        "sorts": [(key, word, key == sort) for key, (word, _column) in SORTS.items()],
        "chips": _chips(request, filters, tag, products),
        "is_filtered": bool(tag or any(filters.values())),
        "clear": _address(request, product=None, kind=None, state=None, tag=None),
        "tag": tag,
        "next_url": _address(request, keep_page=True, after=page.after, before=None) if page.after else "",
        "previous_url": _address(request, keep_page=True, before=page.before, after=None) if page.before else "",
        "first_url": _address(request) if request.GET.get("after") or request.GET.get("before") else "",
        "action_url": _action(request, show),
        "one_product": next((p for p in products if chosen_products == [p.slug]), None),
    }
    return _show(request, "questions/list.html", "questions/_list.html", context)


def followed_ids(user: Any) -> Any:
    return (
        user.follows.filter(target_type__app_label="questions", target_type__model="thread")
        .exclude(level="muted")
        .values("target_id")
    )


IDEA_TABS: tuple[tuple[str, Any, list[str]], ...] = (
    ("", gettext_lazy("All"), list(IdeaStatus.values)),
    ("open", gettext_lazy("Open"), [IdeaStatus.NEW, IdeaStatus.IN_REVIEW, IdeaStatus.NEEDS_INFO, IdeaStatus.FUTURE]),
    ("coming", gettext_lazy("Coming"), [IdeaStatus.PLANNED, IdeaStatus.IN_PROGRESS]),
    ("shipped", gettext_lazy("Shipped"), [IdeaStatus.SHIPPED]),
    ("declined", gettext_lazy("Not planned"), [IdeaStatus.DECLINED, IdeaStatus.EXISTS]),
)


@require_safe
def ideas(request: HttpRequest) -> HttpResponse:
    """Ideas, by what became of them and by how many want them."""
    key = _one(request, "status", [tab[0] for tab in IDEA_TABS], "")
    sort = _one(request, "sort", SORTS, "votes")
    products = list(Product.objects.order_by("position", "name").only("slug", "name", "short_name"))
    chosen = _facet(request, "product", [product.slug for product in products])
    base = Thread.objects.visible().filter(kind=Kind.IDEA)
    if chosen:
        base = base.filter(product__slug__in=chosen)
    conditions = {tab: Q(idea_status__in=statuses) for tab, _word, statuses in IDEA_TABS}
    counted = base.aggregate(**{f"tab_{tab or 'all'}": Count("pk", filter=c) for tab, c in conditions.items()})
    column = SORTS[sort][1]
    found = base.filter(conditions[key]).select_related("author", "author__department", "product")
    page = page_of(found, column, after=request.GET.get("after", ""), before=request.GET.get("before", ""))
    with_voices(page.rows)
    context = {
        "threads": page.rows,
        "page": page,
        "tabs": [
            (tab, word, counted[f"tab_{tab or 'all'}"], _address(request, status=tab), tab == key)
            for tab, word, _statuses in IDEA_TABS
        ],
        "status": key,
        "total": counted[f"tab_{key or 'all'}"],
        "all": counted["tab_all"],
        "shipped": counted["tab_shipped"],
        "sorts": [(name, word, name == sort) for name, (word, _column) in SORTS.items()],
        "product_facet": [(product, product.slug in chosen) for product in products],
        "chips": _chips(request, {"product": chosen}, None, products),
        "clear": _address(request, product=None),
        "next_url": _address(request, keep_page=True, after=page.after, before=None) if page.after else "",
        "previous_url": _address(request, keep_page=True, before=page.before, after=None) if page.before else "",
        "first_url": _address(request) if request.GET.get("after") or request.GET.get("before") else "",
    }
    return _show(request, "questions/ideas.html", "questions/_ideas.html", context)


def _show(request: HttpRequest, page: str, piece: str, context: dict[str, Any]) -> HttpResponse:
    htmx = getattr(request, "htmx", None)
    response = render(request, piece if htmx and not htmx.boosted else page, context)
    patch_vary_headers(response, ["HX-Request"])
    return response


def _address(request: HttpRequest, *, keep_page: bool = False, **changes: Any) -> str:
    """This list with something changed. A change of filter begins at the first page again."""
    params: dict[str, list[str]] = {name: values for name, values in request.GET.lists() if name in KEPT}
    if not keep_page:
        params.pop("after", None)
        params.pop("before", None)
    for name, value in changes.items():
        if value in (None, "", []):
            params.pop(name, None)
        else:
            params[name] = value if isinstance(value, list) else [value]
    written = urlencode({name: [v for v in values if v] for name, values in params.items() if any(values)}, doseq=True)
    return f"{request.path}?{written}" if written else request.path


KEPT = ("show", "sort", "product", "kind", "state", "tag", "status", "after", "before")


def _chips(request: HttpRequest, filters: dict[str, list[str]], tag: Tag | None, products: list[Product]) -> list[Any]:
    """What is chosen, each with the address without it."""
    names = {product.slug: product.label for product in products} | {kind.value: kind.label for kind in Kind}
    names |= {"none": _("No reply"), "replied": _("Replied"), "info": _("Needs info"), "recheck": _("In re-check")}
    names |= {"solved": _("Solved"), "official": _("Official")}
    chips = [
        (names[value], _address(request, **{name: [v for v in values if v != value]}))
        for name, values in filters.items()
        for value in values
    ]
    if tag:
        chips.append((tag.name, _address(request, tag=None)))
    return chips


def _action(request: HttpRequest, show: Show) -> str:
    """Where an empty list sends people."""
    if show.action.startswith("?show="):
        return _address(request, show=show.action.removeprefix("?show="), state=None)
    return ""
