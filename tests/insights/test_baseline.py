"""A baseline comes in whole or not at all, and once."""

from datetime import date
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from community.insights import report
from community.insights.models import Baseline

pytestmark = pytest.mark.django_db
HEAD = "figure,period,value,source\n"
GOOD = HEAD + "acknowledged,2025-01,58,Call centre\nacknowledged,2025-02-01/2025-02-28,61.5%,Call centre\n"


def test_it_comes_in_once_and_is_shown_as_one_line(tmp_path):
    file = tmp_path / "before.csv"
    file.write_text("\ufeff" + GOOD)
    for said in ("2 new, 0 changed, 0 as before", "0 new, 0 changed, 2 as before"):
        out = StringIO()
        call_command("import_baseline", file, stdout=out)
        assert said in out.getvalue()
    file.write_text(GOOD.replace(",58,", ",60,"))
    call_command("import_baseline", file, stdout=out)
    assert "1 changed" in out.getvalue()
    value, source = report.baselines()["acknowledged"]
    assert round(value, 2) == round((Decimal(60) * 31 + Decimal("61.5") * 28) / 59, 2)
    assert source.startswith("Call centre (")
    assert Baseline.objects.order_by("first").last().last == date(2025, 2, 28)


def test_a_dry_run_changes_nothing(tmp_path):
    file = tmp_path / "before.csv"
    file.write_text(GOOD)
    call_command("import_baseline", file, dry_run=True, stdout=StringIO())
    assert not Baseline.objects.exists()


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("answered,2025-01,58,x", "no figure"),
        ("acknowledged,2025-13,58,x", "no period"),
        ("acknowledged,2025-02-30/2025-03-01,58,x", "no period"),
        ("acknowledged,2025-03-02/2025-03-01,58,x", "no period"),
        ("acknowledged,2025-01,much,x", "no number"),
        ("acknowledged,2025-01,NaN,x", "between 0 and 100"),
        ("acknowledged,2025-01,101,x", "between 0 and 100"),
        ("acknowledged,2025-01,58,", "Say where"),
        ("acknowledged,2025-03,58,Call centre\nacknowledged,2025-03,59,Call centre", "again as row 4"),
    ],
)
def test_a_row_that_is_wrong_is_named_and_nothing_is_written(tmp_path, row, reason):
    file = tmp_path / "before.csv"
    file.write_text(GOOD + row + "\n")
    with pytest.raises(CommandError, match=reason):
        call_command("import_baseline", file, stdout=StringIO())
    assert not Baseline.objects.exists()


def test_a_file_that_is_none_is_refused(tmp_path):
    with pytest.raises(CommandError, match="nowhere"):
        call_command("import_baseline", tmp_path / "nowhere.csv", stdout=StringIO())
    file = tmp_path / "before.csv"
    file.write_bytes(b"figure;period\xff")
    with pytest.raises(CommandError, match="UTF-8"):
        call_command("import_baseline", file, stdout=StringIO())
    file.write_text("figure,value\n")
    with pytest.raises(CommandError, match="period, source"):
        call_command("import_baseline", file, stdout=StringIO())
