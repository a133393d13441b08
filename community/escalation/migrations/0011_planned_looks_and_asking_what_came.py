"""Whether a round is a look that was planned, and when somebody is asked what came of a hand-off."""

from datetime import timedelta

from django.db import migrations, models

from community.core import clock


def in_a_week(apps, schema_editor):
    """What runs already is asked about in a week, not all of it at once."""
    running = apps.get_model("escalation", "HandOff").objects.filter(state__in=["waiting", "sent", "failed"])
    running.update(remind_at=clock.now() + timedelta(days=7))


class Migration(migrations.Migration):
    dependencies = [("escalation", "0010_the_desk_in_order")]

    operations = [
        migrations.AddField(
            model_name="escalation",
            name="planned",
            field=models.BooleanField(
                default=False, help_text="This round is a look that its department had planned; nothing failed."
            ),
        ),
        migrations.AddField(
            model_name="handoff",
            name="remind_at",
            field=models.DateTimeField(
                blank=True,
                help_text="When somebody is asked what came of it, where no clock of the case does.",
                null=True,
            ),
        ),
        migrations.AlterField(
            model_name="escalationpolicy",
            name="acknowledge_hours",
            field=models.FloatField(
                blank=True,
                help_text="Business hours after the department was told. Empty: as the department says; ideas and praise have none.",
                null=True,
                verbose_name="acknowledge within",
            ),
        ),
        migrations.AlterField(
            model_name="escalationpolicy",
            name="resolve_hours",
            field=models.FloatField(
                blank=True,
                help_text="Business hours after the acknowledgement. Empty: as the department says; ideas and praise have none.",
                null=True,
                verbose_name="resolve within",
            ),
        ),
        migrations.RunPython(in_a_week, migrations.RunPython.noop, elidable=True),
        migrations.AddIndex(
            model_name="handoff",
            index=models.Index(
                condition=models.Q(("remind_at__isnull", False), ("state__in", ["waiting", "sent", "failed"])),
                fields=["remind_at"],
                name="hand_off_to_remind",
            ),
        ),
    ]
