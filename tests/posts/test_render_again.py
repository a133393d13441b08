"""What an older release wrote looks as a text of today, once it is made anew."""

import pytest
from django.core.management import call_command

from community.accounts.models import User
from community.core import text
from community.moderation.models import WatchedWord
from community.posts import services as posts
from community.posts.models import Comment
from community.questions.models import Answer, Thread
from tests import factories

pytestmark = pytest.mark.once


def test_old_texts_are_made_anew_and_new_ones_left(
    alice: User, bob: User, db: None, capsys: pytest.CaptureFixture
) -> None:
    call_command("render_again")  # what migrations wrote
    thread = factories.a_thread(alice, body="##### First\n\nAs @bob says, and @nobody, it is so.")
    answer = factories.an_answer(thread, bob)
    remark = posts.comment(answer, alice, body="And $x_1$ is it.")
    Thread.objects.filter(pk=thread.pk).update(
        pipeline=1, body_html='<h6>First</h6> <p>As <a href="/people/bob/" class="mention">@bob</a> says</p>'
    )
    Comment.objects.filter(pk=remark.pk).update(pipeline=1, body_html="<p>And $x_1$ is it.</p>")
    Answer.objects.filter(pk=answer.pk).update(body_html="<p>Made by this release.</p>")
    WatchedWord.objects.create(pattern="it is", act="link", address="/help/it/")
    call_command("render_again")
    assert "2 texts made anew." in capsys.readouterr().out
    thread.refresh_from_db()
    assert thread.body_html.startswith("<h3>First</h3>") and thread.pipeline == text.PIPELINE_VERSION
    assert '<a href="/help/it/">it is</a>' in thread.body_html
    assert thread.body_html.count("mention") == 1 and "@nobody" in thread.body_html
    assert "<math" in Comment.objects.get(pk=remark.pk).body_html
    assert Answer.objects.get(pk=answer.pk).body_html == "<p>Made by this release.</p>"
    call_command("render_again")
    assert "0 texts made anew." in capsys.readouterr().out
