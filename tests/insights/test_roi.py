"""No number has more digits than the least exact one that goes into it."""

from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError

from community.core.errors import NotAllowed
from community.insights import roi
from community.insights.forms import InputsForm
from community.insights.models import Input

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("words", "value", "digits"),
    [("6.50", "6.50", 3), ("6,5", "6.5", 2), ("0.05", "0.05", 1), ("1 200", "1200", 4), ("0", "0", 1)],
)
def test_a_number_is_as_exact_as_it_was_typed(words, value, digits):
    assert roi.parse(words) == roi.Exact(Decimal(value), digits)


@pytest.mark.parametrize("words", ["-1", "NaN", "Infinity", "1e9", "six", "1.000,50", ""])
def test_what_is_no_number_is_refused(words):
    with pytest.raises(ValidationError):
        roi.parse(words)


def test_estimates_keep_to_the_digits_of_their_rates():
    low, middle, high = roi.contacts_spared({"stopped": 1234, "settled": 4321, "open": 54_321}, roi.rates())
    assert [one.rounded for one in (low, middle, high)] == [1230, 2100, 5000]
    # 1234; + 0.20 × 4321 = 2098.2 to two digits; + 0.05 × 54,321 = 4814 to one
    assert low.shown == "about 1,230" and high.digits == 1
    few = roi.contacts_spared({"stopped": 424, "settled": 61_066, "open": 11_899}, roi.rates())
    assert [one.rounded for one in few] == [424, 13_000, 13_000]  # high is never below middle


def test_return_and_investment(hanna):
    given = {"cost_per_contact": "6.50", "running_cost": "400", "staff_cost": "350"}
    roi.set_inputs({name: (value, "Invoice") for name, value in given.items()}, hanna)
    outcome = roi.reckon({"stopped": 2000}, 12, ["Low", "Middle", "High"], roi.given())
    assert outcome.missing == [] and outcome.investment.shown == "9,000"
    low = outcome.results[0]
    assert low.spared.shown == "13,000" and low.roi == "44 %"  # (13,000 − 9,000) / 9,000 = 44.4
    assert roi.reckon({"stopped": 200}, 12, ["Low", "Middle", "High"], roi.given()).results[0].roi.startswith("−")


def test_what_is_missing_is_not_guessed():
    outcome = roi.reckon({"stopped": 20}, 12, ["Low", "Middle", "High"], roi.given())
    assert outcome.investment is None and len(outcome.missing) == 3
    assert [(row.spared, row.roi) for row in outcome.results] == [(None, "")] * 3


def test_a_stranger_changes_nothing(dana):
    with pytest.raises(NotAllowed):
        roi.set_inputs({"running_cost": ("400", "Invoice")}, dana)
    assert not Input.objects.exists()


def test_what_a_colleague_changed_meanwhile_stays():
    """The page carries what it was opened with: only what was changed on it is written."""
    page = InputsForm(inputs=roi.given())
    opened = {f"initial-{field.html_name}": field.value() or "" for field in page} | {
        field.html_name: field.value() or "" for field in page
    }
    Input.objects.create(name="staff_cost", value="350", source="A colleague")
    form = InputsForm(opened | {"running_cost-value": "400", "running_cost-source": "Invoice"}, inputs=roi.given())
    assert form.is_valid()
    assert form.values() == {"running_cost": ("400", "Invoice")}
