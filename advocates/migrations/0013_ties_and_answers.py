"""What newer code reads and older code did not write: dated ties beside names, and when who was asked answered."""

from django.db import migrations
from django.db.models import OuterRef, Subquery


def fill(apps, schema_editor):
    Interest, Ask = apps.get_model("advocates", "Interest"), apps.get_model("advocates", "Ask")
    User, Answer = apps.get_model("accounts", "User"), apps.get_model("questions", "Answer")
    ties = {}
    for row in Interest.objects.order_by("since", "pk").iterator():
        until = row.until.isoformat() if row.until else ""
        ties.setdefault(row.person_id, []).append([row.since.isoformat(), until, row.line])
    for person, told in ties.items():
        User.objects.filter(pk=person).update(ties=told)
    first = Answer._base_manager.filter(thread=OuterRef("thread"), author=OuterRef("person"), created_at__gte=OuterRef("at"))
    Ask._base_manager.filter(answered_at=None).update(
        answered_at=Subquery(first.order_by("created_at").values("created_at")[:1])
    )


class Migration(migrations.Migration):
    dependencies = [
        ("advocates", "0012_places_in_an_index"),
        ("accounts", "0005_dated_ties"),
        ("questions", "0013_readings_by_day"),
    ]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
