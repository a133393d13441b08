"""What is looked at before others see it: watched words, haste, copies, links, first posts, the spam filter."""

import time
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.exceptions import ValidationError
from django.core.signing import dumps
from django.test import Client
from django.urls import reverse

from community.accounts.models import User
from community.core import clock
from community.core.models import Numbers
from community.events.log import replay
from community.events.models import Event
from community.moderation import classifier, features, screening, services, words
from community.moderation.models import Look, ModerationRules, Print, WatchedWord
from community.posts import services as posts
from community.posts.doors import STARTED_SALT
from community.posts.models import Comment
from community.questions import services as questions
from community.questions.models import Answer, Thread
from tests import factories

pytestmark = pytest.mark.django_db
LONG = "The valve drips at night, and only when the tank was filled before."


@pytest.fixture
def newcomer(db: None) -> User:
    return factories.a_person(trust=0)


def reasons(post: object) -> list[str]:
    look = screening.open_look(post)  # type: ignore[arg-type]
    return look.reasons if look else []


# Words


@pytest.mark.once
@pytest.mark.parametrize(
    ("pattern", "text", "hit"),
    [
        ("casino", "Try our CASINO now", True),
        ("casino", "cаsinо", True),  # two Cyrillic letters
        ("casino", "c.a.s.i.n.o is here", True),
        ("casino", "C4S1N0!", True),
        ("casino", "ca\u200bsino", True),
        ("casino", "casinos", False),
        ("casino*", "casinos", True),
        ("Müll", "so ein mull", True),
        ("Scheiße", "SCHEISSE", True),
        ("*kredit*", "Ein Sofortkreditangebot", True),
        ("easy money", "This is easy,\n money falls", True),
        ("easy money", "easy in the end money", False),
        ("f*ck", "fuck", True),
    ],
)
def test_watched_words_are_found_as_they_look(pattern: str, text: str, hit: bool) -> None:
    assert bool(words.matcher(((1, pattern),)).found(words.tokens(text))) is hit


@pytest.mark.once
def test_no_pattern_is_slow_and_none_matches_everything() -> None:
    began = time.process_time()
    found = words.matcher(((1, "*a*ab*"), (2, "b*a*a*"))).found(words.tokens("a" * 10_000 + " " + "aab " * 5_000))
    assert time.process_time() - began < 2 and found
    began = time.process_time()
    assert features.weighted("a-" * 2_000)
    assert time.process_time() - began < 1
    for bad in ("*", "a*", "a*b*c*d*e", " ", "..."):
        with pytest.raises(ValidationError):
            words.parts(bad)


def test_a_blocked_word_refuses_and_a_queued_one_waits(thread: Thread, bob: User, ravi: User) -> None:
    WatchedWord.objects.create(pattern="casino*", act="block")
    WatchedWord.objects.create(pattern="cheap coffee", act="queue")
    WatchedWord.objects.create(pattern="dealer", act="flag")
    with pytest.raises(ValidationError, match="casino…"):
        posts.comment(thread, bob, body="Casinos are better.")
    assert not Comment.objects.exists() and not Print.objects.filter(person=bob).exists()
    waits = posts.comment(thread, bob, body="I know where cheap coffee is.")
    assert (waits.visibility, reasons(waits)) == ("pending", ["word"])
    assert not Event.objects.filter(kind="comment.posted").exists()
    shown = posts.comment(thread, bob, body="Ask your dealer.")
    assert (shown.visibility, reasons(shown)) == ("visible", ["word"])
    services.approve(waits, ravi)
    assert waits.visibility == "visible" and reasons(waits) == []
    assert Look.objects.get(target_id=waits.pk, kept=True).decided_by == ravi
    assert Event.objects.filter(kind="comment.posted", subject_id=waits.pk).count() == 1


def test_a_change_that_says_a_watched_word_is_put_before_a_moderator(bob: User, alice: User) -> None:
    thread = factories.a_thread(alice)
    answer = questions.post_answer(thread, bob, body=LONG)
    WatchedWord.objects.create(pattern="viagra", act="queue")
    WatchedWord.objects.create(pattern="casino", act="block")
    questions.edit_answer(answer, bob, body=LONG + " V1agra!")
    answer.refresh_from_db()
    assert (answer.visibility, reasons(answer)) == ("visible", ["word"])
    with pytest.raises(ValidationError):
        questions.edit_answer(answer, bob, body=LONG + " Casino!")


def test_staff_and_replays_are_not_screened(thread: Thread, dana: User, bob: User) -> None:
    WatchedWord.objects.create(pattern="casino", act="block")
    assert posts.comment(thread, dana, body="A casino is no place for a grinder.").is_visible
    with replay("import"):
        assert posts.comment(thread, bob, body="A casino is no place for a grinder.").is_visible
    assert not Look.objects.exists()


# The same again


def test_the_same_text_within_five_minutes_is_refused(thread: Thread, bob: User) -> None:
    posts.comment(thread, bob, body="Same here, since Monday.")
    with pytest.raises(ValidationError, match="arrived"):
        posts.comment(thread, bob, body="same here  since MONDAY")
    with clock.travel(clock.now() + timedelta(minutes=5, seconds=1)):
        assert posts.comment(thread, bob, body="Same here, since Monday.").pk


def test_signs_without_words_are_compared_as_they_are(thread: Thread, bob: User) -> None:
    assert posts.comment(thread, bob, body="👍").pk and posts.comment(thread, bob, body="🎉🎉").pk
    with pytest.raises(ValidationError, match="arrived"):
        posts.comment(thread, bob, body="👍")


def test_one_text_by_two_newcomers_waits(thread: Thread, newcomer: User) -> None:
    text = "This shop has every machine for half the price, write to me and I will tell you."
    assert posts.comment(thread, newcomer, body=text).is_visible
    second = posts.comment(thread, factories.a_person(trust=0), body=text)
    assert (second.visibility, reasons(second)) == ("pending", ["copies"])
    assert posts.comment(thread, factories.a_person(trust=1), body=text).is_visible


def test_prints_are_forgotten_after_a_month(thread: Thread, bob: User) -> None:
    posts.comment(thread, bob, body="Same here.")
    with clock.travel(clock.now() + timedelta(days=31)):
        assert screening.tidy() == 2  # the question's, too


# Links and letters


def test_three_links_of_a_newcomer_to_one_place_wait(newcomer: User) -> None:
    body = "I wrote about it here, with pictures: https://shop.example.org/page-{n} for everybody."
    for n in (1, 2):
        assert questions.post_answer(factories.a_thread(), newcomer, body=body.format(n=n)).is_visible
    third = questions.post_answer(factories.a_thread(), newcomer, body=body.format(n=3))
    assert (third.visibility, reasons(third)) == ("pending", ["links"])
    assert screening.open_look(third).details["hosts"] == ["shop.example.org"]  # type: ignore[union-attr]
    other = factories.a_person(trust=1)
    for n in (4, 5, 6):
        assert questions.post_answer(factories.a_thread(), other, body=body.format(n=n)).is_visible


@pytest.mark.once
@pytest.mark.parametrize(
    ("host", "shown", "masked"),
    [
        ("evil.example", "www.mybank.com", True),
        ("evil.example", "https://mybank.com/login", True),
        ("shop.mybank.com", "mybank.com", False),
        ("mybank.com", "mybank.com/page", False),
        ("evil.example", "my photographs", False),
        ("xn--brndle-4ya.example", "a page", False),
    ],
)
def test_a_link_that_reads_as_another_address_is_seen(host: str, shown: str, masked: bool) -> None:
    assert screening.is_masked(host, shown) is masked


def test_masked_links_and_mixed_letters_wait(bob: User) -> None:
    masked = questions.post_answer(
        factories.a_thread(), bob, body="Log in again at [https://mybank.com](https://evil.example/x), it helps."
    )
    assert reasons(masked) == ["masked"]
    mixed = questions.post_answer(factories.a_thread(), bob, body="The best pаypаl offers for everybody who reads it.")
    assert reasons(mixed) == ["letters"]
    assert questions.post_answer(factories.a_thread(), bob, body="It grinds at 250 μm, see Привет there.").is_visible


# Haste, traps, first posts


def answer_form(thread: Thread, started: float, **more: str) -> tuple[str, dict[str, str]]:
    sent = {"body": LONG, "website": "", "started": dumps(started, salt=STARTED_SALT), **more}
    return reverse("questions:answer", args=[thread.pk]), sent


def test_a_newcomer_in_haste_waits_and_is_told(client: Client, thread: Thread, newcomer: User) -> None:
    client.force_login(newcomer)
    url, sent = answer_form(thread, clock.now().timestamp())
    page = client.post(url, sent, follow=True).content.decode()
    answer = Answer.objects.get(author=newcomer)
    assert (answer.visibility, reasons(answer)) == ("pending", ["quick"])
    assert "A moderator reads this first." in page
    comment = reverse("posts:comment", args=["thread", thread.pk])
    client.post(comment, {"body": "Me too.", "started": answer_form(thread, clock.now().timestamp())[1]["started"]})
    assert reasons(Comment.objects.get()) == ["quick"]


def test_who_has_some_trust_is_not_held_for_haste(client: Client, thread: Thread, bob: User) -> None:
    client.force_login(bob)
    url, sent = answer_form(thread, clock.now().timestamp())
    assert client.post(url, sent).status_code == 303
    assert Answer.objects.get(author=bob).is_visible


def test_a_filled_trap_waits_and_loses_nothing(client: Client, thread: Thread, bob: User) -> None:
    client.force_login(bob)
    url, sent = answer_form(thread, clock.now().timestamp() - 60, website="https://filled.by.a.manager")
    assert client.post(url, sent).status_code == 303
    answer = Answer.objects.get(author=bob)
    assert (answer.visibility, reasons(answer), answer.body_source) == ("pending", ["trap"], LONG)


def test_the_first_posts_of_each_kind_are_looked_at_by_setting(thread: Thread, ravi: User) -> None:
    Numbers.objects.update_or_create(defaults={"review_first_posts": True})
    rules = ModerationRules.load()
    rules.first_posts, rules.first_posts_trust = 2, 1
    rules.save()
    member, regular = factories.a_person(trust=1), factories.a_person(trust=2)
    for _n in range(2):
        waits = factories.an_answer(factories.a_thread(regular), by=member)
        assert reasons(waits) == ["first"]
        services.approve(waits, ravi)
    assert factories.an_answer(factories.a_thread(regular), by=member).is_visible
    assert posts.comment(thread, member, body="Comments are free.").is_visible
    rules.first_comments = True
    rules.save()
    assert reasons(posts.comment(thread, member, body="Not any more.")) == ["first"]
    assert factories.an_answer(factories.a_thread(regular), by=factories.a_person(trust=2)).is_visible


@pytest.mark.parametrize("make", [factories.a_review, factories.a_recipe, factories.a_tip, factories.a_thread])
def test_every_kind_is_screened(make: object, bob: User) -> None:
    WatchedWord.objects.create(pattern="cheap pills", act="queue")
    post = make(bob, body="Here you find cheap pills for every day of the week.")  # type: ignore[operator]
    assert (post.visibility, reasons(post)) == ("pending", ["word"])


# The spam filter


SPAM = (
    "FREE!!! Check out my new channel and SUBSCRIBE, click http://win.example.com to win $1000 cash prize now!!! "
    "Call 09061701461"
)


def test_the_filter_only_puts_before_a_moderator(thread: Thread, newcomer: User) -> None:
    waits = posts.comment(thread, newcomer, body=SPAM)
    assert (waits.visibility, reasons(waits)) == ("pending", ["program"])
    assert posts.comment(thread, newcomer, body=LONG).is_visible
    assert posts.comment(thread, factories.a_person(trust=2), body=SPAM).is_visible
    rules = ModerationRules.load()
    rules.spam_filter = False
    rules.save()
    assert posts.comment(thread, factories.a_person(trust=1), body=SPAM).is_visible


def test_another_judge_by_setting(thread: Thread, newcomer: User, settings: object) -> None:
    settings.SPAM_CLASSIFIER = "community.moderation.classifier.Silent"  # type: ignore[attr-defined]
    assert posts.comment(thread, newcomer, body=SPAM).is_visible
    assert classifier.judge(SPAM) == (0.0, 1.0)


@pytest.mark.once
def test_the_shipped_weights_know_spam_and_need_no_scikit_learn() -> None:
    shipped = classifier.start()
    assert shipped.score(SPAM) >= shipped.threshold > shipped.score(LONG)
    assert shipped.score("") < 0.01
    source = Path(classifier.__file__).read_text() + Path(features.__file__).read_text()
    assert "sklearn" not in source and "scipy" not in source and "numpy" not in source
