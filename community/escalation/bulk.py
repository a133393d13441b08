"""The same act on many cases. Each case is a transaction of its own: what fails is told per case, the others stand."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from community.accounts.models import User
from community.core.errors import Conflict, NotAllowed, require
from community.questions.models import Thread

from . import services
from .models import Escalation
from .permissions import why_not_work

MOST = 100
Act = Callable[[Thread, User, dict[str, Any], int | None], object]


@dataclass
class Done:
    """What became of each case: the threads it worked for, and for the others why not."""

    done: list[Thread] = field(default_factory=list)
    failed: list[tuple[Thread, str]] = field(default_factory=list)
    gone: int = 0  # that nobody can see any more


def _assign(thread: Thread, by: User, data: dict[str, Any], seen: int | None) -> object:
    return services.assign(thread, by, data["to"], seen=seen)


ACTS: dict[str, Act] = {
    "acknowledge": lambda thread, by, data, seen: services.acknowledge(thread, by),
    "take": lambda thread, by, data, seen: services.assign(thread, by, by, seen=seen),
    "assign": _assign,
    "route": lambda thread, by, data, seen: services.route(thread, by, data["department"], reason=data["reason"]),
    "pause": lambda thread, by, data, seen: services.pause(
        thread, by, data["cause"], note=data["note"], until=data.get("until")
    ),
    "resume": lambda thread, by, data, seen: services.resume(thread, by),
    "resolve": lambda thread, by, data, seen: services.resolve(thread, by, data["cause"], note=data["note"]),
    "note": lambda thread, by, data, seen: services.add_note(thread, by, data["body"]),
}


def act_on(verb: str, threads: Sequence[int], by: User, data: dict[str, Any], *, seen: Mapping[int, int]) -> Done:
    """Do one of `ACTS` to each case, in the order they are named.

    `seen` is, by thread, the assignee the agent saw (0 for nobody): a case that changed hands is not taken from
    anybody unawares. Raises NotAllowed when `by` works no cases, ValidationError when there are too many or none.
    """
    require(why_not_work(by))
    wanted = list(dict.fromkeys(threads))
    if not wanted:
        raise ValidationError(_("Choose at least one case."))
    if len(wanted) > MOST:
        raise ValidationError(_("At most %(most)d cases at once.") % {"most": MOST})
    rows = Escalation.objects.filter(thread__in=wanted, thread__visibility="visible").select_related("thread")
    known = {case.thread_id: case.thread for case in rows}
    result = Done(gone=len(wanted) - len(known))
    for pk in wanted:
        thread = known.get(pk)
        if thread is None:
            continue
        try:
            ACTS[verb](thread, by, data, seen.get(pk))
        except (Conflict, NotAllowed) as problem:
            result.failed.append((thread, problem.reason))
        except ValidationError as problem:
            result.failed.append((thread, " ".join(problem.messages)))
        else:
            result.done.append(thread)
    return result
