"""72 business hours: what is late stands first in the moderators' queue, whatever came in between."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django.asserts import assertContains

from community.accounts.models import User
from community.accounts.services import set_role
from community.core import clock
from community.moderation.queue import in_state
from community.questions.models import Thread
from products.models import Product
from reviews import hints, services
from reviews.models import Hint, Review
from tests import factories
from tests.posts.test_uploads import a_picture
from tests.reviews.test_hints import DULL

pytestmark = pytest.mark.django_db


def test_late_reviews_come_first(
    client: Client, alice: User, bob: User, ravi: User, duo: Product, enrol: Any, wednesday: object
) -> None:
    back = factories.a_review(alice, duo, title="It came back")
    services.refuse_review(back, ravi, code="off_topic", passage="It does what it should")
    waits = factories.a_review(bob, duo, title="It waits", hold=True)
    # Monday 23:00: of 72 business hours, Wednesday to Friday and half a day are over for one of them.
    with clock.travel(clock.now() + timedelta(days=5)):
        services.resubmit_review(Review.objects.get(pk=back.pk), alice)
        thread = factories.a_thread(factories.a_person())
        Thread.objects.filter(pk=thread.pk).update(
            visibility="pending", created_at=clock.now() - timedelta(days=9), published_at=None
        )
    with clock.travel(clock.now() + timedelta(days=5, hours=1)):
        items = in_state("pending")
        assert [(item.target.pk, item.late) for item in items] == [
            (waits.pk, True), (thread.pk, False), (back.pk, False)
        ]  # fmt: skip
        assert items[2].due is not None and not items[2].old
        enrol(ravi)
        client.force_login(ravi)
        assertContains(client.get("/admin/moderation/?queue=pending"), "a look is due")


def test_the_queue_shows_all_there_is_to_judge_and_leads_to_the_hints(
    client: Client, alice: User, bob: User, ravi: User, duo: Product, enrol: Any
) -> None:
    factories.a_thread(bob)  # so that ids of reviews and threads differ
    photo = a_picture(alice, hours_ago=0)
    photo.caption = "Mondays"
    review = factories.a_review(alice, duo, body=DULL, did_well="The lid", could_be_better="The shop", photos=[photo])
    services.add_chapter(review, alice, stars=2, body="After a year it leaks into the drawer.", months_owned=12)
    hints.sweep()
    services.refuse_review(Review.objects.get(), ravi, code="off_topic", passage="Mondays")
    words = "The caption says when I use it, and nothing else."
    services.appeal(Review.objects.get(), alice, words)
    mona = factories.a_person("mona")
    set_role(mona, None, "moderator")
    pages = []
    for person in (ravi, User.objects.get(pk=mona.pk)):
        enrol(person)
        client.force_login(person)
        client.get("/admin/moderation/?queue=pending")
        pages.append(client.get("/admin/moderation/?queue=pending").content.decode())
    for page in pages:
        for said in (
            "The lid",
            "The shop",
            "leaks into the drawer",
            "A pot",
            "Mondays",
            words,
            "Reads as if a machine",
        ):
            assert said in page, said
        assert 'href="/reviews/hints/"' in page and "1 hint to look at" in page
    assert "Somebody else decides about the appeal" in pages[0]
    assert "Somebody else decides about the appeal" not in pages[1]
    assert "1 hint to look at" in client.get("/admin/").content.decode()
    hints.settle(Hint.objects.get(), mona)
    assert "/reviews/hints/" not in client.get("/admin/moderation/?queue=pending").content.decode()


def test_what_the_queue_costs_does_not_grow(client: Client, ravi: User, duo: Product, enrol: Any) -> None:
    enrol(ravi)
    client.force_login(ravi)

    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert client.get("/admin/moderation/?queue=pending").status_code == 200
        return len(queries)

    factories.a_review(product=duo, hold=True)
    cost()
    one = cost()
    for _n in range(4):
        factories.a_review(product=duo, hold=True)
    assert cost() == one
