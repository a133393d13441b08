"""Rows that rules follow from: numbers, badges, departments, the catalogue. Who changes one leaves before and after.

Heard from the models themselves, since Wagtail's own screens save some of them and would go round a service. Only what
somebody of the staff does in a request is written down: loaders and migrations have no person to name.
"""

import json
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models, transaction
from django.db.models.signals import post_delete, post_save, pre_save

from . import acting
from .log import record

WATCHED: dict[type[models.Model], frozenset[str]] = {}
LONGEST = 2000


def watch(*watched: type[models.Model], leave: tuple[str, ...] = ()) -> None:
    """From now on changes of these are written down; `leave` names fields that count themselves."""
    for model in watched:
        WATCHED[model] = frozenset(leave)
        pre_save.connect(_remember, sender=model, dispatch_uid=f"watch.before.{model._meta.label}")
        post_save.connect(_tell, sender=model, dispatch_uid=f"watch.after.{model._meta.label}")
        post_delete.connect(_tell_gone, sender=model, dispatch_uid=f"watch.gone.{model._meta.label}")


def _staff() -> Any:
    current = acting.now()
    return current.staff if current else None


def _values(row: models.Model) -> dict[str, Any]:
    leave = WATCHED[type(row)]
    plain = {
        field.name: field.value_from_object(row)
        for field in row._meta.concrete_fields
        if field.name not in leave and not field.primary_key
    }
    return {name: _short(value) for name, value in json.loads(json.dumps(plain, cls=_Encoder)).items()}


class _Encoder(DjangoJSONEncoder):
    """Whatever can't be written as JSON, a picture's name or a text with a lazy part, is written as words."""

    def default(self, o: Any) -> Any:
        try:
            return super().default(o)
        except TypeError:
            return str(o)


def _short(value: Any) -> Any:
    return f"{value[:LONGEST]}…" if isinstance(value, str) and len(value) > LONGEST else value


def _remember(sender: type[models.Model], instance: models.Model, raw: bool = False, **kwargs: Any) -> None:
    instance.__dict__["_before"] = None
    if not raw and instance.pk is not None and _staff() is not None:
        old = sender._base_manager.filter(pk=instance.pk).first()
        instance.__dict__["_before"] = _values(old) if old else None


def _tell(sender: type[models.Model], instance: models.Model, created: bool, raw: bool = False, **kwargs: Any) -> None:
    by = None if raw else _staff()
    if by is None:
        return
    before, after = instance.__dict__.pop("_before", None) or {}, _values(instance)
    if created:
        changes = {name: [None, value] for name, value in after.items() if value not in (None, "", [], {}, False)}
    else:
        changes = {name: [before.get(name), value] for name, value in after.items() if before.get(name) != value}
        if not changes:
            return
    with transaction.atomic():
        record(
            "settings.created" if created else "settings.changed", actor=by, subject=instance, changes=changes,
            model=sender._meta.label_lower, fields=sorted(changes),
        )  # fmt: skip


def _tell_gone(sender: type[models.Model], instance: models.Model, **kwargs: Any) -> None:
    by = _staff()
    if by is None:
        return
    changes = {name: [value, None] for name, value in _values(instance).items() if value not in (None, "", [], {})}
    with transaction.atomic():
        record("settings.removed", actor=by, subject=instance, changes=changes, model=sender._meta.label_lower)
