from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("posts", "0005_tag_synonyms")]

    operations = [migrations.RemoveField(model_name="tag", name="synonyms_text")]
