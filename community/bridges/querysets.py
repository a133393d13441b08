from datetime import datetime, timedelta
from typing import Any, Self

from django.apps import apps
from django.db import models
from django.db.models import Count, F, IntegerField, OuterRef, Subquery
from django.db.models.functions import Coalesce, JSONObject

ASKED_AFTER = timedelta(days=60)


class ReleaseQuerySet(models.QuerySet):
    def due_to_be_asked(self, now: datetime) -> Self:
        """Sixty days old, and nobody was asked yet whether it helped."""
        return self.filter(asked_at__isnull=True, published_at__lte=now - ASKED_AFTER)

    def with_help(self) -> Self:
        """With `yes`, `partly`, `no`: how many said so."""
        return self.annotate(**{said: _said(said) for said in ("yes", "partly", "no")})

    def for_listing(self) -> Self:
        """Newest first, with product, author and what those who asked said."""
        return self.select_related("product__family", "by").with_help().order_by("-published_at", "-pk")


def _said(said: str) -> Any:
    rows = apps.get_model("bridges", "ReleaseHelp").objects.filter(target=OuterRef("pk"), said=said).order_by()
    counted = rows.values("target").annotate(n=Count("pk")).values("n")
    return Coalesce(Subquery(counted), 0, output_field=IntegerField())


def note_of_thread() -> Any:
    """The newest note that a thread asked for, itself or by a thread merged into it; for the thread's own query."""
    ties = apps.get_model("bridges", "ReleaseTie").objects.order_by("-note__published_at", "-pk")
    said = JSONObject(pk=F("note"), title=F("note__title"), slug=F("note__product__slug"), we_did=F("note__we_did"))
    here, merged = ({name: OuterRef("pk")} for name in ("thread", "thread__merged_into"))
    # Each of the two by its own index.
    return Coalesce(*(Subquery(ties.filter(**way).annotate(told=said).values("told")[:1]) for way in (here, merged)))


def latest_of_product() -> dict[str, Any]:
    """What the product's page brings along by its own query: its newest note, how many there are, and the newest note
    whose sixty days are over."""
    notes = apps.get_model("bridges", "ReleaseNote").objects.filter(product=OuterRef("product"))
    told = notes.with_help().annotate(
        told=JSONObject(
            pk=F("pk"), title=F("title"), you_said=F("you_said"), we_did=F("we_did"), yes=F("yes"), partly=F("partly"),
            no=F("no"), asked=F("asked_count"),
        )
    )  # fmt: skip
    counted = notes.order_by().values("product").annotate(n=Count("pk")).values("n")
    newest = told.order_by("-published_at", "-pk").values("told")
    return {
        "release_newest": Subquery(newest[:1]),
        "release_judged": Subquery(newest.filter(asked_at__isnull=False)[:1]),
        "release_count": Coalesce(Subquery(counted), 0, output_field=IntegerField()),
    }
