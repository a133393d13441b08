"""Changing a text, and reading how it changed."""

from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from community.core.models import Body
from community.moderation.permissions import is_moderator
from community.posts.changes import changes
from community.posts.doors import refuse, send, to_login
from community.posts.models import Revision
from community.posts.services import latest_revision

from .. import permissions, services
from ..forms import EditAnswerForm, EditThreadForm
from ..models import Answer, Thread
from .acts import back, get_answer
from .thread import find_thread, went_meanwhile


@require_http_methods(["GET", "POST"])
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change a thread. Who saves second is told, and sees both texts."""
    if not request.user.is_authenticated:
        return to_login(request, request.path)
    found = find_thread(request, pk)
    if isinstance(found, HttpResponse):
        return went_meanwhile(request, found) if request.method == "POST" else found
    if reason := permissions.why_not_edit(request.user, found):
        return refuse(request, reason, 403, back=found.get_absolute_url())
    status, theirs = 200, None
    if request.method == "POST":
        form, status = EditThreadForm(request.POST, thread=found), 422
        if form.is_valid():
            given = form.cleaned_data
            saved, status = send(
                form,
                "post",
                request.user,
                lambda: services.edit_thread(
                    found,
                    request.user,
                    title=given["title"],
                    body=given["body"],
                    tags=given["tags"],
                    product=given["product"],
                    model_version=given["model_version"],
                    summary=given["summary"],
                    seen_revision=given["seen"],
                ),
            )
            if saved is not None:
                return back(request, saved, _("Saved."))
            if status == 409:
                form, theirs = _anew(form, found), Thread.objects.get(pk=pk)
    else:
        form = EditThreadForm(
            thread=found,
            initial={
                "title": found.title,
                "body": found.body_source,
                "product": found.product,
                "model_version": found.model_version,
                "tags": ", ".join(tag.name for tag in found.tags.all()),
                "seen": latest_revision(found),
            },
        )
    context = {"form": form, "thread": found, "theirs": theirs, "imported": _is_imported_html(found)}
    return _again(render(request, "questions/edit.html", context, status=status), form)


@require_http_methods(["GET", "POST"])
def edit_answer(request: HttpRequest, pk: int) -> HttpResponse:
    if not request.user.is_authenticated:
        return to_login(request, request.path)
    answer = get_answer(request, pk)
    if reason := permissions.why_not_edit(request.user, answer):
        return refuse(request, reason, 403, back=answer.get_absolute_url())
    status, theirs = 200, None
    if request.method == "POST":
        form, status = EditAnswerForm(request.POST, answer=answer), 422
        if form.is_valid():
            given = form.cleaned_data
            saved, status = send(
                form,
                "post",
                request.user,
                lambda: services.edit_answer(
                    answer,
                    request.user,
                    body=given["body"],
                    summary=given["summary"],
                    seen_revision=given["seen"],
                ),
            )
            if saved is not None:
                return back(request, saved, _("Saved."))
            if status == 409:
                form, theirs = _anew(form, answer), Answer.objects.get(pk=pk)
    else:
        form = EditAnswerForm(answer=answer, initial={"body": answer.body_source, "seen": latest_revision(answer)})
    context = {
        "form": form,
        "answer": answer,
        "thread": answer.thread,
        "theirs": theirs,
        "imported": _is_imported_html(answer),
    }
    return _again(render(request, "questions/edit_answer.html", context, status=status), form)


def _anew(form: Any, target: Thread | Answer) -> Any:
    """The form with the text as typed; sending it once more is a decision made knowing the newer version."""
    form.data = form.data.copy()
    form.data["seen"] = str(latest_revision(target))
    return form


def _is_imported_html(post: Body) -> bool:
    return post.source_format == Body.Format.HTML


def _again(response: HttpResponse, form: Any) -> HttpResponse:
    if wait := getattr(form, "retry_after", 0):
        response["Retry-After"] = str(wait)
    return response


@require_safe
def history(request: HttpRequest, pk: int) -> HttpResponse:
    """Every version of a thread, and what changed from one to the next."""
    found = find_thread(request, pk)
    if isinstance(found, HttpResponse):
        return found
    return _history(request, found, found, found.get_absolute_url())


@require_safe
def answer_history(request: HttpRequest, pk: int) -> HttpResponse:
    answer = get_object_or_404(Answer.objects.visible_to(request.user).select_related("thread", "author"), pk=pk)
    return _history(request, answer, answer.thread, answer.get_absolute_url())


def _titles_open_from(user: Any, post: Thread | Answer, rows: Any) -> int:
    """Number of the oldest version whose title everybody may read: what a moderator took out of a title (a name, a
    number) must not stand in the history. Its author and the moderators read all."""
    if user.is_authenticated and (user.pk == post.author_id or is_moderator(user)):
        return 0
    return rows.filter(retitled=True).values_list("number", flat=True).first() or 0


def _history(request: HttpRequest, post: Thread | Answer, thread: Thread, place: str) -> HttpResponse:
    rows = (
        Revision.objects.filter(target_type=ContentType.objects.get_for_model(post), target_id=post.pk)
        .select_related("editor")
        .order_by("-number")
    )
    pages = Paginator(rows, 10)
    number = request.GET.get("page", "1")
    if not number.isdecimal() or len(number) > 5 or not 1 <= int(number) <= pages.num_pages:
        raise Http404
    page = pages.page(int(number))
    shown = list(page.object_list)
    # The version before the oldest shown stands on the next page; the comparison needs it here.
    before = rows.filter(number__lt=shown[-1].number).first() if shown else None
    open_from = _titles_open_from(request.user, post, rows)
    versions = []
    for revision, previous in zip(shown, [*shown[1:], before], strict=True):
        old = previous or revision
        retitled = revision.number >= open_from and old.title != revision.title
        versions.append(
            {
                "revision": revision,
                "first": previous is None,
                "title": changes(old.title if old.number >= open_from else "", revision.title) if retitled else [],
                "title_kept_back": retitled and old.number < open_from,
                "tags": changes(old.tags, revision.tags) if old.tags != revision.tags else [],
                "body": changes(old.body_source, revision.body_source),
            }
        )
    context = {"post": post, "thread": thread, "versions": versions, "page": page, "place": place}
    return render(request, "questions/history.html", context)
