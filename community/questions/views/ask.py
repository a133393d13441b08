"""Asking: title first, with what looks alike. A visitor writes first and signs up after; nothing is lost between."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render, resolve_url
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_http_methods

from community.core import limits
from community.moderation.permissions import why_not_write
from community.posts import services as posts
from community.posts.doors import long_open, refuse, send
from products.models import Product

from .. import services
from ..forms import AskForm
from ..models import Kind, Thread

KEPT = "kept_question"  # in the session: what a visitor wrote before signing in
DRAFT = "ask"
FIELDS = ("kind", "product", "other_product", "model_version", "title", "body", "tags", *AskForm.PRIVATE, "follow")


@require_http_methods(["GET", "HEAD", "POST"])
@ensure_csrf_cookie
def ask(request: HttpRequest) -> HttpResponse:
    if request.method != "POST":
        return _show(request, *_first_form(request))
    form = AskForm(request.POST)
    if not form.is_valid():
        return _show(request, form, status=422)
    if not request.user.is_authenticated:
        return _keep_for_later(request, form)
    given = form.cleaned_data
    thread, status = send(form, "post", request.user, lambda: _post(request, given, form.private()))
    if thread is None:
        return _show(request, form, status=status)
    posts.drop_draft(request.user, DRAFT)
    request.session.pop(KEPT, None)
    if thread.is_visible:
        messages.success(request, _("Posted. You hear of every answer."))
    return redirect(thread)


def _post(request: HttpRequest, given: dict[str, Any], private: dict[str, str]) -> Thread:
    thread = services.post_thread(
        request.user,
        kind=given["kind"],
        title=given["title"],
        body=given["body"],
        product=given["product"],
        model_version=given["model_version"],
        tags=given["tags"],
        private=private if given["kind"] in (Kind.QUESTION, Kind.PROBLEM) else None,
        language=get_language() or "en",
    )
    if not given["follow"]:
        posts.unfollow(thread, request.user)
    return thread


def _first_form(request: HttpRequest) -> tuple[AskForm, str]:
    """The form as it opens: what was written before, else what the address brings along."""
    kept = request.session.get(KEPT) if request.session.session_key else None
    if kept:
        return AskForm(initial={**kept, "started": long_open()}), "kept"
    came_with = {
        name: request.GET[name][:200]
        for name in ("title", "product", "kind", "tags", "body")
        if request.GET.get(name, "").strip()
    }
    if came_with.get("kind") not in Kind.values:
        came_with.pop("kind", None)
    if not came_with.get("title"):
        drafted = posts.draft_of(request.user, DRAFT)
        if drafted.get("title") or drafted.get("body"):
            initial = {name: drafted[name] for name in FIELDS if name in drafted and name != "follow"}
            return AskForm(initial={**initial, **came_with}), "draft"
    return AskForm(initial=came_with), ""


def _show(request: HttpRequest, form: AskForm, origin: str = "", status: int = 200) -> HttpResponse:
    user = request.user
    value = form["product"].value()
    if isinstance(value, Product):
        value = value.slug
    value = value or form["other_product"].value()
    shelf = (
        [row.product for row in user.shelf.select_related("product").order_by("added_at")[:6]]
        if user.is_authenticated
        else []
    )
    products = list(Product.objects.order_by("position", "name").only("slug", "name", "short_name"))
    known = {product.slug for product in shelf}
    chosen = next((product for product in products if product.slug == value), None)
    if chosen is not None and chosen.slug not in known:
        shelf = [chosen, *shelf]
        known.add(chosen.slug)
    context = {
        "form": form,
        "origin": origin,
        "draft_url": f"{reverse('posts:draft')}?key={DRAFT}",
        "kinds": [(kind, form["kind"].value() == kind.value) for kind in Kind],
        "kind": form["kind"].value() or Kind.QUESTION.value,
        "shelf": shelf,
        "others": [product for product in products if product.slug not in known],
        "product_value": chosen.slug if chosen else "",
        "chosen": chosen,
        "closed": why_not_write(user) if user.is_authenticated else "",
        "private_open": any(form[name].value() or form[name].errors for name in AskForm.PRIVATE),
    }
    response = render(request, "questions/ask.html", context, status=status)
    if wait := getattr(form, "retry_after", 0):
        response["Retry-After"] = str(wait)
    return response


def _keep_for_later(request: HttpRequest, form: AskForm) -> HttpResponse:
    """Sign up now; the question is kept meanwhile, and posted with one press afterwards."""
    try:
        limits.spend_for("write_first", request)
    except limits.Limited as error:
        response = refuse(request, error.reason, 429, kept=form.cleaned_data["body"], back=request.path)
        response["Retry-After"] = str(error.wait)
        return response
    request.session[KEPT] = {name: request.POST.get(name, "")[:20_000] for name in FIELDS}
    place = urlencode({"next": reverse("questions:ask")})
    return redirect(f"{resolve_url('account_signup')}?{place}")
