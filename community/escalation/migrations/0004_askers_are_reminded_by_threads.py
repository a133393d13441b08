"""How often askers are reminded is a number of the house now, not of cases; what a manager chose is kept."""

from typing import Any

from django.db import migrations


def take_over(apps: Any, schema_editor: Any) -> None:
    chosen = apps.get_model("escalation", "DeskSettings").objects.first()
    if chosen is not None:
        Numbers = apps.get_model("core", "Numbers")
        numbers = Numbers.objects.first() or Numbers()
        numbers.remind_after_hours, numbers.reminders = chosen.remind_after_hours, chosen.reminders
        numbers.save()


class Migration(migrations.Migration):
    dependencies = [("escalation", "0003_merged_cases"), ("core", "0004_reminders_of_askers")]
    operations = [
        migrations.RunPython(take_over, migrations.RunPython.noop),
        migrations.RemoveField(model_name="desksettings", name="remind_after_hours"),
        migrations.RemoveField(model_name="desksettings", name="reminders"),
    ]
