"""Whether owners still use it, for chapters that were there before the columns; shares are made anew by their review."""

from django.db import migrations
from django.db.models import Case, CharField, Count, OuterRef, Q, Subquery, Value, When
from django.db.models.functions import Cast, Concat


def _mark(condition, mark):
    return Case(When(condition, then=Value(mark)), default=Value(""), output_field=CharField())


def fill(apps, schema_editor):
    review, chapter = apps.get_model("reviews", "Review"), apps.get_model("reviews", "Chapter")
    product = apps.get_model("products", "Product")
    said = chapter.objects.filter(review=OuterRef("pk"), still_in_use__isnull=False).order_by("-created_at", "-id")
    heard = chapter.objects.filter(still_in_use__isnull=False).values("review")
    review.objects.filter(pk__in=heard).update(still_in_use=Subquery(said.values("still_in_use")[:1]))
    share = Concat(
        Cast("current_stars", CharField()),
        _mark(Q(would_recommend=True), "+"),
        _mark(Q(would_recommend=False), "-"),
        _mark(Q(still_in_use=True), "u"),
        _mark(Q(still_in_use=False), "n"),
        _mark(~Q(verified=""), "v"),
        _mark(~Q(source=""), "i"),
        output_field=CharField(),
    )
    counted = review.objects.filter(visibility="visible", still_in_use__isnull=False).exclude(share__in=("", "0"))
    counted.update(share=share)
    numbers = (
        counted.order_by()
        .values("product")
        .annotate(yes=Count("pk", filter=Q(still_in_use=True)), no=Count("pk", filter=Q(still_in_use=False)))
    )
    for row in numbers:
        product.objects.filter(pk=row["product"]).update(still_yes=row["yes"], still_no=row["no"])


class Migration(migrations.Migration):
    dependencies = [("products", "0003_owners_numbers"), ("reviews", "0006_owners_numbers")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
