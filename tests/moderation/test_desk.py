"""The moderators' desk: claims, appeals, bulk, filters, words, alarms; what authors of hidden posts can do."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.contenttypes.models import ContentType
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse

from community.accounts.models import User
from community.accounts.services import set_role
from community.core import clock
from community.core.errors import Conflict, NotAllowed
from community.events.log import replay
from community.events.models import Event
from community.moderation import figures, screening, services
from community.moderation.models import Appeal, Claim, Flag, Look, WatchedWord
from community.moderation.settling import settle
from community.notifications.delivery import announce_due
from community.notifications.models import Notification
from community.posts import services as posts
from community.questions import services as questions
from community.questions.models import Answer, Thread
from tests import factories

pytestmark = pytest.mark.django_db
Enrol = Callable[[User], None]
QUEUE = "moderation:queue"
WHY = "It only says what happened to me, and when it happened."


@pytest.fixture
def moderator(client: Client, ravi: User, enrol: Enrol) -> Client:
    enrol(ravi)
    client.force_login(ravi)
    return client


@pytest.fixture
def colleague(db: None) -> User:
    person = factories.a_person("mona")
    set_role(person, None, "moderator")
    return User.objects.get(pk=person.pk)


def url(name: str, target: object) -> str:
    return reverse(f"moderation:{name}", args=[ContentType.objects.get_for_model(target).pk, target.pk])  # type: ignore


def later(**by: int) -> object:
    return clock.travel(clock.now() + timedelta(**by))


# Mending and appealing


def test_what_flags_hid_comes_back_once_when_it_is_mended(answer: Answer, bob: User, ravi: User) -> None:
    for person in [factories.a_person(trust=2) for _ in range(2)]:
        services.flag(answer, person, reason="rude")
    answer.refresh_from_db()
    assert answer.visibility == "hidden"
    with pytest.raises(NotAllowed, match="10 min"):
        questions.edit_answer(answer, bob, body="A friendlier way to say the very same thing.")
    with later(minutes=11):
        questions.edit_answer(answer, bob, body="A friendlier way to say the very same thing.")
        answer.refresh_from_db()
        assert answer.visibility == "visible" and Look.objects.get().reasons == ["mended"]
        assert Flag.objects.filter(state="open").count() == 2, "a moderator still looks"
        services.hide(answer, ravi, reason="Still rude.")
    with later(minutes=30):
        questions.edit_answer(answer, bob, body="Quite another thing, said as one says it to a friend.")
        answer.refresh_from_db()
        assert answer.visibility == "pending"
        before = Event.objects.filter(kind="answer.posted").count()
        services.approve(answer, ravi)
    assert answer.visibility == "visible"
    assert Event.objects.filter(kind="answer.posted").count() == before, "it is not new to anybody"


def test_an_appeal_is_decided_by_somebody_else_once(answer: Answer, bob: User, ravi: User, colleague: User) -> None:
    services.hide(answer, ravi, reason="Off topic.")
    with pytest.raises(ValidationError):
        services.appeal(answer, bob, "No!")
    with pytest.raises(NotAllowed):
        services.appeal(answer, colleague, WHY)
    made = services.appeal(answer, bob, WHY)
    assert services.appeal(answer, bob, WHY) == made
    with pytest.raises(NotAllowed, match="Somebody else"):
        services.decide_appeal(made, ravi, granted=False, answer="No.")
    with pytest.raises(ValidationError):
        services.decide_appeal(made, colleague, granted=False)
    services.decide_appeal(made, colleague, granted=True, answer="You are right.")
    services.decide_appeal(made, colleague, granted=False, answer="Twice is harmless.")
    made.refresh_from_db()
    answer.refresh_from_db()
    assert (made.granted, made.decided_by, answer.visibility) == (True, colleague, "visible")
    assert Event.objects.filter(kind="appeal.decided").count() == 1
    hidden = Event.objects.get(kind="answer.hidden")
    assert (hidden.data["before"], hidden.data["after"], hidden.note.text) == ("visible", "hidden", "Off topic.")


def test_an_appeal_that_is_not_granted_ends_it(answer: Answer, bob: User, ravi: User, colleague: User) -> None:
    services.hide(answer, ravi, reason="Off topic.")
    made = services.appeal(answer, bob, WHY)
    services.decide_appeal(made, colleague, granted=False, answer="It is about another maker.")
    again = services.appeal(answer, bob, WHY + " Once more.")
    assert again.pk == made.pk
    while announce_due():
        pass
    told = Notification.objects.filter(recipient=bob).values_list("verb", flat=True)
    assert any("not granted" in sentence for sentence in told)


def test_whoever_hid_it_does_not_end_the_appeal(answer: Answer, bob: User, ravi: User, colleague: User) -> None:
    services.hide(answer, colleague, reason="Off topic.")
    made = services.appeal(answer, bob, WHY)
    with pytest.raises(Conflict, match="You hid this"):
        services.delete(answer, colleague, reason="Off topic.")
    services.delete(answer, ravi, reason="An advert.")
    with pytest.raises(Conflict, match="gone"):
        services.decide_appeal(made, ravi, granted=True)
    made.refresh_from_db()
    assert made.granted is None


def test_mended_with_a_watched_word_it_waits(answer: Answer, bob: User) -> None:
    WatchedWord.objects.create(pattern="dealer*", act="queue")
    for person in [factories.a_person(trust=2) for _ in range(2)]:
        services.flag(answer, person, reason="rude")
    with later(minutes=11):
        questions.edit_answer(answer, bob, body="Ask one of the dealers, they know how it is done.")
    answer.refresh_from_db()
    assert answer.visibility == "pending" and Look.objects.get().held


def test_the_author_reads_why_and_appeals_on_a_page(
    client: Client, answer: Answer, bob: User, charlie: User, ravi: User
) -> None:
    services.hide(answer, ravi, reason="Off topic, I think.")
    page = reverse("posts:why", args=["answer", answer.pk])
    client.force_login(bob)
    html = client.get(page).content.decode()
    assert "Off topic, I think." in html and str(ravi) not in html
    short = client.post(page, {"words": "No"})
    assert short.status_code == 422 and "Say why it should stay" in short.content.decode()
    assert client.post(page, {"words": WHY}).status_code == 302
    assert "You appealed." in client.get(page).content.decode()
    client.force_login(charlie)
    assert client.get(page).status_code == 404
    assert Appeal.objects.get().words == WHY


# The queue


def test_a_claim_keeps_others_away_for_ten_minutes(
    moderator: Client, answer: Answer, charlie: User, colleague: User, ravi: User
) -> None:
    services.flag(answer, charlie, reason="rude")
    services.claim(answer, colleague)
    assert "is looking at it" in moderator.get(reverse(QUEUE)).content.decode()
    with pytest.raises(Conflict):
        services.claim(answer, ravi)
    given = {"act": "hide", "reason": "Off topic, and rude.", "queue": "flagged"}
    refused = moderator.post(url("decide", answer), given)
    said = refused.content.decode()
    assert refused.status_code == 409 and Flag.objects.get().state == "open"
    assert f"{colleague} is looking at this one." in said and 'value="Off topic, and rude."' in said
    key = f"{ContentType.objects.get_for_model(answer).pk}-{answer.pk}-visible"
    refused = moderator.post(reverse("moderation:many"), {**given, "item": [key]})
    said = refused.content.decode()
    assert refused.status_code == 409 and 'value="Off topic, and rude."' in said and 'form="bulk" checked' in said
    assert "is looking at this one." in said and "posts decided" not in said
    with later(minutes=11):
        assert services.claim(answer, ravi).by == ravi
        services.claim(answer, ravi)
        moderator.post(url("claim", answer), {"release": "1"})
    assert not Claim.objects.exists()
    moderator.post(url("claim", answer))
    assert Claim.objects.get().by == ravi
    with pytest.raises(NotAllowed):
        services.claim(answer, charlie)


def test_many_at_once_filtered_with_reasons(moderator: Client, thread: Thread, bob: User, charlie: User) -> None:
    WatchedWord.objects.create(pattern="dealer*", act="flag")
    answers = [factories.an_answer(thread, factories.a_person()) for _ in range(2)]
    for answer in answers:
        services.flag(answer, charlie, reason="rude")
    comment = posts.comment(thread, bob, body="Ask the dealers.")
    html = moderator.get(reverse(QUEUE), {"reason": "word"}).content.decode()
    assert "Ask the dealers." in html and "dealer*" in html and answers[0].body_text not in html
    html = moderator.get(reverse(QUEUE), {"kind": "answer"}).content.decode()
    assert "Ask the dealers." not in html and answers[0].body_text in html
    keys = [f"{ContentType.objects.get_for_model(one).pk}-{one.pk}" for one in [*answers, comment]]
    sent = {"act": "hide", "reason": "", "queue": "flagged", "item": keys}
    assert moderator.post(reverse("moderation:many"), sent).status_code == 422
    assert (
        moderator.post(reverse("moderation:many"), {**sent, "reason": "Please be kind.", "item": []}).status_code == 422
    )
    done = moderator.post(reverse("moderation:many"), {**sent, "reason": "Please be kind."}, follow=True)
    assert "3 posts decided." in done.content.decode()
    assert set(Flag.objects.values_list("state", flat=True)) == {"upheld"} and Look.objects.get().kept is False


def test_what_was_typed_is_kept_when_a_colleague_was_quicker(
    moderator: Client, answer: Answer, bob: User, charlie: User, colleague: User, ravi: User, hanna: User
) -> None:
    """The form is gone with the post: the words and the reason stand above the queue."""
    services.flag(answer, charlie, reason="rude")
    settle(answer, colleague, "hide", "Be kind.")
    sent = {"act": "keep", "reason": "He is right, after all.", "seen": "visible", "queue": "flagged"}
    refused = moderator.post(url("decide", answer), sent)
    said = refused.content.decode()
    assert refused.status_code == 409 and "Somebody else has decided about this meanwhile." in said
    assert "readonly autofocus>He is right, after all.</textarea>" in said
    made = services.appeal(answer, bob, WHY)
    services.decide_appeal(made, hanna, granted=False, answer="It was unkind.")
    refused = moderator.post(reverse("moderation:appeal", args=[made.pk]), {"answer": "No, never.", "grant": "1"})
    assert refused.status_code == 409 and "autofocus>No, never.</textarea>" in refused.content.decode()
    answer.refresh_from_db()
    assert answer.visibility == "hidden"


def test_on_a_posts_own_page_nobody_undoes_a_colleague_unseen(
    client: Client, answer: Answer, colleague: User, ravi: User
) -> None:
    client.force_login(ravi)
    at = reverse("posts:moderate", args=["answer", answer.pk])
    assert 'name="seen" value="visible"' in client.get(at).content.decode()
    services.hide(answer, colleague, reason="Rude.")
    refused = client.post(at, {"reason": "Off topic.", "seen": "visible"})
    said = refused.content.decode()
    assert refused.status_code == 409 and "Somebody else has decided about this meanwhile." in said
    assert "Off topic." in said and 'name="seen" value="hidden"' in said
    answer.refresh_from_db()
    assert (answer.visibility, answer.hidden_reason) == ("hidden", "Rude.")


def test_appeals_in_the_queue(moderator: Client, answer: Answer, bob: User, colleague: User, ravi: User) -> None:
    services.hide(answer, colleague, reason="Off topic.")
    made = services.appeal(answer, bob, WHY)
    assert WHY in moderator.get(reverse(QUEUE), {"queue": "appeals"}).content.decode()
    at = reverse("moderation:appeal", args=[made.pk])
    assert moderator.get(at).status_code == 405
    assert moderator.post(at, {"answer": ""}).status_code == 422
    moderator.post(at, {"grant": "1", "answer": "Right."})
    answer.refresh_from_db()
    assert answer.is_visible and answer.hidden_reason == ""


def test_moderators_hear_once_of_what_waits_too_long(thread: Thread, bob: User, charlie: User, ravi: User) -> None:
    WatchedWord.objects.create(pattern="dealer", act="queue")
    posts.comment(thread, bob, body="Ask your dealer.")
    services.flag(thread, charlie, reason="other")
    with later(hours=23):
        assert services.alarm() == 0
    with later(hours=25):
        assert services.alarm() == 1 and services.alarm() == 0
    with later(hours=49):
        assert services.alarm() == 1
        while announce_due():
            pass
        assert Notification.objects.filter(recipient=ravi, verb__contains="too long").count() == 2
    assert Event.objects.filter(kind="queue.late").count() == 2


def test_words_are_managed_and_tried(moderator: Client, client: Client, charlie: User) -> None:
    page = reverse("moderation:words")
    added = moderator.post(page, {"pattern": "Gewinnsp*", "act": "queue", "address": "", "note": "Spam"})
    assert added.status_code == 303
    assert moderator.post(page, {"pattern": "*", "act": "queue"}).status_code == 422
    assert moderator.post(page, {"pattern": "recall", "act": "link", "address": "javascript:x"}).status_code == 422
    html = moderator.post(page, {"try": "1", "text": "Mein GEWINNSPIEL!"}).content.decode()
    assert "<b>Gewinnsp*</b>" in html
    assert Event.objects.filter(kind="word.watched").count() == 1
    assert moderator.post(page, {"remove": "abc"}).status_code == 404
    moderator.post(page, {"remove": str(WatchedWord.objects.get().pk)})
    assert not WatchedWord.objects.exists() and Event.objects.filter(kind="word.forgotten").count() == 1
    client.force_login(charlie)
    assert client.get(page).status_code in (302, 403)


def test_a_word_becomes_a_link_once_and_only_in_running_text(thread: Thread, bob: User) -> None:
    WatchedWord.objects.create(pattern="recall", act="link", address="/help/recall/")
    comment = posts.comment(thread, bob, body="The Recall is over, so no recall for me.")
    assert comment.body_html.count('<a href="/help/recall/">Recall</a>') == 1 and "no recall" in comment.body_html
    assert comment.body_source == "The Recall is over, so no recall for me."
    assert screening.linked('<a href="https://x.example">recall</a> <code>recall</code>').count("<a ") == 1
    with replay("import"):
        assert "<a" not in posts.comment(thread, bob, body="A recall elsewhere.").body_html


def test_everybody_reads_how_often_and_why(
    client: Client,
    answer: Answer,
    bob: User,
    charlie: User,
    ravi: User,
    colleague: User,
    django_assert_max_num_queries: Callable,
) -> None:
    cache.delete(figures.KEY)
    for person in (charlie, factories.a_person()):
        services.flag(answer, person, reason="off_topic")
    services.hide(answer, ravi, reason="Off topic.")
    services.decide_flags(answer, ravi, uphold=True)
    services.decide_appeal(services.appeal(answer, bob, WHY), colleague, granted=True, answer="Right.")
    with django_assert_max_num_queries(11):  # six of them once in ten minutes
        page = client.get(reverse("posts:figures")).content.decode()
    row = figures.by_month()["rows"][0]
    assert (row["counts"], row["appeals"], row["granted"]) == ([1], 1, 1)
    assert "3 flags by members, or 2 by regulars" in page and "change it after 10 minutes" in page
    assert "Off topic" in page and str(ravi) not in page and str(charlie) not in page
    cache.delete(figures.KEY)


def test_what_a_moderator_finds_alone_is_counted_once(thread: Thread, bob: User, charlie: User, ravi: User) -> None:
    seen, waits, flagged, own = (factories.an_answer(thread, factories.a_person()) for _ in range(4))
    services.hide(seen, ravi, reason="Her telephone number.")
    services.delete(seen, ravi, reason="For good.")
    screening.ask_for_a_look(waits, {Look.Reason.WORD}, {}, held=False)
    services.hide(waits, ravi, reason="An advertisement.")
    services.flag(flagged, charlie, reason="rude")
    services.hide(flagged, ravi, reason="Please be kind.")
    services.delete(own, own.author)
    cache.delete(figures.KEY)
    found = figures.by_month()
    assert dict(zip(found["reasons"], found["rows"][0]["counts"], strict=True)) == {
        "rude": 1,
        "rule": 1,
        "moderator": 1,
    }
    cache.delete(figures.KEY)


def test_hiding_anywhere_decides_the_flags(
    client: Client, answer: Answer, bob: User, charlie: User, ravi: User, enrol: Callable[[User], None]
) -> None:
    services.flag(answer, charlie, reason="rude")
    enrol(ravi)
    client.force_login(ravi)
    page = reverse("posts:moderate", args=["answer", answer.pk])
    assert client.post(page, {"reason": "Please be kind."}).status_code == 302
    flag = Flag.objects.get()
    assert (flag.state, flag.decided_by) == ("upheld", ravi)
    other = factories.an_answer()
    for person in (charlie, *(factories.a_person() for _ in range(2))):
        services.flag(other, person, reason="rude")
    other.refresh_from_db()
    assert not other.is_visible
    assert (
        client.post(reverse("posts:moderate", args=["answer", other.pk]), {"reason": "It may stay."}).status_code == 302
    )
    assert set(Flag.objects.filter(target_id=other.pk).values_list("state", flat=True)) == {"declined"}


def test_authors_read_what_waits_and_what_was_refused(client: Client, thread: Thread, bob: User, ravi: User) -> None:
    WatchedWord.objects.create(pattern="dealer*", act="queue")
    client.force_login(bob)
    held = [
        (factories.a_thread(bob, body="My dealer says that it always drips a little."), "thread"),
        (factories.an_answer(thread, bob, body="My dealer says that all of them drip a little."), "answer"),
        (posts.comment(thread, bob, body="My dealer says so, too."), "comment"),
        (factories.a_recipe(bob, body="As my dealer drinks it."), "recipe"),
        (factories.a_tip(bob, body="My dealer showed me."), "tip"),
    ]
    for post, kind in held:
        assert post.visibility == "pending", kind
        place = thread.get_absolute_url() if kind == "comment" else post.get_absolute_url()
        html = client.get(place, follow=True).content.decode()
        assert "A moderator reads this first." in html and "You hear either way" in html, kind
        services.hide(post, ravi, reason="Please leave the dealer out.")
        html = client.get(place, follow=True).content.decode()
        assert "Please leave the dealer out." in html and reverse("posts:why", args=[kind, post.pk]) in html, kind
    client.post(reverse("posts:why", args=["tip", post.pk]), {"words": WHY})
    assert "Back to the post" in client.get(reverse("posts:why", args=["tip", post.pk])).content.decode()
