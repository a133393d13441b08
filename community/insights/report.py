"""From daily figures to what a page, an export and a mail say. Reads stored figures only."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

from django.db.models import Q, Sum
from django.template.defaultfilters import floatformat
from django.utils import formats
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from . import roi
from .baseline import SERIES
from .daily import DAY, month_of, next_month
from .metrics import DEFINITIONS, Definition
from .models import Baseline, DailyFigure, Figure, LateChange, Month
from .querysets import DailyFigureQuerySet

SHOWN_MONTHS = 13  # a year, and the month it is compared with
FEW = 20  # below it a share is an anecdote, and the page says so
Z = 1.96  # 95 %
Counts = Counter[tuple[str, int]]  # (part, value) to how often


@dataclass(frozen=True)
class Scope:
    """Whose figures: ids, or nothing for all."""

    department: int | None = None
    product: int | None = None
    kind: str = ""

    def daily(self, first: date, last: date) -> DailyFigureQuerySet:
        found = DailyFigure.objects.between(first, last)
        return found.narrowed(department=self.department, product=self.product, kind=self.kind)


@dataclass
class Line:
    """One row of a chart: what it is called, a value a month, and what it was before."""

    series: str
    label: str | Promise
    values: list[float | None]
    unit: str
    baseline: Decimal | None = None
    source: str = ""

    @property
    def now(self) -> float | None:
        return self.values[-1] if self.values else None

    @property
    def before(self) -> float | None:
        return self.values[-2] if len(self.values) > 1 else None

    @property
    def shown(self) -> str:
        return shown(self.now, self.unit)

    @property
    def baseline_shown(self) -> str:
        return shown(float(self.baseline), self.unit) if self.baseline is not None else ""

    @property
    def change(self) -> str:
        return change(self.now, self.before, self.unit)


@dataclass
class Section:
    """One figure as the page shows it."""

    figure: str
    definition: Definition
    lines: list[Line]
    months: list[date]
    totals: list[int]
    good: list[int] = field(default_factory=list)
    late: list[LateChange] = field(default_factory=list)

    @property
    def late_in_words(self) -> list[tuple[LateChange, str]]:
        """What would be different in frozen months, each with its outcome."""
        parts = dict(self.definition.parts)
        return [(row, str(parts.get(row.part) or _("cases"))) for row in self.late]

    @property
    def name(self) -> str:
        return str(Figure(self.figure).label)

    @property
    def data_id(self) -> str:
        """Of the element that holds what the script draws."""
        return f"{self.figure}-data"

    @property
    def total(self) -> int:
        return self.totals[-1]

    @property
    def of(self) -> str:
        """What the value stands on, in words."""
        n, figure = self.total, self.figure
        if figure == Figure.DEFLECTION:
            return ""
        if not n:
            return _("Nothing to count in this month.")
        if self.good:
            return _("%(good)d of %(all)d") % {"good": self.good[-1], "all": n}
        return ngettext("%(n)d case", "%(n)d cases", n) % {"n": n}

    @property
    def interval(self) -> str:
        """Where the true share lies in 19 of 20 such months, where few cases make it uncertain."""
        if not self.good or not self.total:
            return ""
        low, high = wilson(self.good[-1], self.total)
        return _("With so many cases the share lies between %(low)s and %(high)s in 19 of 20 months.") % {
            "low": shown(low * 100, "%"),
            "high": shown(high * 100, "%"),
        }

    @property
    def is_few(self) -> bool:
        return self.figure != Figure.DEFLECTION and 0 < self.total < FEW

    @property
    def rows(self) -> list[tuple[date, list[str], int]]:
        """The table: a month, the value of each line, what it stands on."""
        cells = zip(self.months, zip(*(line.values for line in self.lines), strict=True), self.totals, strict=True)
        return [
            (month, [shown(value, line.unit) for value, line in zip(values, self.lines, strict=True)], total)
            for month, values, total in cells
        ]

    @property
    def sources(self) -> list[tuple[str, str, str]]:
        return [(str(line.label), line.baseline_shown, line.source) for line in self.lines if line.baseline is not None]

    @property
    def chart(self) -> dict:
        """What the script draws; all of it stands in the table as well."""
        return {
            "stacked": self.figure == Figure.SETTLED_BY,
            "unit": self.lines[0].unit,
            "months": [formats.date_format(month, "M y") for month in self.months],
            "lines": [
                {
                    "label": str(line.label),
                    "values": [None if value is None else round(value, 2) for value in line.values],
                    "baseline": float(line.baseline) if line.baseline is not None else None,
                    "baselineLabel": _("%(name)s, before") % {"name": line.label},
                }
                for line in self.lines
            ],
            "label": self.summary,
        }

    @property
    def summary(self) -> str:
        """The chart in a sentence, for whoever doesn't see it."""
        said = ", ".join(f"{line.label} {line.shown}" for line in self.lines)
        return _("%(name)s by month, as in the table below. Last: %(values)s.") % {"name": self.name, "values": said}


def shown(value: float | None, unit: str) -> str:
    """A value with no more digits than it bears: whole per cent, two digits of hours, numbers of contacts as given."""
    if value is None:
        return "–"
    # Not number_format: it cuts digits off, and 84.9 would read 84.
    if unit == "%":
        return _("%(n)s %%") % {"n": floatformat(value, 0)}
    if unit == "h":
        if value < 1:
            return _("%(n)s min") % {"n": floatformat(value * 60, 0)}
        return _("%(n)s h") % {"n": floatformat(value, "1g" if value < 10 else "0g")}
    return str(floatformat(value, "0g"))


def change(now: float | None, before: float | None, unit: str) -> str:
    """Against the month before, in words."""
    if now is None or before is None:
        return ""
    if unit == "%":
        points = round(now) - round(before)
        if not points:
            return _("as in the month before")
        words = (
            ngettext("%(n)d point more than the month before", "%(n)d points more than the month before", points)
            if points > 0
            else ngettext("%(n)d point less than the month before", "%(n)d points less than the month before", -points)
        )
        return words % {"n": abs(points)}
    return _("%(value)s the month before") % {"value": shown(before, unit)}


def wilson(good: int, n: int) -> tuple[float, float]:
    """The interval of Wilson for a share, 95 %."""
    share, z2 = good / n, Z * Z
    middle = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = Z * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n)) / (1 + z2 / n)
    return max(0.0, middle - half), min(1.0, middle + half)


def quantile(counts: Mapping[int, int], share: float) -> float | None:
    """The value that `share` of all are not above (nearest rank); None of nothing."""
    left = math.ceil(share * sum(counts.values()))
    for value in sorted(counts):
        left -= counts[value]
        if left <= 0:
            return float(value)
    return None


# The series of each figure

MEDIAN, NINETIETH = gettext_lazy("Median"), gettext_lazy("Nine of ten within")
LEVELS = (
    ("low", gettext_lazy("Low")),
    ("middle", gettext_lazy("Middle")),
    ("high", gettext_lazy("High")),
)


def series_of(figure: str) -> list[tuple[str, str | Promise, str]]:
    """(series, label, unit) of a figure, as baselines name them."""
    if figure == Figure.RESOLUTION:
        return [("resolution_median", MEDIAN, "h"), ("resolution_p90", NINETIETH, "h")]
    if figure == Figure.SETTLED_BY:
        return [(f"settled_by_{part}", label, "%") for part, label in DEFINITIONS[figure].parts]
    if figure == Figure.DEFLECTION:
        return [(f"deflection_{level}", label, "n") for level, label in LEVELS]
    return [(figure, DEFINITIONS[figure].parts[0][1], "%")]


def values_of(figure: str, counts: Counts, rates: roi.Rates) -> list[float | None]:
    """A value for each series of a figure, from how often what happened in a period."""
    parts: Counter[str] = Counter()
    for (part, _value), n in counts.items():
        parts[part] += n
    total = parts.total()
    if figure == Figure.DEFLECTION:
        if not total:
            return [None, None, None]
        return [float(one.rounded) for one in roi.contacts_spared(parts, rates)]
    if not total:
        return [None] * len(series_of(figure))
    if figure == Figure.RESOLUTION:
        times = {value: n for (_part, value), n in counts.items()}
        return [minutes / 60 for share in (0.5, 0.9) if (minutes := quantile(times, share)) is not None]
    if figure == Figure.SETTLED_BY:
        return [100 * parts[part] / total for part, _label in DEFINITIONS[figure].parts]
    return [100 * parts[DEFINITIONS[figure].parts[0][0]] / total]


def _total(figure: str, counts: Counts) -> int:
    return counts.total() if figure != Figure.DEFLECTION else counts["stopped", 0]


def months_until(last: date, number: int = SHOWN_MONTHS) -> list[date]:
    """So many firsts of months, the last of them that of `last`."""
    found = [month_of(last)]
    while len(found) < number:
        found.append(month_of(found[-1] - DAY))
    return found[::-1]


def baselines() -> dict[str, tuple[Decimal, str]]:
    """For each series the mean of its periods, weighted by their days, and where it comes from. One query."""
    found: dict[str, list[Baseline]] = defaultdict(list)
    for row in Baseline.objects.all():
        found[row.series].append(row)
    return {series: _mean(rows) for series, rows in found.items()}


def _mean(rows: Sequence[Baseline]) -> tuple[Decimal, str]:
    days = [(row.last - row.first).days + 1 for row in rows]
    value = sum((row.value * n for row, n in zip(rows, days, strict=True)), Decimal(0)) / sum(days)
    first, last = min(row.first for row in rows), max(row.last for row in rows)
    period = _("%(first)s to %(last)s") % {
        "first": formats.date_format(first, "SHORT_DATE_FORMAT"),
        "last": formats.date_format(last, "SHORT_DATE_FORMAT"),
    }
    return value, f"{'; '.join(dict.fromkeys(row.source for row in rows))} ({period})"


def sections(scope: Scope, last: date, figures: Iterable[str] = tuple(DEFINITIONS)) -> list[Section]:
    """All figures of a scope for the year that ends with a month. Four queries."""
    months = months_until(last)
    counts: dict[tuple[date, str], Counts] = defaultdict(Counter)
    for month, figure, part, value, n in scope.daily(months[0], next_month(months[-1]) - DAY).by_month():
        counts[month, figure][part, value] += n
    before, rates = baselines(), roi.rates()
    late: dict[str, list[LateChange]] = defaultdict(list)
    changed = LateChange.objects.filter(month__first__in=months).select_related("month").order_by("month__first")
    for row in changed if scope == Scope() else ():  # they are counted for the whole community alone
        late[row.figure].append(row)
    return [_section(figure, months, counts, before, rates, late[figure]) for figure in figures]


def _section(
    figure: str, months: list[date], counts: Mapping[tuple[date, str], Counts],
    before: Mapping[str, tuple[Decimal, str]], rates: roi.Rates, late: list[LateChange],
) -> Section:  # fmt: skip
    empty: Counts = Counter()
    by_month = [counts.get((month, figure), empty) for month in months]
    values = [values_of(figure, one, rates) for one in by_month]
    lines = []
    for place, (series, label, unit) in enumerate(series_of(figure)):
        value, source = before.get(series, (None, ""))
        lines.append(Line(series, label, [row[place] for row in values], unit, value, source))
    definition = DEFINITIONS[figure]
    is_share = lines[0].unit == "%" and figure != Figure.SETTLED_BY
    return Section(
        figure, definition, lines, months, [_total(figure, one) for one in by_month],
        [one[definition.parts[0][0], 0] for one in by_month] if is_share else [], late,
    )  # fmt: skip


def totals(scope: Scope, first: date, last: date) -> dict[str, Counts]:
    """How often what happened in some days. One query."""
    found: dict[str, Counts] = defaultdict(Counter)
    rows = scope.daily(first, last).values_list("figure", "part", "value").annotate(n=Sum("count"))
    for figure, part, value, n in rows.order_by("figure", "part", "value"):
        found[figure][part, value] += n
    return found


@dataclass(frozen=True)
class Said:
    """A series in words: for mails and the first page."""

    label: str
    now: str
    before: str
    of: int
    baseline: str = ""
    cases: str = ""  # what it stands on: a share of one case says little


def today_and_month(scope: Scope, today: date) -> tuple[dict[str, Counts], dict[str, Counts]]:
    """How often what happened today, and in the month so far. One query."""
    day: dict[str, Counts] = defaultdict(Counter)
    month: dict[str, Counts] = defaultdict(Counter)
    rows = scope.daily(month_of(today), today).values_list("figure", "part", "value")
    for figure, part, value, n, all_n in rows.annotate(
        n=Sum("count", filter=Q(day=today), default=0), all_n=Sum("count")
    ).order_by("figure", "part", "value"):
        day[figure][part, value] += n
        month[figure][part, value] += all_n
    return day, month


def in_words(
    now: Mapping[str, Counts], before: Mapping[str, Counts], figures: Iterable[str], *, with_baseline: bool = True
) -> list[Said]:
    """Each series of some figures, with the period before and the baseline. Two queries at most."""
    figures = list(figures)
    rates: roi.Rates = roi.rates() if Figure.DEFLECTION in figures else {}
    known = baselines() if with_baseline else {}
    found = []
    empty: Counts = Counter()
    for figure in figures:
        this, that = now.get(figure, empty), before.get(figure, empty)
        both = zip(series_of(figure), values_of(figure, this, rates), values_of(figure, that, rates), strict=True)
        for (series, _label, unit), value, previous in both:
            name = SERIES[series][0] if series in SERIES else _("Settled by the asker alone")
            base = shown(float(known[series][0]), unit) if series in known else ""
            n = _total(figure, this)
            cases = ngettext("%(n)d case", "%(n)d cases", n) % {"n": n} if n and figure != Figure.DEFLECTION else ""
            found.append(Said(str(name), shown(value, unit), shown(previous, unit), n, base, cases))
    return found


def month_row(first: date) -> Month | None:
    return Month.objects.filter(first=first).first()


def week_before(day: date) -> tuple[date, date]:
    """Monday and Sunday of the week before the one of `day`."""
    monday = day - timedelta(days=day.weekday() + 7)
    return monday, monday + timedelta(days=6)
