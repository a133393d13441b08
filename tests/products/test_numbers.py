"""What others count on a product stays right, however many change it at once, and costs the same for all sizes."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection, connections
from django.db.models import Count, Q
from django.test import Client
from django.test.utils import CaptureQueriesContext

from community.accounts.models import User
from community.moderation import services as moderation
from community.questions import services as questions
from community.questions.models import Answer, Thread
from products.models import Product
from products.services import change_product
from tests import factories


def numbers(product: Product) -> tuple[int, int]:
    product.refresh_from_db()
    return product.thread_count, product.solved_count


def counted(product: Product) -> tuple[int, int]:
    """The numbers from the rows."""
    found = Thread.objects.visible().filter(product=product)
    told = found.aggregate(threads=Count("pk"), solved=Count("pk", filter=Q(solved_at__isnull=False)))
    return told["threads"], told["solved"]


def at_once(*works: Callable[[], Any]) -> None:
    start = threading.Barrier(len(works))

    def run(work: Callable[[], Any]) -> None:
        try:
            start.wait(10)
            work()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(works)) as pool:
        for one in [pool.submit(run, work) for work in works]:
            one.result()


def test_the_numbers_follow_everything_that_happens(alice: User, bob: User, ravi: User, duo: Product) -> None:
    mill = factories.a_product("mill")
    first, second = (factories.a_thread(alice, product=duo) for _ in range(2))
    assert numbers(duo) == (2, 0)
    answer = factories.an_answer(first, bob)
    questions.accept_answer(answer, alice)
    assert numbers(duo) == (2, 1)
    moderation.hide(answer, ravi, reason="Wrong.")
    assert numbers(duo) == counted(duo) == (2, 0)
    moderation.restore(answer, ravi)
    assert numbers(duo) == counted(duo)
    moderation.hide(first, ravi, reason="Wrong.")
    assert numbers(duo) == (1, 0)
    moderation.hide(first, ravi, reason="Wrong.")  # twice is harmless
    moderation.restore(first, ravi)
    assert numbers(duo) == counted(duo)
    questions.move_thread(first, ravi, product=mill)
    assert numbers(duo) == counted(duo) == (1, 0)
    assert numbers(mill) == counted(mill)
    questions.move_thread(first, ravi, product=None)
    assert numbers(mill) == (0, 0)
    questions.move_thread(first, ravi, product=duo)
    questions.merge_thread(second, first, ravi, "The same.")
    assert numbers(duo) == counted(duo) == (1, counted(duo)[1])


def test_counting_costs_the_same_for_a_product_of_any_size(alice: User, duo: Product) -> None:
    def cost() -> tuple[int, str]:
        with CaptureQueriesContext(connection) as asked:
            factories.a_thread(alice, product=duo)
        sql = " ".join(query["sql"] for query in asked)
        return len(asked), sql

    factories.a_thread(alice, product=duo)
    before, _sql = cost()
    for _ in range(5):
        factories.a_thread(product=duo)
    after, sql = cost()
    assert after == before
    assert "COUNT" not in sql.split('UPDATE "products_product"')[0].rsplit("INSERT", 1)[-1]


@pytest.mark.django_db(transaction=True)
def test_the_numbers_stay_right_when_many_write_at_once() -> None:
    duo = factories.a_product("duo")
    ravi, alice = factories.a_person("ravi", is_superuser=True), factories.a_person("alice")
    threads = [factories.a_thread(alice, product=duo) for _ in range(6)]
    answers = [factories.an_answer(thread) for thread in threads]

    def post() -> None:
        factories.a_thread(User.objects.get(username="alice"), product=Product.objects.get(slug="duo"))

    def solve(answer: Answer) -> Callable[[], Any]:
        return lambda: questions.accept_answer(Answer.objects.get(pk=answer.pk), User.objects.get(username="alice"))

    def hide(thread: Thread) -> Callable[[], Any]:
        return lambda: moderation.hide(
            Thread.objects.get(pk=thread.pk), User.objects.get(pk=ravi.pk), reason="Off topic."
        )

    at_once(post, post, post, *(solve(answer) for answer in answers[:3]), *(hide(thread) for thread in threads[2:5]))
    assert numbers(duo) == counted(duo)
    assert numbers(duo)[0] == 6


def test_an_editor_overwrites_no_number(duo: Product, hanna: User, alice: User) -> None:
    stale = Product.objects.get(pk=duo.pk)
    factories.a_thread(alice, product=duo)
    stale.name = "Brindle Duo II"
    change_product(stale, hanna)
    duo.refresh_from_db()
    assert (duo.name, duo.thread_count) == ("Brindle Duo II", 1)


def test_the_address_of_a_product_stays(duo: Product, hanna: User) -> None:
    """Its page, every link and the leaflet in the box lead there."""
    duo.slug = "duo-classic"
    with pytest.raises(ValidationError) as refused:
        change_product(duo, hanna)
    assert refused.value.message_dict.keys() == {"slug"}
    assert Product.objects.get(pk=duo.pk).slug == "duo"


def test_an_address_taken_meanwhile_is_said_at_its_field(duo: Product, hanna: User) -> None:
    factories.a_product("mill")
    duo.slug = "mill"
    with pytest.raises(ValidationError) as refused:
        change_product(duo, hanna)
    assert "slug" in refused.value.message_dict
    new = Product(slug="mill", name="Another", family=duo.family)
    with pytest.raises(ValidationError):
        change_product(new, hanna)
    assert new.pk is None and Product.objects.filter(slug="mill").count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_products_with_one_address_at_once() -> None:
    family = factories.a_family()
    hanna = factories.a_person("hanna")
    refused: list[str] = []

    def make() -> None:
        try:
            change_product(Product(slug="duo", name="Duo", family=family), User.objects.get(pk=hanna.pk))
        except ValidationError as error:
            refused.extend(error.message_dict)

    at_once(make, make)
    assert refused == ["slug"] and Product.objects.filter(slug="duo").count() == 1


def test_the_admin_says_it_and_keeps_what_was_typed(
    client: Client, duo: Product, hanna: User, enrol: Callable[[User], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    hanna.is_superuser = True
    hanna.save()
    enrol(hanna)
    client.force_login(hanna)

    def taken(product: Product, by: Any, versions: Any) -> Product:
        raise ValidationError({"slug": "Another product has this address."})

    monkeypatch.setattr("products.wagtail_hooks.services.change_product", taken)
    given = {"name": "Duo Grande", "slug": "grande", "family": duo.family_id, "position": "0", "lifecycle": "current"}
    address = f"/admin/snippets/products/product/edit/{duo.pk}/"
    page = client.post(address, given)
    html = page.content.decode()
    assert page.status_code == 200 and "Another product has this address." in html and "Duo Grande" in html
