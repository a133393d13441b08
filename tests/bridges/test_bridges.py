"""From a review to a thread and back: nothing without the author's word, and a line that never says more than is so."""

import io
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from PIL import Image
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects

from community.accounts.models import Department, User
from community.bridges import outcome, services
from community.bridges.models import Bridge
from community.core import clock
from community.core.errors import Conflict, NotAllowed
from community.core.uploads import reencode
from community.escalation.models import Escalation
from community.events.models import Event
from community.moderation import services as moderation
from community.notifications.recipients import recipients
from community.posts.models import Upload
from community.questions import services as questions
from community.questions.models import Thread
from products.models import Product, Responsibility
from reviews import services as reviews
from reviews.models import Review
from tests import factories
from tests.races import at_once

pytestmark = pytest.mark.django_db

WORDS = "The box had a hole on one side, and nobody answers my mails."


@pytest.fixture
def low(alice: User, duo: Product) -> Review:
    """Alice's two stars."""
    factories.a_department("design", name="Design")  # so that ids of departments and people differ
    return factories.a_review(
        alice, duo, stars=2, title="It drips", body="It drips from the wand since May.", could_be_better="The valve"
    )


@pytest.fixture
def orders(duo: Product) -> Department:
    orders = factories.a_department("orders", name="Pricing and orders")
    Responsibility.objects.create(product=duo, subject="price and orders", department=orders)
    return orders


def kinds(subject: Any) -> list[str]:
    return list(Event.objects.about(subject).in_order().values_list("kind", flat=True))


# --- not about the product


def test_a_refused_review_about_delivery_becomes_a_thread_with_one_click(
    client: Client, alice: User, ravi: User, duo: Product, orders: Department
) -> None:
    review = factories.a_review(alice, duo, stars=1, title="A hole", body=WORDS, did_well="Nothing until now.")
    reviews.refuse_review(review, ravi, code="delivery_or_service", passage="nobody answers my mails")
    bridge = Bridge.objects.get()
    assert (bridge.state, bridge.kind, bridge.department) == ("offered", "delivery", orders)
    told = Event.objects.filter(kind="bridge.offered").get()
    assert recipients(told) == {}  # the refusal says it
    client.force_login(alice)
    assertContains(client.get(review.get_absolute_url()), "Pricing and orders sees it at once")
    address = f"/reviews/{review.pk}/thread/agree/"
    assert client.get(address).status_code == 405
    response = client.post(address)
    thread = Thread.objects.get()
    assertRedirects(response, thread.get_absolute_url())
    assert (thread.kind, thread.product, thread.author) == ("problem", duo, alice)
    assert thread.title == "A hole: a problem with the Brindle Duo"
    assert WORDS in thread.body_text
    assert "Nothing until now." in thread.body_text
    case = Escalation.objects.get(thread=thread)
    assert case.department == orders
    assert [row["kind"] for row in case.ladder if not row["fired"]][0] == "department_notified", "at once, as was said"
    assert case.next_due_at is not None and case.next_due_at <= clock.now()
    # Both ways; the review is back with its author, who alone sees the way to it.
    assertContains(client.get(thread.get_absolute_url()), review.get_absolute_url())
    assertContains(client.get(review.get_absolute_url()), thread.get_absolute_url())
    client.logout()
    assertNotContains(client.get(thread.get_absolute_url()), review.get_absolute_url())
    client.force_login(alice)
    client.post(address)
    assert (Thread.objects.count(), kinds(review).count("bridge.agreed")) == (1, 1)
    review.refresh_from_db()
    assert (review.visibility, review.refusals.count()) == ("hidden", 1)


def test_a_moderator_asks_before_anything_happens(
    client: Client, alice: User, charlie: User, ravi: User, duo: Product, orders: Department
) -> None:
    review = factories.a_review(alice, duo, stars=1, title="A hole", body=WORDS, hold=True)
    address = f"/reviews/{review.pk}/thread/propose/"
    client.force_login(charlie)
    assert client.get(address).status_code == 404
    client.force_login(alice)
    assert client.post(address, {"passage": "a hole"}).status_code == 403
    client.force_login(ravi)
    assertContains(client.get(address), f'<option value="{orders.pk}" selected>')
    wrong = client.post(address, {"passage": "never written", "note": "May we?"})
    assertContains(wrong, "stand in the review", status_code=422)
    assertContains(wrong, "May we?", status_code=422)
    sent = {"passage": "a hole on one side", "department": orders.pk, "note": "May we?"}
    assertRedirects(client.post(address, sent), review.get_absolute_url())
    client.post(address, sent)
    assert (Bridge.objects.count(), kinds(review).count("bridge.offered")) == (1, 1)
    assert recipients(Event.objects.get(kind="bridge.offered")) == {alice.pk: "review"}
    review.refresh_from_db()
    assert review.visibility == "pending"

    services.agree(review, alice)
    review.refresh_from_db()
    refusal = review.refusals.get()
    assert (review.visibility, refusal.code, refusal.by) == ("hidden", "delivery_or_service", ravi)
    assert recipients(Event.objects.get(kind="review.refused")) == {}  # she agreed herself
    # Nothing is lost: she can change it and send it again.
    reviews.resubmit_review(review, alice)
    assert review.visibility == "pending"


def test_no_is_an_answer(client: Client, alice: User, bob: User, ravi: User, duo: Product) -> None:
    review = factories.a_review(alice, duo, stars=1, title="A hole", body=WORDS, hold=True)
    services.propose_thread(review, ravi, passage="a hole")
    with pytest.raises(NotAllowed):
        services.decline(review, bob)
    with pytest.raises(NotAllowed):
        services.agree(review, ravi)
    client.force_login(alice)
    assertContains(client.post(f"/reviews/{review.pk}/thread/decline/", follow=True), "Your review stays as it is")
    services.decline(review, alice)
    assert kinds(review).count("bridge.declined") == 1
    review.refresh_from_db()
    assert (review.visibility, Thread.objects.count()) == ("pending", 0)
    with pytest.raises(Conflict):
        services.agree(review, alice)
    with pytest.raises(Conflict, match="said no"):
        services.propose_thread(review, ravi, passage="a hole")


# --- let us fix this


def test_its_author_opens_a_thread_and_the_line_follows_the_truth(
    client: Client, alice: User, bob: User, ravi: User, low: Review, wednesday: Any
) -> None:
    client.force_login(alice)
    assertContains(client.get(low.get_absolute_url()), "Open a problem thread")
    assert client.get(f"/reviews/{low.pk}/thread/").status_code == 405
    client.post(f"/reviews/{low.pk}/thread/", {"show": "1"})
    thread = Thread.objects.get()
    assert services.start_thread(low, alice) == thread  # twice is harmless
    assert "The valve" in thread.body_text
    low.refresh_from_db()
    assert low.is_visible
    page = client.get("/reviews/?product=duo")
    assertContains(page, "Problem raised, not solved yet")
    assertContains(page, f'href="/questions/{thread.pk}/"')

    def line() -> str:
        low.refresh_from_db()
        return low.outcome.get("state", "")

    with clock.travel(clock.now() + timedelta(days=2, hours=3)):
        answer = factories.an_answer(Thread.objects.get(pk=thread.pk), bob)
        questions.accept_answer(answer, alice)
        assert (line(), low.outcome["days"]) == ("solved", 2)
        assertContains(client.get("/reviews/?product=duo"), "Problem raised, solved in 2 days")
        questions.reopen_thread(Thread.objects.get(pk=thread.pk), alice, reason="It drips again.")
        assert line() == "reopened"
    with clock.travel(clock.now() + timedelta(days=4)):
        questions.accept_answer(factories.an_answer(Thread.objects.get(pk=thread.pk)), alice)
        assert (line(), low.outcome["recheck"]) == ("solved", False)
        row = Thread.objects.get(pk=thread.pk)
        row.recheck_at = clock.now()
        row.save(update_fields=["recheck_at"])
        outcome.tell(row)
        assert (line(), low.outcome["recheck"]) == ("solved", True)
    moderation.hide(Thread.objects.get(pk=thread.pk), None, reason="A look")
    assert line() == ""
    assertNotContains(client.get("/reviews/?product=duo"), "Problem raised")
    with pytest.raises(NotAllowed):
        services.set_outcome(low, bob, False)
    services.set_outcome(low, alice, False)
    moderation.restore(Thread.objects.get(pk=thread.pk), ravi)
    assert line() == ""
    services.set_outcome(low, alice, True)
    services.set_outcome(low, alice, True)
    assert (line(), kinds(low).count("bridge.outcome")) == ("solved", 2)


def test_the_line_follows_the_original_of_a_duplicate(
    client: Client, alice: User, bob: User, ravi: User, low: Review, duo: Product, wednesday: Any
) -> None:
    """Somebody asked first; and what that was a duplicate of in turn, and where it was merged into at last."""

    def now_told() -> tuple[str, int | None]:
        low.refresh_from_db()
        return low.outcome.get("state", ""), int(low.outcome.get("url", "/0/").split("/")[-2])

    def an_older() -> Thread:
        return factories.a_thread(bob, kind="problem", title="It drips from the wand", product=duo)

    def fresh(thread: Thread) -> Thread:
        return Thread.objects.get(pk=thread.pk)

    older, oldest, last = an_older(), an_older(), an_older()
    own = services.start_thread(low, alice, show_outcome=True)
    assert now_told() == ("open", own.pk)
    questions.mark_duplicate(fresh(own), ravi, of=older)
    assert now_told() == ("open", older.pk)
    with clock.travel(clock.now() + timedelta(days=3)):
        questions.accept_answer(factories.an_answer(fresh(older), ravi), bob)
        assert now_told() == ("solved", older.pk) and low.outcome["days"] == 3
        assertContains(client.get(low.get_absolute_url()), "Problem raised, solved in 3 days")
        # The original points on: the review points to where that leads.
        questions.mark_duplicate(fresh(older), ravi, of=oldest)
        assert now_told() == ("open", oldest.pk)
        questions.close_thread(fresh(oldest), ravi, reason="Recalled")
        assert now_told() == ("closed", oldest.pk)
        questions.reopen_thread(fresh(oldest), ravi, reason="It drips again.")
        assert now_told() == ("reopened", oldest.pk)
        questions.merge_thread(fresh(oldest), last, ravi, reason="The same")
        assert now_told()[1] == last.pk
        questions.accept_answer(factories.an_answer(fresh(last), ravi), bob)
        assert now_told() == ("solved", last.pk)
    moderation.hide(fresh(last), None, reason="A look")
    assert now_told() == ("", 0)
    moderation.restore(fresh(last), ravi)
    assert now_told() == ("solved", last.pk)


def test_an_agent_offers_and_the_author_decides(
    client: Client, alice: User, charlie: User, dana: User, support: Department, low: Review
) -> None:
    address = f"/reviews/{low.pk}/thread/offer/"
    client.force_login(charlie)
    assert client.get(address).status_code == 403
    assertNotContains(client.get(low.get_absolute_url()), "thread/offer/")
    client.force_login(dana)
    assertContains(client.get(low.get_absolute_url()), address)
    wrong = {"department": support.pk, "note": "Let me look.", "thread": "https://elsewhere.example/1"}
    assertContains(client.post(address, wrong), "no thread at this address", status_code=422)
    client.post(address, {"department": support.pk, "note": "Let me look."})
    assert Thread.objects.count() == 0
    client.force_login(alice)
    assertContains(client.get(low.get_absolute_url()), "Customer support would like to fix this")
    client.post(f"/reviews/{low.pk}/thread/agree/")
    thread = Thread.objects.get()
    assert (thread.for_department, Escalation.objects.get(thread=thread).department) == (support, support)
    low.refresh_from_db()
    assert (low.is_visible, low.outcome) == (True, {})  # she did not agree to show it
    with pytest.raises(Conflict):
        services.offer_fix(low, dana, department=support)


def test_one_joins_an_open_thread_about_the_same(
    client: Client, alice: User, bob: User, ravi: User, dana: User, support: Department, duo: Product, low: Review
) -> None:
    known = factories.a_thread(bob, product=duo, kind="problem", title="Steam wand drips after use")
    services.offer_fix(low, dana, department=support, thread=known)
    assert services.agree(low, alice, show_outcome=True) == known
    known.refresh_from_db()
    assert (Thread.objects.count(), known.me_too_count) == (1, 1)
    assertContains(client.get(known.get_absolute_url()), "tells of this in a review")
    original = factories.a_thread(bob, product=duo, kind="problem", title="The wand drips, and that is why")
    questions.solve_another_way(original, bob, note="A new valve seat.")
    questions.mark_duplicate(known, ravi, of=original)
    low.refresh_from_db()
    assert (low.outcome["state"], low.outcome["url"]) == ("solved", f"/questions/{original.pk}/")


def test_one_joins_what_the_offered_thread_went_into(
    client: Client, alice: User, bob: User, ravi: User, dana: User, support: Department, duo: Product, low: Review
) -> None:
    known, original, best = (
        factories.a_thread(bob, product=duo, kind="problem", title=f"The steam wand drips, number {n}")
        for n in range(3)
    )
    services.offer_fix(low, dana, department=support, thread=known)
    questions.mark_duplicate(known, ravi, of=original)
    client.force_login(alice)
    assertContains(client.get(low.get_absolute_url()), original.title)
    questions.merge_thread(original, best, ravi, "The same valve")
    known.refresh_from_db()
    assertContains(client.get(low.get_absolute_url()), best.title)
    assert services.agree(low, alice, show_outcome=True) == best
    best.refresh_from_db()
    low.refresh_from_db()
    assert best.me_toos.filter(voter=alice).exists()
    assert low.outcome["url"] == f"/questions/{best.pk}/"
    assertContains(client.get(best.get_absolute_url()), "tells of this in a review")


@pytest.mark.parametrize(
    ("stars", "better", "may"), [(4, "All", False), (3, "", False), (3, "The lid", True), (1, "", True)]
)
def test_for_whom_it_is(alice: User, duo: Product, stars: int, better: str, may: bool) -> None:
    review = factories.a_review(alice, duo, stars=stars, could_be_better=better)
    if may:
        assert services.start_thread(review, alice).is_visible
    else:
        with pytest.raises(NotAllowed, match="three stars and fewer"):
            services.start_thread(review, alice)


def test_a_closed_thread_can_not_be_joined(bob: User, dana: User, support: Department, low: Review) -> None:
    question = factories.a_thread(bob)
    with pytest.raises(ValidationError):
        services.offer_fix(low, dana, department=support, thread=question)


def test_a_thread_that_was_taken_down_is_neither_named_nor_joined(
    client: Client, alice: User, bob: User, ravi: User, dana: User, support: Department, duo: Product, low: Review
) -> None:
    known = factories.a_thread(bob, product=duo, kind="problem", title="Somebody by name sells rubbish")
    services.offer_fix(low, dana, department=support, thread=known)
    client.force_login(alice)
    assertContains(client.get(low.get_absolute_url()), "Yes, join that thread")
    moderation.hide(known, ravi, reason="A name")
    page = client.get(low.get_absolute_url()).content.decode()
    assert "by name" not in page and "by-name" not in page and "Yes, " not in page and "No, thank you" in page
    moderation.restore(known, ravi)
    services.agree(low, alice)
    moderation.hide(known, ravi, reason="A name")
    page = client.get(low.get_absolute_url()).content.decode()
    assert "by name" not in page and "by-name" not in page and "has been taken down" in page


def test_pictures_go_with_the_words_as_the_threads_own(alice: User, duo: Product, settings: Any, tmp_path: Any) -> None:
    settings.MEDIA_ROOT = tmp_path
    picture = io.BytesIO()
    Image.new("RGB", (40, 30), "brown").save(picture, "PNG")
    picture.seek(0)
    content, _width, _height = reencode(picture)
    photo = Upload(owner=alice, alt="A hole [left]")
    photo.file.save(content.name, content)
    review = factories.a_review(alice, duo, stars=1, photos=[photo])
    thread = services.start_thread(review, alice)
    mine = Upload.objects.exclude(pk=photo.pk).get()
    assert (mine.target, mine.alt) == (thread, "A hole [left]")
    assert mine.file.url in thread.body_html
    assert mine.file.name != photo.file.name


@pytest.mark.django_db(transaction=True)
def test_agreeing_at_once_makes_one_thread(alice: User, ravi: User, duo: Product) -> None:
    review = factories.a_review(alice, duo, stars=1, title="A hole in the box", body=WORDS)
    services.propose_thread(review, ravi, passage="a hole")

    def agree() -> Callable[[], object]:
        return lambda: services.agree(Review.objects.get(pk=review.pk), User.objects.get(pk=alice.pk))

    assert at_once([agree(), agree(), agree()]) == []
    assert (Thread.objects.count(), Bridge.objects.count()) == (1, 1)


# --- an offer holds as long as what it was made for


def test_words_that_were_taken_down_do_not_come_back_as_a_thread(
    low: Review, alice: User, dana: User, ravi: User
) -> None:
    services.offer_fix(low, dana, department=dana.department)
    reviews.refuse_review(low, ravi, code="personal_data", passage="drips from the wand")
    with pytest.raises(Conflict):
        services.agree(low, alice)
    with pytest.raises((Conflict, NotAllowed)):
        services.start_thread(low, alice)
    assert not Thread.objects.exists()


def test_a_yes_is_to_the_offer_that_was_read(low: Review, alice: User, dana: User, ravi: User) -> None:
    services.offer_fix(low, dana, department=dana.department)
    services.propose_thread(low, ravi, passage="It drips from the wand")
    with pytest.raises(Conflict):
        services.agree(low, alice, kind="fix")
    with pytest.raises((Conflict, NotAllowed)):
        services.start_thread(low, alice)
    low.refresh_from_db()
    assert low.is_visible and not Thread.objects.exists()


def test_a_review_that_was_mended_is_not_taken_down_by_an_old_offer(alice: User, ravi: User, duo: Product) -> None:
    review = factories.a_review(alice, duo, stars=2, title="A hole", body=WORDS)
    services.propose_thread(review, ravi, passage="nobody answers my mails")
    reviews.edit_review(
        review, alice, stars=2, title="A hole", body="The box had a hole on one side, and it still works."
    )
    with pytest.raises(Conflict):
        services.agree(review, alice)
    review.refresh_from_db()
    assert review.is_visible and not Thread.objects.exists()
