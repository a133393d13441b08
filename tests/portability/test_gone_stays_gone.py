"""What somebody took along when they left comes back by no door; who was joined is found where they went."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from community.accounts.models import User
from community.portability import joining, leaving
from community.posts.models import Comment, Revision
from community.questions import services as questions
from community.questions.models import Answer, Thread
from tests import factories

from . import dumps

pytestmark = pytest.mark.django_db


def test_a_later_import_brings_no_words_back(bring: Callable[..., str]) -> None:
    files = dumps.small()
    bring(files)
    ann = User.objects.get(source=dumps.SITE, external_id="1")
    thread = Thread.objects.get(source=dumps.SITE, external_id="10")
    remark = Comment.objects.get(source=dumps.SITE, external_id="2", author=ann)
    words, said = thread.body_source, remark.body_source
    leaving.erase(ann, words_go=True)
    later = {"CreationDate": "2020-05-09T00:00:00.000"}
    files["PostHistory"] += [dumps.a_history(17, 10, 6, "<grinder>", "v9", owner=2, **later)]
    files["Comments"] += [dumps.a_comment(9, 12, 2)]
    bring(files)
    kept = Revision.objects.filter(target_type__model="thread", target_id=thread.pk)
    assert kept and not kept.filter(body_source__contains=words[:20]).exists()
    assert words[:20] not in Client().get(reverse("questions:history", args=[thread.pk])).content.decode()
    remark.refresh_from_db()
    assert said not in remark.body_source


def test_after_joining_an_import_writes_under_the_account_that_stayed(bring: Callable[..., str], hanna: User) -> None:
    files = dumps.small()
    bring(files)
    ann = User.objects.get(source=dumps.SITE, external_id="1")
    kept = factories.a_person("annhere", name="Ann from here")
    joining.join(ann, kept, hanna, reason="She proved it by mail from her address.")
    files["Posts"] += [dumps.an_answer(14, 11, owner=1)]
    next(row for row in files["Comments"] if row["Id"] == 2)["Text"] = "Her other site says so."
    bring(files)
    remark = Comment.objects.get(source=dumps.SITE, external_id="2")
    assert remark.author == kept and "other site" not in remark.body_source
    assert Answer.objects.get(source=dumps.SITE, external_id="14").author == kept
    kept.refresh_from_db()
    assert kept.name == "Ann from here", "her name here is hers"


def test_a_suggestion_names_nobody_who_left(alice: User, bob: User) -> None:
    thread = factories.a_thread(bob)
    helper = factories.a_person("helper")
    User.objects.filter(pk=helper.pk).update(reputation=500)
    helper.refresh_from_db()
    text = f"{thread.body_source}\n\nAs @alice said before."
    suggestion = questions.suggest_edit(thread, helper, title=thread.title, body=text, summary="Who said it.")
    leaving.erase(alice, words_go=True)
    suggestion.refresh_from_db()
    questions.approve_suggestion(suggestion, bob)
    thread.refresh_from_db()
    assert "@alice" not in thread.body_source and "a former member" in thread.body_source


def test_what_an_answer_said_about_its_author_goes_along(bob: User) -> None:
    answer = factories.an_answer(None, bob, disclosure="I am Bob Miller and sell these.", model_version="Bob's own")
    leaving.erase(bob, words_go=True)
    answer.refresh_from_db()
    assert (answer.disclosure, answer.model_version) == ("", "")


def test_machines_read_no_name_that_people_do_not(alice: User) -> None:
    review = factories.a_review(alice)
    leaving.erase(alice, words_go=False)
    page = Client().get(review.get_absolute_url()).content.decode()
    told = page.split("application/ld+json", 1)[1].split("</script>", 1)[0]
    assert "Former member" in told and review.author.username not in told
