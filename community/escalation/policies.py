"""Writing policies down: by hand in the desk, from the demo's file, by a migration. One check for all."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from community.accounts.models import Department, User
from community.core.errors import require
from community.events.log import record
from community.questions.models import Kind, State

from .models import EscalationPolicy, PolicyStep, StepKind
from .permissions import why_not_manage_policies
from .routing import CRITERIA, WEEKDAYS

# What a policy file calls the rungs; reminders and silence belong to the ladder after a reply, not to policies.
STEP_WORDS = {
    "advocates notified": StepKind.ADVOCATES,
    "department notified": StepKind.DEPARTMENT,
    "assigned": StepKind.ASSIGNED,
    "lead notified": StepKind.LEAD,
    "community manager notified": StepKind.MANAGER,
    "late": StepKind.LATE,
}
STAFF = {StepKind.DEPARTMENT, StepKind.ASSIGNED, StepKind.LEAD, StepKind.MANAGER}
MOST_HOURS = 24 * 90
WORDS = {
    "kind": set(Kind.values),
    "state": {str(value) for value in State.values},
    "weekday": set(WEEKDAYS),
}


def check_match(match: Any) -> None:
    """Raise ValidationError when a condition isn't known or doesn't look as it must."""
    if not isinstance(match, Mapping):
        raise ValidationError({"match": _('Write conditions as {"kind": ["problem"]}.')})
    for name, value in match.items():
        if name not in CRITERIA:
            raise ValidationError(
                {"match": _("“%(name)s” is not known; known are: %(known)s.") % {
                    "name": name, "known": ", ".join(CRITERIA),
                }}
            )  # fmt: skip
        if CRITERIA[name] == "number":
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise ValidationError({"match": _("“%(name)s” needs a number.") % {"name": name}})
            continue
        words = value if isinstance(value, list) else [value]
        if not words or not all(isinstance(word, str) and word.strip() for word in words):
            raise ValidationError({"match": _("“%(name)s” needs a word or a list of words.") % {"name": name}})
        unknown = [word for word in words if name in WORDS and word.replace(" ", "_") not in WORDS[name]]
        if unknown:
            raise ValidationError(
                {"match": _("“%(word)s” is no %(name)s.") % {"word": unknown[0], "name": name}}
            )  # fmt: skip


def check_steps(steps: Sequence[tuple[float, str, str]]) -> None:
    """In order, with somebody at the end who can't be passed over. Raises ValidationError at `steps`."""
    if not steps:
        raise ValidationError({"steps": _("A ladder needs at least one rung.")})
    last = 0.0
    for hours, kind, _note in steps:
        if kind not in STEP_WORDS.values():
            raise ValidationError({"steps": _("“%(kind)s” is no rung of a policy.") % {"kind": kind}})
        if isinstance(hours, bool) or not isinstance(hours, int | float) or not 0 <= hours <= MOST_HOURS:
            raise ValidationError({"steps": _("Hours are a number from 0 to %(most)d.") % {"most": MOST_HOURS}})
        if hours < last:
            raise ValidationError({"steps": _("Rungs stand in order of time: %(hours)g comes after %(last)g.") % {
                "hours": hours, "last": last,
            }})  # fmt: skip
        last = hours
    if not any(kind in STAFF for _hours, kind, _note in steps):
        raise ValidationError({"steps": _("Nobody of the brand is on this ladder: a case could be forgotten.")})


def check_defaults() -> None:
    """Exactly one policy in use is the last resort for each kind of thread. Raises ValidationError at `match`."""
    found: dict[str, int] = dict.fromkeys(Kind.values, 0)
    for policy in EscalationPolicy.objects.filter(active=True):
        if policy.default_for in found:
            found[policy.default_for] += 1
    for kind, count in found.items():
        if count != 1:
            words = (
                _("No policy in use is for every %(kind)s: one could be forgotten.")
                if count == 0
                else _("More than one policy in use is for every %(kind)s.")
            )
            raise ValidationError({"match": words % {"kind": Kind(kind).label.lower()}})


@transaction.atomic
def write_policy(
    policy: EscalationPolicy,
    steps: Sequence[tuple[float, str, str]],
    by: User | None = None,
    *,
    defaults_must_hold: bool = True,
) -> EscalationPolicy:
    """Save a policy with its rungs. Cases that run keep what they were promised. `by` is None for a loader.

    Raises NotAllowed, ValidationError; nothing is saved then.
    """
    if by is not None:
        require(why_not_manage_policies(by))
    check_match(policy.match)
    check_steps(steps)
    for field in ("acknowledge_hours", "resolve_hours"):
        hours = getattr(policy, field)
        if hours is not None and not 0 < hours <= MOST_HOURS:
            raise ValidationError({field: _("A number of hours above 0.")})
    before = EscalationPolicy.objects.filter(pk=policy.pk).first() if policy.pk else None
    rungs = list(before.steps.values_list("hours", "kind", "note")) if before else []
    wanted = [(float(hours), str(kind), str(note)) for hours, kind, note in steps]
    same = before is not None and rungs == wanted and all(
        getattr(before, field.attname) == getattr(policy, field.attname)
        for field in policy._meta.concrete_fields
        if field.name != "version"
    )  # fmt: skip
    if same:
        return policy
    policy.version = before.version + 1 if before else 1
    policy.save()
    if rungs != wanted:
        policy.steps.all().delete()
        PolicyStep.objects.bulk_create(
            PolicyStep(policy=policy, position=position, hours=hours, kind=kind, note=note[:300])
            for position, (hours, kind, note) in enumerate(wanted)
        )
    if defaults_must_hold:
        check_defaults()
    if by is not None:
        record("policy.changed", actor=by, subject=policy, changes=_changes(before, rungs, policy, wanted),
               version=policy.version)  # fmt: skip
    return policy


def _changes(
    before: EscalationPolicy | None, rungs: Sequence[Any], policy: EscalationPolicy, wanted: Sequence[Any]
) -> dict[str, list[Any]]:
    """How a policy and its ladder read before and after, for the audit."""
    named = [field.attname for field in policy._meta.concrete_fields if field.name not in ("id", "version")]
    old = {name: getattr(before, name) for name in named} if before else {}
    changed = {name: [old.get(name), getattr(policy, name)] for name in named if old.get(name) != getattr(policy, name)}
    if list(rungs) != list(wanted):
        changed["steps"] = [[f"{kind} +{hours:g} h" for hours, kind, _note in each] for each in (rungs, wanted)]
    return changed


def save_policy(data: Mapping[str, Any], position: int | None = None) -> EscalationPolicy:
    """Create or change a policy from a dict as in demo/policies.yaml. Unchanged data writes nothing.

    Raises ValidationError with the reason, KeyError when `slug`, `name` or `steps` is missing.
    """
    policy = EscalationPolicy.objects.filter(slug=data["slug"]).first() or EscalationPolicy(slug=data["slug"])
    department = None
    if data.get("department"):
        department = Department.objects.filter(slug=data["department"]).first()
        if department is None:
            raise ValidationError(
                {"department": _("There is no department “%(slug)s”.") % {"slug": data["department"]}}
            )
    policy.name, policy.active = data["name"], data.get("active", True)
    policy.match = {
        name: value if isinstance(value, list | int | float) else [value]
        for name, value in dict(data.get("match") or {}).items()
    }
    policy.department, policy.route_by_tag = department, dict(data.get("route_by_tag") or {})
    policy.until = data.get("until", EscalationPolicy.Until.REPLY)
    policy.clock = data.get("clock", EscalationPolicy.Clock.ELAPSED)
    policy.acknowledge_hours = _hours(data.get("acknowledge_hours"))
    policy.resolve_hours = _hours(data.get("resolve_hours"))
    policy.me_too_skips_at = data.get("me_too_skips_a_rung_at")
    policy.start_one_level_up = bool(data.get("start_one_level_up", False))
    policy.asker_sees = data.get("asker_sees", "")
    if position is not None:
        policy.position = position
    steps = []
    for step in data["steps"]:
        if step["step"] not in STEP_WORDS:
            raise ValidationError({"steps": _("“%(kind)s” is no rung of a policy.") % {"kind": step["step"]}})
        steps.append((float(step["hours"]), STEP_WORDS[step["step"]].value, step.get("note", "")))
    # A file is loaded policy by policy: between two of them a default may be on its way.
    return write_policy(policy, steps, defaults_must_hold=False)


def _hours(value: Any) -> float | None:
    return None if value is None else float(value)
