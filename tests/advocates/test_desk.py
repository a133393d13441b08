"""The staff screens go through the services and are for managers alone."""

import pytest
from django.urls import reverse

from advocates.models import AdvocateMembership, Award, Badge, Rank
from community.accounts.models import User

pytestmark = pytest.mark.django_db
LISTS = ["programme_advocates", "programme_badges", "programme_thanks", "programme_ranks"]


@pytest.fixture
def desk(client, hanna, enrol):
    enrol(hanna)
    client.force_login(hanna)
    return client


@pytest.mark.parametrize("name", LISTS)
def test_lists_and_forms_open(desk, name):
    assert desk.get(reverse(f"{name}:index")).status_code == 200
    assert desk.get(reverse(f"{name}:add")).status_code == 200


@pytest.mark.parametrize("name", LISTS)
def test_others_are_refused(client, ravi, enrol, name):
    enrol(ravi)
    client.force_login(ravi)
    assert client.get(reverse(f"{name}:index")).status_code in (302, 403)
    assert client.get(reverse(f"{name}:index"), follow=True).redirect_chain or True
    client.post(reverse("programme_ranks:add"), {"slug": "mine", "name": "Mine", "threshold": 7, "line": ""})
    assert not Rank.objects.filter(slug="mine").exists()


def test_a_rank_is_saved_by_its_service(desk):
    answer = desk.post(
        reverse("programme_ranks:add"), {"slug": "sprout", "name": "Sprout", "threshold": 7, "line": "Green."}
    )
    assert answer.status_code == 302
    assert Rank.objects.get(slug="sprout").threshold == 7
    page = desk.post(reverse("programme_ranks:add"), {"slug": "other", "name": "Other", "threshold": 7, "line": ""})
    assert page.status_code == 200
    assert not Rank.objects.filter(slug="other").exists()


def test_a_badge_with_a_wrong_rule_says_so(desk):
    badge = Badge.objects.get(slug="first-answer")
    data = {"name": badge.name, "level": "gold", "area": "", "rule": badge.rule, "awarded": "once", "per": "",
            "position": 1}  # fmt: skip
    url = reverse("programme_badges:edit", args=[badge.pk])
    page = desk.post(url, {**data, "award": '{"event": "answer.sung"}'})
    assert page.status_code == 200
    assert "answer.sung" in page.content.decode()
    rule = '{"event": "answer.voted", "to": "author", "count": "things", "when": [], "threshold": 2}'
    assert desk.post(url, {**data, "award": rule}).status_code == 302
    badge.refresh_from_db()
    assert (badge.level, badge.award["threshold"]) == ("gold", 2)


def test_deleting_a_badge_retires_it(desk):
    badge = Badge.objects.get(slug="first-answer")
    desk.post(reverse("programme_badges:delete", args=[badge.pk]))
    badge.refresh_from_db()
    assert badge.retired_at is not None


def test_admitting_and_letting_go(desk, bob, duo):
    data = {"user": bob.pk, "state": "active", "products": [duo.pk], "until": "", "note": "", "stand_in": ""}
    assert desk.post(reverse("programme_advocates:add"), data).status_code == 302
    member = AdvocateMembership.objects.get(user=bob)
    assert User.objects.get(pk=bob.pk).standing == "advocate"
    url = reverse("programme_advocates:edit", args=[member.pk])
    assert desk.post(url, {**data, "state": "away", "note": "Away until spring"}).status_code == 302
    member.refresh_from_db()
    assert (member.state, member.note) == ("away", "Away until spring")
    assert desk.post(url, {**data, "state": "left"}).status_code == 302
    assert User.objects.get(pk=bob.pk).standing == "former_advocate"


def test_thanks_by_hand(desk, bob):
    badge = Badge.objects.create(
        slug="thanks", name="Thanks", level="silver", rule="For what no rule sees.", by_hand=True, awarded="many",
        per="reason", event="badge.given_by_hand",
        award={"event": "badge.given_by_hand", "to": "author", "count": "events", "when": [], "threshold": 1},
    )  # fmt: skip
    data = {"badge": badge.pk, "people": [bob.pk], "reason": "Stayed up with a stranger until it ran."}
    assert desk.post(reverse("programme_thanks:add"), {**data, "reason": "Nice."}).status_code == 200
    assert desk.post(reverse("programme_thanks:add"), data).status_code == 302
    award = Award.objects.get(person=bob)
    desk.post(reverse("programme_thanks:delete", args=[award.pk]))
    assert not Award.objects.filter(person=bob).exists()
