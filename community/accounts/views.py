"""Settings: what somebody tells about themselves and how they sign in."""

from datetime import date

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from community.core import limits
from community.core.errors import NotAllowed
from community.events.models import Event

from . import services
from .forms import PictureForm, ProfileForm, UsernameForm
from .models import User

LOOKS = 500  # of these at most the page tells; it says so


@login_required
def profile(request: HttpRequest) -> HttpResponse:
    """One's page as others see it, and what stays private."""
    user = User.objects.get(pk=request.user.pk)
    form = ProfileForm(request.POST or None, instance=user)
    if request.method == "POST" and form.is_valid():
        try:
            services.edit_profile(User.objects.get(pk=user.pk), **form.cleaned_data)
        except ValidationError as error:
            form.add_error(None, error)
        except NotAllowed as error:
            form.add_error(None, error.reason)
        else:
            messages.success(request, _("Saved."))
            return redirect("accounts:profile")
    return _profile(request, form, PictureForm(), 422 if form.errors else 200)


def _profile(request: HttpRequest, form: ProfileForm, picture: PictureForm, status: int) -> HttpResponse:
    return render(request, "accounts/profile.html", {"form": form, "picture": picture}, status=status)


@require_POST
@login_required
def picture(request: HttpRequest) -> HttpResponse:
    """The picture beside one's name: another one, or none (`away`)."""
    user = User.objects.get(pk=request.user.pk)
    form, status = PictureForm(request.POST, request.FILES), 422
    away = "away" in request.POST
    if away or form.is_valid():
        try:
            limits.spend("upload", user)
            services.change_picture(user, None if away else form.cleaned_data["picture"])
        except ValidationError as error:
            form.add_error("picture", error.messages)
        except NotAllowed as error:
            form.add_error(None, error.reason)
            status = 403
        except limits.Limited as error:
            form.add_error(None, error.reason)
            status = 429
        else:
            messages.success(request, _("Your picture is gone.") if away else _("Saved."))
            return redirect("accounts:profile")
    return _profile(request, ProfileForm(instance=user), form, status)


@login_required
def username(request: HttpRequest) -> HttpResponse:
    """Another user name; the old address redirects."""
    form = UsernameForm(request.POST or None, user=request.user)
    if request.method == "POST" and form.is_valid():
        try:
            services.rename(request.user, form.cleaned_data["username"])
        except ValidationError as error:
            form.add_error(None, error)
        except NotAllowed as error:
            form.add_error(None, error.reason)
        else:
            messages.success(request, _("Your new user name is %(name)s.") % {"name": request.user.username})
            return redirect("accounts:username")
    return render(request, "accounts/username.html", {"form": form}, status=422 if form.errors else 200)


# What staff looked at, in words for the person it is about. Who looked is the house's matter, and in its audit.
SEEN = {
    "private_details": gettext_lazy("The private details you gave with a question or problem"),
    "email": gettext_lazy("Your mail address: somebody who knew it searched for it"),
    "shelf": gettext_lazy("Your shelf, also what you show to nobody"),
    "application": gettext_lazy("Your application to become an advocate"),
    "account": gettext_lazy("Your account page for staff"),
}


@login_required
@require_safe
def seen(request: HttpRequest) -> HttpResponse:
    """How often staff saw what is private about somebody, of which kind, and on which days."""
    looks: dict[str, dict[date, int]] = {}
    user = User.objects.get(pk=request.user.pk)
    for event in Event.objects.looks_at(user).newest_first().only("data", "occurred_at")[:LOOKS]:
        days = looks.setdefault(event.data.get("what", ""), {})
        day = event.occurred_at.date()
        days[day] = days.get(day, 0) + 1
    kinds = [(SEEN.get(what, what), sum(days.values()), list(days.items())) for what, days in looks.items()]
    return render(request, "accounts/seen.html", {"kinds": kinds, "most": LOOKS})


@require_http_methods(["GET", "HEAD", "POST"])
def keyboard(request: HttpRequest) -> HttpResponse:
    """What single keys do, as a page or as the sheet that opens over one (`?sheet=1`); members switch them here."""
    if request.method == "POST":
        if not request.user.is_authenticated:
            return redirect_to_login(request.path)
        wanted = request.POST.get("shortcuts") == "on"
        User.objects.filter(pk=request.user.pk).update(shortcuts=wanted)
        messages.success(request, _("Single keys are on.") if wanted else _("Single keys are off."))
        back = request.POST.get("next", "")
        ours = url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure())
        return redirect(back if back and ours else "keyboard")
    sheet = "sheet" in request.GET
    context = {"next": "", "closable": sheet}
    return render(request, "accounts/_keys.html" if sheet else "accounts/keyboard.html", context)
