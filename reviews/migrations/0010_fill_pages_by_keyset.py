"""Months of ownership and numbers of photos, for the reviews that were there before the columns."""

from django.db import migrations
from django.db.models import Count, F, Max, OuterRef, Subquery
from django.db.models.functions import Coalesce


def fill(apps, schema_editor):
    review, chapter = apps.get_model("reviews", "Review"), apps.get_model("reviews", "Chapter")
    upload, content_type = apps.get_model("posts", "Upload"), apps.get_model("contenttypes", "ContentType")
    review.objects.exclude(owned_months=None).update(owned_last=F("owned_months"))
    newest = chapter.objects.filter(review=OuterRef("pk")).order_by().values("review")
    told = review.objects.annotate(told=Subquery(newest.annotate(n=Max("months_owned")).values("n")))
    told.filter(told__gt=Coalesce(F("owned_last"), -1)).update(owned_last=F("told"))
    kind = content_type.objects.filter(app_label="reviews", model="review").first()
    if kind is not None:
        photos = upload.objects.filter(target_type=kind, target_id__isnull=False).order_by().values("target_id")
        for row in photos.annotate(n=Count("pk")):
            review.objects.filter(pk=row["target_id"]).update(photo_count=row["n"])


class Migration(migrations.Migration):
    dependencies = [
        ("reviews", "0009_pages_by_keyset"),
        ("posts", "0001_initial"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
