from django.db import migrations, models


def fill(apps, schema_editor):
    """The further ratings that reviews before the column gave, and what products have of them."""
    reviews, products = apps.get_model("reviews", "Review"), apps.get_model("products", "Product")
    given = reviews.objects.exclude(secondary={})
    for product in given.order_by("product").values_list("product", flat=True).distinct():
        sums = {}
        for pk, secondary, share in list(given.filter(product=product).values_list("pk", "secondary", "share")):
            told = {slug: stars for slug, stars in sorted(secondary.items()) if stars}
            reviews.objects.filter(pk=pk).update(scales=" ".join(f"{slug}{stars}" for slug, stars in told.items()))
            for slug, stars in told.items() if share[:1] in ("1", "2", "3", "4", "5") else ():
                before = sums.get(slug, [0, 0])
                sums[slug] = [before[0] + stars, before[1] + 1]
        products.objects.filter(pk=product).update(secondary_sums=sums)


class Migration(migrations.Migration):
    dependencies = [("products", "0011_secondary_sums"), ("reviews", "0012_totals")]

    operations = [
        migrations.AddField(
            model_name="review",
            name="scales",
            field=models.TextField(
                default="",
                editable=False,
                help_text="The further ratings, as its product counts them: “build5 noise4”.",
            ),
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
