"""The figures by version of what owners said before there were any."""

from typing import Any

from django.db import migrations
from django.db.models import Count, Q


def count(apps: Any, schema_editor: Any) -> None:
    Answer, WorksForMine = apps.get_model("questions", "Answer"), apps.get_model("questions", "WorksForMine")
    figures: dict[int, dict[str, list[int]]] = {}
    rows = WorksForMine.objects.order_by().values("target", "model_version")
    for row in rows.annotate(yes=Count("pk", filter=Q(works=True)), no=Count("pk", filter=Q(works=False))):
        figures.setdefault(row["target"], {})[row["model_version"]] = [row["yes"], row["no"]]
    for answer, by_version in figures.items():
        Answer.objects.filter(pk=answer).update(works_by_version=by_version)


class Migration(migrations.Migration):
    dependencies = [("questions", "0006_solving")]
    operations = [migrations.RunPython(count, migrations.RunPython.noop)]
