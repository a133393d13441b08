"""72 business hours: what is late stands first in the moderators' queue, whatever came in between."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from pytest_django.asserts import assertContains

from community.accounts.models import User
from community.core import clock
from community.moderation.wagtail_hooks import in_state
from community.questions.models import Thread
from products.models import Product
from reviews import services
from reviews.models import Review
from tests import factories

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
