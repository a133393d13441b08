"""A review that came back: its author may appeal, somebody else decides, and everybody sees how often who was right."""

import re
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.test import Client

from community.accounts.models import Department, User
from community.accounts.services import set_role
from community.core.errors import Conflict, NotAllowed
from community.moderation import services as moderation
from community.posts.models import Upload
from products.models import Product
from reviews import services
from reviews.models import Refusal, RefusalCode, Review
from reviews.views import _totals
from tests import factories
from tests.posts.test_uploads import a_picture

pytestmark = pytest.mark.django_db
WORDS = "I said what happened in the shop, and it is about the product all the same."


@pytest.fixture
def refused(alice: User, ravi: User, duo: Product) -> Review:
    review = factories.a_review(alice, duo, stars=1, body="The valve drips and the shop laughed at me about it.")
    services.refuse_review(review, ravi, code="off_topic", passage="the shop laughed at me")
    return review


@pytest.fixture
def mona(db: None) -> User:
    """Another moderator."""
    set_role(factories.a_person("mona"), None, "moderator")
    return User.objects.get(username="mona")


def fresh(review: Review) -> Review:
    return Review.objects.get(pk=review.pk)


def test_somebody_else_decides_and_may_grant_it(refused: Review, alice: User, ravi: User, mona: User) -> None:
    services.appeal(refused, alice, WORDS)
    assert fresh(refused).visibility == "pending"
    assert fresh(refused).due_at is not None
    for act in (
        lambda: services.publish_review(fresh(refused), ravi),
        lambda: services.refuse_review(fresh(refused), ravi, code="off_topic", passage="the shop"),
    ):
        with pytest.raises(NotAllowed, match="somebody else decides"):
            act()
    services.publish_review(fresh(refused), mona)
    assert fresh(refused).is_visible
    assert Refusal.objects.get().granted is True


def test_refused_again_it_can_be_mended_but_not_appealed_again(
    refused: Review, alice: User, mona: User, client: Client
) -> None:
    services.appeal(refused, alice, WORDS)
    services.refuse_review(fresh(refused), mona, code="off_topic", passage="the shop laughed")
    assert list(Refusal.objects.values_list("granted", flat=True)) == [False, None]
    with pytest.raises(NotAllowed, match="answer to your appeal"):
        services.appeal(fresh(refused), alice, WORDS)
    client.force_login(alice)
    page = client.get(refused.get_absolute_url()).content.decode()
    assert "This was the answer to your appeal" in page and "Send the appeal" not in page
    services.resubmit_review(fresh(refused), alice)
    assert fresh(refused).visibility == "pending"


def test_who_may_appeal_and_when(refused: Review, alice: User, bob: User, duo: Product) -> None:
    with pytest.raises(NotAllowed):
        services.appeal(refused, bob, WORDS)
    with pytest.raises(ValidationError) as short:
        services.appeal(refused, alice, "No.")
    assert list(short.value.message_dict) == ["words"]
    services.appeal(refused, alice, WORDS)
    services.appeal(fresh(refused), alice, WORDS)  # the second press of the button
    assert Refusal.objects.get().appeal == WORDS
    with pytest.raises(Conflict):
        services.appeal(factories.a_review(bob, duo), bob, WORDS)


def test_the_page_of_the_author_the_moderator_and_everybody(
    refused: Review, alice: User, bob: User, mona: User, client: Client
) -> None:
    address = f"/reviews/{refused.pk}/appeal/"
    assert client.post(address, {"words": WORDS}).status_code == 302  # to sign in
    client.force_login(bob)
    assert client.post(address, {"words": WORDS}).status_code == 404
    client.force_login(alice)
    assert client.get(address).status_code == 405
    assert "Send the appeal" in client.get(refused.get_absolute_url()).content.decode()
    answer = client.post(address, {"words": "<b>No"})
    assert answer.status_code == 422
    assert "&lt;b&gt;No" in answer.content.decode() and "Say why it should stay" in answer.content.decode()
    assert client.post(address, {"words": WORDS}).status_code == 302
    client.force_login(mona)
    page = client.get(refused.get_absolute_url()).content.decode()
    assert "The author appealed" in page and WORDS in page
    services.publish_review(fresh(refused), mona)
    client.logout()
    page = client.get("/reviews/policy/").content.decode()
    assert "1 author appealed." in page and "1 of them was right" in page


def test_who_mends_it_meanwhile_needs_no_appeal(refused: Review, alice: User, ravi: User) -> None:
    services.appeal(refused, alice, WORDS)
    services.edit_review(fresh(refused), alice, stars=1, title="It drips", body="The valve drips, day and night.")
    services.publish_review(fresh(refused), ravi)
    assert Refusal.objects.get().granted is None


def test_the_public_totals_are_right_whatever_happens(
    alice: User, bob: User, ravi: User, mona: User, duo: Product, client: Client, django_assert_num_queries: Any
) -> None:
    def counted_one_by_one() -> list[int]:
        return [Review.objects.visible().filter(current_stars=stars).count() for stars in (5, 4, 3, 2, 1)]

    def told() -> dict[str, Any]:
        with django_assert_num_queries(4):
            totals = _totals()
        assert totals["published"] == counted_one_by_one() and totals["published_all"] == sum(counted_one_by_one())
        return totals

    review = factories.a_review(alice, duo, stars=1, body="The valve drips and the shop laughed at me about it.")
    factories.a_review(bob, duo, stars=5, disclosure="family")  # online, and not averaged
    assert told()["published"] == [1, 0, 0, 0, 1]
    services.refuse_review(review, ravi, code="off_topic", passage="the shop laughed at me")
    totals = told()
    assert (totals["published"], totals["refused"]) == ([1, 0, 0, 0, 0], [0, 0, 0, 0, 1])
    assert totals["table"] == [{"label": RefusalCode.OFF_TOPIC.label, "counts": [0, 0, 0, 0, 1], "sum": 1}]
    services.resubmit_review(review, alice)
    assert told()["published_all"] == 1  # it waits
    services.refuse_review(fresh(review), ravi, code="profanity", passage="laughed at me")
    services.appeal(fresh(review), alice, WORDS)
    totals = told()
    assert (totals["refused_all"], totals["appeals"], totals["granted"]) == (2, 1, 0)
    services.publish_review(fresh(review), mona)
    totals = told()
    assert (totals["published"], totals["granted"], totals["refused_all"]) == ([1, 0, 0, 0, 1], 1, 2)
    services.add_chapter(fresh(review), alice, stars=4, body="They sent a new valve within a day.", months_owned=3)
    assert told()["published"] == [1, 1, 0, 0, 0]
    moderation.delete(fresh(review), alice)
    totals = told()
    assert (totals["published_all"], totals["refused_all"]) == (1, 2)  # what was refused stays in the figures


# --- history


def test_every_version_is_shown_with_its_stars(alice: User, duo: Product, client: Client) -> None:
    review = factories.a_review(alice, duo, stars=5, title="Good so far", body="It holds its heat for an hour.")
    services.edit_review(review, alice, stars=2, title="Good so far", body="It holds its heat for a minute.")
    page = client.get(f"/reviews/{review.pk}/history/").content.decode()
    assert "<del>" in page and "<ins>" in page and "as first written" in page
    assert page.index("5") and "Version 2" in page
    assert f"/reviews/{review.pk}/history/" in client.get(review.get_absolute_url()).content.decode()
    assert client.post(f"/reviews/{review.pk}/history/").status_code == 405
    assert client.get("/reviews/999999/history/").status_code == 404


def test_every_changed_field_is_in_the_history(
    alice: User, duo: Product, client: Client, django_assert_max_num_queries: Any
) -> None:
    kept = {"stars": 4, "title": "Good so far", "body": "It holds its heat for an hour."}
    first = {"secondary": {"steam": 3}, "disclosure": "bought", "owned_months": 2, "did_well": "The old valve"}
    duo.family.secondary_ratings = [{"slug": "steam", "name": "Steam power"}]
    duo.family.save()
    photo = a_picture(alice)
    Upload.objects.update(caption="The scale")
    photo.refresh_from_db()
    review = services.write_review(alice, duo, **kept, **first, would_recommend=True)
    services.edit_review(
        review, alice, **kept, secondary={"steam": 5}, disclosure="free", owned_months=3, did_well="The new valve",
        could_be_better="The <b>cable</b>", would_recommend=False, photos=[photo],
    )  # fmt: skip
    services.edit_review(review, alice, **{**kept, "stars": 2}, **first)
    with django_assert_max_num_queries(8):
        page = client.get(f"/reviews/{review.pk}/history/").content.decode()
    third, second, _first = page.split('<section class="version"')[1:]
    told = [" ".join(re.sub("<[^>]*>", " ", one).split()) for one in re.findall("<div><dt>.*?</div>", second, re.S)]
    assert told == [
        "What did we do well The Gone: old Added: new valve",
        "What could be better Added: The &lt;b&gt;cable&lt;/b&gt;",
        "Would you recommend it Gone: yes Added: no", "How you came by it Gone: I bought it Added: It was given to me",
        "Months you have owned it Gone: 2 Added: 3", "Steam power Gone: 3 of 5 Added: 5 of 5",
        "Photos Added: The scale",
    ]  # fmt: skip
    assert "4 out of 5" in third and "2 out of 5" in third  # the stars themselves
    assert "The scale" not in third  # photos=None leaves them
    assert '<dl class="diff' not in _first


def test_a_department_edits_its_answer_in_sight(
    alice: User, dana: User, support: Department, duo: Product, client: Client
) -> None:
    review, other = factories.a_review(alice, duo), factories.a_review()
    response = services.respond(review, dana, support, "We send you a new valve.")
    page = client.get(review.get_absolute_url()).content.decode()
    address = f"/reviews/{review.pk}/history/{response.pk}/"
    assert "a new valve" in page and address not in page
    services.respond(review, dana, support, "We send you a new handle.")
    for listed in (review.get_absolute_url(), "/reviews/?product=duo"):
        assert address in client.get(listed).content.decode()
    page = client.get(address).content.decode()
    assert "<del>valve</del>" in page and "<ins>handle</ins>" in page and "Version 2" in page
    assert client.get(f"/reviews/{other.pk}/history/{response.pk}/").status_code == 404
    assert client.post(address).status_code == 405
    moderation.hide(review, None, reason="A look")
    assert client.get(address).status_code == 404


def test_what_had_to_go_is_not_in_the_history_for_everybody(
    refused: Review, alice: User, ravi: User, mona: User, client: Client
) -> None:
    assert client.get(f"/reviews/{refused.pk}/history/").status_code == 404
    services.edit_review(fresh(refused), alice, stars=1, title="It drips", body="The valve drips, day and night.")
    services.publish_review(fresh(refused), ravi)
    address = f"/reviews/{refused.pk}/history/"
    page = client.get(address).content.decode()
    assert "laughed" not in page and "kept from the page" in page and "Version 2" in page
    for person in (alice, mona):
        client.force_login(person)
        assert "laughed" in client.get(address).content.decode()


def test_stars_of_others_cannot_be_set(refused: Review, ravi: User, client: Client) -> None:
    client.force_login(ravi)
    answer = client.post(f"/reviews/{refused.pk}/edit/", {"stars": 5, "title": "Nice", "body": "All good, says staff."})
    assert answer.status_code == 403
    assert fresh(refused).stars == 1
