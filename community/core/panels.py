"""How an app above shows itself on a page of an app below, without an import upward.

The owner of a page names **slots** in its template; apps above `register` **panels** for them in
`AppConfig.ready()`. A panel gets the page's whole batch at once (all authors of a thread, all products of a list),
so that it asks the database once and not once a row:

    class Rank(panels.Panel):                                   # advocates/panels.py
        template = "advocates/_rank.html"
        query_budget = 1

        def context(self, request, batch):                      # batch: list of people
            ranks = {row.user_id: row for row in Standing.objects.filter(user__in=batch)}
            return {person.pk: {"rank": ranks[person.pk]} for person in batch if person.pk in ranks}

    panels.register("thread.byline", Rank())                    # advocates/apps.py, ready()

    {% load panels %}                                           # questions/thread.html
    {% panels_for "thread.byline" people %}                     # once, before the rows: prints nothing
    {% for answer in answers %}{% panels "thread.byline" answer.author %}{% endfor %}

An object without an entry in what `context` returns gets no panel. Keys are primary keys; a thing without one (a
string, None for a slot of the page itself such as `home.top`) is its own key. The panel's template sees its own
context, the request's context processors, and `object`.

A panel whose one small fact hangs on a row that the page reads anyway lets the page's own query bring it along:

    class FollowProduct(panels.Panel):
        def brought(self, user):                                # the page's query has `product`
            return {"is_followed": Exists(Follow.objects.filter(user=user, target_id=OuterRef("product")))}

    page = pages.annotate(**panels.brought("product", user)).get(...)    # the owner of the page
    panels.hand_over("product", page, page.product)                      # the panel finds product.is_followed

A panel that fails is logged and left out: the page below never breaks for the app above. Under `settings.DEBUG`
or `settings.PANELS_STRICT` (tests) it raises instead, and so does one that asks more queries than its budget.
"""

import logging
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from typing import Any

from django.conf import settings
from django.db import connections
from django.http import HttpRequest
from django.template.loader import get_template
from django.utils.safestring import SafeString, mark_safe

logger = logging.getLogger(__name__)

# The slots there are, and what a batch consists of. `home.*` stands for any name below it.
SLOTS = {
    "product.reviews": "products",
    "product.recipes": "products",
    "product.tips": "products",
    "product.questions": "products",
    "product.ideas": "products: what owners wish for and praise",
    "product.help": "products: help articles about them",
    "product.acts": "products: what somebody can do beside shelf and review, such as follow",
    "product.notices": "products: known issues",
    "product.source": "products: where their data come from",
    "shelf.unit": "rows of one's own shelf: what else can be done with each, such as review it",
    "ask.matches": "what somebody is about to ask: threads that may settle it",
    "review.offers": "reviews, on their own page: what can be done about what one says",
    "thread.byline": "people, wherever somebody speaks",
    "thread.relay": "threads: who has it now and until when",
    "thread.rail": "threads: beside the thread",
    "thread.answer": "answers of a thread: below each",
    "thread.invite": "threads: whom one could invite to answer",
    "thread.now": "threads of a list: who has it now, in a line; empty shows who answered",
    "case.side": "threads: beside a staff member's case",
    "case.alike": "threads: others like a case, fetched after it",
    "person.work": "people: what they wrote and earned",
    "moderation.item": "items of the moderators' queue: what there is to know of a post beside its text",
    "moderation.top": "None: the moderators' queue itself, and its place on the first page of the admin",
    "staff.person": "people, on their page inside the admin: what else staff can do about an account",
    "home.*": "None: the page itself",
}


class Panel:
    """One piece of page. Subclass it, set `template`, say what each object of the batch shows."""

    template: str
    order: int = 100
    query_budget: int = 2  # for the whole batch, its template included
    brings: tuple[str, ...] = ()  # the names of what `brought` returns

    def context(self, request: HttpRequest | None, batch: Sequence[Any]) -> Mapping[Hashable, Mapping[str, Any]]:
        """The template's context for each object of the batch that has something to show, by key."""
        raise NotImplementedError

    def brought(self, user: Any) -> Mapping[str, Any]:
        """Expressions that the page's own query may bring along; see above. A page that doesn't leaves them unset."""
        return {}


class BudgetExceeded(Exception):
    """A panel asked the database more often than it promised."""


_panels: dict[str, list[Panel]] = {}


def key(thing: Any) -> Hashable:
    """What a panel files its context under: the primary key, or the thing itself when it has none."""
    return getattr(thing, "pk", thing)


def register(slot: str, panel: Panel) -> None:
    """Show `panel` in `slot`. One of the same class is replaced, so a reload is harmless."""
    if slot not in SLOTS and f"{slot.split('.')[0]}.*" not in SLOTS:
        raise ValueError(f"There is no slot {slot!r}; the slots are: {', '.join(SLOTS)}.")
    others = [p for p in _panels.get(slot, []) if type(p) is not type(panel)]
    _panels[slot] = sorted([*others, panel], key=lambda p: p.order)


def unregister(slot: str, panel: Panel) -> None:
    """Take a panel out again. For tests."""
    _panels[slot] = [p for p in _panels.get(slot, []) if p is not panel]


def registered(slot: str) -> list[Panel]:
    """The panels of a slot, in order."""
    return list(_panels.get(slot, []))


def brought(prefix: str, user: Any) -> dict[str, Any]:
    """What the panels of the slots `prefix.*` would like the page's own query to bring along."""
    wanted: dict[str, Any] = {}
    for slot, panels in _panels.items():
        if slot.startswith(f"{prefix}."):
            for panel in panels:
                wanted.update(panel.brought(user))
    return wanted


def hand_over(prefix: str, row: Any, thing: Any) -> None:
    """Set on `thing` what the query for `row` brought along for the panels of `prefix.*`."""
    for slot, panels in _panels.items():
        if slot.startswith(f"{prefix}."):
            for panel in panels:
                for name in panel.brings:
                    if name in row.__dict__:
                        setattr(thing, name, row.__dict__[name])


def render(slot: str, request: HttpRequest | None, batch: Iterable[Any]) -> dict[Hashable, SafeString]:
    """The finished pieces for each object of the batch, by key; each panel is asked once."""
    things = list({key(thing): thing for thing in batch}.values())
    pieces: dict[Hashable, list[str]] = {key(thing): [] for thing in things}
    for panel in registered(slot) if things else []:
        try:
            shown = _within_budget(panel, lambda panel=panel: _render_one(panel, request, things))
        except Exception:
            if settings.DEBUG or getattr(settings, "PANELS_STRICT", False):
                raise
            logger.exception("Panel %s of slot %s failed and was left out", type(panel).__name__, slot)
            continue
        for name, html in shown.items():
            pieces[name].append(html)
    return {name: mark_safe("".join(parts)) for name, parts in pieces.items()}  # noqa: S308 - from templates


def prepare(slot: str, request: HttpRequest, batch: Iterable[Any]) -> None:
    """Render a slot for the page's whole batch and keep it on the request for `{% panels %}`."""
    _kept(request).setdefault(slot, {}).update(render(slot, request, batch))


def piece(slot: str, request: HttpRequest | None, thing: Any) -> SafeString:
    """The finished piece for one object: from what was prepared, else asked for alone."""
    if request is None:
        return render(slot, None, [thing])[key(thing)]
    kept = _kept(request).setdefault(slot, {})
    if key(thing) not in kept:
        kept.update(render(slot, request, [thing]))
    return kept[key(thing)]


def _kept(request: HttpRequest) -> dict[str, dict[Hashable, SafeString]]:
    if not hasattr(request, "_panels"):
        request._panels = {}  # type: ignore[attr-defined]
    return request._panels  # type: ignore[attr-defined]


def _render_one(panel: Panel, request: HttpRequest | None, things: list[Any]) -> dict[Hashable, str]:
    contexts = panel.context(request, things)
    template = get_template(panel.template)
    return {
        key(thing): template.render({"object": thing, **contexts[key(thing)]}, request)
        for thing in things
        if key(thing) in contexts
    }


# What is done once and then known isn't a panel's cost, and whose visit comes first is chance: a process keeps the
# content types, and a size of a picture that the worker has not made yet is stored by whoever needs it.
ONCE = (
    'SELECT "django_content_type"',
    'INSERT INTO "core_communityrendition"',
    "SAVEPOINT",
    "RELEASE SAVEPOINT",
)


def _within_budget(panel: Panel, work: Callable[[], dict[Hashable, str]]) -> dict[Hashable, str]:
    """Do the work and count its queries; over budget raises when strict, is only logged on a live site."""
    count = 0

    def counting(execute: Callable, sql: str, params: Any, many: bool, context: dict) -> Any:
        nonlocal count
        count += not sql.startswith(ONCE)
        return execute(sql, params, many, context)

    with ExitStack() as stack:
        for connection in connections.all():
            stack.enter_context(connection.execute_wrapper(counting))
        shown = work()
    if count > panel.query_budget:
        message = f"{type(panel).__name__} asked {count} queries, its budget is {panel.query_budget}"
        if settings.DEBUG or getattr(settings, "PANELS_STRICT", False):
            raise BudgetExceeded(message)
        logger.warning(message)
    return shown
