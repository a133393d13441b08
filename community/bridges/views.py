from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from community.core.errors import require
from community.posts.doors import act, send
from community.posts.photos import photos_of
from reviews.models import Review
from reviews.permissions import departments_of

from . import permissions, services
from .forms import FixForm, ProposeForm
from .models import Bridge


def _open(request: HttpRequest, pk: int) -> Review:
    return get_object_or_404(Review.objects.visible_to(request.user).for_listing(), pk=pk)


def _thank(request: HttpRequest, thread: Any) -> HttpResponse:
    if thread.is_visible:
        messages.success(request, _("Thank you. Here it is dealt with; you hear of every answer."))
    else:
        messages.success(request, _("Thank you. A moderator reads the thread first; you hear of it."))
    return redirect(thread)


@act("post")
def start(request: HttpRequest, pk: int) -> HttpResponse:
    """The author's one click: "let us fix this"."""
    one = _open(request, pk)
    return _thank(request, services.start_thread(one, request.user, show_outcome=bool(request.POST.get("show"))))


@act("post")
def agree(request: HttpRequest, pk: int) -> HttpResponse:
    one = _open(request, pk)
    return _thank(
        request,
        services.agree(
            one, request.user, show_outcome=bool(request.POST.get("show")), kind=request.POST.get("kind", "")
        ),
    )


@act("post")
def decline(request: HttpRequest, pk: int) -> HttpResponse:
    one = _open(request, pk)
    services.decline(one, request.user)
    messages.success(request, _("Noted: no thread. Your review stays as it is."))
    return redirect(one)


@act("post")
def outcome(request: HttpRequest, pk: int) -> HttpResponse:
    one = _open(request, pk)
    on = request.POST.get("show") == "yes"
    services.set_outcome(one, request.user, on)
    if on:
        messages.success(request, _("Your review says what comes of it from now on."))
    else:
        messages.success(request, _("Your review no longer says what came of it."))
    return redirect(one)


@login_required
@require_http_methods(["GET", "POST"])
def propose(request: HttpRequest, pk: int) -> HttpResponse:
    one = _open(request, pk)
    require(permissions.why_not_propose(request.user, one))
    known = Bridge.objects.filter(review=one, state=Bridge.State.OFFERED).select_related("department").first()
    initial = {"department": known.department if known else services.department_for(one.product)}
    if known:
        initial |= {"passage": known.passage, "note": known.note}
    return _ask(
        request, one, ProposeForm(request.POST or None, initial=initial), services.propose_thread,
        _("Its author is asked. Nothing happens to the review meanwhile."),
    )  # fmt: skip


@login_required
@require_http_methods(["GET", "POST"])
def offer(request: HttpRequest, pk: int) -> HttpResponse:
    one = _open(request, pk)
    departments = departments_of(request.user)
    require(permissions.why_not_offer_fix(request.user, one, departments[0] if departments else None))
    form = FixForm(request.POST or None, departments=departments)
    return _ask(request, one, form, services.offer_fix, _("Its author is asked. The review stays as it is."))


def _ask(request: HttpRequest, one: Review, form: Any, service: Any, done: str) -> HttpResponse:
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            made, status = send(form, "vote", request.user, lambda: service(one, request.user, **form.cleaned_data))
            if made is not None:
                messages.success(request, done)
                return redirect(one)
    fix = isinstance(form, FixForm)
    context = {"review": one, "form": form, "fix": fix, "photos": photos_of([one])[one.pk]}
    return render(request, "bridges/offer.html", context, status=status)
