import io
from datetime import UTC, datetime, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from PIL import Image

from community.accounts.models import Department, User
from community.core import clock
from community.core.errors import Conflict, NotAllowed
from community.core.models import Numbers
from community.events.log import replay
from community.events.models import Event
from community.moderation import services as moderation
from community.moderation.models import Flag
from community.notifications.recipients import recipients
from community.posts.models import Revision, Upload
from products.models import Ownership, Product
from products.services import add_to_shelf
from reviews import ratings, services
from reviews.clock import business_hours_later
from reviews.models import Chapter, HelpfulVote, Review
from tests import factories

pytestmark = pytest.mark.django_db


def told(**fields: object) -> dict:
    return {"stars": 5, "title": "Holds its heat", "body": "A year of mornings, and not one bad one.", **fields}


def looked_at(**numbers: bool) -> None:
    row = Numbers.load()
    for name, value in numbers.items():
        setattr(row, name, value)
    row.save()


def kinds(subject: object) -> list[str]:
    return list(Event.objects.about(subject).in_order().values_list("kind", flat=True))


# --- writing


def test_a_review_is_online_at_once_and_counts(alice: User, duo: Product) -> None:
    review = services.write_review(alice, duo, **told(would_recommend=True))
    assert review.is_visible
    assert kinds(review) == ["review.published"]
    duo.refresh_from_db()
    assert (duo.rating_count, duo.rating_sum, duo.stars_5, duo.recommend_yes, duo.review_count) == (1, 5, 1, 1, 1)
    assert Revision.objects.filter(target_id=review.pk).count() == 1
    assert ratings.differences() == []


def test_one_review_per_person_and_product(alice: User, duo: Product) -> None:
    first = services.write_review(alice, duo, **told())
    with pytest.raises(services.AlreadyReviewed) as known:
        services.write_review(alice, duo, **told(stars=1))
    assert known.value.review == first
    assert Review.objects.count() == 1


def test_after_deleting_one_may_write_again(alice: User, duo: Product) -> None:
    first = services.write_review(alice, duo, **told())
    moderation.delete(first, alice)
    duo.refresh_from_db()
    assert duo.review_count == 0
    services.write_review(alice, duo, **told(stars=2))
    duo.refresh_from_db()
    assert (duo.review_count, duo.rating_sum) == (1, 2)


def test_staff_may_not_review(dana: User, duo: Product) -> None:
    with pytest.raises(NotAllowed):
        services.write_review(dana, duo, **told())
    with replay("demo"), pytest.raises(NotAllowed):
        services.write_review(dana, duo, **told())


def test_a_silenced_member_may_not_review(alice: User, duo: Product) -> None:
    alice.silenced_until = clock.now() + timedelta(hours=1)
    with pytest.raises(NotAllowed):
        services.write_review(alice, duo, **told())


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("stars", 0),
        ("stars", 6),
        ("title", " "),
        ("title", "x" * 151),
        ("body", "short"),
        ("body", "long " * 5000),
        ("did_well", "x" * 1001),
        ("secondary", {"nothing": 3}),
        ("disclosure", "bribed"),
        ("owned_months", -1),
    ],
)
def test_nonsense_is_refused_at_its_field(alice: User, duo: Product, field: str, value: object) -> None:
    with pytest.raises(ValidationError) as problem:
        services.write_review(alice, duo, **told(**{field: value}))
    assert list(problem.value.message_dict) == [field]
    assert not Review.objects.exists()


@pytest.mark.parametrize("disclosure", ["employee", "family"])
def test_those_with_a_tie_are_shown_and_not_averaged(alice: User, bob: User, duo: Product, disclosure: str) -> None:
    services.write_review(alice, duo, **told(stars=2))
    tied = services.write_review(bob, duo, **told(disclosure=disclosure))
    duo.refresh_from_db()
    assert tied.is_visible
    assert (duo.rating_mean, duo.rating_count, duo.review_count) == (2, 1, 2)


def test_ownership_makes_a_verified_owner_before_and_after(alice: User, bob: User, duo: Product) -> None:
    add_to_shelf(duo, alice, verified="order")
    assert services.write_review(alice, duo, **told()).verified == "order"
    later = services.write_review(bob, duo, **told())
    assert later.verified == ""
    add_to_shelf(duo, bob, verified="receipt")
    later.refresh_from_db()
    duo.refresh_from_db()
    assert later.verified == Ownership.Verified.RECEIPT
    assert duo.verified_count == 2


def test_an_edit_counts_anew_and_keeps_the_old_version(alice: User, bob: User, duo: Product) -> None:
    review = services.write_review(alice, duo, **told())
    services.edit_review(review, alice, **told(stars=1, title="Changed my mind"))
    duo.refresh_from_db()
    assert (duo.rating_sum, duo.stars_5, duo.stars_1) == (1, 0, 1)
    assert list(Revision.objects.filter(target_id=review.pk).values_list("title", flat=True)) == [
        "Holds its heat",
        "Changed my mind",
    ]
    with pytest.raises(NotAllowed):
        services.edit_review(review, bob, **told())
    with pytest.raises(Conflict):
        services.edit_review(review, alice, seen_revision=1, **told())


def test_the_newest_chapter_counts(alice: User, bob: User, duo: Product) -> None:
    review = services.write_review(alice, duo, **told(stars=5, owned_months=0))
    chapter = services.add_chapter(review, alice, stars=2, body="The pump gave up after a year.", months_owned=12)
    duo.refresh_from_db()
    assert (review.stars, review.current_stars, duo.rating_sum) == (5, 2, 2)
    assert chapter.age == "12 months"
    with pytest.raises(ValidationError):
        services.add_chapter(review, alice, stars=2, body="The pump gave up after a year.", months_owned=12)
    with pytest.raises(ValidationError, match="A later look is not earlier"):
        services.add_chapter(review, alice, stars=5, body="The first days were a joy, I must say.", months_owned=3)
    assert Chapter.objects.count() == 1
    with pytest.raises(NotAllowed):
        services.add_chapter(review, bob, stars=1, body="I have something to say as well.", months_owned=3)
    # An edit of the first words does not bring the first stars back.
    services.edit_review(review, alice, **told(stars=5))
    duo.refresh_from_db()
    assert duo.rating_sum == 2


# --- helpful


def test_helpful_once_per_person_and_back(alice: User, bob: User, duo: Product) -> None:
    review = factories.a_review(alice, duo)
    services.find_helpful(review, bob, True)
    services.find_helpful(review, bob, True)
    assert (review.helpful_yes, review.helpful_no) == (1, 0)
    assert kinds(review).count("review.found_helpful") == 1
    services.find_helpful(review, bob, False)
    assert (review.helpful_yes, review.helpful_no) == (0, 1)
    services.find_helpful(review, bob, None)
    assert (review.helpful_yes, review.helpful_no, HelpfulVote.objects.count()) == (0, 0, 0)
    data = [e.data for e in Event.objects.about(review).filter(kind="review.found_helpful").in_order()]
    assert [(d["previous"], d["helpful"]) for d in data] == [(None, True), (True, False), (False, None)]


def test_nobody_votes_on_their_own_nor_staff_on_any(alice: User, dana: User, duo: Product) -> None:
    review = factories.a_review(alice, duo)
    for somebody in (alice, dana):
        with pytest.raises(NotAllowed):
            services.find_helpful(review, somebody, True)


def test_sure_beats_lucky() -> None:
    assert ratings.wilson(190, 10) > ratings.wilson(9, 1) > ratings.wilson(1, 0) > ratings.wilson(0, 0) == 0
    assert ratings.wilson(9, 1) == pytest.approx(0.5958, abs=0.001)


def test_tallies_become_rows_once(alice: User, bob: User, duo: Product) -> None:
    review = factories.a_review(alice, duo)
    at = datetime(2026, 3, 1, tzinfo=UTC)
    assert services.add_helpful_rows(review, yes=31, no=2, source="demo", at=at) == 33
    assert services.add_helpful_rows(review, yes=31, no=2, source="demo", at=at) == 0
    services.find_helpful(review, bob, True)
    assert (review.helpful_yes, review.helpful_no) == (32, 2)
    told = Event.objects.about(review).filter(kind="review.found_helpful", data__voter_source=True)
    assert told.count() == 33
    assert {event.occurred_at for event in told} == {at}


# --- the brand answers


def test_one_answer_a_department_edited_in_sight(
    alice: User, bob: User, dana: User, support: Department, duo: Product
) -> None:
    review = factories.a_review(alice, duo)
    first = services.respond(review, dana, support, "You are right, it takes long.")
    again = services.respond(review, dana, support, "You are right, it takes long.")
    assert (first, again.edited_at, review.responses.count()) == (again, None, 1)
    changed = services.respond(review, dana, support, "Fifteen minutes, and we say so now.")
    assert (changed.pk, changed.edited_at is not None) == (first.pk, True)
    told = Event.objects.about(review).filter(kind="review.answered").in_order()
    assert [recipients(event) for event in told] == [{alice.pk: "review"}, {}], "news once"
    with pytest.raises(NotAllowed):
        services.respond(review, bob, support, "I speak for them.")
    with pytest.raises(NotAllowed):
        services.respond(review, dana, factories.a_department("pricing"), "And for these.")
    review.refresh_from_db()
    assert review.stars == 4


# --- moderation


def test_72_business_hours_are_three_working_days() -> None:
    friday = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
    assert business_hours_later(friday) == datetime(2026, 11, 25, 15, 0, tzinfo=UTC)
    saturday = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
    assert business_hours_later(saturday) == datetime(2026, 11, 26, 0, 0, tzinfo=UTC)
    monday = datetime(2026, 11, 16, 0, 0, tzinfo=UTC)
    assert business_hours_later(monday) == datetime(2026, 11, 19, 0, 0, tzinfo=UTC)


def test_a_house_that_looks_first(alice: User, ravi: User, duo: Product, wednesday: datetime) -> None:
    looked_at(review_moderation=True)
    review = services.write_review(alice, duo, **told())
    assert (review.visibility, review.due_at) == ("pending", datetime(2026, 11, 23, 9, 0, tzinfo=UTC))
    duo.refresh_from_db()
    assert duo.review_count == 0
    with pytest.raises(NotAllowed):
        services.publish_review(review, alice)
    services.publish_review(review, ravi)
    services.publish_review(review, ravi)
    duo.refresh_from_db()
    assert (review.is_visible, duo.review_count) == (True, 1)
    assert kinds(review) == ["review.submitted", "review.published", "moderation.approved"]
    # A change needs another look; meanwhile it does not count.
    services.edit_review(review, alice, **told(title="And more"))
    duo.refresh_from_db()
    assert (review.visibility, duo.review_count) == ("pending", 0)


def test_only_a_newcomers_first_waits(duo: Product) -> None:
    looked_at(review_first_posts=True)
    newcomer, member = factories.a_person(trust=0), factories.a_person(trust=1)
    assert services.write_review(newcomer, duo, **told()).visibility == "pending"
    assert services.write_review(member, duo, **told()).is_visible
    with replay("demo"):
        assert services.write_review(factories.a_person(trust=0), duo, **told()).is_visible


def test_a_refusal_needs_a_code_and_a_passage_that_is_there(
    alice: User, bob: User, ravi: User, hanna: User, duo: Product
) -> None:
    review = factories.a_review(alice, duo, stars=1, body="It is slow and the man who sold it is a fool, frankly.")
    for wrong, field in (
        ({"code": "low_stars", "passage": "a fool"}, "code"),
        ({"code": "profanity", "passage": ""}, "passage"),
        ({"code": "profanity", "passage": "an idiot"}, "passage"),
    ):
        with pytest.raises(ValidationError) as problem:
            services.refuse_review(review, ravi, **wrong)
        assert list(problem.value.message_dict) == [field]
    with pytest.raises(NotAllowed):
        services.refuse_review(review, bob, code="profanity", passage="a fool")
    claim = moderation.claim(review, hanna)
    with pytest.raises(Conflict, match="is looking at this one"):
        services.refuse_review(review, ravi, code="profanity", passage="a fool")
    claim.delete()
    refusal = services.refuse_review(review, ravi, code="profanity", passage="a  fool", note="Say it kindly.")
    assert services.refuse_review(review, ravi, code="profanity", passage="a fool") == refusal
    with pytest.raises(Conflict, match="Somebody else has decided"):  # their words would be lost, and say so
        services.refuse_review(review, hanna, code="off_topic", passage="a fool")
    duo.refresh_from_db()
    assert (review.visibility, refusal.stars, duo.review_count) == ("hidden", 1, 0)
    assert not Review.objects.visible_to(bob).filter(pk=review.pk).exists()
    assert Review.objects.visible_to(alice).filter(pk=review.pk).exists()


def test_a_moderator_does_not_judge_their_own(ravi: User, duo: Product) -> None:
    ravi.standing = "member"
    ravi.save()
    review = factories.a_review(ravi, duo)
    with pytest.raises(NotAllowed):
        services.refuse_review(review, ravi, code="off_topic", passage="number")


def test_a_refused_review_is_mended_or_sent_again(alice: User, bob: User, ravi: User, duo: Product) -> None:
    review = factories.a_review(alice, duo, body="It is slow and the man who sold it is a fool, frankly.")
    services.refuse_review(review, ravi, code="profanity", passage="a fool")
    services.edit_review(review, alice, **told(body="It is slow and the man who sold it did not know it."))
    assert (review.visibility, review.due_at is not None) == ("pending", True)
    services.refuse_review(review, ravi, code="off_topic", passage="the man who sold it")
    with pytest.raises(NotAllowed):
        services.resubmit_review(review, bob)
    services.resubmit_review(review, alice)
    services.resubmit_review(review, alice)
    assert kinds(review).count("review.submitted") == 2
    services.publish_review(review, ravi)
    assert review.is_visible
    assert review.refusals.filter(resubmitted_at=None).count() == 0


def test_hiding_and_restoring_moves_the_numbers(alice: User, ravi: User, duo: Product) -> None:
    review = factories.a_review(alice, duo)
    services.refuse_review(review, ravi, code="off_topic", passage=review.body_text[:20])
    duo.refresh_from_db()
    assert duo.review_count == 0
    moderation.restore(review, ravi)
    duo.refresh_from_db()
    assert duo.review_count == 1
    assert not review.refusals.filter(resubmitted_at=None).exists(), "who shows it again overrules the refusal"


def test_the_generic_doors_obey_the_rules_of_reviews(alice: User, ravi: User, duo: Product) -> None:
    review = factories.a_review(alice, duo, stars=1)
    for act in (moderation.hide, moderation.delete):
        with pytest.raises(NotAllowed, match="goes back to its author"):
            act(review, ravi, reason="Too low.")
    moderation.delete(review, alice)
    assert review.visibility == "deleted"


def test_nobody_judges_their_own_review_through_a_generic_door(ravi: User, duo: Product) -> None:
    looked_at(review_moderation=True)
    ravi.standing = "member"
    ravi.save()
    review = services.write_review(ravi, duo, **told())
    for act in (moderation.approve, lambda thing, by: moderation.hide(thing, by, reason="x")):
        with pytest.raises(NotAllowed):
            act(review, ravi)
    assert review.visibility == "pending"


def test_the_queue_lets_a_review_through_as_its_own_door_does(alice: User, ravi: User, duo: Product) -> None:
    looked_at(review_moderation=True)
    review = services.write_review(alice, duo, **told())
    assert review.due_at is not None
    moderation.approve(review, ravi)
    review.refresh_from_db()
    assert (review.visibility, review.due_at) == ("visible", None)


def test_a_refusal_before_the_first_showing_is_settled_by_restoring(alice: User, ravi: User, duo: Product) -> None:
    looked_at(review_moderation=True)
    review = services.write_review(alice, duo, **told(body="Slow, and the man who sold it is a fool, frankly."))
    services.refuse_review(review, ravi, code="profanity", passage="a fool")
    moderation.restore(review, ravi)
    review.refresh_from_db()
    assert review.is_visible
    assert not review.refusals.filter(resubmitted_at=None).exists()


def test_a_crowd_of_flags_does_not_hide_a_review(alice: User, ravi: User, duo: Product) -> None:
    review = factories.a_review(alice, duo, stars=1)
    for _ in range(4):
        moderation.flag(review, factories.a_person(trust=2), reason="off_topic")
    assert review.is_visible
    services.refuse_review(review, ravi, code="off_topic", passage=review.body_text[:20])
    assert set(Flag.objects.values_list("state", flat=True)) == {"upheld"}


def test_rebuild_mends_what_somebody_broke(alice: User, duo: Product) -> None:
    factories.a_review(alice, duo)
    Product.objects.filter(pk=duo.pk).update(stars_4=7, rating_sum=99)
    assert {line[1] for line in ratings.differences()} == {"stars_4", "rating_sum"}
    ratings.rebuild()
    assert ratings.differences() == []


def test_hostile_text_is_inert(alice: User, duo: Product) -> None:
    review = factories.a_review(alice, duo, body="<script>alert(1)</script> and [this](javascript:alert(1)) all year")
    assert "<script" not in review.body_html
    assert 'href="javascript' not in review.body_html


def test_a_picture_in_the_words_stays_when_the_photos_change(alice: User, duo: Product) -> None:
    review = services.write_review(alice, duo, **told())
    picture = io.BytesIO()
    Image.new("RGB", (40, 30), "brown").save(picture, "WEBP")
    upload = Upload.objects.create(owner=alice, alt="A pot", file=ContentFile(picture.getvalue(), "pot.webp"))
    body = f"A year of mornings, and not one bad one. ![A pot]({upload.file.url})"
    services.edit_review(review, alice, **told(body=body), photos=[])
    upload.refresh_from_db()
    assert upload.target == review


def test_new_stars_leave_an_imported_text_as_it_was(alice: User, duo: Product) -> None:
    words = "<p>It is <b>good</b> and does it all.</p>\n<p>A second paragraph of it.</p>"
    with replay("import", clock.now()):
        review = services.write_review(
            alice, duo, **told(body=words), source_format="html", source="shop", external_id="1"
        )
    as_shown = review.body_html
    services.edit_review(review, alice, **told(stars=3, body=words.replace("\n", "\r\n")))
    assert (review.stars, review.source_format, review.body_html) == (3, "html", as_shown)
