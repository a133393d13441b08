"""Merging one thread with another: which one, what would move, and once more before it is done."""

from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from community.moderation.permissions import is_moderator
from community.posts.doors import posted, send, to_login

from .. import likes, permissions, services
from ..forms import MergedForm, MergeForm
from ..models import PrivateDetails, Thread
from .acts import back, came_from, entered, named_thread
from .thread import private_form


@require_http_methods(["GET", "POST"])
def merge(request: HttpRequest, pk: int) -> HttpResponse:
    """`?of=214` shows what would move to thread 214; a POST does it, with a reason."""
    thread = entered(request, pk, permissions.why_not_moderate_thread)
    if isinstance(thread, HttpResponse):
        return thread
    asked = request.GET if "of" in request.GET or "like" in request.GET else None
    given = posted(request) or asked
    certain = request.method == "POST" or (given is not None and given.get("of"))  # it is named: nothing to offer
    form = MergeForm(given, likes=() if certain else likes.of(thread, request.user))
    into, status = None, 200
    if form.is_bound:
        status = 422
        if form.is_valid():
            into = _target(request, form, thread)
        if into is not None and request.method == "POST":
            reason = form.cleaned_data["reason"]
            into_row: Thread = into
            done, status = send(
                form, "vote", request.user, lambda: services.merge_thread(thread, into_row, request.user, reason)
            )
            if done:
                if place := came_from(request):
                    return back(request, place, _("Merged into “%(title)s”.") % {"title": done.title})
                return back(request, done, _("Merged. The old address leads here."))
        elif into is not None:
            status = 200
    form.fields["reason"].required = True  # to do it, not to look
    if certain and into is None:
        form.offer(likes.of(thread, request.user))
    context = {
        "thread": thread,
        "form": form,
        "into": into,
        "plan": services.plan_merge(thread, into) if into else None,
        "is_post": request.method == "POST",
        "came_from": came_from(request),
    }
    return render(request, "questions/merge.html", context, status=status)


@require_http_methods(["GET", "POST"])
def merged(request: HttpRequest, pk: int) -> HttpResponse:
    """A question that was merged: for its asker and staff, who find its private details here, and for moderators, who
    change its title or take it out of "Also asked" where it went. Nobody else learns that it is there."""
    if not request.user.is_authenticated:
        return to_login(request, request.path)
    thread = get_object_or_404(
        Thread.objects.filter(merged_into__isnull=False).select_related("merged_into", "author"), pk=pk
    )
    own, moderates = thread.author_id == request.user.pk, is_moderator(request.user)
    sees = permissions.can_see_private(request.user, thread)
    if not (own or moderates or sees) or not Thread.objects.visible_to(request.user).filter(pk=thread.merged_into_id):
        raise Http404
    form = MergedForm(posted(request), initial={"title": thread.title, "hidden": thread.title_hidden})
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            done, status = send(
                form, "vote", request.user,
                lambda: services.retitle_merged(thread, request.user, **form.cleaned_data) or True,
            )  # fmt: skip
            if done:
                return back(request, thread.merged_into, _("Changed."))
    context = {
        "thread": thread,
        "form": form if moderates else None,
        "private": private_form(thread, request.user),
        "look": sees and not own and PrivateDetails.objects.filter(thread=thread).exists(),
    }
    response = render(request, "questions/merged.html", context, status=status)
    response["Cache-Control"] = "no-store"
    return response


def _target(request: HttpRequest, form: MergeForm, thread: Thread) -> Thread | None:
    """The thread that would stay; what stands against it is said at the field."""
    try:
        into = services.end_of(named_thread(request, form.cleaned_data["of"]), thread)
    except ValidationError as error:
        form.add_error("of", error.message_dict["of"])
        return None
    if reason := services.why_not_merge(thread, into):
        form.add_error("of", reason)
        return None
    return into
