"""Who was away before `User.is_away` was kept is away on it, too."""

from django.db import migrations


def copy_absences(apps, schema_editor):
    User = apps.get_model("accounts", "User")
    Membership = apps.get_model("advocates", "AdvocateMembership")
    User.objects.filter(pk__in=Membership.objects.filter(state="away").values("user")).update(is_away=True)


class Migration(migrations.Migration):
    dependencies = [("advocates", "0010_badges_in_areas"), ("accounts", "0004_rank_pictures")]

    operations = [migrations.RunPython(copy_absences, migrations.RunPython.noop)]
