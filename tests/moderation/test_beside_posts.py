"""Words that stand beside a post pass the same rules as its text."""

import pytest
from django.core.exceptions import ValidationError
from django.test import Client

from community.accounts.models import User
from community.moderation import spam
from community.moderation.models import SpamAct, WatchedWord
from community.questions import services as questions
from community.questions.models import Thread
from community.sharing import services as sharing
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def blocked() -> None:
    WatchedWord.objects.create(pattern="casino", act=WatchedWord.Act.BLOCK)


def test_what_is_shown_with_a_post(alice: User, bob: User, thread: Thread) -> None:
    with pytest.raises(ValidationError):
        factories.an_answer(thread, bob, disclosure="Paid by the casino.")
    with pytest.raises(ValidationError):
        factories.a_thread(alice, model_version="casino 3")
    with pytest.raises(ValidationError):
        questions.edit_thread(
            thread, thread.author, title=thread.title, body=thread.body_source, model_version="casino 3"
        )
    with pytest.raises(ValidationError):
        factories.a_tip(alice, safety="Mind the casino.")
    with pytest.raises(ValidationError):
        factories.a_recipe(alice, ingredients=[{"name": "Water", "note": "from the casino", "amount": "1"}])


def test_lines_that_are_no_post(alice: User, bob: User, thread: Thread) -> None:
    recipe = factories.a_recipe(alice)
    with pytest.raises(ValidationError) as refused:
        sharing.set_made(recipe, bob, note="As good as any casino.")
    assert "note" in refused.value.message_dict
    with pytest.raises(ValidationError) as refused:
        questions.solve_another_way(thread, thread.author, "I went to the casino.")
    assert "note" in refused.value.message_dict
    WatchedWord.objects.update(act=WatchedWord.Act.QUEUE)
    with pytest.raises(ValidationError) as refused:  # nobody could look at it first
        sharing.set_made(recipe, bob, variation="With casino sugar.")
    assert "variation" in refused.value.message_dict
    sharing.set_made(recipe, bob, note="As good as any.")


def test_a_spammers_lines_go_out_of_sight_and_come_back(alice: User, ravi: User) -> None:
    recipe = factories.a_recipe(alice)
    sharing.set_made(recipe, factories.a_person("buyer"), note="The best deal in town.")
    buyer = User.objects.get(username="buyer")
    shown = lambda: "The best deal in town." in Client().get(recipe.get_absolute_url()).content.decode()  # noqa: E731
    assert shown()
    spam.delete_spammer(buyer, ravi, reason="Sells something on every page.")
    assert not shown()
    spam.undo(SpamAct.objects.get(), ravi, reason="A mistake: it was a joke.")
    assert shown()
