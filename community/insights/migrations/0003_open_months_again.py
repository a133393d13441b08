"""Contacts spared are told by department: the months that still count are counted from their first day again."""

from django.db import migrations


def count_again(apps, schema_editor):
    apps.get_model("insights", "Month").objects.filter(frozen_at__isnull=True).update(through=None)


class Migration(migrations.Migration):
    dependencies = [("insights", "0002_for_managers")]

    operations = [migrations.RunPython(count_again, migrations.RunPython.noop)]
