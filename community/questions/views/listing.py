"""/questions/: named filters with their counts, facets, sorting, and pages by keyset."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

from django.contrib import messages
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from community.core import clock
from community.posts.doors import act, tag_asked_for
from community.posts.models import Tag
from products.models import Product

from .. import services
from ..counting import count_up_to, exact
from ..models import Answer, Kind, SavedFilter, State, Thread
from ..querysets import ATTENTION, OPEN, UNANSWERED, ThreadQuerySet

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


SHOWS = (
    Show(
        "", gettext_lazy("All"), Q(),
        gettext_lazy("Nothing has been asked here yet"),
        gettext_lazy("Be the first: whoever owns one may know."),
        "questions:ask", gettext_lazy("Ask a question"),
    ),
    Show(
        "unanswered", gettext_lazy("Unanswered"), UNANSWERED & ~Q(kind=Kind.PRAISE),
        gettext_lazy("Every question has a reply"),
        gettext_lazy("That does not mean that every reply settled the matter. These need another look."),
        "?show=attention", gettext_lazy("See what needs attention"),
    ),
    Show(
        "attention", gettext_lazy("Needs attention"),
        ATTENTION,
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
ANSWERED = Show(
    "answered", gettext_lazy("Answered by me"), Q(),
    gettext_lazy("You have not answered anything here yet"),
    gettext_lazy("What you answer stays here, with what became of it."),
    "?show=unanswered", gettext_lazy("See unanswered questions"), personal=True,
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


class StateFilter(NamedTuple):
    """A state as a filter: its sign, its condition, and what is said when no thread is in it."""

    key: str
    sign: str
    condition: Q
    nothing: Any
    word: Any = ""  # instead of the sign's own


NOBODY_WAITS = gettext_lazy("Nobody waits for this, at the moment.")
STATES = (
    StateFilter("none", "none", UNANSWERED, gettext_lazy("Every question has a reply.")),
    StateFilter(
        "replied", "replied", OPEN & Q(first_reply_at__isnull=False, needs_info_since__isnull=True), NOBODY_WAITS
    ),
    StateFilter(
        "info", "info", OPEN & Q(needs_info_since__isnull=False), gettext_lazy("No asker is being asked for anything.")
    ),
    StateFilter(
        "reopened", "recheck", OPEN & Q(reopened_at__isnull=False), gettext_lazy("Nothing had to be opened again."),
        gettext_lazy("Open again"),
    ),
    StateFilter("recheck", "recheck", Q(recheck_at__isnull=False), gettext_lazy("No solution is in doubt.")),
    StateFilter("solved", "solved", Q(solved_at__isnull=False), gettext_lazy("Nothing is solved here yet.")),
    StateFilter(
        "another_way", "solved", Q(solved_at__isnull=False) & ~Q(solved_note=""),
        gettext_lazy("Whatever was solved here was solved by an answer."), State.SOLVED_ANOTHER_WAY.label,
    ),
    StateFilter("official", "official", Q(official_at__isnull=False), gettext_lazy("No official answer here yet.")),
    StateFilter(
        "duplicate", "duplicate", Q(duplicate_of__isnull=False), gettext_lazy("Nothing was asked twice."),
        State.DUPLICATE.label,
    ),
    StateFilter("closed", "closed", Q(closed_at__isnull=False), gettext_lazy("Nothing is closed.")),
    StateFilter("locked", "locked", Q(locked_at__isnull=False), gettext_lazy("Nothing is locked.")),
)  # fmt: skip
# How old a thread is: its word, and how many days at most. The last one is what is older than the one before it.
AGES: dict[str, tuple[Any, int | None]] = {
    "day": (gettext_lazy("Last 24 hours"), 1),
    "week": (gettext_lazy("Last 7 days"), 7),
    "month": (gettext_lazy("Last 30 days"), 30),
    "year": (gettext_lazy("Last year"), 365),
    "older": (gettext_lazy("Older than a year"), None),
}


def aged(age: str) -> Q:
    """Threads of an age; of any for no age."""
    if not age:
        return Q()
    days = AGES[age][1]
    if days is None:
        return Q(created_at__lt=clock.now() - timedelta(days=365))
    return Q(created_at__gte=clock.now() - timedelta(days=days))


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
    if not dot or not right.isdecimal() or not left.removeprefix("-").isdecimal() or len(cursor) > 40:
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
    shows = [*SHOWS, MINE, ANSWERED, FOLLOWED]
    show = next(s for s in shows if s.key == _one(request, "show", [s.key for s in shows], ""))
    sort = _one(request, "sort", SORTS, "active")
    age = _one(request, "age", ["", *AGES], "")
    products = list(Product.objects.order_by("position", "name").only("slug", "name", "short_name", "thread_count"))
    chosen_products = _facet(request, "product", [product.slug for product in products])
    chosen_kinds = _facet(request, "kind", Kind.values)
    chosen_states = _facet(request, "state", [state.key for state in STATES])
    tag = tag_asked_for(request)
    if isinstance(tag, HttpResponse):
        return tag

    chosen = Q()
    if chosen_products:
        chosen &= Q(product__in=[product.pk for product in products if product.slug in chosen_products])
    if tag:
        chosen &= Q(tags=tag)
    everything: ThreadQuerySet = Thread.objects.visible().filter(chosen)
    base = everything.filter(aged(age))
    # What one asked oneself is there, too, while it waits for a look; its sign says so.
    bases = {MINE.key: Thread.objects.visible_to(user).filter(chosen).filter(aged(age))}
    kinds = Q(kind__in=chosen_kinds) if chosen_kinds else Q()
    states = Q()
    for state in STATES:
        if state.key in chosen_states:
            states |= state.condition
    conditions = {s.key: s.condition for s in SHOWS}
    conditions |= {"mine": mine(user), "answered": answered(user), "followed": followed(user)}

    # Each count is what one would get by choosing it with everything else as it is.
    of_show, of_rest = bases.get(show.key, base).filter(conditions[show.key]), kinds & states
    asked, solved = everything, everything.filter(solved_at__isnull=False)
    counted = count_up_to(
        {
            "total": of_show.filter(of_rest),
            "asked": asked,
            "solved": solved,
            "waiting": everything.filter(conditions["unanswered"]),
            **{
                f"show_{s.key or 'all'}": bases.get(s.key, base).filter(conditions[s.key] & kinds)
                for s in shows
                if _is_for(s, user)
            },
            **{f"kind_{kind}": of_show.filter(states, kind=kind) for kind in Kind.values},
            **{f"state_{state.key}": of_show.filter(state.condition & kinds) for state in STATES},
        }
    )
    place = f"{'+'.join(sorted(chosen_products))}:{tag.pk if tag else ''}"
    counted["asked"] = exact(f"asked:{place}", asked, counted["asked"])
    counted["solved"] = exact(f"solved:{place}", solved, counted["solved"])
    found = of_show.filter(of_rest).select_related("author", "author__department", "product").with_news(user)
    column = SORTS[sort][1]
    page = page_of(found, column, after=request.GET.get("after", ""), before=request.GET.get("before", ""))
    with_voices(page.rows)
    filters = {"product": chosen_products, "kind": chosen_kinds, "state": chosen_states}
    is_filtered = bool(tag or age or any(filters.values()))
    query = _query(request)
    kept = saved_of(user)
    lonely = next((s for s in STATES if chosen_states == [s.key]), None)
    one_product = next((p for p in products if chosen_products == [p.slug]), None)
    context = {
        "threads": page.rows,
        "page": page,
        "counted": counted,
        "show": show,
        "tabs": [
            (s, counted[f"show_{s.key or 'all'}"], _address(request, show=s.key)) for s in shows if _is_for(s, user)
        ],
        "state_facet": [
            (state.key, state.sign, state.word, counted[f"state_{state.key}"], state.key in chosen_states)
            for state in STATES
        ],
        "kind_facet": [(kind, counted[f"kind_{kind.value}"], kind.value in chosen_kinds) for kind in Kind],
        "product_facet": [(product, product.slug in chosen_products) for product in products],
        "ages": [(key, word, key == age) for key, (word, _days) in AGES.items()],
        "sorts": [(key, word, key == sort) for key, (word, _column) in SORTS.items()],
        "chips": _chips(request, filters, tag, products, age),
        "is_filtered": is_filtered,
        "nothing": lonely.nothing if lonely and not (show.key or tag or age or chosen_products or chosen_kinds) else "",
        "clear": _address(request, product=None, kind=None, state=None, tag=None, age=None),
        "tag": tag,
        "by_activity": sort == "active",
        "next_url": _address(request, keep_page=True, after=page.after, before=None) if page.after else "",
        "previous_url": _address(request, keep_page=True, before=page.before, after=None) if page.before else "",
        "first_url": _address(request) if request.GET.get("after") or request.GET.get("before") else "",
        "action_url": _action(request, show),
        "one_product": one_product,
        "query": query,
        "saved": [(f, f"{request.path}?{f.query}", f.query == query) for f in kept],
        "is_kept": any(f.query == query for f in kept),
        "feed_url": reverse("questions:feed_list", args=[show.key]) if show.key and not show.personal else "",
        "canonical": _canonical(request, query),
        "is_indexed": _canonical(request, query) == request.get_full_path(),
    }
    return _show(request, "questions/list.html", "questions/_list.html", context)


def _is_for(show: Show, user: Any) -> bool:
    return user.is_authenticated or not show.personal


def mine(user: Any) -> Q:
    """What somebody asked, and the threads that their questions were merged into."""
    if not user.is_authenticated:
        return Q(pk__in=[])
    own = Thread.objects.filter(author=user)
    # Two indexes asked in turn: "or" would read every thread.
    merged = own.filter(merged_into__isnull=False).values_list("merged_into", flat=True)
    return Q(pk__in=own.values_list("pk", flat=True).union(merged))


def answered(user: Any) -> Q:
    """Where somebody gave an answer that can be read."""
    if not user.is_authenticated:
        return Q(pk__in=[])
    given = Answer.objects.filter(author=user, visibility=Answer.Visibility.VISIBLE)
    return Q(pk__in=given.values_list("thread", flat=True))


def followed(user: Any) -> Q:
    return Q(pk__in=followed_ids(user)) if user.is_authenticated else Q(pk__in=[])


def saved_of(user: Any) -> list[SavedFilter]:
    return list(SavedFilter.objects.filter(user=user)) if user.is_authenticated else []


def _query(request: HttpRequest) -> str:
    """What is chosen, always written in the same order, without the page: what a saved filter keeps."""
    chosen = [(name, value) for name in KEPT for value in sorted(request.GET.getlist(name)) if value]
    return urlencode([pair for pair in chosen if pair[0] not in ("after", "before")])


def _canonical(request: HttpRequest, query: str) -> str:
    """The address that search engines keep: a list as a whole, of one product or of one tag; no other choice."""
    name, _is, value = query.partition("=")
    return f"{request.path}?{query}" if name in ("product", "tag") and "&" not in value else request.path


@act("vote")
def save_filter(request: HttpRequest) -> HttpResponse:
    """Keep the list somebody looks at under a name."""
    query = _query_of(request.POST.get("query", ""))
    saved = services.save_filter(request.user, request.POST.get("name", ""), query)
    return _to_list(request, saved.query, _("Kept. You find it above the list."))


@act("vote")
def delete_filter(request: HttpRequest, pk: int) -> HttpResponse:
    saved = SavedFilter.objects.filter(pk=pk).first()
    if saved is not None:
        services.delete_filter(saved, request.user)
    return _to_list(request, _query_of(request.POST.get("query", "")), _("The filter is taken away."))


def _query_of(written: str) -> str:
    """Of what a form sent only what a list knows."""
    pairs = [(name, value) for name, value in parse_qsl(written[:2000]) if name in KEPT and len(value) <= 100]
    return urlencode([pair for pair in pairs if pair[0] not in ("after", "before", "status")])


def _to_list(request: HttpRequest, query: str, said: str) -> HttpResponse:
    messages.success(request, said)
    response = redirect(reverse("questions:list") + (f"?{query}" if query else ""))
    response.status_code = 303
    return response


def followed_ids(user: Any) -> Any:
    return (
        user.follows.filter(target_type__app_label="questions", target_type__model="thread")
        .exclude(level="muted")
        .values("target_id")
    )


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


KEPT = ("show", "sort", "product", "kind", "state", "tag", "age", "status", "after", "before")


def _chips(
    request: HttpRequest, filters: dict[str, list[str]], tag: Tag | None, products: list[Product], age: str = ""
) -> list[Any]:
    """What is chosen, each with the address without it."""
    names = {product.slug: product.label for product in products} | {kind.value: kind.label for kind in Kind}
    names |= {"none": _("No reply"), "replied": _("Replied"), "info": _("Needs info"), "recheck": _("In re-check")}
    names |= {"solved": _("Solved"), "official": _("Official"), "closed": _("Closed"), "locked": _("Locked")}
    names |= {state.key: str(state.word) for state in STATES if state.word}
    chips = [
        (names[value], _address(request, **{name: [v for v in values if v != value]}))
        for name, values in filters.items()
        for value in values
    ]
    if tag:
        chips.append((tag.name, _address(request, tag=None)))
    if age:
        chips.append((AGES[age][0], _address(request, age=None)))
    return chips


def _action(request: HttpRequest, show: Show) -> str:
    """Where an empty list sends people."""
    if show.action.startswith("?show="):
        return _address(request, show=show.action.removeprefix("?show="), state=None)
    return ""
