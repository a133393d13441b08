"""Other words for tags become rows, so that each is a word for one tag only."""

import django.db.models.deletion
from django.db import migrations, models


def copy_words(apps, schema_editor):
    Tag, TagSynonym = apps.get_model("posts", "Tag"), apps.get_model("posts", "TagSynonym")
    taken = set(Tag.objects.values_list("slug", flat=True))
    rows = []
    for tag in Tag.objects.exclude(synonyms_text="").order_by("pk"):
        for word in tag.synonyms_text.split(","):
            name = " ".join(word.lower().split()).strip("# ")[:50]
            slug = "-".join(name.replace("_", "-").split())
            if slug and slug not in taken:
                taken.add(slug)
                rows.append(TagSynonym(slug=slug, name=name, tag=tag))
    TagSynonym.objects.bulk_create(rows)


def copy_back(apps, schema_editor):
    Tag, TagSynonym = apps.get_model("posts", "Tag"), apps.get_model("posts", "TagSynonym")
    for tag in Tag.objects.all():
        words = TagSynonym.objects.filter(tag=tag).values_list("name", flat=True)
        Tag.objects.filter(pk=tag.pk).update(synonyms_text=", ".join(words)[:300])


class Migration(migrations.Migration):
    dependencies = [("posts", "0004_kept_pictures")]

    operations = [
        migrations.RenameField(model_name="tag", old_name="synonyms", new_name="synonyms_text"),
        migrations.CreateModel(
            name="TagSynonym",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("slug", models.SlugField(allow_unicode=True, unique=True)),
                ("name", models.CharField(max_length=50, verbose_name="name")),
                (
                    "tag",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="synonyms", to="posts.tag"
                    ),
                ),
            ],
            options={"ordering": ["name"]},
        ),
        migrations.RunPython(copy_words, copy_back),
    ]
