"""The first code of conduct, for an editor to edit; editors may; members who are advocates already joined when they did."""

from django.contrib.auth.management import create_permissions
from django.db import migrations
from django.db.models import F

POINTS = (
    ("Own what you talk about.", "Say so when you don't, and when you only guess."),
    ("Say what ties you to us.", "A gift, a fee, a friend who works here: declare it, with dates. It stands beside what you write."),
    ("Say what is bad, too.", "A low rating with reasons helps more than praise. Nobody here may ask you to be kinder to a product."),
    ("Answer so that it holds.", "Better late and right than quick and wrong. If you are not sure, pass."),
    ("Be kind to who asks.", "Everybody was new once. Nobody is laughed at."),
    ("Keep private things private.", "What you learn of somebody's order or address stays with you."),
    ("Stop whenever you like.", "Be away, hand over, leave: it needs no reason, and what you wrote stays yours."),
)


def first_code(apps, schema_editor):
    app_config = apps.get_app_config("advocates")
    app_config.models_module = True
    create_permissions(app_config, apps=apps, verbosity=0, using=schema_editor.connection.alias)
    app_config.models_module = None
    may = apps.get_model("auth", "Permission").objects.get(
        content_type__app_label="advocates", codename="change_codeofconduct"
    )
    for group in apps.get_model("auth", "Group").objects.filter(name__in=("Editors", "Community managers")):
        group.permissions.add(may)
    apps.get_model("advocates", "AdvocateMembership").objects.exclude(state="candidate").update(joined_at=F("since"))
    Code = apps.get_model("advocates", "CodeOfConduct")
    if Code.objects.exists():
        return
    Code.objects.create(
        version=1,
        body_source="\n".join(f"{place}. **{head}** {rest}" for place, (head, rest) in enumerate(POINTS, 1)),
        body_html="<ol>" + "".join(f"<li><strong>{head}</strong> {rest}</li>" for head, rest in POINTS) + "</ol>",
        body_text="\n".join(f"{head} {rest}" for head, rest in POINTS),
        source_format="markdown",
        pipeline=1,
    )


class Migration(migrations.Migration):
    dependencies = [("advocates", "0008_programme"), ("accounts", "0002_roles")]

    operations = [migrations.RunPython(first_code, migrations.RunPython.noop)]
