from django.db import migrations


def tell_the_way_so_far(apps, schema_editor):
    """Statuses given before steps had a table of their own stand in the log, their reasons beside it."""
    Event = apps.get_model("events", "Event")
    Thread = apps.get_model("questions", "Thread")
    IdeaStep = apps.get_model("questions", "IdeaStep")
    told = Event.objects.filter(kind="idea.status_changed", actor__isnull=False).select_related("note")
    steps = []
    known = set(Thread.objects.filter(kind="idea").values_list("pk", flat=True))
    for event in told.order_by("pk").iterator():
        if event.subject_id not in known:
            continue
        note = getattr(event, "note", None)
        steps.append(
            IdeaStep(
                thread_id=event.subject_id, status=event.data.get("status", ""),
                previous=event.data.get("previous", ""), by_id=event.actor_id, at=event.occurred_at,
                reason=(note.text if note else "")[:500],
            )
        )  # fmt: skip
    IdeaStep.objects.bulk_create(steps, batch_size=500)


class Migration(migrations.Migration):
    dependencies = [("events", "0001_initial"), ("questions", "0004_ideas")]

    operations = [migrations.RunPython(tell_the_way_so_far, migrations.RunPython.noop)]
