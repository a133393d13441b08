"""A ladder for each kind of thread from the first day on, so that nothing can be forgotten before anybody sets one up."""

from django.db import migrations

LADDER = [
    (4, "advocates_notified", ""),
    (12, "department_notified", ""),
    (24, "assigned", "Fair rotation."),
    (48, "lead_notified", ""),
    (72, "manager_notified", ""),
]
POLICIES = [
    {
        "slug": "reopened",
        "name": "The fix did not hold",
        "position": 800,
        "match": {"state": ["reopened"]},
        "until": "resolve",
        "acknowledge_hours": 4,
        "resolve_hours": 24,
        "start_one_level_up": True,
        "asker_sees": "Opened again, one level up. With {department} until {until}.",
        "steps": [
            (0, "department_notified", ""),
            (12, "assigned", ""),
            (24, "lead_notified", ""),
            (48, "manager_notified", ""),
        ],
    },
    {
        "slug": "default-problem",
        "name": "Problems",
        "position": 900,
        "match": {"kind": ["problem"]},
        "until": "resolve",
        "acknowledge_hours": 4,
        "resolve_hours": 24,
        "me_too_skips_at": 5,
        "asker_sees": "Owners until {until}, then {department}.",
        "steps": LADDER,
    },
    {
        "slug": "default-question",
        "name": "Questions",
        "position": 910,
        "match": {"kind": ["question"]},
        "until": "reply",
        "acknowledge_hours": 4,
        "resolve_hours": 24,
        "me_too_skips_at": 8,
        "asker_sees": "Owners until {until}, then {department}.",
        "steps": LADDER,
    },
    {
        "slug": "default-idea",
        "name": "Ideas",
        "position": 920,
        "match": {"kind": ["idea"]},
        "until": "reply",
        "acknowledge_hours": 40,
        "resolve_hours": None,
        "asker_sees": "Open for votes. {department} looks at it from {until} and gives it a status with a reason.",
        "steps": [(72, "department_notified", ""), (336, "lead_notified", ""), (720, "manager_notified", "")],
    },
    {
        "slug": "default-praise",
        "name": "Praise",
        "position": 930,
        "match": {"kind": ["praise"]},
        "until": "reply",
        "acknowledge_hours": 16,
        "resolve_hours": None,
        "asker_sees": "Thank you. We pass it on by name.",
        "steps": [(24, "department_notified", "")],
    },
]


def make(apps, schema_editor):
    Policy = apps.get_model("escalation", "EscalationPolicy")
    Step = apps.get_model("escalation", "PolicyStep")
    for data in POLICIES:
        data = dict(data)
        steps = data.pop("steps")
        policy, new = Policy.objects.get_or_create(slug=data.pop("slug"), defaults=data)
        if new:
            Step.objects.bulk_create(
                Step(policy=policy, position=position, hours=hours, kind=kind, note=note)
                for position, (hours, kind, note) in enumerate(steps)
            )


class Migration(migrations.Migration):
    dependencies = [("escalation", "0001_initial")]
    operations = [migrations.RunPython(make, migrations.RunPython.noop)]
