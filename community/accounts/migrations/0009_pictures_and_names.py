from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def bring_pictures(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """A picture stands on the person now, where every byline reads it."""
    User, Profile = apps.get_model("accounts", "User"), apps.get_model("accounts", "Profile")
    for person, avatar in Profile.objects.exclude(avatar="").values_list("user", "avatar"):
        User.objects.filter(pk=person).update(avatar=avatar)


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0008_public_holidays"),
    ]

    operations = [
        migrations.AddField(
            model_name="department",
            name="translations",
            field=models.JSONField(blank=True, default=dict, editable=False),
        ),
        migrations.AddField(
            model_name="user",
            name="avatar",
            field=models.FileField(
                blank=True, default="", editable=False, upload_to="avatars/", verbose_name="picture"
            ),
        ),
        migrations.RunPython(bring_pictures, migrations.RunPython.noop, elidable=True),
        migrations.RemoveField(model_name="profile", name="avatar"),
    ]
