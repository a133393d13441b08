"""Writing policies down: by hand in the desk, from the demo's file, by a migration. One check for all."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from community.accounts.models import Department, Standing, User
from community.core import clock
from community.core.errors import require
from community.core.rows import locked
from community.events.log import record
from community.questions.models import Kind, State

from .models import Channel, EscalationPolicy, PolicyStep, PolicyVersion, Reach, StepKind
from .permissions import why_not_manage_policies
from .routing import CRITERIA, NEWCOMER, WEEKDAYS

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
    "standing": {*map(str, Standing.values), NEWCOMER},
}
Step = tuple[float, str, str, str]  # hours, kind, note, channel
# How many hours two rungs may lie apart: for longer nobody would look at a case.
MOST_GAP = 24 * 30


def _wrong(field: str, place: Any, message: str) -> ValidationError:
    """At a field of the policy, and there at a condition or a rung: `place_of` tells a form which."""
    return ValidationError({field: ValidationError(message, code=f"at:{place}")})


def place_of(problem: ValidationError) -> str:
    """The condition by name or the rung by number that an error of this room is about; empty for the whole field."""
    return str(problem.code or "").removeprefix("at:") if str(problem.code or "").startswith("at:") else ""


def check_match(match: Any) -> None:
    """Raise ValidationError when a condition isn't known or doesn't look as it must."""
    if not isinstance(match, Mapping):
        raise ValidationError({"match": _('Write conditions as {"kind": ["problem"]}.')})
    for name, value in match.items():
        if name not in CRITERIA:
            raise _wrong("match", name, _("“%(name)s” is not known; known are: %(known)s.") % {
                "name": name, "known": ", ".join(CRITERIA),
            })  # fmt: skip
        if CRITERIA[name] == "number":
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise _wrong("match", name, _("“%(name)s” needs a number.") % {"name": name})
            if name == "sentiment_at_most" and not -1 <= value <= 1:
                raise _wrong("match", name, _("How a post sounds goes from -1 to 1."))
            continue
        words = value if isinstance(value, list) else [value]
        if not words or not all(isinstance(word, str) and word.strip() for word in words):
            raise _wrong("match", name, _("“%(name)s” needs a word or a list of words.") % {"name": name})
        unknown = [word for word in words if name in WORDS and word.replace(" ", "_") not in WORDS[name]]
        if unknown:
            raise _wrong("match", name, _("“%(word)s” is no %(name)s.") % {"word": unknown[0], "name": name})


def check_steps(steps: Sequence[Step]) -> None:
    """In order, without gaps or repetitions, and with somebody of the brand. Raises ValidationError at `steps`."""
    if not steps:
        raise ValidationError({"steps": _("A ladder needs at least one rung.")})
    last, seen = 0.0, set[str]()
    for place, (hours, kind, _note, channel) in enumerate(steps):
        if kind not in STEP_WORDS.values():
            raise _wrong("steps", place, _("“%(kind)s” is no rung of a policy.") % {"kind": kind})
        if channel not in Reach.values:
            raise _wrong("steps", place, _("“%(channel)s” is no way to reach people.") % {"channel": channel})
        if channel == Reach.WEBHOOK and kind == StepKind.ADVOCATES:
            raise _wrong("steps", place, _("Advocates are reached as they chose; they have no webhook."))
        if channel == Reach.MAIL and kind == StepKind.ADVOCATES:
            raise _wrong("steps", place, _("Advocates are reached as they chose; they have no mailbox."))
        if isinstance(hours, bool) or not isinstance(hours, int | float) or not 0 <= hours <= MOST_HOURS:
            raise _wrong("steps", place, _("Hours are a number from 0 to %(most)d.") % {"most": MOST_HOURS})
        if hours < last:
            raise _wrong("steps", place, _("Rungs stand in order of time: %(hours)g comes after %(last)g.") % {
                "hours": hours, "last": last,
            })  # fmt: skip
        if hours - last > MOST_GAP:
            raise _wrong("steps", place, _("A gap: for more than %(days)d days nobody would look at the case.") % {
                "days": MOST_GAP // 24,
            })  # fmt: skip
        if kind in seen:
            raise _wrong("steps", place, _("A loop: “%(kind)s” stands on this ladder already.") % {
                "kind": StepKind(kind).label,
            })  # fmt: skip
        last = hours
        seen.add(kind)
    if not seen & STAFF:
        raise ValidationError({"steps": _("Nobody of the brand is on this ladder: a case could be forgotten.")})


def check_department(policy: EscalationPolicy, steps: Sequence[Step]) -> None:
    """Raise ValidationError unless whoever is told is there: members, hours, a lead and a mailbox where needed."""
    department = policy.department
    if department is None:
        return
    if department.archived_at is not None:
        raise ValidationError({"department": _("This department has been closed.")})
    if not department.memberships.filter(user__is_active=True).exists():
        raise ValidationError({"department": _("Nobody works in this department.")})
    if not any((department.hours or {}).values()):
        raise ValidationError({"department": _("This department has no business hours.")})
    for place, (_hours, kind, _note, channel) in enumerate(steps):
        if kind == StepKind.LEAD and department.lead is None:
            raise _wrong("steps", place, _("A gap: this department has no lead."))
        if channel == Reach.WEBHOOK and not _has_webhook(department):
            raise _wrong("steps", place, _("A gap: this department has no webhook among the hand-off channels."))
        if channel == Reach.MAIL and not department.mailbox:
            raise _wrong("steps", place, _("A gap: this department has no mailbox."))


def _has_webhook(department: Department) -> bool:
    found = Channel.objects.filter(kind=Channel.Kind.WEBHOOK, active=True, disabled_at=None)
    return found.filter(Q(departments=None) | Q(departments=department)).exists()


def check_routes(routes: Any) -> None:
    """Raise ValidationError unless each tag leads to a department that is there."""
    if not isinstance(routes, Mapping):
        raise ValidationError({"route_by_tag": _('Write tags and departments as {"refund": "pricing"}.')})
    there = set(Department.objects.current().values_list("slug", flat=True)) if routes else set()
    for slug in routes.values():
        if slug not in there:
            raise ValidationError({"route_by_tag": _("There is no department “%(slug)s”.") % {"slug": slug}})


def _within(match: Mapping[str, Any], wider: Mapping[str, Any]) -> bool:
    """Whether whatever `match` holds for, `wider` holds for too."""
    for name, wanted in wider.items():
        if name not in match:
            return False
        asked = match[name]
        if name == "me_too_at_least":
            ok = asked >= wanted
        elif name == "sentiment_at_most":
            ok = asked <= wanted
        elif name == "language_not":
            ok = {*_as_list(wanted)} <= {*_as_list(asked)}
        else:
            ok = {*_as_list(asked)} <= {*_as_list(wanted)}
        if not ok:
            return False
    return True


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def check_reach(policy: EscalationPolicy) -> None:
    """Raise ValidationError at `position` when another policy stands before it that takes all of its threads."""
    if not policy.active:
        return
    others = EscalationPolicy.objects.filter(active=True).exclude(pk=policy.pk)
    for other in others:
        before = (other.position, other.pk) < (policy.position, policy.pk or 2**62)
        if before and _within(policy.match, other.match):
            raise ValidationError(
                {"position": _("It would never be used: “%(name)s” stands before it and takes all of its threads.") % {
                    "name": other.name,
                }}
            )  # fmt: skip


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


def check_policy(policy: EscalationPolicy, steps: Sequence[Step]) -> None:
    """All that a policy must be by itself, before anything is saved. Raises ValidationError by field."""
    check_match(policy.match)
    check_steps(steps)
    check_routes(policy.route_by_tag)
    for field in ("acknowledge_hours", "resolve_hours"):
        hours = getattr(policy, field)
        if hours is not None and not 0 < hours <= MOST_HOURS:
            raise ValidationError({field: _("A number of hours above 0.")})


@transaction.atomic
def write_policy(
    policy: EscalationPolicy,
    steps: Sequence[Step],
    by: User | None = None,
    *,
    defaults_must_hold: bool = True,
) -> EscalationPolicy:
    """Save a policy with its rungs as a new version. Cases that run keep what they were promised.

    `by` is None for a loader, whose departments may still be on their way. What is the same writes nothing.
    Raises NotAllowed, ValidationError by field; nothing is saved then.
    """
    if by is not None:
        require(why_not_manage_policies(by))
    check_policy(policy, steps)
    if by is not None:
        check_department(policy, steps)
        check_reach(policy)
    before = EscalationPolicy.objects.select_for_update().filter(pk=policy.pk).first() if policy.pk else None
    rungs = list(before.steps.values_list("hours", "kind", "note", "channel")) if before else []
    wanted = [(float(hours), str(kind), str(note)[:300], str(channel)) for hours, kind, note, channel in steps]
    same = before is not None and rungs == wanted and all(
        getattr(before, field.attname) == getattr(policy, field.attname)
        for field in policy._meta.concrete_fields
        if field.name != "version"
    )  # fmt: skip
    if same:
        return policy
    if before is not None:
        _keep_version(before, rungs)
    policy.version = before.version + 1 if before else 1
    policy.save()
    if rungs != wanted:
        policy.steps.all().delete()
        PolicyStep.objects.bulk_create(
            PolicyStep(policy=policy, position=position, hours=hours, kind=kind, note=note, channel=channel)
            for position, (hours, kind, note, channel) in enumerate(wanted)
        )
    if defaults_must_hold:
        check_defaults()
    _keep_version(policy, wanted, by)
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
        changed["steps"] = [[f"{kind} +{hours:g} h" for hours, kind, *_rest in each] for each in (rungs, wanted)]
    return changed


def _keep_version(policy: EscalationPolicy, steps: Sequence[Step], by: User | None = None) -> None:
    """Write the version down, once. One from before versions were kept is written when it is first changed."""
    PolicyVersion.objects.get_or_create(
        policy=policy, version=policy.version, defaults={"data": snapshot(policy, steps), "by": by, "at": clock.now()}
    )


@transaction.atomic
def switch_policy(policy: EscalationPolicy, by: User, *, on: bool) -> EscalationPolicy:
    """Put a policy in use, or out of it. Twice is harmless. Raises NotAllowed, ValidationError."""
    require(why_not_manage_policies(by))
    row = locked(policy)
    if row.active == on:
        return row
    row.active = on
    return write_policy(row, steps_of(row), by)


def steps_of(policy: EscalationPolicy) -> list[Step]:
    return [(step.hours, step.kind, step.note, step.channel) for step in policy.steps.all()]


# A policy as data, as in demo/policies.yaml


WORD_OF = {kind.value: word for word, kind in STEP_WORDS.items()}


def snapshot(policy: EscalationPolicy, steps: Sequence[Step]) -> dict[str, Any]:
    """The whole policy, as a policy file has it; `read_policy` reads it again."""
    return {
        "slug": policy.slug,
        "name": policy.name,
        "active": policy.active,
        "position": policy.position,
        "match": policy.match,
        "department": policy.department.slug if policy.department else None,
        "route_by_tag": policy.route_by_tag,
        "until": str(policy.until),
        "clock": str(policy.clock),
        "acknowledge_hours": policy.acknowledge_hours,
        "resolve_hours": policy.resolve_hours,
        "me_too_skips_a_rung_at": policy.me_too_skips_at,
        "start_one_level_up": policy.start_one_level_up,
        "asker_sees": policy.asker_sees,
        "steps": [
            {"hours": hours, "step": WORD_OF[kind], "note": note, "channel": channel}
            for hours, kind, note, channel in steps
        ],
    }


def read_policy(data: Mapping[str, Any], policy: EscalationPolicy) -> tuple[EscalationPolicy, list[Step]]:
    """Fill an unsaved or stored policy from a dict as in a policy file; its rungs come beside it.

    Raises ValidationError with the reason, KeyError when `name` or `steps` is missing.
    """
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
    policy.position = data.get("position", policy.position)
    steps: list[Step] = []
    for step in data["steps"]:
        if step["step"] not in STEP_WORDS:
            raise ValidationError({"steps": _("“%(kind)s” is no rung of a policy.") % {"kind": step["step"]}})
        channel = step.get("channel", Reach.OWN.value)
        steps.append((float(step["hours"]), STEP_WORDS[step["step"]].value, step.get("note", ""), channel))
    return policy, steps


def save_policy(data: Mapping[str, Any], position: int | None = None) -> EscalationPolicy:
    """Create or change a policy from a dict as in demo/policies.yaml. Unchanged data writes nothing.

    Raises ValidationError with the reason, KeyError when `slug`, `name` or `steps` is missing.
    """
    found = EscalationPolicy.objects.filter(slug=data["slug"]).first() or EscalationPolicy(slug=data["slug"])
    policy, steps = read_policy(data, found)
    if position is not None:
        policy.position = position
    # A file is loaded policy by policy: between two of them a default may be on its way.
    return write_policy(policy, steps, defaults_must_hold=False)


def _hours(value: Any) -> float | None:
    return None if value is None else float(value)
