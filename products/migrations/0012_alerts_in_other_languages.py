from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def fill(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Open recalls were read from the product; they keep its words themselves now."""
    for alert in apps.get_model("products", "OwnerAlert").objects.filter(kind="recall", ended_at=None):
        told = {}
        for code, words in alert.product.translations.items():
            steps = [line.strip() for line in words.get("recall_note", "").splitlines() if line.strip()]
            kept = {"title": words.get("recall_title", ""), "text": "\n".join(steps)[:2000]}
            if kept := {name: said for name, said in kept.items() if said}:
                told[code] = kept
        if told:
            alert.translations = told
            alert.save(update_fields=["translations"])


class Migration(migrations.Migration):
    dependencies = [
        ("products", "0011_secondary_sums"),
    ]

    operations = [
        migrations.AddField(
            model_name="owneralert",
            name="translations",
            field=models.JSONField(blank=True, default=dict, editable=False),
        ),
        migrations.RunPython(fill, migrations.RunPython.noop, elidable=True),
    ]
