"""Suggesting an edit, and deciding on it."""

from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from community.core.errors import Conflict
from community.core.models import Body
from community.moderation.permissions import is_moderator
from community.posts.changes import changes
from community.posts.doors import merged_meanwhile, posted, refuse, send, to_login
from community.posts.models import Revision
from community.posts.services import latest_revision

from .. import permissions, services
from ..forms import ReasonForm, SuggestForm
from ..models import Answer, EditSuggestion, Thread
from .acts import back, get_answer, get_thread

PAGE = 20


@require_http_methods(["GET", "POST"])
def suggest(request: HttpRequest, pk: int) -> HttpResponse:
    if not request.user.is_authenticated:
        return to_login(request, request.path)
    thread = get_thread(request, pk)
    return merged_meanwhile(request, thread, pk) or _suggest(request, thread)


@require_http_methods(["GET", "POST"])
def suggest_answer(request: HttpRequest, pk: int) -> HttpResponse:
    if not request.user.is_authenticated:
        return to_login(request, request.path)
    return _suggest(request, get_answer(request, pk))


def _suggest(request: HttpRequest, post: Thread | Answer) -> HttpResponse:
    """The form, with one's open suggestion in it where there is one. Who is overtaken sees both texts."""
    answer = post if isinstance(post, Answer) else None
    thread = answer.thread if answer else post
    if reason := permissions.why_not_suggest(request.user, post):
        return refuse(request, reason, 403, kept=request.POST.get("body", ""), back=post.get_absolute_url())
    mine = EditSuggestion.objects.filter(author=request.user, thread=thread, answer=answer, state="open").first()
    now = latest_revision(post)
    status, theirs = 200, None
    if request.method == "POST":
        form, status = SuggestForm(request.POST, post=post), 422
        if form.is_valid():
            given = form.cleaned_data
            made, status = send(
                form,
                "post",
                request.user,
                lambda: services.suggest_edit(
                    post,
                    request.user,
                    title=given.get("title", ""),
                    body=given["body"],
                    tags=given.get("tags", []),
                    summary=given["summary"],
                    seen_revision=given["seen"],
                ),
            )
            if made is not None:
                return back(request, post, _("Thank you. You hear of it once somebody has decided."))
            if status == 409:
                theirs = type(post)._base_manager.get(pk=post.pk)
                form.data = form.data.copy()  # type: ignore[attr-defined]
                form.data["seen"] = str(latest_revision(post))  # type: ignore[index]
    else:
        initial = {"title": getattr(post, "title", ""), "body": post.body_source, "seen": now}
        if answer is None:
            initial["tags"] = ", ".join(tag.name for tag in post.tags.all())  # type: ignore[union-attr]
        if mine is not None:
            initial.update(body=mine.body_source, tags=mine.tags, summary=mine.summary)
            if not _title_was_taken_away(mine, post, request.user):
                initial["title"] = mine.title
            theirs = post if mine.base != now else None
        form = SuggestForm(initial=initial, post=post)
    imported = post.source_format == Body.Format.HTML
    context = {
        "form": form, "post": post, "thread": thread, "mine": mine, "theirs": theirs, "imported": imported,
        "too_few_to_edit": "" if post.author.is_advocate else permissions.too_few_to_edit(request.user),
    }  # fmt: skip
    response = render(request, "questions/suggest.html", context, status=status)
    if wait := getattr(form, "retry_after", 0):
        response["Retry-After"] = str(wait)
    return response


@require_safe
def suggestions(request: HttpRequest) -> HttpResponse:
    """What waits for this person's decision, the oldest first (`?thread=17`: of one); `?mine=1`: their own."""
    if not request.user.is_authenticated:
        return to_login(request, request.get_full_path())
    user, mine = request.user, "mine" in request.GET
    wanted = request.GET.get("thread", "")
    if mine:
        rows = EditSuggestion.objects.filter(author=user).readable().order_by("-created_at", "-pk")
    else:
        rows = EditSuggestion.objects.waiting().exclude(author=user)
        if not permissions.reviews_edits(user):
            rows = rows.on_posts_of(user)
        if wanted.isdecimal() and len(wanted) < 18:
            rows = rows.filter(thread=int(wanted))
    page = Paginator(rows.for_listing(), PAGE).get_page(request.GET.get("page"))
    return render(request, "questions/suggestions.html", {"page": page, "mine": mine, "filtered": bool(wanted)})


def find_suggestion(request: HttpRequest, pk: int) -> EditSuggestion:
    """A suggested edit for its suggester and those who decide; for everybody else there is none."""
    row = get_object_or_404(EditSuggestion.objects.readable().for_listing(), pk=pk)
    if row.answer is not None:
        row.answer.thread = row.thread
    may = request.user.pk in (row.author_id, row.post.author_id) or permissions.reviews_edits(request.user)
    if not may:
        raise Http404
    return row


@require_http_methods(["GET", "POST"])
def suggestion(request: HttpRequest, pk: int) -> HttpResponse:
    """What would change, word by word; taken over as it is or improved, left with a reason, or taken back."""
    if not request.user.is_authenticated:
        return to_login(request, request.path)
    row = find_suggestion(request, pk)
    post, user = row.post, request.user
    why_not = permissions.why_not_review(user, row)
    may_amend = not why_not and permissions.can_edit(user, post)
    of_answer = row.answer is not None
    verb = request.POST.get("verb", "")
    reject = ReasonForm(posted(request) if verb == "reject" else None, auto_id="reject_%s")
    amend = SuggestForm(
        posted(request) if verb == "amend" else None,
        initial=_to_improve(row, post, user),
        post=post, reviewing=True,
    )  # fmt: skip
    form: Any = {"reject": reject, "amend": amend}.get(verb) or SuggestForm({}, post=post)
    status, problem, theirs = 200, "", None
    if request.method == "POST":
        status = 422
        if verb in ("approve", "withdraw") or form.is_valid():
            form.is_valid()
            said, status = send(form, "vote", user, lambda: _decide(verb, row, user, form))
            if said:
                return back(request, post if verb in ("approve", "amend") else row, str(said))
        problem = " ".join(str(error) for error in form.non_field_errors()) if hasattr(form, "cleaned_data") else ""
        if verb == "amend" and status == 409:  # sending it once more is a decision made knowing the newer version
            post.refresh_from_db(fields=["body_source"] if of_answer else ["title", "body_source"])
            theirs, amend.data = post, amend.data.copy()  # type: ignore[attr-defined]
            amend.data["seen"] = str(latest_revision(post))  # type: ignore[index]
    context = {
        "row": row, "post": post, "thread": row.thread, "why_not": why_not, "may_amend": may_amend, "amend": amend,
        "reject": reject, "verb": verb, "own": row.author_id == user.pk, "problem": problem, "theirs": theirs,
        **_difference(row, post, user),
    }  # fmt: skip
    return render(request, "questions/suggestion.html", context, status=status)


def _decide(verb: str, row: EditSuggestion, user: Any, form: Any) -> str:
    if verb == "approve":
        services.approve_suggestion(row, user)
        return _("Taken over. Whoever suggested it is told.")
    if verb == "amend":
        given = form.cleaned_data
        services.approve_suggestion(
            row, user, title=given.get("title"), body=given["body"], tags=given.get("tags"),
            seen_revision=row.base if given["seen"] is None else given["seen"],
        )  # fmt: skip
        return _("Taken over as you changed it. Whoever suggested it is told.")
    if verb == "reject":
        services.reject_suggestion(row, user, form.cleaned_data["reason"])
        return _("Left as it is. Whoever suggested it reads your reason.")
    if verb == "withdraw":
        services.withdraw_suggestion(row, user)
        return _("Taken back.")
    raise Conflict(_("This button sent something unknown. Please load the page again."))


def _title_was_taken_away(row: EditSuggestion, post: Thread | Answer, user: Any) -> bool:
    """Whether a moderator changed the title since: the one before is for the author and the moderators to read."""
    if row.answer_id or user.pk == post.author_id or is_moderator(user):
        return False
    of_post = Revision.objects.filter(target_type=ContentType.objects.get_for_model(post), target_id=post.pk)
    return of_post.filter(number__gt=row.base, retitled=True).exists()


def _to_improve(row: EditSuggestion, post: Thread | Answer, user: Any) -> dict[str, Any]:
    """What the reviewer starts from: the suggestion brought up to the post as it is now. Where both changed the same,
    the suggested text, and the title and the tags of the post."""
    texts = services.texts_of(post)
    title, body, tags = texts.title, row.body_source, ", ".join(texts.tags)
    if row.is_open:
        try:
            taken = services.rebased(row, post)
        except Conflict:
            pass
        else:
            body = taken.body
            title = title if _title_was_taken_away(row, post, user) else taken.title
            tags = row.tags if taken.tags == services.suggested_texts(row).tags else ", ".join(taken.tags)
    return {"title": title, "body": body, "tags": tags, "seen": latest_revision(post)}


def _difference(row: EditSuggestion, post: Thread | Answer, user: Any) -> dict[str, Any]:
    """From what stands there to what would; from what it started from, where both changed or it is decided."""
    before, after = services.texts_at(post, row.base), services.suggested_texts(row)
    outdated, clash = row.is_open and latest_revision(post) != row.base, False
    if outdated:
        try:
            after = services.rebased(row, post)
            before = services.texts_of(post)
        except Conflict:
            clash = True
    tags = (", ".join(before.tags), ", ".join(after.tags))
    open_title = not _title_was_taken_away(row, post, user)
    return {
        "title_changes": changes(before.title, after.title) if before.title != after.title and open_title else [],
        "tag_changes": changes(*tags) if tags[0] != tags[1] else [],
        "body_changes": changes(before.body, after.body),
        "same_body": before.body == after.body,
        "outdated": outdated,
        "clash": clash,
    }
