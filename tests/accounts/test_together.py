"""A second account in the same browser gives no votes to the first (CHECKS 58)."""

import pytest
from django.test import Client

from community.accounts.models import User
from community.questions.models import AnswerVote, ThreadVote
from tests import factories

pytestmark = pytest.mark.django_db
PASSWORD = "teal marmot over the bridge"


@pytest.fixture
def second(settings: object) -> User:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # type: ignore[attr-defined]
    return factories.a_person()


def sign_in(client: Client, person: User) -> None:
    if not person.check_password(PASSWORD):  # a new one would end the other session
        person.set_password(PASSWORD)
        person.save(update_fields=["password"])
    if not person.emailaddress_set.exists():
        factories.a_confirmed_address(person)
    client.post("/accounts/logout/")
    assert client.post("/accounts/login/", {"login": person.username, "password": PASSWORD}).status_code == 302
    assert client.session["_auth_user_id"] == str(person.pk)


def test_a_second_account_of_one_browser_casts_no_vote_for_the_first(alice: User, second: User, client: Client) -> None:
    thread, answer, review = factories.a_thread(alice), factories.an_answer(by=alice), factories.a_review(alice)
    recipe, tip, elsewhere = factories.a_recipe(alice), factories.a_tip(alice), factories.an_answer()
    sign_in(client, alice)
    assert client.cookies["here"]["httponly"] and client.cookies["here"]["samesite"] == "Lax"
    sign_in(client, second)
    for address, sent in (
        (f"/questions/thread/{thread.pk}/vote/", {"value": "1"}),
        (f"/questions/answer/{answer.pk}/vote/", {"value": "1"}),
        (f"/questions/answer/{answer.pk}/vote/", {"value": "-1"}),
        (f"/reviews/{review.pk}/helpful/", {"helpful": "yes"}),
        (f"/questions/answer/{answer.pk}/works/", {"works": "yes"}),
        (f"/recipes/{recipe.pk}/made/", {"stars": "5"}),
        (f"/tips/{tip.pk}/worked/", {"worked": "yes"}),
    ):
        refused = client.post(address, sent)
        assert refused.status_code == 403, address
        assert "signed in on this browser today" in refused.content.decode()
    assert not ThreadVote.objects.exists() and not AnswerVote.objects.exists()
    assert client.post(f"/questions/answer/{answer.pk}/vote/", {"value": "0"}).status_code == 303, "back is always open"
    client.post(f"/questions/answer/{elsewhere.pk}/vote/", {"value": "1"})
    assert AnswerVote.objects.get().target_id == elsewhere.pk

    other = Client()
    sign_in(other, second)
    assert other.post(f"/questions/answer/{answer.pk}/vote/", {"value": "1"}).status_code == 303, (
        "a browser of their own"
    )
    client.cookies["here"] = str(alice.pk)
    client.post(f"/questions/thread/{thread.pk}/vote/", {"value": "1"})
    assert ThreadVote.objects.count() == 1, "a mark that we did not sign says nothing"
