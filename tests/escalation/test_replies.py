"""Saved replies: variables, gaps, who may write them."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError

from community.accounts.models import Department, User
from community.core.errors import NotAllowed
from community.escalation import replies
from community.escalation.models import Escalation, SavedReply
from community.questions.models import Thread
from tests import factories

from .conftest import NOON

pytestmark = [pytest.mark.django_db, pytest.mark.once]


def a_reply(by: User, body: str, *departments: Department, **fields: object) -> SavedReply:
    fields = {"slug": "part", "title": "A part", **fields}
    return replies.save(SavedReply(body=body, **fields), by, departments)


def test_a_variable_that_nothing_fills_in_is_refused(hanna: User, dana: User, lead: User, alice: User) -> None:
    with pytest.raises(ValidationError) as refused:
        a_reply(hanna, "Dear {first_nmae}, {product} and {mood}.")
    assert "{first_nmae}, {mood}" in refused.value.messages[0] and "{promise_date}" in refused.value.messages[0]
    for nobody in (alice, dana):
        with pytest.raises(NotAllowed):
            a_reply(nobody, "Dear {first_name}")
    assert a_reply(lead, "Dear {first_name}").changed_by == lead
    with pytest.raises(ValidationError) as refused:
        a_reply(hanna, " ", title=" ", slug="b", kinds=["song"])
    assert set(refused.value.error_dict) == {"body", "title", "kinds"}


def test_what_is_known_is_filled_in_and_the_rest_becomes_a_gap(
    thread: Thread, hanna: User, dana: User, asked: list[User]
) -> None:
    reply = a_reply(hanna, "{first_name}: your {product} by {promise_date}, {amount}. [which part] [x](https://x.org)")
    case = Escalation.objects.get(thread=thread)
    thread.author.name = "Eve [evil](https://evil.example)"
    case.thread = thread
    text = replies.filled_for(reply, replies.values_for(case, dana, promise=NOON + timedelta(days=2)))
    assert "Brindle Duo" in text and "20 Nov 2026" in text
    assert replies.gaps(text, reply) == ["a sum of money, put in by hand", "which part"]
    done = text.replace("[which part]", "The ring [sic]").replace("[a sum of money, put in by hand]", "3 €")
    assert replies.gaps(done, reply) == [], "brackets of one's own are words"


def test_a_department_sees_its_own_in_the_language_of_the_thread(hanna: User, support: Department) -> None:
    design = factories.a_department("design")
    a_reply(hanna, "Everybody", slug="all")
    a_reply(hanna, "Ours", support, slug="ours", position=1)
    a_reply(hanna, "Unsere", support, slug="ours", language="de")
    a_reply(hanna, "Theirs", design, slug="theirs")
    a_reply(hanna, "Old", support, slug="old", active=False)
    assert [reply.body for reply in replies.offered(support.pk, "en")] == ["Ours", "Everybody"]
    german = replies.best_first(replies.offered(support.pk, "de"), kind="problem", language="de")
    assert [reply.body for reply in german] == ["Unsere", "Everybody"], "not the English one of the same name"
