"""The figures inside the admin: who sees what, what stands there, and what leaves as a file."""

import csv
import io
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from community.accounts.models import User
from community.core import clock, csvs
from community.events.models import Event
from community.insights import baseline, daily, report
from community.insights.models import Input
from community.moderation import services as moderation
from community.questions import services as questions
from community.questions.models import Thread

from ..factories import a_department, a_thread
from .conftest import MONDAY

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 10, 20, 12, 0, tzinfo=UTC)
PAGE = "/admin/insights/"
FRAME = 9  # what every page of the admin asks: who it is, what they may, its menu and languages


@pytest.fixture
def enter(client, enrol):
    """A browser in which somebody is signed in to the admin."""

    def sign_in(user: User) -> Client:
        enrol(user)
        client.force_login(user)
        return client

    return sign_in


@pytest.fixture
def told(story, duo):
    """Two settled matters of support, counted, and a baseline."""
    story(product=duo, title="=HYPERLINK(1) is what it says on my scale")
    story(staff=True, kind="problem")
    baseline.take_over(baseline.parse(["figure,period,value,source", "acknowledged,2026-01,58,Contact centre export"]))
    daily.catch_up(NOW)
    with clock.travel(NOW):
        yield


def test_a_manager_sees_all_figures_with_trend_baseline_and_definition(
    told, hanna, enter, django_assert_max_num_queries
):
    client = enter(hanna)
    client.get(PAGE)  # what is kept in memory is warm
    with django_assert_max_num_queries(FRAME + 10) as queries:
        page = client.get(PAGE)
    ours = [one for one in queries if '"insights_' in one["sql"]]
    assert len(ours) == 5 and not any("insights_fact" in one["sql"] for one in ours)
    html = page.content.decode()
    assert page.status_code == 200
    for words in ("Acknowledged in time", "Time to resolution", "Settled at first contact", "Fix holds after 30 days",
                  "Who settles it", "Contacts spared"):  # fmt: skip
        assert f">{words}<" in html
    assert "acknowledged within the time promised" in html.replace("that they ", "")
    assert "2 of 2" in html and "100 %" in html
    assert "before the community 58 %" in html and "Contact centre export" in html
    assert "style=" not in html[html.index('class="dsk fgs"') : html.index("</form>", html.index("dsk fgs"))]
    assert "application/json" in html and "vendor/chart.js/chart.umd.min" in html
    assert html.count("<table>") == 6


def test_the_number_of_queries_does_not_grow(told, story, hanna, enter):
    client = enter(hanna)
    counted = []
    for more in (0, 3):
        for _ in range(more):
            story(MONDAY + timedelta(days=2))
        daily.rebuild(write=True)
        client.get(PAGE)  # what is kept in memory is warm
        with CaptureQueriesContext(connection) as queries:
            client.get(PAGE)
        counted.append(len(queries))
    assert counted[0] == counted[1]


def test_filters_narrow_and_nonsense_is_not_found(told, hanna, enter, duo):
    client = enter(hanna)
    assert "1 of 1" in client.get(PAGE, {"product": "duo"}).content.decode()
    assert "1 of 1" in client.get(PAGE, {"kind": "problem"}).content.decode()
    support = client.get(PAGE, {"department": "support"}).content.decode()
    assert "Contacts spared" in support
    assert "Not counted by department" not in support
    assert "Nothing to count in this month" in client.get(PAGE, {"month": "2026-09"}).content.decode()
    for query in ({"product": "no"}, {"kind": "no"}, {"department": "no"}, {"month": "no"}, {"month": "2026-13"}):
        assert client.get(PAGE, query).status_code == 404
    assert client.get(PAGE, {"month": "2099-01"}).status_code == 200
    assert client.get(f"{PAGE}nothing/rows/").status_code == 404


def test_an_agent_sees_the_own_department_and_nothing_of_others(told, dana, enter):
    a_department("pricing")
    client = enter(dana)
    page = client.get(PAGE)
    assert page.status_code == 200 and "Customer support" in page.content.decode()
    assert 'name="department"' not in page.content.decode()
    assert client.get(PAGE, {"department": "support"}).status_code == 200
    for address in (
        PAGE,
        f"{PAGE}acknowledged/rows/",
        f"{PAGE}acknowledged/rows.csv",
        f"{PAGE}acknowledged/figure.csv",
    ):
        assert client.get(address, {"department": "pricing"}).status_code == 403
    assert client.get(f"{PAGE}deflection/rows/").status_code == 200
    assert client.get(f"{PAGE}deflection/rows/", {"department": "pricing"}).status_code == 403
    assert client.get(f"{PAGE}value/").status_code == 403
    assert client.post(f"{PAGE}value/", {"cost_per_contact-value": "1"}).status_code == 403


def test_leads_see_all_but_change_nothing_and_others_see_nothing(told, lead, ravi, alice, enter):
    client = enter(lead)
    assert client.get(PAGE).status_code == 200
    page = client.get(f"{PAGE}value/")
    assert page.status_code == 200 and b"<form method" not in page.content
    assert (
        client.post(f"{PAGE}value/", {"cost_per_contact-value": "1", "cost_per_contact-source": "x"}).status_code == 403
    )
    assert not Input.objects.exists()
    assert enter(ravi).get(PAGE).status_code == 403  # a moderator
    assert b"Figures" not in client.get("/admin/").content
    client.logout()
    assert client.get(PAGE).status_code == 302


def test_the_rows_behind_a_figure_are_those_it_counts(told, hanna, enter, django_assert_max_num_queries):
    client = enter(hanna)
    client.get(f"{PAGE}acknowledged/rows/")
    with django_assert_max_num_queries(FRAME + 10):
        html = client.get(f"{PAGE}settled_by/rows/").content.decode()
    assert "HYPERLINK(1) is what it says" in html and html.count("<tr><td><time") == 2
    assert client.get(f"{PAGE}settled_by/rows/", {"part": "staff"}).content.decode().count("<tr><td><time") == 1
    assert client.get(f"{PAGE}settled_by/rows/", {"part": "no"}).status_code == 404
    assert client.get(f"{PAGE}settled_by/rows/", {"page": "9"}).status_code == 404
    assert "Nothing was counted" in client.get(f"{PAGE}settled_by/rows/", {"month": "2026-01"}).content.decode()


def read(response) -> list[dict[str, str]]:
    text = b"".join(response.streaming_content).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


def test_files_hold_the_same_and_no_formula(told, hanna, enter):
    client = enter(hanna)
    rows = read(client.get(f"{PAGE}settled_by/rows.csv"))
    assert {row["title"][:12] for row in rows} >= {"'=HYPERLINK("}
    assert {row["outcome"] for row in rows} == {"peers", "staff"} and rows[0]["department"] == "support"
    response = client.get(f"{PAGE}acknowledged/figure.csv")
    assert response["Content-Disposition"] == 'attachment; filename="acknowledged-2026-10.csv"'
    last = read(response)[-1]
    assert (last["month"], last["value"], last["of"], last["baseline"]) == ("2026-10", "100.0", "2", "58.0")


@pytest.mark.parametrize("words", ["=1+1", "+1", "-1", "@sum", "\t=1", "\r=1", "＝1", " =1", "\u00a0=1"])
def test_a_cell_is_never_a_formula(words):
    assert csvs.cell(words) == f"'{words}"


def test_numbers_stay_numbers():
    assert [csvs.cell(value) for value in (-3, 2.5, None, "a=b")] == [-3, 2.5, "", "a=b"]


def test_the_first_page_of_the_admin_shows_today(told, dana, enter):
    html = enter(dana).get("/admin/").content.decode()
    assert "Today's figures of Customer support" in html
    assert reverse("insights:figures") in html


def test_cost_and_return_name_what_is_missing_and_keep_to_their_digits(told, hanna, enter, story):
    client = enter(hanna)
    html = client.get(f"{PAGE}value/").content.decode()
    assert "Still missing: Cost of one contact by mail or telephone" in html
    inputs = {
        f"{name}-{part}": words
        for name, value in {"cost_per_contact": "6,50", "rate_low": "1.00", "rate_middle": "0.20", "rate_high": "0.05",
                            "running_cost": "400", "staff_cost": "350"}.items()
        for part, words in (("value", value), ("source", "Count of March"))
    }  # fmt: skip
    wrong = client.post(
        f"{PAGE}value/", inputs | {"rate_low-value": "2", "cost_per_contact-source": "", "staff_cost-value": "x"}
    )
    html = wrong.content.decode()
    assert wrong.status_code == 400 and 'value="6,50"' in html
    assert "At most 1." in html and "Say where it comes from" in html and "Write a number" in html
    assert not Input.objects.exists()
    assert client.post(f"{PAGE}value/", inputs).status_code == 302
    assert Input.objects.get(name="cost_per_contact").value == "6,50"
    changed = Event.objects.filter(kind="insights.input_changed", subject_type=ContentType.objects.get_for_model(Input))
    assert changed.count() == 6 and changed.filter(actor=hanna).exists()
    client.post(f"{PAGE}value/", inputs)
    assert changed.count() == 6  # twice is harmless
    assert "Still missing" not in client.get(f"{PAGE}value/").content.decode()


def test_a_merged_thread_is_named_among_the_rows(told, ravi, hanna, enter, alice):
    questions.merge_thread(Thread.objects.get(kind="problem"), a_thread(alice), ravi, "The same.")
    assert "merged since" in enter(hanna).get(f"{PAGE}settled_by/rows/").content.decode()


def test_a_month_that_is_over_names_no_thread_that_was_taken_away_since(told, ravi, hanna, enter):
    daily.catch_up(NOW + timedelta(days=20))  # frozen: its rows stay
    with clock.travel(NOW + timedelta(days=21)):
        moderation.delete(Thread.objects.get(kind="problem"), ravi, reason="A telephone number")
        title, client = Thread.objects.get(kind="problem").title, enter(hanna)
        page = client.get(f"{PAGE}settled_by/rows/?month=2026-10").content.decode()
        assert "taken away since" in page and title not in page
        rows = b"".join(client.get(f"{PAGE}settled_by/rows.csv?month=2026-10")).decode()
        assert "HYPERLINK" in rows and title not in rows


def test_figures_are_rounded_not_cut() -> None:
    told = [(84.9, "%"), (0.999, "h"), (9.96, "h"), (1234.5, "h"), (1999.6, ""), (None, "%")]
    assert [report.shown(value, unit) for value, unit in told] == ["85 %", "60 min", "10.0 h", "1,235 h", "2,000", "–"]
