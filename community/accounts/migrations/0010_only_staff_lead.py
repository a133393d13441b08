"""Whoever left the staff before that took the lead away still led a department, and had its alarms."""

from django.db import migrations, models
from django.db.models import Q


def let_go(apps, schema_editor):
    Department = apps.get_model("accounts", "Department")
    there = Q(lead__is_active=True) & (Q(lead__standing="staff") | Q(lead__is_superuser=True))
    gone = Department.objects.filter(lead__isnull=False).exclude(there)
    Department.objects.filter(pk__in=list(gone.values_list("pk", flat=True))).update(lead=None)
    left = apps.get_model("accounts", "Membership").objects.filter(user__is_superuser=False)
    left.exclude(user__standing="staff").delete()


class Migration(migrations.Migration):
    dependencies = [("accounts", "0009_pictures_and_names")]
    operations = [
        migrations.AlterField(
            model_name="department",
            name="acknowledge_hours",
            field=models.FloatField(
                default=4,
                help_text="Where the policy of a case names no hours.",
                verbose_name="acknowledge within business hours",
            ),
        ),
        migrations.AlterField(
            model_name="department",
            name="resolve_hours",
            field=models.FloatField(
                default=24,
                help_text="Where the policy of a case names no hours.",
                verbose_name="resolve within business hours",
            ),
        ),
        migrations.RunPython(let_go, migrations.RunPython.noop, elidable=True),
    ]
