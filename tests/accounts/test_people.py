"""Names that can't be mistaken, joining by code, roles."""

import re

import pytest
from django.core import mail
from django.core.exceptions import ValidationError
from django.urls import reverse

from community.accounts import services
from community.accounts.models import FormerUsername, Profile, Standing, User
from community.accounts.names import check_username, skeleton
from community.core import outbox
from community.core.errors import NotAllowed
from community.events.models import Event
from tests.factories import a_person

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("name", ["ab", "x" * 21, "with space", "-dash", "dot.", "Ädele", "a\u200bb c"])
def test_names_that_are_refused(name):
    with pytest.raises(ValidationError):
        check_username(name)


@pytest.mark.parametrize("name", ["admin", "Support", "m0derator", "off1cial", "s.t.a.f.f", "bob\u202e"])
def test_names_that_could_be_taken_for_the_brand_or_play_tricks(name):
    with pytest.raises(ValidationError):
        check_username(name)


@pytest.mark.parametrize(("one", "other"), [("bob", "b0b"), ("bob", "b.o.b"), ("bob", "BОB"), ("paul", "pau1")])
def test_look_alikes_have_one_skeleton(one, other):
    assert skeleton(one) == skeleton(other)


def test_a_taken_or_former_name_cannot_be_had(bob):
    with pytest.raises(ValidationError):
        services.check_free("b0b")
    services.rename(bob, "robert")
    assert FormerUsername.objects.get().user == bob
    with pytest.raises(ValidationError):
        services.check_free("bob")
    assert services.check_free("bob", besides=bob) == "bob"


def test_joining_by_code(client, transactional_db):
    answer = client.post(
        reverse("account_signup"), {"name": "Ida Berg", "username": "ida.berg", "email": "Ida@Example.org"}
    )
    assert answer.status_code == 302, answer.content.decode()[:3000]
    outbox.deliver_due()
    code = re.search(r"\b([A-Z0-9]{3,4}-?[A-Z0-9]{3,4})\b", mail.outbox[-1].body).group(1)
    assert not Event.objects.filter(kind="person.joined").exists()
    client.post(reverse("account_email_verification_sent"), {"code": code})
    ida = User.objects.get(username="ida.berg")
    assert (ida.name, ida.email, ida.trust) == ("Ida Berg", "ida@example.org", 0)
    assert Profile.objects.filter(user=ida).exists()
    assert Event.objects.about(ida).get().kind == "person.joined"
    assert client.session["_auth_user_id"] == str(ida.pk)


def test_sign_up_answers_alike_for_a_known_address(client, alice):
    known = client.post(reverse("account_signup"), {"name": "X", "username": "xaver", "email": alice.email})
    client.logout()
    new = client.post(reverse("account_signup"), {"name": "Y", "username": "yvonne", "email": "new@example.org"})
    assert (known.status_code, known.url) == (new.status_code, new.url)
    assert not User.objects.filter(username="xaver").exists()


def test_extra_fields_change_nothing(client, alice):
    client.force_login(alice)
    client.post(
        reverse("accounts:profile"),
        {"name": "Alice M", "city": "Hamburg", "about": "Learning", "is_superuser": "1", "trust": "3",
         "reputation": "9999", "standing": "staff", "username": "root"},
    )  # fmt: skip
    alice.refresh_from_db()
    assert (alice.name, alice.city, alice.profile.about) == ("Alice M", "Hamburg", "Learning")
    assert (alice.is_superuser, alice.trust, alice.standing, alice.username) == (False, 1, "member", "alice")


def test_roles_open_the_staff_area(dana, alice, hanna, support):
    assert dana.has_perm("questions.answer_officially")
    assert dana.has_perm("wagtailadmin.access_admin")
    assert (dana.standing, dana.department) == (Standing.STAFF, support)
    assert not alice.has_perm("wagtailadmin.access_admin")
    with pytest.raises(NotAllowed):
        services.set_role(alice, dana, "community-manager")
    services.set_role(dana, hanna, "")
    dana = User.objects.get(pk=dana.pk)
    assert dana.standing == Standing.FORMER_STAFF
    assert not dana.has_perm("wagtailadmin.access_admin")


def test_moderators_have_no_rights_over_pages(ravi):
    assert not ravi.groups.get().page_permissions.exists()


def test_suspending_takes_a_moderator_and_a_reason(alice, bob, ravi):
    with pytest.raises(NotAllowed):
        services.suspend(bob, alice, reason="I don't like him")
    with pytest.raises(ValidationError):
        services.suspend(bob, ravi, reason=" ")
    services.suspend(bob, ravi, reason="Threats")
    services.suspend(bob, ravi, reason="Threats")
    assert not User.objects.get(pk=bob.pk).is_active
    assert Event.objects.filter(kind="person.suspended").count() == 1


def test_a_suspended_person_is_out_with_the_next_request(client, alice, ravi):
    client.force_login(alice)
    services.suspend(alice, ravi, reason="Spam")
    assert client.get(reverse("accounts:profile")).status_code == 302


def test_settings_are_for_people_who_are_signed_in(client):
    assert client.get(reverse("accounts:profile")).status_code == 302


def test_initials_and_tone():
    assert a_person(name="Park Hye-jin").initials == "PJ"
    assert a_person(name="Bob").initials == "B"
