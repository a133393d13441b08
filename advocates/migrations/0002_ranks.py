"""Four ranks to begin with; the brand renames them in the admin."""

from django.db import migrations

RANKS = [
    ("newcomer", "Newcomer", 0, "Everybody's beginning."),
    ("helper", "Helper", 50, "A few people have found you helpful."),
    ("expert", "Expert", 600, "Many people rely on what you know."),
    ("master", "Master", 4000, "You know it by heart, and can say why."),
]


def add_ranks(apps, schema_editor):
    rank = apps.get_model("advocates", "Rank")
    for slug, name, threshold, line in RANKS:
        rank.objects.get_or_create(slug=slug, defaults={"name": name, "threshold": threshold, "line": line})


class Migration(migrations.Migration):
    dependencies = [("advocates", "0001_initial")]
    operations = [migrations.RunPython(add_ranks, migrations.RunPython.noop)]
