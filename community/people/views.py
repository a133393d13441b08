"""Pages of people: what they own, know, wrote and earned, as far as they show it."""

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from advocates.badges import nearest
from advocates.models import Reason
from community.accounts.models import Profile

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
