"""Permissions on tables that came after the roles were made."""

from django.contrib.auth.management import create_permissions
from django.db import migrations

GIVEN = {"Community managers": [("moderation", "change_moderationrules")]}


def give(apps, schema_editor):
    app_config = apps.get_app_config("moderation")
    # Permissions are usually made after the last migration; this one needs them now.
    app_config.models_module = True
    create_permissions(app_config, apps=apps, verbosity=0, using=schema_editor.connection.alias)
    app_config.models_module = None
    Permission = apps.get_model("auth", "Permission")
    for name, permissions in GIVEN.items():
        group = apps.get_model("auth", "Group").objects.get_or_create(name=name)[0]
        for app, codename in permissions:
            group.permissions.add(Permission.objects.get(content_type__app_label=app, codename=codename))


class Migration(migrations.Migration):
    dependencies = [("accounts", "0005_dated_ties"), ("moderation", "0002_screening")]
    operations = [migrations.RunPython(give, migrations.RunPython.noop)]
