"""Reminders of what was asked for are told from those of answers: only the latter have a most."""

from django.db import migrations, models


def mark(apps, schema_editor):
    """Since somebody waits for what was asked, each reminder was of that."""
    Reminder = apps.get_model("questions", "Reminder")
    waiting = Reminder.objects.filter(sent_at__gt=models.F("thread__needs_info_since"))
    Reminder.objects.filter(pk__in=waiting.values("pk")).update(info=True)


class Migration(migrations.Migration):
    dependencies = [("questions", "0016_moved_posts")]

    operations = [
        migrations.AddField(
            model_name="reminder",
            name="info",
            field=models.BooleanField(default=False, help_text="Of something that was asked for, not of an answer."),
        ),
        migrations.RunPython(mark, migrations.RunPython.noop, elidable=True),
    ]
