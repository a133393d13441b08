"""The spam filter learns from decisions, what waits for a look is nobody's work yet, and floods keep the text."""

import pytest
from django.urls import reverse

from community.accounts.models import User
from community.core import clock, limits
from community.escalation.models import Escalation
from community.moderation import classifier, learning, services
from community.moderation.models import Flag, WatchedWord, Weights
from community.posts.doors import long_open
from community.posts.models import Comment
from community.questions.models import Thread
from products.models import Product
from tests import factories
from tests.questions.test_pages import signed_in
from tests.reviews.test_pages import told

pytestmark = pytest.mark.django_db
FINE = "The valve number {0} drips when the tank is filled, and stops at {0} in the morning."
SPAM = "Zorblax wins {0} coins today, claim zorblax bonus {0} at once, zorblax pays all."
WEAK = "On morning {0} the zorblax stops, and drips no more."  # not all spam shouts
KEPT = "It drips at night, and only when the tank was filled before."


@pytest.mark.once
def test_decisions_become_numbers_that_are_in_force(
    thread: Thread, alice: User, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(learning, "FEWEST", 20)
    assert learning.learn() is None, "there is nothing to learn from"
    texts = [(template.format(number), template is SPAM) for number in range(30) for template in (FINE, SPAM)]
    texts += [(WEAK.format(number), True) for number in range(8)]
    rows = Comment.objects.bulk_create(
        Comment(target=thread, author=alice, body_source=words, body_text=words) for words, _spam in texts
    )
    Flag.objects.bulk_create(
        Flag(target=row, reporter=bob, reason="spam", state="upheld" if spam else "declined")
        for row, (_words, spam) in zip(rows, texts, strict=True)
    )
    made = learning.learn()
    assert made is not None and Weights.objects.get() == made
    assert (made.figures["examples"], made.figures["precision"]) == (68, 1.0)
    known = classifier.in_force()
    assert known.score(SPAM.format(99)) >= known.threshold > known.score(FINE.format(99))
    assert learning.learn() is None, "nothing was decided since"
    Weights.objects.update(made_at=clock.now(), threshold=0.99)
    assert classifier.in_force().threshold == 0.99, "other numbers may come under the same id"


def test_the_threshold_is_set_on_texts_that_were_not_taught(thread: Thread, monkeypatch: pytest.MonkeyPatch) -> None:
    from sklearn import model_selection

    asked = []
    real = model_selection.cross_val_predict

    def noted(*args: object, **kwargs: object) -> object:
        asked.append(kwargs["cv"])
        return real(*args, **kwargs)

    texts = [(template.format(number), template is SPAM) for number in range(60) for template in (FINE, SPAM)]
    monkeypatch.setattr(model_selection, "cross_val_predict", noted)
    monkeypatch.setattr(learning, "decisions", lambda: texts)
    learning.learn()
    assert asked == [5]


def test_what_waits_for_a_look_has_no_case(ravi: User) -> None:
    WatchedWord.objects.create(pattern="zorblax", act="queue")
    held = factories.a_thread(body=SPAM.format(7))
    assert held.visibility == "pending" and not Escalation.objects.exists()
    services.hide(held, ravi, reason="Advertising.")
    assert not Escalation.objects.exists(), "spam never enters a work queue"
    fine = factories.a_thread(body=f"What is a zorblax? {KEPT}")
    services.approve(fine, ravi)
    assert Escalation.objects.get().thread == fine


@pytest.mark.parametrize("what", ["question", "comment", "review"])
def test_one_more_than_the_flood_allows_is_refused_with_the_text_kept(
    what: str, thread: Thread, bob: User, duo: Product
) -> None:
    pages = {
        "question": (reverse("questions:ask"), {"kind": "question", "title": "Why does it drip at night"}, "post"),
        "comment": (reverse("posts:comment", args=["thread", thread.pk]), {}, "comment"),
        "review": (reverse("reviews:write", args=[duo.slug]), told(), "post"),
    }
    address, given, limit = pages[what]
    most, _seconds = limits.FLOOD[0]
    for _ in range(most):
        limits.spend(limit, bob)
    before = Thread.objects.count()
    refused = signed_in(bob).post(address, {**given, "body": KEPT, "started": long_open()})
    assert refused.status_code == 429 and int(refused["Retry-After"]) > 0
    assert KEPT in refused.content.decode()
    assert (Thread.objects.count(), Comment.objects.count(), duo.reviews.count()) == (before, 0, 0)
