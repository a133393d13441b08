from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("advocates", "0013_ties_and_answers")]

    operations = [migrations.RemoveField("letter", "readers_until")]
