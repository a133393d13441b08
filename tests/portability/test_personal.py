"""Every room says what becomes of each foreign key to a person, and the saying holds."""

from django.apps import apps
from django.contrib.auth import get_user_model
from django.db import models

from community.core import personal


def _keys() -> set[str]:
    """All columns that point at a person, once each: inherited ones belong to the model that has the column."""
    person = get_user_model()
    found = set()
    for model in apps.get_models(include_auto_created=True):
        for field in model._meta.local_fields:
            if field.is_relation and field.related_model is person:
                found.add(f"{model._meta.label}.{field.name}")
    return found


def test_every_foreign_key_to_a_person_is_named_by_a_room_and_nothing_else_is() -> None:
    named = {tie.label for tie in personal.ties()}
    assert _keys() - named == set(), "say in the room's personal.py what becomes of these"
    assert named - _keys() == set(), "these are no foreign keys to a person"


def test_what_a_room_says_can_be_done() -> None:
    for tie in personal.ties():
        field = tie.model._meta.get_field(tie.field)
        assert tie.left is not personal.CUT or field.null, f"{tie.label} can't be cut"
        for name in tie.blank:
            assert isinstance(tie.model._meta.get_field(name), models.CharField | models.TextField), tie.label
        assert tie.model._base_manager.values(*tie.copy) is not None  # raises FieldError for a field that is none


def test_whatever_names_somebody_without_a_foreign_key_is_known() -> None:
    """Columns by name: a new one that may hold a person's name or address has to be thought about here."""
    telling = {"email", "address", "ip", "user_agent", "username", "said"}
    known = {
        "accounts.User.email", "accounts.User.username",  # emptied in place
        "accounts.FormerUsername.username", "account.EmailAddress.email", "usersessions.UserSession.ip",
        "usersessions.UserSession.user_agent",  # ties
        "bridges.ReleaseHelp.said",  # yes, partly or no
        "core.Delivery.address",  # sent to no account, and erased after 30 days
        "products.OrderLine.address",  # a keyed hash, forgotten by products/personal.py
        "search.Document.said",  # written anew by search/personal.py
        "portability.SourceProduct.said",  # of a product
        "moderation.WatchedWord.address",  # where a word leads
        "escalation.Channel.address",  # of another system
        "wagtailusers.UserProfile.avatar",
    }  # fmt: skip
    found = set()
    for model in apps.get_models():
        for field in model._meta.local_concrete_fields:
            if field.name in telling:
                found.add(f"{model._meta.label}.{field.name}")
    assert found <= known, found - known
