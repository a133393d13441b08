"""The figures inside the Wagtail admin: one page for all, one for the rows behind each, one for cost and return."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import formats
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods
from wagtail.admin import messages

from community.accounts.models import Department
from community.core import clock, csvs
from community.core.errors import NotAllowed
from community.core.paging import page_of
from community.questions.models import Kind
from products.models import Product

from . import permissions, report, roi
from .daily import DAY, month_of, next_month
from .forms import InputsForm
from .metrics import DEFINITIONS
from .models import Fact, Figure, Month

View = Callable[..., HttpResponse]
PER_PAGE = 50


@dataclass(frozen=True)
class Asked:
    """What the address asks for, as far as somebody may see it."""

    scope: report.Scope
    month: date
    department: Department | None
    product: Product | None
    departments: list[Department]
    products: list[Product]
    sees_all: bool

    @property
    def query(self) -> str:
        named = {
            "month": f"{self.month:%Y-%m}",
            "department": self.department.slug if self.department else "",
            "product": self.product.slug if self.product else "",
            "kind": self.scope.kind,
        }
        return urlencode({name: value for name, value in named.items() if value})

    @property
    def words(self) -> str:
        """The scope in words, for the head of the page."""
        parts = [
            str(self.department) if self.department else _("all departments"),
            str(self.product) if self.product else "",
            str(Kind(self.scope.kind).label) if self.scope.kind else "",
            formats.date_format(self.month, "F Y"),
        ]
        return " · ".join(part for part in parts if part)


def asked(view: View) -> View:
    """Give the view what is asked for; say why to who may not see it. A department nobody knows is 404."""

    @wraps(view)
    def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        sees_all = permissions.sees_all(request.user)
        slug = request.GET.get("department", "")
        departments = list(Department.objects.filter(archived_at__isnull=True))
        if sees_all:
            department = _one(departments, slug)
        else:  # an agent begins with, and stays at, the own department
            own = request.user.department_id
            department = next((one for one in departments if one.pk == own), None)
            if slug and (department is None or slug != department.slug):
                department = _one(departments, slug)
        if reason := permissions.why_not_see(request.user, department.pk if department else None):
            return TemplateResponse(request, "escalation/refused.html", {"reason": reason}, status=403)
        products = list(Product.objects.order_by("name"))
        product = _one(products, request.GET.get("product", ""))
        kind = request.GET.get("kind", "")
        if kind and kind not in Kind.values:
            raise Http404
        scope = report.Scope(department.pk if department else None, product.pk if product else None, kind)
        found = Asked(scope, _month(request), department, product, departments, products, sees_all)
        return view(request, found, *args, **kwargs)

    return checked


def _one(rows: list[Any], slug: str) -> Any:
    if not slug:
        return None
    found = next((row for row in rows if row.slug == slug), None)
    if found is None:
        raise Http404
    return found


def _month(request: HttpRequest) -> date:
    """The month asked for; the current one unless another is named, never one that lies ahead."""
    today = month_of(clock.now().date())
    words = request.GET.get("month", "")
    if not words:
        return today
    try:
        found = min(today, date.fromisoformat(f"{words}-01"))
    except ValueError:
        raise Http404 from None
    if found.year < 2000:  # there was no community, and the first year of all has no year before it
        raise Http404
    return found


def _known(figure: str) -> str:
    if figure not in DEFINITIONS:
        raise Http404
    return figure


@require_GET
@asked
def figures(request: HttpRequest, asked: Asked) -> HttpResponse:
    """All figures of a month with their trend."""
    today = month_of(clock.now().date())
    month = report.month_row(asked.month)
    shown = [name for name, said in DEFINITIONS.items() if said.by_department or asked.department is None]
    context = {
        "asked": asked,
        "sections": report.sections(asked.scope, asked.month, shown),
        "month": month,
        "months": report.months_until(today, 25)[::-1],
        "kinds": Kind.choices,
        "is_current": asked.month == today,
        "without": [Figure(name).label for name in DEFINITIONS if name not in shown],
    }
    return TemplateResponse(request, "insights/figures.html", context)


def _facts(asked: Asked, figure: str) -> Any:
    found = Fact.objects.filter(figure=figure).between(asked.month, next_month(asked.month) - DAY).counted()
    scope = asked.scope
    found = found.narrowed(department=scope.department, product=scope.product, kind=scope.kind)
    return found.for_listing()


@require_GET
@asked
def rows(request: HttpRequest, asked: Asked, figure: str) -> HttpResponse:
    """The rows behind a figure in a month, newest first."""
    definition = DEFINITIONS[_known(figure)]
    if asked.department and not definition.by_department:
        raise Http404
    part = request.GET.get("part", "")
    if part and part not in dict(definition.parts):
        raise Http404
    found = _facts(asked, figure)
    page = page_of(request, found.filter(part=part) if part else found, PER_PAGE)
    labels = dict(definition.parts)
    for row in page:
        row.outcome, row.title = said_of(row, labels), title_of(row)
    context = {
        "asked": asked,
        "name": Figure(figure).label,
        "figure": figure,
        "definition": definition,
        "page": page,
        "part": part,
        "by_reading": figure == Figure.DEFLECTION,
    }
    return TemplateResponse(request, "insights/rows.html", context)


def said_of(row: Fact, labels: dict[str, Any]) -> str:
    """What a row adds to its figure, in words."""
    return str(labels[row.part]) if row.part else report.shown(row.value / 60, "h")


def title_of(row: Fact) -> str:
    """The title of its thread; nothing when that is taken away, or its title is: a month that is over names it, too."""
    thread = row.thread
    seen = thread.merged_into or thread
    return thread.title if seen.is_visible and not thread.title_hidden else ""


@require_GET
@asked
def rows_csv(request: HttpRequest, asked: Asked, figure: str) -> HttpResponse:
    """The rows behind a figure in a month, as a file; read a batch at a time."""
    definition = DEFINITIONS[_known(figure)]
    if asked.department and not definition.by_department:
        raise Http404

    def lines() -> Iterator[list[Any]]:
        yield ["day", "time_utc", "figure", "outcome", "minutes", "count", "thread", "title", "department",
               "product", "kind"]  # fmt: skip
        for row in _facts(asked, figure).iterator(chunk_size=1000):
            yield [
                row.day.isoformat(), row.at.isoformat(timespec="seconds"), row.figure, row.part,
                row.value if figure == Figure.RESOLUTION else None, row.count, row.thread_id, title_of(row),
                row.department.slug if row.department else "", row.product.slug if row.product else "", row.kind,
            ]  # fmt: skip

    return csvs.response(f"{figure}-{asked.month:%Y-%m}-rows.csv", lines())


@require_GET
@asked
def figure_csv(request: HttpRequest, asked: Asked, figure: str) -> HttpResponse:
    """A figure by month, with what it stands on and its baseline, as a file."""
    definition = DEFINITIONS[_known(figure)]
    if asked.department and not definition.by_department:
        raise Http404
    (section,) = report.sections(asked.scope, asked.month, [figure])

    def lines() -> Iterator[list[Any]]:
        yield ["month", "series", "value", "unit", "of", "baseline", "source"]
        for line in section.lines:
            for month, value, total in zip(section.months, line.values, section.totals, strict=True):
                yield [
                    f"{month:%Y-%m}", line.series, None if value is None else round(value, 2), line.unit, total,
                    None if line.baseline is None else round(float(line.baseline), 2), line.source,
                ]  # fmt: skip

    return csvs.response(f"{figure}-{asked.month:%Y-%m}.csv", lines())


@require_http_methods(["GET", "POST"])
def value(request: HttpRequest) -> HttpResponse:
    """Cost and return of the twelve months before this one, and the inputs, which a manager can change."""
    if not permissions.sees_all(request.user):
        reason = _("Cost and return are for community managers and leads.")
        return TemplateResponse(request, "escalation/refused.html", {"reason": reason}, status=403)
    inputs = roi.given()
    may_change = not permissions.why_not_change_inputs(request.user)
    form = InputsForm(request.POST or None, inputs=inputs)
    if request.method == "POST" and form.is_valid():
        try:
            changed = roi.set_inputs(form.values(), request.user)
        except NotAllowed as refused:
            return TemplateResponse(request, "escalation/refused.html", {"reason": refused.reason}, status=403)
        except ValidationError as problem:
            for field, words in problem.message_dict.items():
                form.add_error(field, words)
        else:
            messages.success(request, _("Saved.") if changed else _("Nothing was different."))
            return HttpResponseRedirect(reverse("insights:value"))
    months = report.months_until(month_of(clock.now().date()), 13)[:-1]
    counted = Month.objects.filter(first__in=months, through__isnull=False).count()
    parts: dict[str, int] = {}
    for (part, _value), n in report.totals(report.Scope(), months[0], next_month(months[-1]) - DAY)[
        Figure.DEFLECTION
    ].items():
        parts[part] = parts.get(part, 0) + n
    context = {
        "form": form,
        "may_change": may_change,
        "inputs": inputs,
        "outcome": roi.reckon(parts, counted, [str(label) for _level, label in report.LEVELS], inputs),
        "first": months[0],
        "last": months[-1],
        "counted": counted,
        "parts": [
            (label, formats.number_format(parts.get(part, 0), 0, force_grouping=True))
            for part, label in DEFINITIONS[Figure.DEFLECTION].parts
        ],
    }  # fmt: skip
    return TemplateResponse(request, "insights/value.html", context, status=400 if form.errors else 200)
