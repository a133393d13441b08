import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

from django.apps import apps
from django.core.management.base import BaseCommand
from django.db import transaction
from django.db.models import Model

from community.core import text
from community.core.body import BODY_FIELDS
from community.core.models import Body
from community.posts import gates

BATCH = 50  # texts made before they are written together, so that nobody waits long for the database
MENTION = re.compile(r'<a href="/people/([^"/]+)/"[^>]*class="mention"')


class Command(BaseCommand):
    help = (
        "Makes the texts anew that an older release wrote, so that they look as texts of today do: headings, formulas "
        "and the like. What people wrote stays; nobody is told. Can be stopped and started again."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        total = sum(self._render(model) for model in apps.get_models() if issubclass(model, Body))
        if options["verbosity"]:
            self.stdout.write(f"{total} texts made anew.")

    def _render(self, model: type[Model]) -> int:
        done = 0
        for batch in self._old(model):
            for row in batch:
                gates.write_again(
                    row, row.body_source, row.source_format,
                    known_users=[unquote(name) for name in MENTION.findall(row.body_html)],
                    base_url=getattr(row, "source_url", ""),
                )  # fmt: skip
            with transaction.atomic():
                for row in batch:  # whoever edited it meanwhile has made it anew
                    same = model._base_manager.filter(pk=row.pk, pipeline__lt=text.PIPELINE_VERSION)
                    done += same.update(**{field: getattr(row, field) for field in BODY_FIELDS})
        return done

    def _old(self, model: type[Model]) -> Iterator[list[Any]]:
        last = 0
        fields = [*BODY_FIELDS, *(["source_url"] if hasattr(model, "source_url") else [])]
        while True:
            old = model._base_manager.filter(pipeline__lt=text.PIPELINE_VERSION, pk__gt=last).order_by("pk")
            batch = list(old.only("pk", *fields)[:BATCH])
            if not batch:
                return
            yield batch
            last = batch[-1].pk
