"""What each review adds to its product's numbers, for those that were there before the column."""

from django.db import migrations
from django.db.models import Case, CharField, Count, Q, Value, When
from django.db.models.functions import Cast, Concat


def _mark(condition, mark):
    return Case(When(condition, then=Value(mark)), default=Value(""), output_field=CharField())


def fill(apps, schema_editor):
    review, product = apps.get_model("reviews", "Review"), apps.get_model("products", "Product")
    visible = review.objects.filter(visibility="visible")
    tied = Q(disclosure__in=("employee", "family"))
    share = Concat(
        Cast("current_stars", CharField()),
        _mark(Q(would_recommend=True), "+"),
        _mark(Q(would_recommend=False), "-"),
        _mark(~Q(verified=""), "v"),
        _mark(~Q(source=""), "i"),
        output_field=CharField(),
    )
    visible.filter(tied).update(share="0")
    visible.exclude(tied).update(share=share)
    imported = visible.exclude(tied).exclude(source="").order_by().values("product").annotate(n=Count("pk"))
    for row in imported:
        product.objects.filter(pk=row["product"]).update(imported_count=row["n"])


class Migration(migrations.Migration):
    dependencies = [("products", "0002_imported_reviews"), ("reviews", "0002_shares")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
