from django.db import migrations
from django.db.models import Count, F, Q


def count_what_is_there(apps, schema_editor):
    """From now on each thread remembers what it adds to its product's numbers."""
    Thread = apps.get_model("questions", "Thread")
    Product = apps.get_model("products", "Product")
    seen = Thread.objects.filter(visibility="visible", product__isnull=False)
    seen.update(counted_on=F("product"))
    seen.filter(solved_at__isnull=False).update(counted_solved=True)
    numbers = Thread.objects.filter(counted_on__isnull=False).order_by().values_list("counted_on")
    for pk, threads, solved in numbers.annotate(n=Count("pk"), solved=Count("pk", filter=Q(counted_solved=True))):
        Product.objects.filter(pk=pk).update(thread_count=threads, solved_count=solved)


class Migration(migrations.Migration):
    dependencies = [("questions", "0009_counted_threads")]

    operations = [migrations.RunPython(count_what_is_there, migrations.RunPython.noop)]
