"""What ties somebody to the brand stands beside all they write meanwhile: on pages, in data, in feeds, in mails."""

import json
import re
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from advocates import services
from community.accounts.models import User
from community.core import clock
from community.core.models import BrandSettings
from community.events.models import Event
from community.notifications.wording import words_for
from community.posts import services as posts
from community.questions import services as questions
from community.search import documents
from community.sharing import services as sharing
from products.models import Product
from reviews import feed
from reviews import services as reviews

from ..factories import a_recipe, a_review, a_thread, a_tip, an_answer

pytestmark = pytest.mark.django_db
LINE = "Paid for a water test."


class World:
    """What Bob wrote a year ago, before he said that he was paid then, and what he wrote since."""

    def __init__(self, bob: User, alice: User, duo: Product, when: datetime) -> None:
        with clock.travel(when):
            self.answer = an_answer(a_thread(alice, product=duo, title="Descaling the boiler of a Duo"), bob)
            questions.accept_answer(self.answer, alice)
            posts.comment(self.answer.thread, bob, body="Do it twice a year.")
            self.asked = a_thread(bob, product=duo)
            self.praise = a_thread(bob, product=duo, kind="praise")
            self.review = a_review(bob, duo, stars=5)
            self.recipe, self.tip = a_recipe(bob), a_tip(bob, product=duo)
            self.other = a_recipe(alice)
            sharing.set_made(self.other, bob, note="With less sugar.", stars=4)
        services.declare_interest(
            bob, bob, kind="payment", line=LINE, since=date(2025, 1, 1), until=date(2025, 12, 31)
        )  # fmt: skip


@pytest.fixture
def world(wednesday: datetime, bob: User, alice: User, duo: Product) -> World:
    made = World(bob, alice, duo, wednesday - timedelta(days=400))
    bob.refresh_from_db()
    return made


def test_a_past_tie_stands_on_every_page(world: World, client: Client, alice: User, bob: User, duo: Product) -> None:
    documents.index_changes()
    pages = {
        "answer and comment": (world.answer.thread.get_absolute_url(), 2),
        "own question": (world.asked.get_absolute_url(), 1),
        "praise": (f"/products/{duo.slug}/praise/", 1),
        "review": (world.review.get_absolute_url(), 1),
        "reviews": ("/reviews/", 1),
        "recipe": (world.recipe.get_absolute_url(), 1),
        "recipes": ("/recipes/", 1),
        "made it": (world.other.get_absolute_url(), 1),
        "tip": (world.tip.get_absolute_url(), 1),
        "tips": ("/tips/", 1),
        "search": ("/search/?q=descaling", 1),
        "matches": ("/search/matches/?title=descaling+the+boiler+of+a+duo", 1),
        "profile": (bob.get_absolute_url(), 1),
    }
    shown = {name: client.get(address).content.decode() for name, (address, _n) in pages.items()}
    # Structured data says it, too; here what people see is counted.
    seen = {name: re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL).count(LINE) for name, page in shown.items()}
    assert {name: n for name, n in seen.items() if n < pages[name][1]} == {}


def test_what_is_written_afterwards_has_no_tie(world: World, client: Client, alice: User, bob: User) -> None:
    for post in (an_answer(a_thread(alice), bob).thread, a_recipe(bob), a_tip(bob), a_thread(bob)):
        assert LINE not in client.get(post.get_absolute_url()).content.decode(), post


def test_a_later_look_tells_the_tie_of_its_own_day(world: World, client: Client, bob: User) -> None:
    services.declare_interest(bob, bob, kind="free_product", line="Given a new pump.", since=date(2026, 11, 1))
    reviews.add_chapter(world.review, bob, stars=4, body="Still quiet, with its second pump.", months_owned=12)
    page = client.get(world.review.get_absolute_url()).content.decode()
    assert LINE in page.split('id="chapter-')[0] and "Given a new pump." in page.split('id="chapter-')[1]


def data_of(page: str) -> list[Any]:
    return [json.loads(one) for one in re.findall(r'<script type="application/ld\+json">(.*?)</script>', page, re.S)]


def test_machines_read_it_with_the_name(world: World, client: Client) -> None:
    for post in (world.answer.thread, world.review, world.recipe, world.tip):
        told = json.dumps(data_of(client.get(post.get_absolute_url()).content.decode()))
        assert re.search(rf'"name": "Bob"[^}}]*"description": "{LINE}"', told), (post, told)


def test_feeds_tell_it_below_the_words_and_come_again(world: World, client: Client, bob: User) -> None:
    first = client.get("/feeds/questions/")
    assert f"Bob: {LINE}" in first.content.decode()
    services.declare_interest(bob, bob, kind="family", line="A sister works there.", since=date(2025, 1, 1))
    again = client.get("/feeds/questions/", headers={"if-none-match": first["ETag"]})
    assert again.status_code == 200 and "A sister works there." in again.content.decode()


def test_mails_quote_with_it(world: World, alice: User) -> None:
    event = Event.objects.get(kind="answer.posted", subject_id=world.answer.pk)
    words = words_for(event, "new_answer", alice)
    assert words.quote and words.tied == LINE


def test_google_gets_no_review_of_somebody_with_a_tie(world: World, alice: User, duo: Product) -> None:
    free = a_review(alice, duo)
    told = "".join(feed.written(BrandSettings()))
    assert f"<review_id>{free.pk}</review_id>" in told
    assert f"<review_id>{world.review.pk}</review_id>" not in told
