"""Which department a case is for, learned from where cases went."""

from datetime import timedelta

import pytest

from community.accounts.models import Department, User
from community.core import clock
from community.escalation import cases, suggesting
from community.escalation.models import Escalation, RoutingModel
from tests import factories

from .conftest import NOON

pytestmark = [pytest.mark.django_db, pytest.mark.once]


def test_it_is_learned_said_with_its_words_and_measured_on_what_it_has_not_seen(
    dana: User, support: Department, alice: User, asked: list[User]
) -> None:
    pricing = factories.a_department("pricing")
    paula = factories.a_person("paula", department=pricing)
    assert suggesting.newest(None) is None and suggesting.retrain() is None
    with clock.travel(NOON):
        for number in range(50):
            money = number % 3 == 0
            words = "The refund and the invoice are wrong" if money else "The grinder motor stalls and beeps"
            thread = factories.a_thread(alice, title=f"{words} {number}", body=f"{words}. Please help me.")
            case = Escalation.objects.get(thread=thread)
            case.department = pricing if money else support
            cases.acknowledge(case, paula if money else dana)
        made = suggesting.retrain()
    assert made is not None and (made.cases, made.held_back) == (50, 10)
    assert made.accuracy == 1 and made.majority < 0.8 and made.mis_routed == {str(pricing.pk): 0, str(support.pk): 0}
    with clock.travel(NOON + timedelta(hours=1)):
        assert suggesting.retrain() == made, "once a day"
    found = suggesting.suggest(suggesting.newest(made.pk).weights, "My refund has not come, the invoice says 12")  # type: ignore[union-attr]
    assert found is not None and found.label == str(pricing.pk) and found.chance > 0.5
    assert any("refund" in phrase for phrase in found.phrases)
    assert suggesting.suggest(made.weights, "Xyzzy plugh") is None
    for days in range(1, 7):
        with clock.travel(NOON + timedelta(days=days)):
            suggesting.retrain()
    assert RoutingModel.objects.count() == suggesting.KEPT_MODELS


def test_more_than_two_classes_and_words_never_seen() -> None:
    texts = [f"{word} {other}" for word in ("alpha one", "beta two", "gamma three") for other in "qrstuv"] * 3
    labels = [text.split()[0] for text in texts]
    measured = suggesting.learn(texts, labels, held_back=[place % 5 == 0 for place in range(len(texts))])
    assert measured.accuracy > measured.majority + 0.2
    found = suggesting.suggest(measured.weights, "gamma three")
    assert found is not None and found.label == "gamma" and found.phrases[0] in ("gamma", "three", "gamma three")
