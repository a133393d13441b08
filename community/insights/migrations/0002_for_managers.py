"""Community managers see all figures and change what cost and return are reckoned with."""

from django.contrib.auth.management import create_permissions
from django.db import migrations

GROUP = "Community managers"
PERMISSIONS = ("view_figures", "change_inputs")


def give(apps, schema_editor):
    app_config = apps.get_app_config("insights")
    # Permissions are usually made after the last migration; the group needs them now.
    app_config.models_module = True
    create_permissions(app_config, apps=apps, verbosity=0, using=schema_editor.connection.alias)
    app_config.models_module = None
    found = apps.get_model("auth", "Permission").objects.filter(
        content_type__app_label="insights", codename__in=PERMISSIONS
    )
    for group in apps.get_model("auth", "Group").objects.filter(name=GROUP):
        group.permissions.add(*found)


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_roles"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("insights", "0001_initial"),
    ]

    operations = [migrations.RunPython(give, migrations.RunPython.noop)]
