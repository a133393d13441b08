"""Shelves inside the Wagtail admin: whose product it is, receipt codes, orders that wait, known issues."""

import csv
from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Any, cast

from allauth.account.models import EmailAddress
from django import forms
from django.core.paginator import Paginator
from django.db.models import Count, Max, Min, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import include, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from wagtail import hooks
from wagtail.admin import messages
from wagtail.admin.menu import MenuItem
from wagtail.log_actions import LogActionRegistry, log

from community.accounts.models import User
from community.core import clock
from community.core.models import Numbers
from community.core.spoken_forms import field_name
from community.events.log import looked_at
from products.models import CodeBatch, OrderLine, OwnerAlert
from products.services import verify_for, why_not_keep_shelves

from . import alerts, codes
from .forms import AlertForm, BatchForm, EndForm, VerifyForm, WordsForm
from .views import told

A_PAGE = 50
TABS = (
    ("shelves:people", gettext_lazy("Whose is it")),
    ("shelves:codes", gettext_lazy("Receipt codes")),
    ("shelves:orders", gettext_lazy("Orders")),
    ("shelves:issues", gettext_lazy("Known issues")),
)
View = Callable[..., HttpResponse]


def for_agents(view: View) -> View:
    @wraps(view)
    def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if reason := why_not_keep_shelves(request.user):
            return TemplateResponse(request, "accounts/admin/refused.html", {"reason": reason}, status=403)
        return view(request, *args, **kwargs)

    return checked


def _show(request: HttpRequest, name: str, context: dict[str, Any], status: int = 200) -> HttpResponse:
    here = {"issue": "issues"}.get(name, name)
    tabs = [(reverse(address), label, address == f"shelves:{here}") for address, label in TABS]
    response = TemplateResponse(request, f"products/desk/{name}.html", {"tabs": tabs, **context}, status=status)
    response["Cache-Control"] = "private, no-store"
    return response


def _by(request: HttpRequest) -> User:
    return cast(User, request.user)  # an agent, as `for_agents` asked


@require_safe
@for_agents
def people(request: HttpRequest) -> HttpResponse:
    """Find one person, by user name or whole address: shelves aren't listed."""
    words = request.GET.get("q", "").replace("\0", "").strip()[:254]
    if words:
        confirmed = EmailAddress.objects.filter(email=words.lower(), verified=True).values("user")
        found = User.objects.filter(Q(username__iexact=words) | Q(pk__in=confirmed)).first()
        if found is not None:
            if "@" in words:
                looked_at(found, _by(request), "email")
            return HttpResponseRedirect(reverse("shelves:person", args=[found.pk]))
    return _show(request, "people", {"q": words})


@require_http_methods(["GET", "HEAD", "POST"])
@for_agents
def person(request: HttpRequest, pk: int) -> HttpResponse:
    """Somebody's shelf. Every look is logged; a mark is given and taken back with a reason."""
    owner = get_object_or_404(User, pk=pk)
    form, status = VerifyForm(request.POST if request.method == "POST" else None), 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            given = form.cleaned_data
            row, status = told(
                form,
                lambda: verify_for(
                    owner, given["product"], _by(request), verified=given["verified"], reason=given["reason"]
                ),
            )
            if row is not None:
                log(instance=owner, action="shelf.verified" if given["verified"] else "shelf.unverified",
                    data={"product": row.product.slug})  # fmt: skip
                messages.success(request, _("Done, and in the log."))
                return HttpResponseRedirect(reverse("shelves:person", args=[pk]), status=303)
    looked_at(owner, _by(request), "shelf")
    log(instance=owner, action="shelf.viewed")
    shelf = owner.shelf.select_related("product", "version").order_by("-added_at", "-pk")
    return _show(request, "person", {"owner": owner, "shelf": shelf, "form": form}, status)


@require_http_methods(["GET", "HEAD", "POST"])
@for_agents
def code_batches(request: HttpRequest) -> HttpResponse:
    """Batches with how many of their codes are used; making one answers with the codes, this once, as CSV."""
    form, status = BatchForm(request.POST if request.method == "POST" else None), 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            given = form.cleaned_data
            made, status = told(
                form,
                lambda: codes.make_batch(given["product"], _by(request), count=given["count"], note=given["note"]),
            )
            if made is not None:
                return _download(*made)
    batches: QuerySet[Any] = CodeBatch.objects.select_related("product", "made_by").annotate(
        made=Count("codes"), used=Count("codes", filter=Q(codes__used_at__isnull=False))
    )
    page = Paginator(batches.order_by("-made_at", "-pk"), A_PAGE).get_page(request.GET.get("p"))
    return _show(request, "codes", {"form": form, "page": page}, status)


def _download(batch: CodeBatch, made: list[str]) -> HttpResponse:
    """Only letters, digits and dashes stand in it: no spreadsheet takes one for a formula."""
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="codes-{batch.pk}.csv"'
    response["Cache-Control"] = "no-store"
    writer = csv.writer(response)
    writer.writerow(["code"])
    writer.writerows([code] for code in made)
    return response


@require_safe
@for_agents
def orders(request: HttpRequest) -> HttpResponse:
    """What shops told us, in numbers: no address is known here, and no order number either."""
    sources = (
        OrderLine.objects.order_by("source")
        .values("source")
        .annotate(
            waiting=Count("pk", filter=Q(matched_at=None)),
            matched=Count("pk", filter=Q(matched_at__isnull=False)),
            last=Max("imported_at"),
            first=Min("imported_at", filter=Q(matched_at=None)),
        )
    )
    kept = timedelta(days=Numbers.load().orders_kept_days)
    rows = [{**row, "erased": row["first"] + kept if row["first"] else None} for row in sources]
    waiting = OrderLine.objects.waiting().select_related("product", "version").order_by("-imported_at", "-pk")
    page = Paginator(waiting, A_PAGE).get_page(request.GET.get("p"))
    return _show(request, "orders", {"sources": rows, "page": page, "kept": kept.days, "now": clock.now()})


@require_http_methods(["GET", "HEAD", "POST"])
@for_agents
def issues(request: HttpRequest) -> HttpResponse:
    """Recalls follow from the product's own screen; known issues are told from here."""
    form, status = AlertForm(request.POST if request.method == "POST" else None), 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            given = form.cleaned_data
            alert, status = told(
                form,
                lambda: alerts.issue(given["product"], _by(request), versions=given["versions"], **form.words),
            )
            if alert is not None:
                log(instance=alert, action="wagtail.create")
                messages.success(request, _("Its owners are being told."))
                return HttpResponseRedirect(reverse("shelves:issues"), status=303)
    rows = OwnerAlert.objects.select_related("product", "issued_by").prefetch_related("versions")
    page = Paginator(rows.order_by("ended_at", "-issued_at", "-pk"), A_PAGE).get_page(request.GET.get("p"))
    return _show(request, "issues", {"form": form, "page": page}, status)


@require_http_methods(["GET", "HEAD", "POST"])
@for_agents
def issue(request: HttpRequest, pk: int) -> HttpResponse:
    """The words of an open known issue: corrected, or said in one more language."""
    alert = get_object_or_404(OwnerAlert.objects.open().select_related("product"), pk=pk, kind=alerts.Kind.KNOWN_ISSUE)
    known = {"title": alert.title, "text": alert.text, "url": alert.url}
    for code, words in alert.translations.items():
        known |= {field_name(code, column): line for column, line in words.items()}
    form, status = WordsForm(request.POST if request.method == "POST" else None, initial=known), 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            saved, status = told(form, lambda: alerts.reword(alert, _by(request), **form.words))
            if saved is not None:
                log(instance=saved, action="wagtail.edit", data={"verb": "reword"})
                messages.success(request, _("Saved. Nobody is told anew."))
                return HttpResponseRedirect(reverse("shelves:issues"), status=303)
    return _show(request, "issue", {"form": form, "alert": alert}, status)


@require_POST
@for_agents
def end_issue(request: HttpRequest) -> HttpResponse:
    form: forms.Form = EndForm(request.POST)
    if form.is_valid():
        alert = alerts.end(form.cleaned_data["alert"], _by(request))
        log(instance=alert, action="wagtail.edit", data={"verb": "end"})
        messages.success(request, _("It is over, and its owners are being told."))
    else:
        messages.error(request, _("There is no such known issue."))
    return HttpResponseRedirect(reverse("shelves:issues"), status=303)


@hooks.register("register_log_actions")
def log_actions(actions: LogActionRegistry) -> None:
    actions.register_action("shelf.viewed", gettext_lazy("Look at a shelf"), gettext_lazy("Looked at the shelf"))
    actions.register_action("shelf.verified", gettext_lazy("Confirm an owner"), gettext_lazy("Confirmed as owner"))
    actions.register_action(
        "shelf.unverified", gettext_lazy("Take back an owner's mark"), gettext_lazy("Mark of an owner taken back")
    )


@hooks.register("register_admin_urls")
def shelf_urls() -> list[Any]:
    patterns = [
        path("", people, name="people"),
        path("of/<int:pk>/", person, name="person"),
        path("codes/", code_batches, name="codes"),
        path("orders/", orders, name="orders"),
        path("issues/", issues, name="issues"),
        path("issues/<int:pk>/", issue, name="issue"),
        path("issues/end/", end_issue, name="end_issue"),
    ]
    return [path("shelves/", include((patterns, "shelves"), namespace="shelves"))]


class ShelvesItem(MenuItem):
    def is_shown(self, request: HttpRequest) -> bool:
        return not why_not_keep_shelves(request.user)


@hooks.register("register_admin_menu_item")
def shelves_item() -> MenuItem:
    return ShelvesItem(gettext_lazy("Shelves"), reverse("shelves:people"), name="shelves", icon_name="tag", order=80)
