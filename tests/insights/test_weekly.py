"""Each department has its week in the mail once, in its reader's language, and can say no."""

from datetime import UTC, datetime, timedelta

import pytest

from community.accounts.models import User
from community.core import clock, outbox
from community.core.models import Delivery
from community.events.log import replay
from community.insights import daily, report, weekly
from community.notifications.services import prefer

from ..factories import a_department
from ..races import at_once
from .conftest import MONDAY

pytestmark = pytest.mark.django_db
MORNING = datetime(2026, 10, 12, 5, 0, tzinfo=UTC)  # Monday, 7:00 in Berlin in summer


@pytest.fixture
def week(story):
    story()
    daily.catch_up(MORNING)


def queued() -> dict[str, Delivery]:
    return {row.address or row.user.username: row for row in Delivery.objects.filter(kind=weekly.KIND)}


def test_it_goes_to_mailbox_and_staff_once_and_in_their_language(week, dana, lead, support):
    User.objects.filter(pk=lead.pk).update(language="de")
    a_department("pricing", mailbox="prices@example.org")  # nothing happened there
    with clock.travel(MORNING - timedelta(minutes=1)):
        assert weekly.run() == 0
    for _ in range(3):
        with clock.travel(MORNING):
            weekly.run()
    mails = queued()
    assert set(mails) == {"support@example.org", "dana", "lead"}
    text = mails["dana"].body_text
    assert "Acknowledged in time: 100 % (–); 1 case" in text and ">1 case</span>" in mails["dana"].body_html
    assert "/admin/insights/?department=support" in text
    assert "from 5 Oct 2026 to 11 Oct 2026" in mails["dana"].subject
    assert (
        "List-Unsubscribe" in mails["dana"].headers and "List-Unsubscribe" not in mails["support@example.org"].headers
    )
    # The lead reads German, and so does the mailbox.
    assert "05.10.2026" in mails["lead"].subject and "05.10.2026" in mails["support@example.org"].subject
    assert 'lang="de"' in mails["lead"].body_html
    with clock.travel(MORNING + timedelta(days=7)):
        daily.catch_up()
        weekly.run()
    assert Delivery.objects.filter(kind=weekly.KIND).count() == 6  # the next week, with what was before


def test_who_said_no_has_none_and_who_left_meanwhile_neither(week, dana, lead, support, mailoutbox):
    prefer(lead, weekly.KIND, mail=False)
    with clock.travel(MORNING):
        weekly.run()
        assert set(queued()) == {"support@example.org", "dana"}
        User.objects.filter(pk=dana.pk).update(department=None)
        outbox.deliver_due()
    assert [mail.to for mail in mailoutbox] == [["support@example.org"]]


def test_a_replay_and_a_late_worker_send_nothing(week):
    with replay("demo", at=MORNING):
        assert weekly.run() == 0
    with clock.travel(MORNING + timedelta(days=2)):
        assert weekly.run() == 0
    assert not Delivery.objects.filter(kind=weekly.KIND).exists()


def test_the_morning_is_the_departments_on_both_sides_of_the_change_of_clocks(week, support):
    support.mailbox = ""
    support.save()
    winter = datetime(2026, 10, 26, 6, 0, tzinfo=UTC)  # 7:00 in Berlin in winter
    with clock.travel(winter - timedelta(minutes=1)):
        assert not weekly.send(support)
    assert MORNING.weekday() == winter.weekday() == MONDAY.weekday() == 0


def test_east_of_us_it_waits_for_the_end_of_sunday(story, dana, support):
    """Monday, 7:00 in Tokyo, is Sunday, 22:00 UTC, and two hours of the week are still to come."""
    support.time_zone = "Asia/Tokyo"
    support.save()
    story()
    sunday = datetime(2026, 10, 11, 22, 5, tzinfo=UTC)
    daily.catch_up(sunday)
    with clock.travel(sunday):
        assert not weekly.send(support)
    with clock.travel(sunday + timedelta(hours=2)):
        assert not weekly.send(support), "the last hours of Sunday are not counted yet"
        daily.catch_up()
        assert weekly.send(support)


@pytest.mark.django_db(transaction=True)
@pytest.mark.slow
def test_two_sweeps_at_once_send_one_mail_each(dana, support):
    """Both see that nothing was sent; the key lets one row in."""
    with clock.travel(MORNING):
        first, last = report.week_before(MORNING.date())
        mails = [weekly._mail(support, dana, first, last, {}, {}) for _ in range(2)]
    assert at_once([lambda mail=mail: outbox.queue_many([mail]) for mail in mails]) == []
    assert Delivery.objects.filter(kind=weekly.KIND).count() == 1
