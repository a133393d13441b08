"""You said, we did: all changes, those of a product, one of them, and whether it helped."""

from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from community.accounts.models import User
from community.core.paging import page_of
from products.models import Product

from . import releases
from .models import ReleaseHelp, ReleaseNote

PER_PAGE = 20


@require_safe
def changes(request: HttpRequest, slug: str = "") -> HttpResponse:
    """What changed because somebody asked, newest first; of one product where one is named. Three queries."""
    product = get_object_or_404(Product, slug=slug) if slug else None
    found = ReleaseNote.objects.for_listing()
    page = page_of(request, found.filter(product=product) if product else found, PER_PAGE)
    for row in page:
        row.helped = releases.helped(row)
    return render(request, "bridges/changes.html", {"product": product, "page": page})


@require_safe
def note(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """One change, who asked for it, and whether it helped."""
    row = get_object_or_404(ReleaseNote.objects.for_listing(), pk=pk)
    if row.product.slug != slug:
        return redirect(row, permanent=True)
    return _page(request, row)


def _page(request: HttpRequest, row: Any, problem: str = "", status: int = 200) -> HttpResponse:
    mine, asks = "", False
    if request.user.is_authenticated and row.asked_at is not None:
        asks = not releases.why_not_say(request.user, row)
        mine = ReleaseHelp.objects.filter(target=row, voter=request.user).values_list("said", flat=True).first() or ""
    context = {
        "note": row,
        "asked_by": releases.visible_ties(row, request.user),
        "helped": releases.helped(row),
        "choices": ReleaseHelp.Said.choices,
        "mine": mine,
        "asks": asks,
        "problem": problem,
        "is_staff": not releases.why_not_moderate_thread(request.user),
    }
    return render(request, "bridges/change.html", context, status=status)


@require_POST
@login_required
def say(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    row = get_object_or_404(ReleaseNote.objects.for_listing(), pk=pk, product__slug=slug)
    try:
        releases.say_whether_it_helped(row, cast(User, request.user), request.POST.get("said", ""))
    except ValidationError as problem:
        return _page(request, row, " ".join(problem.messages), 422)
    messages.success(request, _("Thank you. Your answer is counted."))
    return redirect(f"{row.get_absolute_url()}#helped")
