"""Settings: what somebody tells about themselves and how they sign in."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from . import services
from .forms import ProfileForm, UsernameForm
from .models import User


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
        else:
            messages.success(request, _("Saved."))
            return redirect("accounts:profile")
    return render(request, "accounts/profile.html", {"form": form}, status=422 if form.errors else 200)


@login_required
def username(request: HttpRequest) -> HttpResponse:
    """Another user name; the old address redirects."""
    form = UsernameForm(request.POST or None, user=request.user)
    if request.method == "POST" and form.is_valid():
        try:
            services.rename(request.user, form.cleaned_data["username"])
        except ValidationError as error:
            form.add_error(None, error)
        else:
            messages.success(request, _("Your new user name is %(name)s.") % {"name": request.user.username})
            return redirect("accounts:username")
    return render(request, "accounts/username.html", {"form": form}, status=422 if form.errors else 200)
