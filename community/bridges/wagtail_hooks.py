"""Release notes inside the Wagtail admin: what was said of changes, and the form to say the next."""

import re
from collections.abc import Callable
from functools import wraps
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import include, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods, require_safe
from wagtail import hooks
from wagtail.admin import messages
from wagtail.admin.menu import MenuItem

from community.core.errors import Conflict, NotAllowed
from community.core.paging import page_of
from community.questions.models import Thread
from community.questions.permissions import why_not_moderate_thread
from products.models import Product
from reviews.models import Review

from . import releases
from .models import ReleaseNote

ADDRESS = re.compile(r"(questions|ideas|reviews)/(\d{1,18})(?:/|$)")
PER_PAGE = 25


class ReleaseForm(forms.Form):
    product = forms.ModelChoiceField(Product.objects.order_by("name"), label=gettext_lazy("Product"))
    title = forms.CharField(label=gettext_lazy("Title"), max_length=150)
    version = forms.CharField(
        label=gettext_lazy("Version"), max_length=120, required=False,
        help_text=gettext_lazy("Which series or firmware has it."),
    )  # fmt: skip
    you_said = forms.CharField(
        label=gettext_lazy("You said"), max_length=300, widget=forms.Textarea({"rows": 2}),
        help_text=gettext_lazy("In the words of those who asked."),
    )  # fmt: skip
    we_did = forms.CharField(
        label=gettext_lazy("We did"), max_length=300, widget=forms.Textarea({"rows": 2}),
        help_text=gettext_lazy("In one or two sentences. It is the reason of the ideas that ship with it."),
    )  # fmt: skip
    body = forms.CharField(
        label=gettext_lazy("The note"), widget=forms.Textarea({"rows": 8}),
        help_text=gettext_lazy("What changed, and what did not, in Markdown."),
    )  # fmt: skip
    asked = forms.CharField(
        label=gettext_lazy("Who asked for it"), widget=forms.Textarea({"rows": 4}), max_length=6000,
        help_text=gettext_lazy(
            "Addresses of threads, ideas and reviews, one a line. Their authors, voters and those who have the same "
            "are told once, in person; ideas that are open are shipped with the note."
        ),
    )  # fmt: skip
    finding = forms.CharField(
        label=gettext_lazy("What we learned from it"), max_length=300, required=False,
        help_text=gettext_lazy("Shown beside the numbers, sixty days later."),
    )  # fmt: skip

    def __init__(self, *args: Any, note: ReleaseNote | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.threads: list[Thread] = []
        self.reviews: list[Review] = []
        if note is not None:  # who was told, was told
            del self.fields["product"], self.fields["asked"]

    def clean_asked(self) -> str:
        said = self.cleaned_data["asked"]
        for line in filter(None, (line.strip() for line in said.splitlines())):
            found = ADDRESS.search(line)
            model = Review if found and found[1] == "reviews" else Thread
            row = model.objects.visible().filter(pk=found[2]).first() if found else None  # type: ignore[attr-defined]
            if row is None:
                raise ValidationError(_("There is no visible thread or review at “%(line)s”.") % {"line": line[:120]})
            (self.reviews if model is Review else self.threads).append(row)
        return said

    @property
    def words(self) -> dict[str, str]:
        return {name: self.cleaned_data[name] for name in (*releases.WORDS, "body")}


def for_staff(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    @wraps(view)
    def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if reason := why_not_moderate_thread(request.user):
            return TemplateResponse(request, "accounts/admin/refused.html", {"reason": reason}, status=403)
        return view(request, *args, **kwargs)

    return checked


@require_safe
@for_staff
def index(request: HttpRequest) -> HttpResponse:
    """Every note with whether it helped."""
    page = page_of(request, ReleaseNote.objects.for_listing(), PER_PAGE)
    for row in page:
        row.helped = releases.helped(row)
    return TemplateResponse(request, "bridges/desk/changes.html", {"page": page})


def _carry_out(form: ReleaseForm, do: Callable[[], Any]) -> tuple[Any, int]:
    try:
        return do(), 303
    except ValidationError as problem:
        for field, errors in problem.message_dict.items():
            form.add_error(field if field in form.fields else None, errors)
        return None, 422
    except (NotAllowed, Conflict) as problem:
        form.add_error(None, problem.reason)
        return None, 409


@require_http_methods(["GET", "HEAD", "POST"])
@for_staff
def add(request: HttpRequest) -> HttpResponse:
    """Write a note; `?thread=` names one that asked, as the desk does."""
    start = {}
    if thread := Thread.objects.visible().filter(pk__in=_number(request.GET.get("thread", ""))).first():
        start = {"asked": request.build_absolute_uri(thread.get_absolute_url()), "product": thread.product_id}
    form, status = ReleaseForm(request.POST if request.method == "POST" else None, initial=start), 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            note, status = _carry_out(
                form,
                lambda: releases.publish_release(
                    request.user, form.cleaned_data["product"], threads=form.threads, reviews=form.reviews, **form.words
                ),
            )
            if note is not None:
                told = len(releases.who_asked(note))
                messages.success(
                    request,
                    ngettext(
                        "It is online. %(n)d person who asked is being told.",
                        "It is online. %(n)d people who asked are being told.",
                        told,
                    )
                    % {"n": told},
                )
                return HttpResponseRedirect(reverse("desk_changes:index"), status=303)
    return TemplateResponse(request, "bridges/desk/change.html", {"form": form, "note": None}, status=status)


def _number(said: str) -> list[int]:
    return [int(said)] if said.isdecimal() and len(said) < 19 else []


@require_http_methods(["GET", "HEAD", "POST"])
@for_staff
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change the words; nobody is told again."""
    note = get_object_or_404(ReleaseNote.objects.select_related("product"), pk=pk)
    start = {name: getattr(note, name) for name in releases.WORDS} | {"body": note.body_source}
    form, status = ReleaseForm(request.POST if request.method == "POST" else None, initial=start, note=note), 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            _done, status = _carry_out(form, lambda: releases.mend_release(note, request.user, **form.words) or True)
            if status == 303:
                messages.success(request, _("Saved. Nobody is told again."))
                return HttpResponseRedirect(reverse("desk_changes:index"), status=303)
    return TemplateResponse(request, "bridges/desk/change.html", {"form": form, "note": note}, status=status)


@hooks.register("register_admin_urls")
def change_urls() -> list[Any]:
    patterns = [path("", index, name="index"), path("add/", add, name="add"), path("<int:pk>/", edit, name="edit")]
    return [path("changes/", include((patterns, "desk_changes"), namespace="desk_changes"))]


class ChangesItem(MenuItem):
    def is_shown(self, request: HttpRequest) -> bool:
        return not why_not_moderate_thread(request.user)


@hooks.register("register_admin_menu_item")
def changes_item() -> MenuItem:
    address = reverse("desk_changes:index")
    return ChangesItem(gettext_lazy("You said, we did"), address, name="changes", icon_name="check", order=75)
