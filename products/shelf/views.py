"""My Shelf: `/settings/shelf/`. Nobody but its owner sees it; whether others see the names of things is chosen at
`/settings/`."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.db.models import Model, OuterRef, Subquery
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from community.core import limits, panels
from community.core.errors import Conflict, NotAllowed
from community.core.models import CommunityRendition
from products import services
from products.models import Ownership, Product
from products.pictures import THUMB

from . import alerts, codes
from .forms import AddForm, CodeForm, UnitForm


def told(form: forms.Form, service: Callable[[], Any]) -> tuple[Any, int]:
    """What the service made and 0, or None and the status to show the form again with; reasons at their fields."""
    try:
        return service(), 0
    except ValidationError as problem:
        for name, errors in getattr(problem, "error_dict", {"": problem.messages}).items():
            form.add_error(name if name in form.fields else None, errors)
        return None, 422
    except NotAllowed as problem:
        form.add_error(None, problem.reason)
        return None, 403
    except Conflict as problem:
        form.add_error(None, problem.reason)
        return None, 409
    except limits.Limited as problem:
        form.add_error(None, problem.reason)
        return None, 429
    except Ownership.DoesNotExist:
        form.add_error(None, _("It no longer stands on the shelf."))
        return None, 409


def _thumb() -> Subquery:
    """The file of the small square of a product's first picture, where the worker has made it."""
    shown = CommunityRendition.objects.filter(
        filter_spec=THUMB,
        image__in_galleries__page__product=OuterRef("product"),
        image__in_galleries__page__live=True,
    )
    return Subquery(shown.order_by("image__in_galleries__sort_order", "pk").values("file")[:1])


def shelf_of(person: Any) -> list[Ownership]:
    """Their rows with all that the page shows, what its panels asked to bring along, and the owner's profile. Three
    queries."""
    found = person.shelf.select_related("product", "version", "owner__profile").annotate(
        thumb=_thumb(), **panels.brought("shelf", person)
    )
    rows = list(found.order_by("-added_at", "-pk"))
    storage = CommunityRendition._meta.get_field("file").storage  # type: ignore[union-attr]
    for row in rows:
        row.picture_url = storage.url(row.thumb) if row.thumb else ""
    alerts.put_on(rows)
    return rows


def _page(
    request: HttpRequest, *, add: forms.Form | None = None, code: forms.Form | None = None, status: int = 200
) -> HttpResponse:
    shelf = shelf_of(request.user)
    owner: Any = shelf[0].owner if shelf else request.user
    context = {
        "shelf": shelf,
        "add": add or AddForm(auto_id="add_%s"),
        "code": code or CodeForm(auto_id="code_%s"),
        "shown": owner.profile.show_shelf,
    }
    response = render(request, "products/shelf.html", context, status=status)
    response["Cache-Control"] = "private, no-store"
    return response


@require_safe
@login_required
def shelf(request: HttpRequest) -> HttpResponse:
    return _page(request)


@require_POST
@login_required
@limits.limited("settings")
def add(request: HttpRequest) -> HttpResponse:
    """Put a product on it, then say more about it where it has versions."""
    form, status = AddForm(request.POST, auto_id="add_%s"), 422
    if form.is_valid():
        product, bought_on = form.cleaned_data["product"], form.cleaned_data["bought_on"]

        def work() -> Ownership:
            services.check_bought_on(bought_on)
            return services.add_to_shelf(product, by=request.user, bought_on=bought_on)  # type: ignore[arg-type]

        row, status = told(form, work)
        if row is not None:
            messages.success(request, _("It stands on your shelf."))
            if row.version_id is None and product.versions.exists():
                return redirect("shelf:unit", product.slug)
            return redirect("shelf:shelf")
    return _page(request, add=form, status=status)


@require_POST
@login_required
def code(request: HttpRequest) -> HttpResponse:
    """Redeem a receipt code. Tries are counted by person and by address: neither many accounts nor many places help."""
    form, status = CodeForm(request.POST, auto_id="code_%s"), 422
    if form.is_valid():

        def work() -> Ownership:
            limits.spend("receipt", request.user)
            limits.spend("receipt", limits.client_ip(request))
            return codes.redeem(form.cleaned_data["code"], request.user)  # type: ignore[arg-type]

        row, status = told(form, work)
        if row is not None:
            said = _("You are a verified owner of the %(product)s.") % {"product": row.product.name}
            messages.success(request, said)
            return redirect("shelf:shelf")
    return _page(request, code=form, status=status)


def _mine(request: HttpRequest, slug: str) -> Ownership:
    rows: Any = Ownership.objects.select_related("product", "version")
    return get_object_or_404(rows, owner=request.user, product__slug=slug)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def unit(request: HttpRequest, slug: str) -> HttpResponse:
    """Which version it is, since when, its number."""
    row = _mine(request, slug)
    known = {"version": row.version_id, "bought_on": row.bought_on, "serial": row.serial}
    form = UnitForm(request.POST if request.method == "POST" else None, product=row.product, initial=known)
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            saved, status = told(
                form,
                lambda: services.change_on_shelf(row.product, request.user, **form.cleaned_data),  # type: ignore[arg-type]
            )
            if saved is not None:
                messages.success(request, _("Saved."))
                return redirect("shelf:shelf")
    alerts.put_on([row])
    response = render(request, "products/unit.html", {"own": row, "form": form}, status=status)
    response["Cache-Control"] = "private, no-store"
    return response


@require_POST
@login_required
def remove(request: HttpRequest, slug: str) -> HttpResponse:
    product: Model = get_object_or_404(Product, slug=slug)
    services.remove_from_shelf(product, by=request.user)  # type: ignore[arg-type]
    messages.success(request, _("Taken off your shelf."))
    return redirect("shelf:shelf")
