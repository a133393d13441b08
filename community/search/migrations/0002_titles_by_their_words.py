"""The index of titles, and figures in place of sentences that were written in one language."""

import django.db.models.deletion
from django.db import migrations, models


def index_again(apps, schema_editor):
    """Every document is made anew by the worker: its title has no words yet, and it says what it said in one language."""
    Document, IndexChange = apps.get_model("search", "Document"), apps.get_model("search", "IndexChange")
    rows = Document.objects.values_list("target_type_id", "target_id").iterator(chunk_size=1000)
    changes = [IndexChange(target_type_id=target_type, target_id=target) for target_type, target in rows]
    IndexChange.objects.bulk_create(changes, ignore_conflicts=True, batch_size=1000)
    Document.objects.filter(kind__in=("tip", "product")).update(said="")


class Migration(migrations.Migration):
    dependencies = [("search", "0001_initial")]

    operations = [
        migrations.AddField("document", "worked_yes", models.PositiveIntegerField(default=0, help_text="A tip: for how many it worked.")),
        migrations.AddField("document", "worked_of", models.PositiveIntegerField(default=0, help_text="A tip: of how many who said so.")),
        migrations.AlterField("document", "said", models.CharField(blank=True, default="", help_text="Whose words they are.", max_length=200)),
        migrations.CreateModel(
            name="TitleWord",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("word", models.CharField(max_length=40)),
                ("document", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="title_words", to="search.document")),
            ],
            options={"constraints": [models.UniqueConstraint(fields=("word", "document"), name="title_word_once")]},
        ),
        migrations.CreateModel(
            name="Spelling",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("piece", models.CharField(max_length=3)),
                ("word", models.CharField(max_length=40)),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("piece", "word"), name="spelling_once")],
                "indexes": [models.Index(fields=["word"], name="spelling_word")],
            },
        ),
        migrations.RunPython(index_again, migrations.RunPython.noop),
    ]
