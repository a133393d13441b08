"""Nothing can be late and unseen: what the look finds, where it is said, and that it is said once a day."""

from collections.abc import Callable
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from community.accounts.models import Department, User
from community.core import clock, workers
from community.core.errors import NotAllowed
from community.core.models import Delivery
from community.escalation import check, services
from community.escalation.models import DeskCheck, Escalation
from community.escalation.sweep import sweep
from community.posts import services as posts
from community.questions.models import Thread
from tests import factories

from .conftest import NOON

pytestmark = pytest.mark.django_db


def found(now: object = None) -> dict[int, str]:
    return {finding.thread: finding.kind for finding in check.look(now)[1]}  # type: ignore[arg-type]


@pytest.fixture
def thread(alice: User, support: Department, asked: list[User]) -> Thread:
    with clock.travel(NOON):
        return factories.a_thread(alice, kind="problem")


def test_every_way_in_which_a_thread_could_be_forgotten(thread: Thread, alice: User, dana: User) -> None:
    later = NOON + timedelta(minutes=10)
    assert found(later) == {}, "a new problem has its ladder"
    Escalation.objects.filter(thread=thread).update(next_due_at=None)
    assert found(later) == {thread.pk: "asleep"}
    Escalation.objects.filter(thread=thread).update(next_due_at=later - timedelta(minutes=3))
    assert found(later) == {thread.pk: "stuck"}
    Escalation.objects.filter(thread=thread).update(next_due_at=later - timedelta(minutes=1))
    assert found(later) == {}, "the next sweep may still do it"
    Escalation.objects.all().delete()
    assert found(NOON + timedelta(minutes=1)) == {}, "a thread may be this new"
    assert found(later) == {thread.pk: "no_case"}
    for facts in ({"solved_at": NOON}, {"closed_at": NOON}, {"visibility": "hidden"}, {"source": "elsewhere"}):
        before = {name: getattr(thread, name) for name in facts}
        Thread.objects.filter(pk=thread.pk).update(**facts)
        assert found(later) == {}, facts
        Thread.objects.filter(pk=thread.pk).update(**before)


def test_through_a_whole_life_it_is_never_forgotten(thread: Thread, dana: User, bob: User, alice: User) -> None:
    """From step to step, and to the end of the ladder: there is always a next time, a pause or an end."""

    def at(hours: float) -> dict[int, str]:
        sweep(NOON + timedelta(hours=hours))
        return found(NOON + timedelta(hours=hours))

    for hours in (4, 12, 24, 48, 72, 96, 240):
        assert at(hours) == {}, hours
    told = Escalation.objects.get(thread=thread).history.filter(kind="manager_notified").count()
    assert told >= 3, "the ladder is at its end, and who is above hears of it day by day"
    with clock.travel(NOON + timedelta(hours=241)):
        services.acknowledge(thread, dana)
        assert found() == {}
        services.ask_for_info(thread, dana, "Which serial number does it have?")
        assert found() == {}
    with clock.travel(NOON + timedelta(hours=250)):
        posts.comment(thread, alice, body="It says M54-2609.")
        assert found() == {} and Escalation.objects.get(thread=thread).next_due_at
        services.resolve(thread, dana, "private")
        assert found() == {}


def test_the_command_says_it_and_ends_with_one(thread: Thread, wednesday: object) -> None:
    out = StringIO()
    Escalation.objects.update(next_due_at=clock.now() + timedelta(hours=4))
    call_command("check_desk", stdout=out)
    assert "Nothing is forgotten." in out.getvalue() and DeskCheck.objects.get().count == 0
    Escalation.objects.update(next_due_at=None)
    with pytest.raises(CommandError, match="1 forgotten"):
        call_command("check_desk", stdout=out)
    assert f"/admin/desk/{thread.pk}/" in out.getvalue() and "nothing will happen next" in out.getvalue()
    with pytest.raises(CommandError):
        call_command("check_desk", "--dry-run", stdout=out)
    assert DeskCheck.objects.count() == 2, "a dry run keeps nothing"


def test_community_managers_have_it_by_mail_once_a_day(thread: Thread, hanna: User, dana: User) -> None:
    Escalation.objects.update(next_due_at=None)
    with clock.travel(NOON + timedelta(hours=1)):
        for _twice in range(2):
            check.run()
        mail = Delivery.objects.get(kind="desk_check")
        assert mail.user == hanna and thread.title in mail.body_text and "/admin/desk/check/" in mail.body_text
        assert thread.title in mail.body_html
    with clock.travel(NOON + timedelta(days=1)):
        check.run()
    assert Delivery.objects.filter(kind="desk_check").count() == 2
    Escalation.objects.update(next_due_at=clock.now() + timedelta(days=1))
    with clock.travel(NOON + timedelta(days=2)):
        check.run()
    assert Delivery.objects.filter(kind="desk_check").count() == 2, "nothing forgotten, no mail"


def test_the_desk_says_it(client: Client, thread: Thread, dana: User, enrol: Callable[[User], None]) -> None:
    enrol(dana)
    client.force_login(dana)
    desk, page = reverse("escalation:desk"), reverse("escalation:check")
    with clock.travel(NOON + timedelta(hours=1)):
        assert "Nothing is forgotten" in client.get(page).content.decode()
        assert "dsk-warning" not in client.get(desk).content.decode()
        Escalation.objects.all().delete()
        check.check()
        assert "1 thread is forgotten" in client.get(desk).content.decode()
        assert "dsk-warning" in client.get(reverse("wagtailadmin_home")).content.decode()
        assert thread.title in client.get(page).content.decode()
        adopt = reverse("escalation:look_after", args=[thread.pk])
        assert client.get(adopt).status_code == 405
        assert [client.post(adopt).status_code for _twice in range(2)] == [303, 303]
        assert found() == {} and Escalation.objects.get(thread=thread).next_due_at
        Escalation.objects.update(next_due_at=None)
        client.post(adopt)
        assert found() == {}, "a sleeping case is woken"
        check.check()
        assert "dsk-warning" not in client.get(desk).content.decode()
    with clock.travel(NOON + timedelta(hours=30)):
        assert "The sweep does not run" in client.get(desk).content.decode()
        sweep()
        assert "Nobody looked for forgotten threads for a day" in client.get(desk).content.decode()


def test_only_agents_adopt_a_thread(thread: Thread, charlie: User, dana: User) -> None:
    Escalation.objects.all().delete()
    with pytest.raises(NotAllowed):
        check.look_after(thread, charlie)
    assert check.look_after(thread, dana).is_open


def test_readyz_names_cases_that_the_sweep_leaves(client: Client, thread: Thread) -> None:
    workers.beat("one")
    with clock.travel(NOON + timedelta(hours=5)):
        answer = client.get("/readyz").json()
        assert (answer["cases"], answer["waiting"]["cases"]) == ("late", 3600)
        sweep()
        assert client.get("/readyz").json()["cases"] == "up"
