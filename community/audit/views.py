"""The audit inside the Wagtail admin: who did what to whom, when and why, before and after."""

from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from community.core import clock, csvs
from community.events.kinds import KINDS

from . import reading, words


def why_not_audit(user: Any) -> str:
    if user.is_authenticated and user.has_perm("core.change_numbers"):
        return ""
    return _("The audit is for community managers.")


class SearchForm(forms.Form):
    who = forms.CharField(label=gettext_lazy("Who did it"), required=False, max_length=80)
    whom = forms.CharField(label=gettext_lazy("To whom"), required=False, max_length=80)
    group = forms.ChoiceField(label=gettext_lazy("What"), required=False)
    since = forms.DateField(label=gettext_lazy("From"), required=False, widget=forms.DateInput({"type": "date"}))
    until = forms.DateField(label=gettext_lazy("Until"), required=False, widget=forms.DateInput({"type": "date"}))
    q = forms.CharField(label=gettext_lazy("Words of the reason"), required=False, max_length=100)
    kind = forms.ChoiceField(required=False, widget=forms.HiddenInput)
    about = forms.RegexField(r"^\d{1,9}-\d{1,18}$", required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, auto_id="audit_%s", **kwargs)
        self.fields["group"].choices = [  # type: ignore[attr-defined]
            ("", _("Everything")), *((name, label) for name, (label, _kinds) in words.GROUPS.items())
        ]  # fmt: skip
        self.fields["kind"].choices = [("", ""), *((kind, words.label(kind)) for kind in KINDS)]  # type: ignore[attr-defined]
        for name, field in self.fields.items():
            if name not in ("kind", "about"):
                field.widget.attrs["class"] = "dsk-input"

    def clean_about(self) -> tuple[int, ...] | None:
        said = self.cleaned_data["about"]
        return tuple(int(part) for part in said.split("-")) if said else None

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("since") and data.get("until") and data["since"] > data["until"]:
            self.add_error("until", _("This day lies before the first one."))
        return data


def for_auditors(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    @wraps(view)
    def checked(request: HttpRequest) -> HttpResponse:
        if reason := why_not_audit(request.user):
            return TemplateResponse(request, "accounts/admin/refused.html", {"reason": reason}, status=403)
        form = SearchForm({name: value.replace("\0", "") for name, value in request.GET.items()})
        if form.is_valid():
            return view(request, form)
        if set(form.errors) & {"kind", "about", "group"}:  # no field of these to mend it in
            raise Http404
        return TemplateResponse(request, "audit/audit.html", {"form": form, "page": None}, status=422)

    return checked


@require_safe
@for_auditors
def audit(request: HttpRequest, form: SearchForm) -> HttpResponse:
    """Acts as asked for, a page at a time."""
    asked = form.cleaned_data
    try:
        page = reading.page_of(
            reading.search(asked), after=request.GET.get("after", ""), before=request.GET.get("before", "")
        )
    except (ValueError, OverflowError):
        raise Http404 from None
    given = {name: value for name, value in request.GET.items() if value and name in form.fields}
    context = {
        "form": form,
        "page": page,
        "narrowed": bool(given),
        "query": urlencode(given),
        "kind": words.label(asked["kind"]) if asked["kind"] else "",
        "about": asked["about"],
    }
    return TemplateResponse(request, "audit/audit.html", context)


@require_safe
@for_auditors
def audit_csv(request: HttpRequest, form: SearchForm) -> HttpResponse:
    """The same acts as a file, all of them; that somebody took it is an entry itself (events.middleware)."""
    found = reading.search(form.cleaned_data)

    def lines() -> Iterator[list[Any]]:
        yield ["time_utc", "who", "user_name", "kind", "act", "target", "address", "whom", "reason", "before_and_after",
               "data", "origin"]  # fmt: skip
        for line in reading.in_batches(found):
            event = line.event
            yield [
                event.occurred_at.isoformat(timespec="seconds"), event.actor or "",
                event.actor.username if event.actor else "", event.kind, line.label, line.target, line.address,
                event.whom.username if event.whom else "", line.reason,
                "; ".join(f"{name}: {old} → {new}" for name, old, new in line.changes),
                "; ".join(f"{name}: {value}" for name, value in line.facts), event.origin,
            ]  # fmt: skip

    return csvs.response(f"audit-{clock.now():%Y-%m-%d}.csv", lines())
