"""The rows of the story, found again by what was told of them, and the threads' own clocks."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.db import models

from community.accounts.models import Department, User
from community.bridges.models import ReleaseNote
from community.core import clock
from community.escalation import sweep
from community.escalation.models import Escalation, Incident
from community.moderation.models import Flag
from community.posts.models import Comment
from community.questions import asking_back
from community.questions.models import Answer, Thread
from community.sharing.models import Recipe, Tip
from products.models import Product
from reviews.models import Review

from ..models import Told

SOURCE = "demo"
SLACK = timedelta(minutes=15)  # a told rung is late by a sweep or two
MODELS: dict[str, type[models.Model]] = {
    "thread": Thread, "answer": Answer, "comment": Comment, "review": Review, "recipe": Recipe, "tip": Tip,
    "flag": Flag, "release": ReleaseNote, "incident": Incident,
}  # fmt: skip


class Rows:
    def __init__(self, folder: Path, told: Mapping[str, Told]) -> None:
        self.folder = folder
        self.ids = {key: row.object_id for key, row in told.items() if row.object_id is not None}
        self.forget()

    def forget(self) -> None:
        """After a rollback: nothing that was read is certain any more."""
        self._people: dict[str, User] = {}
        self._departments: dict[str, Department] = {}
        self._products: dict[str, Product] = {}
        self._rows: dict[str, Any] = {}
        self._heard: dict[str, datetime] = {}

    def person(self, username: str) -> User:
        if username not in self._people:
            self._people[username] = User.objects.select_related("department").get(username=username)
        return self._people[username]

    def department(self, slug: str) -> Department:
        if slug not in self._departments:
            self._departments[slug] = Department.objects.get(slug=slug)
        return self._departments[slug]

    def product(self, slug: str | None) -> Product | None:
        return self.the_product(slug) if slug else None

    def the_product(self, slug: str) -> Product:
        if slug not in self._products:
            self._products[slug] = Product.objects.select_related("family").get(slug=slug)
        return self._products[slug]

    def row(self, key: str) -> Any:
        if key not in self._rows:
            if key not in self.ids:
                raise LookupError(f"{key} has not been told")
            self._rows[key] = MODELS[key.partition(":")[0]]._default_manager.get(pk=self.ids[key])
        return self._rows[key]

    def keep(self, key: str, row: Any) -> None:
        """Remember the row of a fact; every later telling starts from the database."""
        if isinstance(row, models.Model):
            self.ids[key] = row.pk
            self._rows[key] = row

    def catch_up(self, slug: str, until: datetime) -> None:
        """Let a thread's own clocks run up to a moment: what the story doesn't tell happened all the same."""
        pk = self.ids.get(f"thread:{slug}")
        if pk is not None:
            asking_back.catch_up(until, pk)
        while pk is not None:
            due = Escalation.objects.filter(thread=pk, next_due_at__lte=until).values_list("pk", "next_due_at").first()
            if due is None:
                return
            with clock.travel(max(due[1], self._heard.get(slug, due[1]))):
                sweep.fire(*due)

    def hear(self, slug: str, at: datetime) -> None:
        """A thread's story has come this far; its clocks don't fire before."""
        self._heard[slug] = at

    def _maybe(self, name: str | None) -> User | None:
        return self.person(name) if name else None
