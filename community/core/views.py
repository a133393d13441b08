"""Pages that belong to no room: the language, and the kit of all components for whoever builds pages."""

from datetime import timedelta
from types import SimpleNamespace

from django import forms
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render, resolve_url
from django.templatetags.static import static
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_safe
from django.views.i18n import set_language

from . import clock


@require_http_methods(["GET", "POST"])
def language(request: HttpRequest) -> HttpResponse:
    """Choose the language of the interface. A page of its own, so that no other page needs a form token for it."""
    if request.method == "POST":
        return set_language(request)
    following = request.GET.get("next", "/")
    if not url_has_allowed_host_and_scheme(following, {request.get_host()}, require_https=request.is_secure()):
        following = "/"
    return render(request, "language.html", {"next": following})


@require_http_methods(["GET", "HEAD", "POST"])
def staff_door(request: HttpRequest) -> HttpResponse:
    """Where Wagtail sends whoever it does not let in: to the one login, or, once signed in, to the reason why not.

    Sending those who are signed in to the login, too, would send them in circles.
    """
    if not request.user.is_authenticated:
        where = request.GET.urlencode(safe="/")
        return redirect(f"{resolve_url(settings.LOGIN_URL)}?{where}")
    if request.user.has_perm("wagtailadmin.access_admin"):
        return redirect("wagtailadmin_home")
    raise PermissionDenied(_("This is where the staff work. Everything that is for you is outside of it."))


class KitForm(forms.Form):
    """Every kind of field once."""

    title = forms.CharField(label=_("Title"), help_text=_("15 letters or more."), min_length=15)
    serial = forms.CharField(label=_("Serial number"), required=False)
    about = forms.ChoiceField(label=_("About"), choices=[("duo", "Duo"), ("mill", "Mill 54")])
    kind = forms.ChoiceField(
        label=_("Kind"),
        choices=[("question", _("Question")), ("problem", _("Problem"))],
        widget=forms.RadioSelect,
    )
    photo = forms.FileField(label=_("Photo"), required=False)
    told = forms.BooleanField(label=_("Tell me when somebody answers"), required=False)
    body = forms.CharField(label=_("What happened"), widget=forms.Textarea)


@require_safe
def favicon(request: HttpRequest) -> HttpResponse:
    """Browsers ask here, too, beside what a page names, and for whatever isn't a page."""
    return redirect(static("icons/favicon.svg"), permanent=True)


@require_GET
def styleguide(request: HttpRequest) -> HttpResponse:
    """Every component and state once. For developers: it is nobody else's page."""
    if not settings.DEBUG:
        raise Http404
    now = clock.now()

    def person(username: str, name: str, standing: str, **more: object) -> SimpleNamespace:
        return SimpleNamespace(username=username, name=name, standing=standing, avatar=None, **more)

    form = KitForm(data={"title": "Too short", "about": "duo", "kind": "problem", "body": "It rattles."})
    form.is_valid()
    context = {
        "member": person("alice", "Alice Meyer", "member", reputation=17, rank_name="Beginner"),
        "advocate": person(
            "bob", "Bob Ferreira", "advocate", reputation="4,812", rank_name="Master", role_label="Advocate, Duo"
        ),
        "staff": person("dana", "Dana Okafor", "staff", role_label="Brindle · Support"),
        "erased": person("former", "", "erased"),
        "disclosures": ["Given a Mill 54 by Brindle in 2023."],
        "form": form,
        "page": Paginator(range(1204), 12).page(2),
        "rows": [
            SimpleNamespace(stars=n, count=c, url=f"?stars={n}")
            for n, c in zip((5, 4, 3, 2, 1), (148, 40, 14, 8, 4), strict=True)
        ],
        "total": 214,
        "moments": [
            now - timedelta(**ago) for ago in ({"seconds": 5}, {"minutes": 4}, {"hours": 5}, {"days": 4}, {"days": 100})
        ],
        "states": [
            ("none", _("Nobody has answered. The cup is empty.")),
            ("replied", _("At least one answer, none accepted. Half full.")),
            ("solved", _("The asker accepted, or staff did and told them. Full, with a tick.")),
            ("official", _("A department stands behind an answer. The maker's plate, beside the cup.")),
            ("info", _("Waiting for the asker. The clock is paused.")),
            ("recheck", _("Somebody said that the accepted answer no longer works.")),
            ("late", _("A clock ran out. The only diamond on the site.")),
            ("closed", _("Closed, duplicate, locked: the word says which.")),
        ],
        "drawings": ["duo", "uno", "mill-54", "mill-hand", "kettle", "drip-8", "press", "cold", "scale"],
    }
    return render(request, "styleguide.html", context)
