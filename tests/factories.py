"""A factory per model: minimal and valid, through the services, so that facts, events and counters are true."""

import itertools
from typing import Any

from allauth.account.models import EmailAddress

from community.accounts.models import Department, User
from community.accounts.services import join
from community.posts.models import Tag, TagSynonym, Topic
from community.questions import services as questions
from community.questions.models import Answer, Thread
from community.sharing import services as sharing
from community.sharing.models import Recipe, Tip
from products.models import Family, Product
from products.services import add_to_shelf
from reviews import services as reviews
from reviews.models import Review

_number = itertools.count(1)


def a_person(username: str = "", **fields: Any) -> User:
    """A member with some trust, so that newcomers' limits don't stand in the way of what is tested."""
    username = username or f"person{next(_number)}"
    fields = {"trust": 1, "email": f"{username}@example.org", **fields}
    return join(username, fields.pop("name", username.title()), **fields)


def an_owner(product: Product) -> User:
    """Somebody with the product on their shelf."""
    person = a_person()
    add_to_shelf(product, person)
    return person


def a_confirmed_address(user: User, address: str = "") -> EmailAddress:
    """An address somebody has proved to be theirs."""
    address = address or user.email or ""
    return EmailAddress.objects.create(user=user, email=address, verified=True, primary=address == user.email)


def a_department(slug: str = "", **fields: Any) -> Department:
    slug = slug or f"department{next(_number)}"
    every_day = {str(day): [["08:00", "18:00"]] for day in range(5)}
    return Department.objects.create(slug=slug, **{"name": slug.title(), "hours": every_day, **fields})


def a_family(slug: str = "", **fields: Any) -> Family:
    slug = slug or f"family{next(_number)}"
    return Family.objects.create(slug=slug, **{"name": slug.title(), **fields})


def a_product(slug: str = "", **fields: Any) -> Product:
    slug = slug or f"product{next(_number)}"
    family = fields.pop("family", None) or a_family()
    return Product.objects.create(slug=slug, family=family, **{"name": slug.title(), **fields})


def a_topic(slug: str = "", **fields: Any) -> Topic:
    slug = slug or f"topic{next(_number)}"
    return Topic.objects.create(slug=slug, **{"name": slug.title(), **fields})


def a_tag(slug: str = "", synonyms: tuple[str, ...] = (), **fields: Any) -> Tag:
    slug = slug or f"tag{next(_number)}"
    tag = Tag.objects.create(slug=slug, **{"name": slug, **fields})
    for word in synonyms:
        TagSynonym.objects.create(slug=word, name=word, tag=tag)
    return tag


def a_thread(by: User | None = None, **fields: Any) -> Thread:
    number = next(_number)
    told = {
        "kind": "question",
        "title": f"Why does number {number} drip at night",
        "body": f"It has dripped since Monday, and I can't see why. Number {number}.",
        **fields,
    }
    return questions.post_thread(by or a_person(), **told)


def an_answer(thread: Thread | None = None, by: User | None = None, **fields: Any) -> Answer:
    number = next(_number)
    told = {"body": f"Open the valve fully and close it again, six times. Number {number}.", **fields}
    return questions.post_answer(thread or a_thread(), by or a_person(), **told)


def a_review(by: User | None = None, product: Product | None = None, **fields: Any) -> Review:
    number = next(_number)
    told = {
        "stars": 4,
        "title": f"Good with number {number}",
        "body": f"It does what it should, and number {number} is no exception to that.",
        **fields,
    }
    return reviews.write_review(by or a_person(), product or a_product(), **told)


def a_recipe(by: User | None = None, **fields: Any) -> Recipe:
    number = next(_number)
    told = {
        "title": f"Coffee number {number}",
        "body": "Sunday mornings.",
        "ingredients": [{"amount": "18", "unit": "g", "name": "coffee"}],
        "steps": [{"text": "Pull 36 g in 30 seconds."}],
        "yield_unit": "cup",
        **fields,
    }
    return sharing.share_recipe(by or a_person(), **told)


def a_tip(by: User | None = None, **fields: Any) -> Tip:
    number = next(_number)
    told = {
        "title": f"Trick number {number}",
        "body": "It keeps the heat in.",
        "steps": [{"text": "Leave the lid on for a minute."}],
        **fields,
    }
    return sharing.share_tip(by or a_person(), **told)
