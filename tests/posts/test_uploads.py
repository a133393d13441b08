"""Pictures that no post uses are swept after 48 hours; those that a room shows stay."""

import io
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.test import Client
from PIL import Image

from community.accounts.models import Department, User
from community.core import clock, schedule
from community.posts import services
from community.posts.models import Upload
from community.questions import services as questions
from community.sharing import services as sharing
from products.models import Product
from reviews import services as reviews
from tests import factories
from tests.reviews.test_services import told

pytestmark = pytest.mark.django_db


def a_picture(owner: User, *, hours_ago: float = 49) -> Upload:
    drawn = io.BytesIO()
    Image.new("RGB", (30, 20), "brown").save(drawn, "WEBP")
    return Upload.objects.create(
        owner=owner, alt="A pot", created_at=clock.now() - timedelta(hours=hours_ago),
        file=ContentFile(drawn.getvalue(), "pot.webp"),
    )  # fmt: skip


def shown(picture: Upload) -> str:
    return f"This is what it looks like after a week of use, every morning. ![A pot]({picture.file.url})"


def in_a_thread(by: User, product: Product, picture: Upload) -> Any:
    return questions.post_thread(by, kind="question", title="Does yours look like this?", body=shown(picture))


def in_an_edited_thread(by: User, product: Product, picture: Upload) -> Any:
    thread = questions.post_thread(by, kind="question", title="Does yours look like this?", body="x" * 30)
    questions.edit_thread(thread, by, title=thread.title, body=shown(picture))
    return thread


def in_an_answer(by: User, product: Product, picture: Upload) -> Any:
    return questions.post_answer(factories.a_thread(factories.a_person(), product=product), by, body=shown(picture))


def in_the_words_of_a_review(by: User, product: Product, picture: Upload) -> Any:
    return reviews.write_review(by, product, **told(body=shown(picture)))


def as_the_photo_of_a_review(by: User, product: Product, picture: Upload) -> Any:
    return reviews.write_review(by, product, **told(), photos=[picture])


def in_a_second_look(by: User, product: Product, picture: Upload) -> Any:
    review = factories.a_review(by, product)
    chapter = reviews.add_chapter(review, by, stars=4, body=shown(picture), months_owned=12)
    reviews.edit_review(review, by, **told(), photos=[])
    return chapter


def as_the_photo_of_a_recipe(by: User, product: Product, picture: Upload) -> Any:
    return sharing.share_recipe(
        by, title="Cortado", ingredients=[{"amount": "18", "unit": "g", "name": "coffee"}],
        steps=[{"text": "Pull the shot."}], yield_amount=1, yield_unit="cup", body="", photos=[picture],
    )  # fmt: skip


def in_a_tip(by: User, product: Product, picture: Upload) -> Any:
    return sharing.share_tip(by, title="Wipe it first", steps=[{"text": "Wipe."}], body=shown(picture), product=product)


ROOMS = [
    in_a_thread, in_an_edited_thread, in_an_answer, in_the_words_of_a_review, as_the_photo_of_a_review,
    in_a_second_look, as_the_photo_of_a_recipe, in_a_tip,
]  # fmt: skip


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: room.__name__)
def test_what_a_room_shows_stays(
    client: Client, alice: User, duo: Product, room: Any, django_capture_on_commit_callbacks: Any
) -> None:
    picture = a_picture(alice)
    thing = room(alice, duo, picture)
    with django_capture_on_commit_callbacks(execute=True):
        assert services.sweep_uploads() == 0
    picture.refresh_from_db()
    assert picture.target == thing
    assert client.get(picture.file.url).status_code == 200, "a visitor sees it where the post is seen"


def test_a_department_may_show_a_picture_under_a_review(
    client: Client, alice: User, dana: User, support: Department, duo: Product
) -> None:
    picture = a_picture(dana)
    review = factories.a_review(alice, duo)
    response = reviews.respond(review, dana, support, shown(picture))
    assert services.sweep_uploads() == 0
    picture.refresh_from_db()
    assert picture.target == response
    assert client.get(picture.file.url).status_code == 200


def test_what_nobody_used_goes_with_its_file(alice: User, django_capture_on_commit_callbacks: Any) -> None:
    old, young = a_picture(alice), a_picture(alice, hours_ago=47)
    with django_capture_on_commit_callbacks(execute=True):
        assert services.sweep_uploads() == 1
        assert services.sweep_uploads() == 0
    assert list(Upload.objects.all()) == [young]
    assert not default_storage.exists(old.file.name)
    assert default_storage.exists(young.file.name)


def test_a_draft_keeps_its_pictures(alice: User, bob: User) -> None:
    mine, theirs = a_picture(alice), a_picture(bob)
    services.save_draft(alice, "thread:new", {"body": f"{shown(mine)} {shown(theirs)}"})
    assert services.sweep_uploads() == 1
    assert list(Upload.objects.all()) == [mine], "only one's own draft keeps a picture"
    services.drop_draft(alice, "thread:new")
    assert services.sweep_uploads() == 1


def test_a_picture_taken_out_of_a_recipe_goes(alice: User, duo: Product) -> None:
    recipe = as_the_photo_of_a_recipe(alice, duo, a_picture(alice))
    Upload.objects.update(target_type=None, target_id=None)
    assert services.sweep_uploads() == 1
    recipe.refresh_from_db()
    assert recipe.is_visible


def test_the_worker_sweeps_every_hour() -> None:
    assert [sweep.seconds for sweep in schedule.sweeps() if sweep.job is services.sweep_uploads] == [3600]


def test_a_sweep_with_nothing_to_do_is_cheap(alice: User, django_assert_num_queries: Any) -> None:
    for _each in range(3):
        a_picture(alice, hours_ago=1)
    with django_assert_num_queries(1):
        services.sweep_uploads()


def test_a_picture_in_an_open_suggestion_stays(alice: User, bob: User) -> None:
    thread = factories.a_thread(bob)
    User.objects.filter(pk=alice.pk).update(reputation=500)
    alice.refresh_from_db()
    picture = a_picture(alice)
    words = f"{thread.body_source}\n\n![A pot]({picture.file.url})"
    suggestion = questions.suggest_edit(thread, alice, title=thread.title, body=words, summary="Shows it.")
    assert services.sweep_uploads() == 0
    questions.withdraw_suggestion(suggestion, alice)
    assert services.sweep_uploads() == 1
