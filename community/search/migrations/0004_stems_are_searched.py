"""The engine looks through stems: every document is made anew by the worker."""

from django.db import migrations


def index_again(apps, schema_editor):
    Document, IndexChange = apps.get_model("search", "Document"), apps.get_model("search", "IndexChange")
    rows = Document.objects.values_list("target_type_id", "target_id").iterator(chunk_size=1000)
    changes = [IndexChange(target_type_id=target_type, target_id=target) for target_type, target in rows]
    IndexChange.objects.bulk_create(changes, ignore_conflicts=True, batch_size=1000)


class Migration(migrations.Migration):
    dependencies = [("search", "0003_deflections_once")]

    operations = [migrations.RunPython(index_again, migrations.RunPython.noop)]
