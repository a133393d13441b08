"""A service that PostgreSQL ended for the sake of another begins anew, with what it was given (decision 0099)."""

from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.db import OperationalError
from django.test import Client
from django.urls import reverse
from PIL import Image

from community.accounts.models import User
from community.moderation import services as moderation
from community.posts import curating
from community.posts.doors import long_open
from community.posts.models import Tag
from community.posts.photos import store
from community.sharing.models import Recipe
from products.models import Product
from reviews import services as reviews
from reviews.models import Review
from tests import factories

pytestmark = pytest.mark.django_db(transaction=True)


class Deadlock(Exception):
    sqlstate = "40P01"


@pytest.fixture
def lost_once(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any, str], None]:
    def arrange(module: Any, name: str) -> None:
        real, turns = getattr(module, name), []

        def first_lost(*given: Any, **more: Any) -> Any:
            turns.append(1)
            if len(turns) == 1:
                raise OperationalError("deadlock detected") from Deadlock()
            return real(*given, **more)

        monkeypatch.setattr(module, name, first_lost)

    return arrange


def test_a_recipe_with_its_photo(alice: User, lost_once: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    picture = BytesIO()
    Image.new("RGB", (20, 20)).save(picture, "WEBP")
    photo = store(alice, ContentFile(picture.getvalue(), name="again.webp"), "A cup")
    lost_once(moderation, "publish")
    recipe = factories.a_recipe(alice, photos=[photo])
    photo.refresh_from_db()
    assert photo.target_id == recipe.pk and Recipe.objects.get() == recipe


def test_a_new_tag(ravi: User, lost_once: Callable) -> None:
    lost_once(curating, "record")
    curating.save_tag(Tag(name="steam"), ravi, synonyms=["vapour"])
    assert [word.slug for word in Tag.objects.get(slug="steam").synonyms.all()] == ["vapour"]


def test_a_review_sent_by_its_form(alice: User, duo: Product, lost_once: Callable) -> None:
    lost_once(reviews.moderation, "publish")
    client = Client()
    client.force_login(alice)
    body = "It does what it should do, always and ever."
    sent = {"stars": "4", "title": "Good one", "body": body, "disclosure": "bought", "started": long_open()}
    assert client.post(reverse("reviews:write", args=[duo.slug]), sent).status_code == 302
    assert Review.objects.get().is_visible
