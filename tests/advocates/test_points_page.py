"""Where points come from, how they work, and what one is told at a door that is still closed."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse

from advocates import reputation
from advocates.models import Reason
from community.core import clock
from community.core.models import Numbers
from community.questions import permissions
from community.questions import services as questions

from ..factories import a_person, a_product, a_recipe, a_review, a_thread, a_tip, an_answer, an_owner

pytestmark = pytest.mark.django_db


def test_every_line_is_linked_filtered_and_asked_for_in_few_queries(client, bob, alice, duo, ravi,
                                                                    django_assert_max_num_queries):  # fmt: skip
    from community.moderation import services as moderation
    from community.sharing import services as sharing
    from reviews import services as reviews

    thread = a_thread(bob, product=duo)
    questions.vote_thread(thread, a_person(), 1)
    answers = [an_answer(a_thread(product=duo), bob) for _ in range(3)]
    for answer in answers:
        questions.vote_answer(answer, an_owner(duo), 1)
    questions.say_works_for_mine(answers[0], an_owner(duo), True)
    other = an_answer(a_thread(product=a_product()), bob)
    questions.vote_answer(other, alice, 1)
    reviews.find_helpful(a_review(bob, duo), alice, True)
    sharing.set_made(a_recipe(bob), alice)
    sharing.say_worked(a_tip(bob), alice, True)
    moderation.hide(answers[2], ravi, reason="A look first.")
    bob.refresh_from_db()
    client.force_login(bob)
    address = f"/people/{bob.username}/points/"
    # Ten of its own: session, person, what there is, the lines, five kinds of posts, the days. Four of every page's
    # frame: two for the brand, which a server remembers, unread notices, opening hours.
    with django_assert_max_num_queries(10 + 4):
        page = client.get(address).content.decode()
    for post in (thread, answers[0], other):
        assert post.get_absolute_url() in page
    assert answers[2].get_absolute_url() not in page and "no longer shown" in page and "taken back" in page
    assert page.count("<tr>") == 1 + 9  # a head and the lines; "works for mine" gives no points
    assert str(Reason.OWNER.label) not in page
    with django_assert_max_num_queries(10):
        some = client.get(address, {"reason": "answer_up", "product": duo.slug}).content.decode()
    assert answers[0].get_absolute_url() in some and other.get_absolute_url() not in some
    assert thread.get_absolute_url() not in some
    assert client.get(address, {"reason": "luck"}).status_code == 404
    assert client.get(address, {"product": "none"}).status_code == 404
    assert "No points of this kind" in client.get(address, {"reason": "spam"}).content.decode()
    client.force_login(alice)
    assert client.get(address).status_code == 404


def test_how_points_work_is_made_from_the_rules(client, bob):
    type(bob).objects.filter(pk=bob.pk).update(reputation=480)
    client.force_login(bob)
    page = client.get("/advocates/how-points-work/").content.decode()
    for _reason, rule in reputation.current_rules(clock.now()):
        assert str(rule.says).replace("'", "&#x27;") in page
    for points in (permissions.SUGGEST_REPUTATION, permissions.INVITE_REPUTATION, permissions.FREE_EDIT_REPUTATION):
        assert f'<td class="r">{points}</td>' in page
    assert "open to you" in page and "you need 20 points more" in page and "18 months" in page


def test_doors_say_what_one_has_and_what_it_takes(thread, answer, charlie):
    for why_not in (permissions.why_not_suggest, permissions.why_not_edit, permissions.why_not_invite):
        said = why_not(charlie, thread)
        assert "takes" in said and "you have 1." in said
    newcomer = a_person(trust=0)
    said = permissions.why_not_vote_down(newcomer, answer)
    assert "you are new here" in said and "3 posts" in said
    with pytest.raises(ValidationError) as refused:
        a_thread(newcomer, body="See https://a.example and https://b.example and https://c.example, it drips there.")
    said = str(refused.value)
    assert "2 links in a post; yours has 3" in said and "3 posts" in said


def test_a_closed_door_says_so_before_it_is_tried(client, thread, answer, charlie):
    """In the thread, at the box and on the ask form: what is missing, in numbers, with the way to how points work."""
    newcomer = a_person(trust=0)
    client.force_login(newcomer)
    page = client.get(thread.get_absolute_url(), follow=True).content.decode()
    assert page.count('class="vote__shut" href="/advocates/how-points-work/#trust"') == 2  # question and answer
    assert "you are new here" in page and 'id="down-' not in page
    assert page.count("Suggesting an edit takes 100 points; you have 1.") == 2
    assert page.count("Inviting somebody to answer takes 500 points; you have 1.") == 1
    assert page.count("/advocates/how-points-work/#opens") == 3
    assert "links 2, mentions 2, pictures 1" in page
    voted = client.post(f"/questions/answer/{answer.pk}/vote/", {"value": "1"}, headers={"HX-Request": "true"})
    assert voted.status_code == 200 and "vote__shut" in voted.content.decode()
    asking = client.get("/questions/ask/").content.decode()
    assert "Making new ones takes 750 points; you have 1." in asking and "links 2, mentions 2" in asking
    assert "links 2, mentions 2" in client.get("/tips/new/").content.decode()
    refused = client.get(reverse("questions:suggest", args=[thread.pk]))
    assert refused.status_code == 403 and "/advocates/how-points-work/#opens" in refused.content.decode()

    type(charlie).objects.filter(pk=charlie.pk).update(trust=1, reputation=120)
    client.force_login(charlie)
    page = client.get(thread.get_absolute_url(), follow=True).content.decode()
    assert "vote__shut" not in page and "Suggesting an edit takes" not in page and "links 2" not in page
    assert "Inviting somebody to answer takes 500 points; you have 120." in page
    suggest = client.get(reverse("questions:suggest", args=[thread.pk])).content.decode()
    assert "Editing others&#x27; posts takes 1000 points; you have 120." in suggest


def test_what_each_level_may_and_how_far_i_am(client, charlie, dana, thread):
    numbers = Numbers.load()
    numbers.newcomer_links, numbers.votes_leader = 7, 77
    numbers.save()
    type(charlie).objects.filter(pk=charlie.pk).update(trust=1, date_joined=clock.now() - timedelta(days=12))
    questions.vote_answer(an_answer(thread, charlie), a_person(), 1)
    client.force_login(charlie)
    page = client.get("/advocates/how-points-work/").content.decode()
    assert '<td class="r">7</td>' in page and '<td class="r">77</td>' in page
    assert "You are here as: Member." in page
    assert "toward Regular so far: days here 12, posts 1, found useful 1, by so many people 1." in page
    client.force_login(dana)
    assert "You are here as" not in client.get("/advocates/how-points-work/").content.decode()
