"""The moderators' queue in the Wagtail admin: flags, what waits, what is hidden."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import translation

from community.accounts.models import User
from community.accounts.services import set_role
from community.core import clock
from community.core.errors import Conflict, NotAllowed
from community.core.models import Numbers
from community.events.log import replay
from community.events.models import Event
from community.moderation import services
from community.moderation.models import Appeal, Flag
from community.moderation.permissions import why_not_write
from community.moderation.queue import flagged
from community.moderation.settling import settle
from community.posts.services import comment
from community.questions import services as questions
from community.questions.models import Answer, Thread
from products.models import Product
from reviews.models import Review
from tests import factories

pytestmark = pytest.mark.django_db
Enrol = Callable[[User], None]
QUEUE = "moderation:queue"


@pytest.fixture
def moderator(client: Client, ravi: User, enrol: Enrol) -> Client:
    enrol(ravi)
    client.force_login(ravi)
    return client


def decide_url(target: Thread | Answer | Review) -> str:
    return reverse("moderation:decide", args=[ContentType.objects.get_for_model(target).pk, target.pk])


def test_flagged_posts_of_every_kind(moderator: Client, thread: Thread, answer: Answer, charlie: User) -> None:
    services.flag(thread, charlie, reason="off_topic", note="Belongs to the Mill.")
    services.flag(answer, charlie, reason="rude")
    html = moderator.get(reverse(QUEUE)).content.decode()
    assert thread.title in html and "Belongs to the Mill." in html
    assert "Off topic" in html and "Rude or hurtful" in html


def test_hiding_upholds_all_flags_at_once(moderator: Client, answer: Answer, ravi: User, charlie: User) -> None:
    for person in (charlie, factories.a_person()):
        services.flag(answer, person, reason="rude")
    response = moderator.post(decide_url(answer), {"act": "hide", "reason": "Please be kind."})
    assert (response.status_code, response.url) == (303, f"{reverse(QUEUE)}?queue=flagged")  # type: ignore[attr-defined]
    answer.refresh_from_db()
    assert (answer.visibility, answer.hidden_reason, answer.hidden_by) == ("hidden", "Please be kind.", ravi)
    assert set(Flag.objects.values_list("state", flat=True)) == {"upheld"}
    assert Event.objects.filter(kind="flag.upheld", actor=ravi).count() == 2


def test_keeping_declines_the_flags_and_shows_what_flags_had_hidden(
    moderator: Client, answer: Answer, charlie: User
) -> None:
    for person in (charlie, factories.a_person(), factories.a_person()):
        services.flag(answer, person, reason="spam")
    answer.refresh_from_db()
    assert answer.visibility == "hidden"
    moderator.post(decide_url(answer), {"act": "keep"})
    answer.refresh_from_db()
    assert answer.visibility == "visible"
    assert set(Flag.objects.values_list("state", flat=True)) == {"declined"}


def test_twice_is_harmless(moderator: Client, answer: Answer, charlie: User) -> None:
    services.flag(answer, charlie, reason="rude")
    moderator.post(decide_url(answer), {"act": "hide", "reason": "Rude."})
    told = Event.objects.exclude(kind="admin.acted")  # that somebody pressed again stands in the audit
    count = told.count()
    assert moderator.post(decide_url(answer), {"act": "hide", "reason": "Rude."}).status_code == 303
    assert told.count() == count


def test_what_waits_is_let_through(moderator: Client, alice: User) -> None:
    numbers = Numbers.load()
    numbers.review_first_posts = True
    numbers.save()
    newcomer = factories.a_person("newcomer", trust=0)
    thread = factories.a_thread(newcomer)
    assert thread.visibility == "pending"
    assert thread.title in moderator.get(reverse(QUEUE), {"queue": "pending"}).content.decode()
    moderator.post(decide_url(thread), {"act": "approve", "queue": "pending"})
    thread.refresh_from_db()
    assert thread.visibility == "visible"
    assert Event.objects.filter(kind="thread.posted", subject_id=thread.pk).count() == 1


def test_hidden_posts_can_be_shown_again(moderator: Client, thread: Thread, ravi: User) -> None:
    services.hide(thread, ravi, reason="Looked like spam.")
    assert thread.title in moderator.get(reverse(QUEUE), {"queue": "hidden"}).content.decode()
    refused = moderator.post(decide_url(thread), {"act": "restore", "queue": "hidden"})
    assert refused.status_code == 422 and "it stands in the log" in refused.content.decode()
    moderator.post(decide_url(thread), {"act": "restore", "queue": "hidden", "reason": "It is none."})
    thread.refresh_from_db()
    assert thread.visibility == "visible"


def test_hiding_needs_a_reason(moderator: Client, answer: Answer, charlie: User) -> None:
    services.flag(answer, charlie, reason="rude")
    response = moderator.post(decide_url(answer), {"act": "hide", "reason": " "})
    assert response.status_code == 422
    assert "Say why" in response.content.decode()
    answer.refresh_from_db()
    assert answer.visibility == "visible"


def test_strangers_are_refused(client: Client, answer: Answer, charlie: User, dana: User, enrol: Enrol) -> None:
    client.force_login(charlie)
    assert client.post(decide_url(answer), {"act": "hide", "reason": "x"}).status_code in (302, 403)
    enrol(dana)
    client.force_login(dana)
    response = client.post(decide_url(answer), {"act": "hide", "reason": "x"})
    assert response.status_code == 403 and "Only moderators" in response.content.decode()
    assert client.get(reverse(QUEUE)).status_code == 403
    answer.refresh_from_db()
    assert answer.visibility == "visible"


def test_get_is_refused_and_odd_addresses_are_404(moderator: Client, answer: Answer, alice: User) -> None:
    assert moderator.get(decide_url(answer)).status_code == 405
    assert moderator.get(reverse(QUEUE), {"queue": "nope"}).status_code == 404
    people = ContentType.objects.get_for_model(User).pk
    assert moderator.post(reverse("moderation:decide", args=[people, alice.pk]), {"act": "keep"}).status_code == 404
    assert moderator.post(reverse("moderation:decide", args=[9999, 1]), {"act": "keep"}).status_code == 404


def test_what_members_write_is_inert(moderator: Client, alice: User, charlie: User) -> None:
    thread = factories.a_thread(alice, title="<b onclick=x>Look here, it drips</b>")
    services.flag(thread, charlie, reason="spam", note="<script>alert(1)</script>")
    html = moderator.get(reverse(QUEUE)).content.decode()
    assert "<script>alert(1)" not in html and "<b onclick" not in html


def test_the_queue_costs_the_same_however_long(
    moderator: Client, thread: Thread, charlie: User, django_assert_max_num_queries: Callable
) -> None:
    for _ in range(5):
        services.flag(factories.an_answer(thread, factories.a_person()), charlie, reason="rude")
        services.flag(factories.a_thread(), charlie, reason="spam")
    for queue in ("flagged", "pending", "hidden"):
        moderator.get(reverse(QUEUE), {"queue": queue})
        with django_assert_max_num_queries(23):
            moderator.get(reverse(QUEUE), {"queue": queue})


def test_the_first_page_counts_what_waits(moderator: Client, answer: Answer, charlie: User) -> None:
    services.flag(answer, charlie, reason="rude")
    assert "1 post waits for a decision" in moderator.get(reverse("wagtailadmin_home")).content.decode()


def test_a_post_is_held_after_its_parent(answer: Answer, ravi: User) -> None:
    """As whoever votes and answers does it; the other way round the two would wait for each other."""
    with CaptureQueriesContext(connection) as captured:
        services.hide(answer, ravi, reason="Dangerous advice")
    read = [query["sql"] for query in captured if query["sql"].startswith("SELECT")]
    tables = [sql.split(' FROM "')[1].split('"')[0] for sql in read if ' FROM "questions_' in sql]
    assert tables[:2] == ["questions_thread", "questions_answer"]


def test_a_room_with_a_door_of_its_own(moderator: Client, alice: User, bob: User, duo: Product) -> None:
    review = factories.a_review(alice, duo, stars=1)
    services.flag(review, bob, reason="off_topic")
    door = reverse("reviews:refuse", args=[review.pk])
    html = moderator.get(reverse(QUEUE)).content.decode()
    assert f'href="{door}"' in html and 'value="hide"' not in html and 'value="delete"' not in html
    response = moderator.post(decide_url(review), {"act": "hide", "reason": "Too low."}, follow=True)
    assert "goes back to its author" in response.content.decode()
    review.refresh_from_db()
    assert (review.visibility, Flag.objects.get().state) == ("visible", "open")
    assert moderator.get(reverse("posts:moderate", args=["review", review.pk])).url == door  # type: ignore[attr-defined]
    moderator.post(decide_url(review), {"act": "keep"})
    assert Flag.objects.get().state == "declined"


def test_a_silenced_person_reads_until_when_in_their_language(alice: User) -> None:
    alice.silenced_until = datetime(2027, 3, 5, 14, 30, tzinfo=UTC)
    with clock.travel(datetime(2027, 3, 1, tzinfo=UTC)):
        assert why_not_write(alice) == "You can read, but not write, until 5 Mar 2027, 14:30 UTC."
        with translation.override("de"):
            assert "5. März 2027" in why_not_write(alice)


def test_what_its_author_took_away_is_nobody_elses_to_show(answer: Answer, bob: User, ravi: User) -> None:
    services.delete(answer, bob)
    with pytest.raises(Conflict, match="Its author took this away"):
        services.restore(answer, ravi)
    answer.refresh_from_db()
    assert answer.visibility == "deleted"
    with replay("import", clock.now()):
        services.restore(answer, None)  # its source has it again
    assert answer.is_visible
    services.delete(answer, ravi, reason="Rude words in it")
    services.restore(answer, ravi)
    assert answer.is_visible


def test_nobody_moderates_what_they_wrote(ravi: User, hanna: User, alice: User, duo: Product) -> None:
    """Not by showing it again, not by declining flags, not from the queue; a colleague does."""
    own = factories.a_thread(ravi, product=duo)
    told = services.flag(own, alice, reason="spam")
    with pytest.raises(NotAllowed, match="Another moderator"):
        services.decide_flag(told, ravi, uphold=False)
    with pytest.raises(NotAllowed, match="Another moderator"):
        settle(own, ravi, "keep", "It is fine")
    services.hide(own, hanna, reason="An advertisement of yours")
    services.appeal(own, ravi, words="It only says what happened to me, and when.")
    with pytest.raises(NotAllowed, match="Another moderator"):
        services.restore(own, ravi)
    own.refresh_from_db()
    assert own.visibility == "hidden" and Flag.objects.get().state == "upheld" and Appeal.objects.get().granted is None
    services.restore(own, hanna)
    services.hide(own, ravi, reason="I would rather not")
    services.restore(own, ravi)
    assert own.is_visible, "what one hid oneself"
    type(own).objects.filter(pk=own.pk).update(visibility="pending")
    own.refresh_from_db()
    with pytest.raises(NotAllowed, match="Another moderator"):
        services.approve(own, ravi)


def flagged_away(answer: Answer) -> Answer:
    for _ in range(3):
        services.flag(answer, factories.a_person(), reason="rude")
    answer.refresh_from_db()
    assert answer.visibility == "hidden" and answer.hidden_by is None
    return answer


def test_who_agrees_with_flags_says_why_and_no_edit_alone_undoes_it(
    moderator: Client, answer: Answer, bob: User, ravi: User
) -> None:
    words = "It is not rude at all, and it helped whoever asked here."
    appeal = services.appeal(flagged_away(answer), bob, words)
    moderator.post(decide_url(answer), {"act": "hide", "reason": "Please be kind.", "seen": "hidden"})
    answer.refresh_from_db()
    assert (answer.hidden_reason, answer.hidden_by, answer.hidden_at) == ("Please be kind.", ravi, appeal.hidden_at)
    told = Event.objects.filter(kind="answer.hidden").latest("pk")
    assert (told.actor, told.note.text) == (ravi, "Please be kind.")
    with pytest.raises(NotAllowed, match="You hid this"):
        appeal.refresh_from_db()
        services.decide_appeal(appeal, ravi, granted=False, answer="It stays.")
    with clock.travel(clock.now() + timedelta(hours=1)):
        questions.edit_answer(answer, bob, body="Open the valve fully and close it again, please, six times.")
    answer.refresh_from_db()
    assert answer.visibility == "pending"


def test_nobody_undoes_what_a_colleague_decided_a_moment_ago(
    moderator: Client, answer: Answer, thread: Thread, charlie: User
) -> None:
    rosa = factories.a_person("rosa")
    set_role(rosa, None, "moderator")
    rosa = User.objects.get(pk=rosa.pk)
    for post in (answer, thread):
        services.flag(post, charlie, reason="rude")
    settle(answer, rosa, "hide", "Please be kind.")
    page = moderator.post(decide_url(answer), {"act": "keep", "seen": "visible"}, follow=True)
    assert "Somebody else has decided about this meanwhile." in page.content.decode()
    key = f"{ContentType.objects.get_for_model(Answer).pk}-{answer.pk}-visible"
    other = f"{ContentType.objects.get_for_model(Thread).pk}-{thread.pk}-visible"
    gone = f"{ContentType.objects.get_for_model(Thread).pk}-987654-visible"
    many = {"act": "keep", "item": [key, gone, other]}
    page = moderator.post(reverse("moderation:many"), many, follow=True)
    assert "This post is gone." in page.content.decode() and "1 post decided." in page.content.decode()
    answer.refresh_from_db()
    assert answer.visibility == "hidden"
    # What flags alone hid in between is nobody's decision.
    moderator.post(decide_url(flagged_away(factories.an_answer(thread))), {"act": "keep", "seen": "visible"})
    assert thread.answers.filter(visibility="visible").exists()


def test_flags_on_what_was_taken_away_are_decided_and_say_no_untruth(answer: Answer, charlie: User, ravi: User) -> None:
    services.flag(answer, charlie, reason="rude")
    services.delete(answer, answer.author)
    assert settle(answer, ravi, "keep", "") == "It had been taken away already."
    assert Flag.objects.get().state == "declined"


def test_who_hides_or_shows_a_post_on_its_page_has_decided_about_its_flags(answer: Answer, ravi: User) -> None:
    flagged_away(answer)
    services.restore(answer, ravi)  # as the page of the thread does
    assert set(Flag.objects.values_list("state", flat=True)) == {"declined"}
    services.flag(answer, factories.a_person(), reason="rude")
    assert answer.is_visible, "one new flag is one, not the fourth"
    services.hide(answer, ravi, reason="It is rude after all.")
    assert Flag.objects.latest("pk").state == "upheld"


def test_what_waits_longest_is_never_left_out(
    moderator: Client, thread: Thread, charlie: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    posts = [factories.an_answer(thread), factories.an_answer(thread), comment(thread, charlie, body="A remark.")]
    last = factories.an_answer(thread)
    for hour, post in enumerate([last, *posts]):
        with clock.travel(clock.now() + timedelta(hours=hour)):
            services.flag(post, factories.a_person(), reason="rude")
    monkeypatch.setattr("community.moderation.queue.AT_ONCE", 2)
    items = flagged()
    assert [item.target for item in items] == [last, posts[0]]
    monkeypatch.undo()
    assert f"/posts/comments/{posts[2].pk}/" in moderator.get(reverse(QUEUE)).content.decode()
