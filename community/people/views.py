"""Pages of people: what they own, know, wrote and earned, as far as they show it."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from advocates.badges import nearest
from advocates.models import Reason
from community.accounts.models import Profile, User
from community.core.errors import require
from community.moderation import reports as reporting
from community.moderation.models import ProfileReport
from community.posts.doors import posted, send, to_login
from community.posts.forms import ReportForm

from . import reading, structured


@require_safe
def person(request: HttpRequest, username: str) -> HttpResponse:
    """Somebody's page. A name they had once redirects for good; whoever left keeps a page that says so."""
    found, renamed = reading.find(username)
    if renamed is not None:
        return redirect(renamed, permanent=True)
    if found is None:
        raise Http404
    if found.username != username:
        return redirect(found, permanent=True)
    if found.is_erased or not found.is_active:
        return render(request, "people/gone.html", {"person": found})
    if not hasattr(found, "profile"):
        found.profile = Profile(user=found)
    is_me = request.user.is_authenticated and request.user.pk == found.pk
    numbers = reading.figures(found)
    badges, more_badges = reading.badges(found)
    return render(
        request,
        "people/person.html",
        {
            "person": found,
            "figures": numbers,
            "shelf": reading.shelf(found),
            "skills": reading.skills(found),
            "badges": badges,
            "more_badges": more_badges,
            "nearest": nearest(found) if is_me else [],
            "member": reading.membership(found),
            "is_me": is_me,
            "brought": reading.brought(found) if is_me else 0,
            "noindex": reading.has_little(found, numbers),
            "structured": structured.profile_page(found, request, numbers.answers),
        },
    )


@require_safe
@login_required
def points(request: HttpRequest, username: str) -> HttpResponse:
    """Where each of one's own points comes from. Nobody else sees this page."""
    if request.user.username != username:
        raise Http404
    reason, product = request.GET.get("reason", ""), request.GET.get("product", "")
    lines = reading.lines(request.user)
    products = lines.products
    if (reason and reason not in Reason.values) or (product and product not in dict(products)):
        raise Http404
    paginator = Paginator(reading.ledger(request.user, reason, product), 50)
    paginator.count = lines.count(reason, product)  # type: ignore[misc]  # known already: no query of its own
    page = paginator.get_page(request.GET.get("page"))
    entries = list(page.object_list)
    reading.annotate_ledger(entries, request.user)
    context = {
        "person": request.user,
        "page": page,
        "entries": entries,
        "reason": reason,
        "reasons": lines.reasons,
        "product": product,
        "products": products,
    }
    return render(request, "people/points.html", context)


def _somebody(username: str) -> User:
    return get_object_or_404(User.objects.filter(is_active=True).exclude(standing="erased"), username=username)


@require_http_methods(["GET", "POST"])
def report(request: HttpRequest, username: str) -> HttpResponse:
    """Say that a moderator should look at somebody's picture, name or page."""
    if not request.user.is_authenticated:
        return to_login(request, request.path)
    someone = _somebody(username)
    require(reporting.why_not_report(request.user, someone))
    form = ReportForm(posted(request), initial={"reason": "picture" if someone.avatar else None})
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            done, status = send(
                form, "flag", request.user, lambda: reporting.report(someone, request.user, **form.cleaned_data)
            )
            if done is not None:
                messages.success(request, _("Thank you. A moderator will look at it; nobody sees that it was you."))
                return redirect(someone)
    response = render(request, "people/report.html", {"person": someone, "form": form}, status=status)
    if wait := getattr(form, "retry_after", 0):
        response["Retry-After"] = str(wait)
    return response


@login_required
@require_http_methods(["GET", "POST"])
def reports(request: HttpRequest, username: str) -> HttpResponse:
    """What moderators read about a reported page, and where they say that they have looked. Reporters have no name."""
    someone = get_object_or_404(User, username=username)
    require(reporting.why_not_settle(request.user, someone))
    if request.method == "POST":
        reporting.settle(someone, request.user, upheld=request.POST.get("upheld") == "yes")
        messages.success(request, _("Noted."))
        return redirect("moderation:queue")
    found = ProfileReport.objects.filter(person=someone, settled_at=None)
    return render(request, "people/reports.html", {"person": someone, "reports": found})
