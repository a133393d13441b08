"""Whom one can mention in a thread, and whom one can invite to answer it."""

from django import forms
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from community.accounts.models import User
from community.core import limits
from community.posts.doors import refuse, send, to_login

from .. import people as around
from .. import permissions, services
from ..models import Thread
from .acts import back, get_thread


@require_safe
def people(request: HttpRequest, pk: int) -> HttpResponse:
    """`?q=al`: whom to offer after an @, those of the thread first. For members only: it isn't a directory."""
    if not request.user.is_authenticated:
        return JsonResponse({"error": _("Please sign in first.")}, status=401)
    thread = get_thread(request, pk)
    try:
        limits.spend("matches", request.user)
    except limits.Limited as error:
        response = JsonResponse({"error": error.reason}, status=429)
        response["Retry-After"] = str(error.wait)
        return response
    words = request.GET.get("q", "")
    found = around.named(words, besides=[request.user.pk], first=around.speakers(thread))
    made = JsonResponse({"people": [{"username": person.username, "name": str(person)} for person in found]})
    made["Cache-Control"] = "private, no-store"
    return made


@require_http_methods(["GET", "POST"])
def invite(request: HttpRequest, pk: int) -> HttpResponse:
    """Choose somebody by name, or one of those who own the product or know it; each is told once."""
    if not request.user.is_authenticated:
        return to_login(request, request.path)
    thread = get_thread(request, pk)
    if reason := permissions.why_not_invite(request.user, thread):
        return refuse(request, reason, 403, back=thread.get_absolute_url())
    status, problem = 200, ""
    if request.method == "POST":
        name = request.POST.get("person", "").strip().lstrip("@").lower()[:40]
        person = User.objects.active().filter(username=name).first()
        form = forms.Form({})
        form.is_valid()
        if person is None:
            problem, status = _("There is nobody of this name here."), 422
        else:
            made, status = send(form, "message", request.user, lambda: services.invite(thread, person, request.user))
            if made is not None:
                said = _("%(name)s is invited, and is told once.") % {"name": person}
                return back(request, request.path, said)
            problem = " ".join(form.non_field_errors())
    words = request.GET.get("q", "")[:40]
    found = around.named(words, besides=[request.user.pk, thread.author_id], first=around.speakers(thread))
    invited = list(thread.invitations.select_related("person", "person__department", "by").order_by("created_at"))
    taken = {row.person_id for row in invited}
    context = {
        "thread": thread,
        "words": words,
        "too_short": 0 < len(words.strip().lstrip("@")) < around.SHORTEST,
        "found": [_reason(person, thread, request.user, taken) for person in found],
        "owners": [_reason(person, thread, request.user, taken) for person in around.owners(thread, request.user)],
        "invited": invited,
        "problem": problem,
    }
    return render(request, "questions/invite.html", context, status=status)


def _reason(person: User, thread: Thread, by: User, taken: set[int]) -> tuple[User, str]:
    """Somebody, and why they are not to be invited; nothing where they are."""
    if person.pk in taken:
        return person, _("Invited")
    return person, permissions.why_not_invited(person, thread, by)
