"""What moderators decided about oneself: why, until when, and saying once that it is wrong."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from community.accounts import services as accounts
from community.accounts.models import Penalty, User
from community.moderation import penalties

from .doors import posted, send
from .forms import PenaltyAppealForm


@login_required
@require_safe
def conduct(request: HttpRequest) -> HttpResponse:
    """One's warnings, silences and suspensions, the newest first, with what became of appeals."""
    user = User.objects.get(pk=request.user.pk)
    found = list(user.penalties.select_related("appeal")[:100])
    for one in found:
        one.may_appeal = not hasattr(one, "appeal") and not penalties.why_not_appeal(user, one)
    return render(request, "posts/conduct.html", {"penalties": found, "silenced": user.is_silenced()})


@login_required
@require_http_methods(["GET", "POST"])
def appeal(request: HttpRequest, pk: int) -> HttpResponse:
    """Appeal against one of them; somebody else's is not there."""
    penalty = get_object_or_404(Penalty.objects.select_related("person"), pk=pk, person=request.user.pk)
    return _appeal(request, penalty, signed_in=True)


@never_cache
@require_http_methods(["GET", "POST"])
def appeal_suspension(request: HttpRequest, token: str) -> HttpResponse:
    """The same from the mail, for whoever can't sign in. The address itself is the key, so no search engine and no
    other site learns of it."""
    penalty = accounts.penalty_of(token)
    if penalty is None or penalty.person.is_erased:
        raise Http404
    response = _appeal(request, penalty, signed_in=False)
    response["Referrer-Policy"] = "same-origin"
    return response


def _appeal(request: HttpRequest, penalty: Penalty, *, signed_in: bool) -> HttpResponse:
    person = penalty.person
    form, status = PenaltyAppealForm(posted(request)), 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            words = form.cleaned_data["words"]
            made, status = send(
                form, "message", person, lambda: penalties.appeal_penalty(penalty, person, words)
            )  # fmt: skip
            if made is not None:
                messages.success(request, _("Sent. Somebody else looks at it, and you hear of it."))
                return redirect(request.path)
    context = {
        "form": form,
        "penalty": penalty,
        "appeal": getattr(penalty, "appeal", None),
        "closed": penalties.why_not_appeal(person, penalty),
        "signed_in": signed_in,
    }
    response = render(request, "posts/appeal_penalty.html", context, status=status)
    if wait := getattr(form, "retry_after", 0):
        response["Retry-After"] = str(wait)
    return response
