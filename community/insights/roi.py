"""Cost and return, with what goes in named: (return − investment) / investment (FEATURES K).

A number that somebody typed is as exact as its digits say, and a result has no more digits than the least exact
number in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import formats
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from community.accounts.models import User
from community.core import clock
from community.core.errors import require
from community.events.log import record

from . import permissions
from .models import Input

RULE_OF_THUMB = gettext_lazy("Rule of thumb of the field (Vanilla Forums); measure your own")


@dataclass(frozen=True)
class Named:
    """An input: what it is, in what unit, what holds until somebody says otherwise, and how large it can be."""

    name: str
    label: str | Promise
    unit: str | Promise
    value: str
    source: str | Promise
    most: Decimal = Decimal(1)


INPUTS: dict[str, Named] = {
    row.name: row
    for row in (
        Named(
            "cost_per_contact", gettext_lazy("Cost of one contact by mail or telephone"), gettext_lazy("euro"), "",
            "", Decimal(10_000),
        ),
        Named(
            "rate_low", gettext_lazy("Low: contacts spared for each who was about to ask and stopped"),
            gettext_lazy("share"), "1.00", gettext_lazy("By what it says: they came to ask, and did not"),
        ),
        Named(
            "rate_middle", gettext_lazy("Middle adds: contacts spared for each reading of a settled thread"),
            gettext_lazy("share"), "0.20", RULE_OF_THUMB,
        ),
        Named(
            "rate_high", gettext_lazy("High adds: contacts spared for each other reading"),
            gettext_lazy("share"), "0.05", RULE_OF_THUMB,
        ),
        Named(
            "running_cost", gettext_lazy("Running the community, a month"), gettext_lazy("euro"), "", "",
            Decimal(10_000_000),
        ),
        Named(
            "staff_cost", gettext_lazy("Time of staff in the community, a month"), gettext_lazy("euro"), "", "",
            Decimal(10_000_000),
        ),
    )
}  # fmt: skip
RATES = ("rate_low", "rate_middle", "rate_high")
COSTS = ("running_cost", "staff_cost")


@dataclass(frozen=True)
class Exact:
    """A number and how many of its digits mean something; None is exact, as what was counted."""

    value: Decimal
    digits: int | None = None

    def __mul__(self, other: Exact) -> Exact:
        return Exact(self.value * other.value, least(self.digits, other.digits))

    @property
    def place(self) -> int | None:
        """Of the last digit that means something: 0 is ones, 2 is hundreds."""
        return None if self.digits is None or not self.value else self.value.adjusted() - (self.digits - 1)

    def __add__(self, other: Exact) -> Exact:
        """A sum is exact up to the coarser place, not to fewer digits: 12,000 and 600 are 13,000, and never less."""
        total = self.value + other.value
        places = [place for place in (self.place, other.place) if place is not None]
        if not places or not total:
            return Exact(total, least(self.digits, other.digits))
        return Exact(total, max(1, total.adjusted() - max(places) + 1))

    @property
    def rounded(self) -> Decimal:
        """With no more digits than it bears; whole at the most exact, as contacts and euros are counted."""
        if not self.value:
            return Decimal(0)
        place = max(0, self.value.adjusted() - (self.digits - 1)) if self.digits else 0
        step = Decimal(1).scaleb(place)
        return (self.value / step).quantize(Decimal(1), ROUND_HALF_UP) * step

    @property
    def shown(self) -> str:
        about = self.digits is not None and self.rounded != self.value
        number = formats.number_format(self.rounded, 0, use_l10n=True, force_grouping=True)
        return _("about %(n)s") % {"n": number} if about else number


def least(*digits: int | None) -> int | None:
    return min((one for one in digits if one is not None), default=None)


def parse(words: str) -> Exact:
    """A number as typed, 12.50 or 12,50. Raises ValidationError."""
    plain = words.strip().replace("\u00a0", "").replace(" ", "")
    if "," in plain and "." not in plain:
        plain = plain.replace(",", ".")
    try:
        value = Decimal(plain)
    except InvalidOperation:
        raise ValidationError(_("Write a number, such as 6.50.")) from None
    if not value.is_finite() or value < 0 or "e" in plain.lower():
        raise ValidationError(_("Write a number, such as 6.50."))
    shown = plain.lstrip("+").replace(".", "").lstrip("0")
    return Exact(value, max(1, len(shown)))


@dataclass(frozen=True)
class Given:
    """An input as it stands: its number, if there is one, and where that comes from."""

    named: Named
    words: str
    source: str

    @property
    def number(self) -> Exact | None:
        return parse(self.words) if self.words else None


Rates = Mapping[str, Exact]


def given() -> dict[str, Given]:
    """All inputs, stored or as they hold until then. One query."""
    rows = {row.name: row for row in Input.objects.all()}
    return {
        name: Given(named, rows[name].value, rows[name].source)
        if name in rows
        else Given(named, named.value, str(named.source))
        for name, named in INPUTS.items()
    }


def rates(inputs: Mapping[str, Given] | None = None) -> Rates:
    inputs = inputs or given()
    return {name: inputs[name].number or Exact(Decimal(0)) for name in RATES}


def contacts_spared(parts: Mapping[str, int], rates: Rates) -> list[Exact]:
    """Low, middle and high, from how many stopped asking and how often settled and other threads were read."""
    counted = [Exact(Decimal(parts.get(part, 0))) for part in ("stopped", "settled", "open")]
    sums, total = [], Exact(Decimal(0))
    for name, number in zip(RATES, counted, strict=True):
        if number.value:
            total = total + number * rates[name]
        sums.append(total)
    return sums


@dataclass(frozen=True)
class Result:
    """One estimate: contacts spared, what they would have cost, and the return on what was put in."""

    label: str
    contacts: Exact
    spared: Exact | None
    roi: str


@dataclass(frozen=True)
class Outcome:
    results: list[Result]
    investment: Exact | None
    missing: list[str]


def reckon(parts: Mapping[str, int], months: int, labels: Iterable[str], inputs: Mapping[str, Given]) -> Outcome:
    """Return and cost of some months. What is missing is named, never assumed."""
    cost = inputs["cost_per_contact"].number
    costs = [inputs[name].number for name in COSTS]
    investment: Exact | None = None
    if all(one is not None for one in costs):
        investment = Exact(Decimal(0))
        for one in costs:
            investment = investment + one * Exact(Decimal(months))  # type: ignore[operator]
    results = []
    for label, contacts in zip(labels, contacts_spared(parts, rates(inputs)), strict=True):
        spared = contacts * cost if cost is not None else None
        results.append(Result(label, contacts, spared, _ratio(spared, investment)))
    needed = ("cost_per_contact", *COSTS)
    return Outcome(results, investment, [str(INPUTS[name].label) for name in needed if inputs[name].number is None])


def _ratio(spared: Exact | None, investment: Exact | None) -> str:
    """(return − investment) / investment in per cent, rounded as far as its inputs are."""
    if spared is None or investment is None or not investment.value:
        return ""
    gain = spared + Exact(-investment.value, investment.digits)
    share = gain.value / investment.value * 100
    digits = least(gain.digits, investment.digits)
    n = formats.number_format(Exact(share, digits).rounded, 0, force_grouping=True)
    return _("%(n)s %%") % {"n": n.replace("-", "−")}


@transaction.atomic
def set_inputs(values: Mapping[str, tuple[str, str]], by: User | None) -> list[str]:
    """Store inputs as (value, source) by name; an empty value takes one away. `by` is None for a loader.

    Returns the names that changed. Raises NotAllowed, and ValidationError by "<name>-value" and "<name>-source".
    """
    if by is not None:
        require(permissions.why_not_change_inputs(by))
    problems: dict[str, list[str]] = {}
    for name, (words, source) in values.items():
        named = INPUTS[name]
        if not words.strip():
            continue
        try:
            if parse(words).value > named.most:
                limit = formats.number_format(named.most, 0, force_grouping=True)
                problems[f"{name}-value"] = [_("At most %(most)s.") % {"most": limit}]
        except ValidationError as problem:
            problems[f"{name}-value"] = problem.messages
        if not source.strip():
            problems[f"{name}-source"] = [_("Say where it comes from: an invoice, a count, an estimate by whom.")]
    if problems:
        raise ValidationError(problems)
    known = {row.name: row for row in Input.objects.select_for_update()}
    changed = []
    for name, (words, source) in values.items():
        row = known.get(name) or Input(name=name)
        words, source = words.strip(), source.strip()[:200]
        before = given_value(row, INPUTS[name])
        if before == (words, source):
            continue
        previous = row.value
        row.value, row.source, row.changed_at, row.changed_by = words[:20], source, clock.now(), by
        row.save()
        record("insights.input_changed", actor=by, subject=row, name=name, value=row.value, previous=previous)
        changed.append(name)
    return changed


def given_value(row: Input, named: Named) -> tuple[str, str]:
    return (row.value, row.source) if row.pk else (named.value, str(named.source))
