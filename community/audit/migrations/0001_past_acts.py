from django.db import migrations

from community.events import acts, guard


def mark_the_past(apps, schema_editor):
    """What staff did before there was an audit, and every look at private details, stands in it as well."""
    guard.take_down(schema_editor.connection.alias)  # put up again after `migrate`; inside, PostgreSQL would refuse
    Event = apps.get_model("events", "Event")
    User = apps.get_model("accounts", "User")
    ContentType = apps.get_model("contenttypes", "ContentType")
    owners = {}
    for event in Event.objects.filter(actor__standing="staff").select_related("actor").iterator(chunk_size=500):
        whom = _owner(apps, ContentType, owners, event) or acts.whom(None, event.data)
        if whom and not User.objects.filter(pk=whom).exists():
            whom = None
        if acts.is_act(event.kind, event.actor, whom, event.data):
            Event.objects.filter(pk=event.pk).update(act=True, whom_id=whom)
    Event.objects.filter(kind__in=acts.ALWAYS, act=False).update(act=True)
    looks = apps.get_model("questions", "PrivateView").objects.select_related("thread")
    person = ContentType.objects.filter(app_label="accounts", model="user").first()
    Event.objects.bulk_create(
        [
            Event(
                kind="personal.viewed", actor_id=look.viewer_id, subject_type=person, subject_id=look.thread.author_id,
                data={"what": "private_details", "thread": look.thread_id}, occurred_at=look.at, act=True,
                whom_id=look.thread.author_id,
            )
            for look in looks.iterator(chunk_size=500)
        ],
        batch_size=500,
    )


def _owner(apps, ContentType, known, event):
    key = (event.subject_type_id, event.subject_id)
    if key not in known:
        content_type = ContentType.objects.filter(pk=event.subject_type_id).first()
        try:
            row = apps.get_model(content_type.app_label, content_type.model).objects.filter(pk=event.subject_id).first()
        except (LookupError, AttributeError):
            row = None
        known[key] = None if row is None else acts.whom(row, {})
    return known[key]


class Migration(migrations.Migration):
    initial = True
    dependencies = [
        ("events", "0002_acts_of_staff"),
        ("questions", "0013_readings_by_day"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]
    operations = [migrations.RunPython(mark_the_past, migrations.RunPython.noop)]
