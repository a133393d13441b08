"""Pages that were guarded before this release are in the index still: editors' pages are made anew by the worker."""

from django.db import migrations

KINDS = [("products", "productpage"), ("pages", "helparticlepage")]


def index_again(apps, schema_editor):
    Document, IndexChange = apps.get_model("search", "Document"), apps.get_model("search", "IndexChange")
    changes = []
    for app, model in KINDS:
        rows = Document.objects.filter(target_type__app_label=app, target_type__model=model)
        changes += [IndexChange(target_type_id=kind, target_id=pk) for kind, pk in rows.values_list("target_type_id", "target_id")]
    IndexChange.objects.bulk_create(changes, ignore_conflicts=True, batch_size=1000)


class Migration(migrations.Migration):
    dependencies = [("search", "0005_newest_changes_first"), ("contenttypes", "0002_remove_content_type_name")]

    operations = [migrations.RunPython(index_again, migrations.RunPython.noop)]
