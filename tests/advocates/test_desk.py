"""The staff screens go through the services and are for managers alone."""

import pytest
from django.urls import reverse

from advocates import badges, services
from advocates.badge_screens import BadgeForm
from advocates.badges.fields import EVENTS, FIELDS
from advocates.models import AdvocateMembership, Award, Badge, Rank
from community.accounts.models import User
from community.events.models import Event
from community.notifications.delivery import announce_due
from community.questions import services as questions

from ..factories import an_answer

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


def fields_of(badge, **changed):
    """What a browser sends when it posts the form of a badge."""
    form = BadgeForm(instance=badge)
    data = {}
    for name, field in form.fields.items():
        said = form.get_initial_for_field(field, name)
        if name.startswith("condition_"):
            for number, part in enumerate(said or ["", "is", ""]):
                data[f"{name}_{number}"] = part
        elif said is not None and said is not False:
            data[name] = said
    return {**data, **changed}


def test_a_badge_is_made_without_code_and_seen_beforehand(desk, bob, alice, charlie):
    """The manager chooses what is counted; the look beforehand saves nothing; saving gives it to who has earned it."""
    for _ in range(2):
        questions.vote_answer(an_answer(by=bob), alice, 1)
    questions.vote_answer(an_answer(by=charlie), alice, 1)
    url = reverse("programme_badges:add")
    assert "See who would get it" in desk.get(url).content.decode()
    data = fields_of(
        Badge(), slug="duet", name="Duet", rule="Two answers on questions.", name_de="Duett", level="silver",
        glyph="cup", area="answering", given="rule", event="answer.voted", to="author", count="things", threshold="2",
        condition_0_0="answer.voted|thread.kind", condition_0_1="is", condition_0_2="question",
        condition_1_0="answer.voted|answer.score", condition_1_1=">=", condition_1_2="1", position="3",
    )  # fmt: skip
    page = desk.post(url, {**data, "preview": "1"}).content.decode()
    assert "1 person would have it now" in page
    assert bob.get_absolute_url() in page
    assert charlie.get_absolute_url() not in page
    assert not Badge.objects.filter(slug="duet").exists()
    wrong = desk.post(url, {**data, "condition_1_2": "lots"}).content.decode()
    assert "Say a number." in wrong
    other = desk.post(url, {**data, "condition_1_0": "recipe.made|stars"}).content.decode()
    assert "not known of what is counted" in other
    assert not Badge.objects.filter(slug="duet").exists()
    assert desk.post(url, data).status_code == 302
    badge = Badge.objects.get(slug="duet")
    assert badge.award == {
        "event": "answer.voted", "to": "author", "count": "things", "threshold": 2, "window_days": None,
        "when": [["thread.kind", "is", "question"], ["answer.score", ">=", 1]],
    }  # fmt: skip
    assert badge.words == {"de": {"name": "Duett"}}
    badges.sweep(["duet"])
    assert list(Award.objects.filter(badge=badge).values_list("person", flat=True)) == [bob.pk]


def test_every_badge_of_the_house_survives_its_form(desk, hanna):
    """Opened and saved unchanged, a rule is what it was: nothing in the data is beyond the desk."""
    for badge in Badge.objects.all():
        form = BadgeForm(fields_of(badge), instance=badge)
        form.by = hanna
        assert form.is_valid(), (badge.slug, form.errors)
        assert form.award() == badge.award, badge.slug
        assert (form.data_of_badge()["awarded"], form.data_of_badge()["per"]) == (badge.awarded, badge.per)
    for source in badges.SOURCES.values():
        assert set(source.fields) <= set(FIELDS)
    assert set(EVENTS) == {*badges.SOURCES, "help_article.published", "incident.opened"}


def test_a_badge_is_changed_and_retired(desk, answer, alice):
    badge = Badge.objects.get(slug="first-answer")
    url = reverse("programme_badges:edit", args=[badge.pk])
    assert desk.post(url, fields_of(badge, threshold="2", level="gold")).status_code == 302
    badge.refresh_from_db()
    assert (badge.level, badge.award["threshold"]) == ("gold", 2)
    assert desk.post(reverse("programme_badges:delete", args=[badge.pk])).status_code == 302
    badge.refresh_from_db()
    assert badge.retired_at is not None
    questions.vote_answer(answer, alice, 1)
    assert not Award.objects.filter(badge=badge).exists()


def test_deleting_a_badge_retires_it(desk, client):
    badge = Badge.objects.get(slug="first-answer")
    edit = reverse("programme_badges:edit", args=[badge.pk])
    page = desk.get(edit).content.decode()
    assert "Used 0 times" not in page
    desk.post(reverse("programme_badges:delete", args=[badge.pk]))
    badge.refresh_from_db()
    assert badge.retired_at is not None
    assert "Saving it gives it out again." in desk.get(edit).content.decode() and "gives it out" not in page
    page = client.get(badge.get_absolute_url()).content.decode()
    assert "No longer given." in page and "Somebody has to be the first." not in page


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


def test_thanks_by_hand_names_people_by_user_name(desk, bob, charlie):
    thanks = Badge.objects.get(slug="thanks")
    url = reverse("programme_thanks:add")
    reason = "Stayed up with a stranger until it ran."
    data = {"badge": thanks.pk, "people": "@bob\nCharlie, nobody.here", "reason": reason}
    assert "nobody.here" in desk.post(url, data).content.decode()
    data["people"] = "@bob\nCharlie"
    assert desk.post(url, {**data, "reason": "Nice."}).status_code == 200
    assert not Award.objects.exists()
    given = desk.post(url, data, follow=True)
    assert f"“{thanks.label}” is given to 2 people; each is told." in given.content.decode()
    assert {award.person for award in Award.objects.filter(badge=thanks)} == {bob, charlie}
    award = Award.objects.get(person=bob)
    ruled = Award.objects.create(badge=Badge.objects.get(slug="first-answer"), person=bob)
    listed = desk.get(reverse("programme_thanks:index")).content.decode()
    assert reverse("programme_thanks:delete", args=[ruled.pk]) not in listed  # that one follows its rule
    ruled.delete()
    away = reverse("programme_thanks:delete", args=[award.pk])
    assert away in listed and reverse("programme_thanks:edit", args=[award.pk]) not in listed
    assert "Take back" in listed and "Delete" not in listed
    assert desk.get(reverse("programme_thanks:edit", args=[award.pk])).status_code == 302  # refused
    refused = desk.post(away, {"reason": " "}).content.decode()
    assert "Take it back" in refused and "Please fill this in." in refused
    assert f"{thanks.label}: Bob" in refused
    assert Award.objects.count() == 2
    assert desk.post(away, {"reason": "It was for somebody else."}).status_code == 302
    assert Award.objects.get().person == charlie
    told = Event.objects.get(kind="badge.revoked")
    assert (told.subject_id, told.note.text) == (bob.pk, "It was for somebody else.")
    assert Event.objects.filter(kind="badge.given_by_hand", note__text=reason).count() == 2
    announce_due()
    desk.force_login(bob)
    said = desk.get("/notifications/").content.decode()
    assert "You earned a badge" in said and "A badge of yours was taken back" in said


def test_ranks_and_badges_ask_in_their_own_words_and_say_what_speaks_against_it(desk):
    first = reverse("programme_ranks:delete", args=[Rank.objects.get(threshold=0).pk])
    assert "Take this rank out?" in desk.get(first).content.decode()
    page = desk.post(first)
    assert page.status_code == 200 and "rename it instead" in page.content.decode()
    badge = Badge.objects.get(slug="first-answer")
    away = reverse("programme_badges:delete", args=[badge.pk])
    assert "Give this badge no more?" in desk.get(away).content.decode()
    assert desk.post(away, follow=True).status_code == 200
    badge.refresh_from_db()
    assert badge.retired_at is not None


def test_an_advocate_is_let_go_and_not_deleted(desk, bob, hanna, duo):
    member = services.admit(bob, hanna, [duo])
    edit = reverse("programme_advocates:edit", args=[member.pk])
    page = desk.post(edit, {"user": bob.pk, "state": "candidate"})
    assert page.status_code == 200 and "an advocate already" in page.content.decode()
    delete = reverse("programme_advocates:delete", args=[member.pk])
    assert "with our thanks" in desk.get(delete).content.decode()
    for _ in range(2):
        assert desk.post(delete).status_code == 302
    bob.refresh_from_db()
    assert (AdvocateMembership.objects.get().state, bob.standing) == ("left", "former_advocate")


def test_thanks_to_nobody_are_not_sent(desk):
    badge = Badge.objects.filter(by_hand=True).first()
    said = {"badge": badge.pk, "reason": "For all you did for us in spring.", "people": ", ,"}
    page = desk.post(reverse("programme_thanks:add"), said)
    assert page.status_code == 200 and not Award.objects.exists()


def test_what_is_exported_is_no_formula(desk, bob, hanna, duo):
    services.admit(bob, hanna, [duo])
    services.set_away(bob, bob, note="=HYPERLINK(1)")
    lines = b"".join(desk.get(reverse("programme_advocates:index"), {"export": "csv"}).streaming_content).decode()
    assert ",'=HYPERLINK(1)" in lines and "Bob,away," in lines
