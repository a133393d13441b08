"""While somebody asks: threads that may settle it, each opening in place; and the end of asking when one did."""

import secrets
from contextlib import suppress
from typing import Any

from django.conf import settings
from django.db.models import OuterRef, Subquery
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from community.core.limits import limited
from community.posts import services as posts
from community.questions.models import Answer, Thread
from community.questions.views.ask import DRAFT, SHORTEST_LOOK

from . import engine, services
from .models import Document

EXCERPT = 700  # characters; a longer answer is read on its page


@require_GET
@never_cache
@limited("matches", methods=("GET",))
def matches(request: HttpRequest) -> HttpResponse:
    """Up to five threads like the title that is being typed, each with its answer to open in place.

    Never kept by anybody on the way: what is hidden must be gone within seconds, and hardly two people type the same.
    """
    title = request.GET.get("title") or request.GET.get("q") or ""
    found = context(title, request.GET.get("product", ""), request.user)
    # A page without a form has given no token (decision 0021): there the thread is opened, and asking goes on as well.
    found["can_say"] = settings.CSRF_COOKIE_NAME in request.COOKIES
    return render(request, "search/_matches.html", found)


def context(title: str, product: str, user: Any) -> dict[str, Any]:
    """What `search/_matches.html` shows. `ask` names this look at the matches: pressing twice counts once; `can_say`
    whether the page can say that one of them was the answer."""
    title = title.strip()[: engine.LONGEST_QUERY]
    found: list[Document] = []
    if len(title) >= SHORTEST_LOOK:
        with suppress(engine.Unavailable):  # people ask without it
            found = engine.similar(title, product=product[:80], user=user)
    return {"rows": _with_answers(found), "title": title, "ask": secrets.token_urlsafe(16), "can_say": True}


def _with_answers(documents: list[Document]) -> list[dict[str, Any]]:
    """Rows for the form: each thread with the one answer that settled it. Two queries for all."""
    ids = [document.target_id for document in documents]
    if not ids:
        return []
    threads = Thread.objects.filter(pk__in=ids).annotate(best=_BEST).select_related("product").in_bulk()
    answers = _answers([thread.best for thread in threads.values() if thread.best])  # type: ignore[attr-defined]
    return [{"thread": threads[pk], "answer": answers.get(threads[pk].best)} for pk in ids if pk in threads]  # type: ignore[attr-defined]


_SETTLED = Answer.objects.visible().exclude(accepted_at=None, official_at=None).settled_first()
_BEST = Subquery(_SETTLED.filter(thread=OuterRef("pk")).values("pk")[:1])


def _answers(ids: list[int]) -> dict[int, Answer]:
    """Answers to be shown in place; `is_long` when only their beginning is."""
    found = Answer.objects.select_related("author", "author__department", "official_for").in_bulk(ids)
    for answer in found.values():
        answer.is_long = len(answer.body_text) > EXCERPT  # type: ignore[attr-defined]
    return found


@require_POST
@limited("matches")
def solved_it(request: HttpRequest, pk: int) -> HttpResponse:
    """Ends the asking: the thread was the answer. Counted, without who."""
    thread = get_object_or_404(Thread.objects.visible_to(request.user), pk=pk)
    typed = request.POST.get("title", "")
    services.record_deflection(thread, typed, ask=request.POST.get("ask", ""))
    if request.user.is_authenticated and not posts.draft_of(request.user, DRAFT).get("body", "").strip():
        posts.drop_draft(request.user, DRAFT)  # a title alone; a text that was begun stays
    place = reverse("search:settled", args=[thread.pk])
    return redirect(f"{place}?{urlencode({'title': typed[: engine.LONGEST_QUERY]})}")


@require_GET
def settled(request: HttpRequest, pk: int) -> HttpResponse:
    """The page that asking ends with: what settled it, and the way on when it did not after all."""
    threads = Thread.objects.visible_to(request.user).annotate(best=_BEST).select_related("product")
    thread = get_object_or_404(threads, pk=pk)
    title = request.GET.get("title", "")[: engine.LONGEST_QUERY].strip()
    again = {"title": title, "product": thread.product.slug if thread.product else ""}
    best: int | None = thread.best  # type: ignore[attr-defined]
    shown = {
        "thread": thread,
        "answer": _answers([best]).get(best) if best else None,
        "title": title,
        "ask_query": urlencode({name: value for name, value in again.items() if value}),
    }
    return render(request, "search/settled.html", shown)
