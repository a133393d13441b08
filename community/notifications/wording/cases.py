"""What a notice says to staff about cases."""

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from .ground import Facts, Sayings, Words


def _case_department(f: Facts) -> Words:
    return _case(f, _("“%(title)s” has reached %(department)s"), _("For %(department)s: %(title)s"))


def _case_assigned(f: Facts) -> Words:
    if f.event.kind == "escalation.pause_over":
        return _case(
            f, _("“%(title)s” was paused until today; look what became of it"), _("Look again: %(title)s")
        )  # fmt: skip
    return _case(f, _("“%(title)s” is yours"), _("Yours: %(title)s"))


def _case_answered(f: Facts) -> Words:
    """To the case: whoever has it goes on from there."""
    alone = f.event.kind in ("thread.info_given", "thread.private_given")
    made = f.say(
        _("%(who)s wrote in a case of yours: “%(title)s”"), _("%(who)s wrote: %(title)s"), _("Open the case"),
        {
            "thread.info_given": _("%(who)s said what was asked for, in the question or in the private details."),
            "thread.private_given": _("%(who)s wrote in the private details, which only staff see."),
        }.get(f.event.kind, _("%(who)s wrote:")),
        quote=not alone,
    )  # fmt: skip
    if f.thread is not None:
        made.url = reverse("escalation:case", args=[f.thread.pk])
    return made


def _cases_handed(f: Facts) -> Words:
    """One sentence for all the cases of a hand-over; which they are stands on its page."""
    act, n = f.subject, len(f.event.data.get("cases", ()))
    told = {"who": str(act.giver), "n": n, "note": act.note}
    if act.to_id:
        line = ngettext("%(who)s hands you %(n)d case", "%(who)s hands you %(n)d cases", n)
    else:
        line = ngettext(
            "%(who)s gives %(n)d case back to the department", "%(who)s gives %(n)d cases back to the department", n
        )
    made = Words(line % told, line % told, act.get_absolute_url(), _("See which"), [line % told + "."])
    made.quote = act.note
    return made


def _case_lead(f: Facts) -> Words:
    if f.event.kind == "escalation.hand_off_failed":
        return _case(
            f, _("“%(title)s” could not be handed over, and that channel is switched off"),
            _("Could not be handed over: %(title)s"),
        )  # fmt: skip
    if f.event.kind == "escalation.outcome_not_posted":
        said = _("What came of “%(title)s” could not be posted there; it stands at the case")
        return _case(f, said, _("Could not be posted: %(title)s"))
    if f.event.kind == "escalation.outcome_awaited":
        return _awaited(f)
    return _case(f, _("“%(title)s” needs your eye"), _("Nobody has settled it yet: %(title)s"))


def _case_late(f: Facts) -> Words:
    if f.event.kind == "escalation.promise_late":
        return _case(
            f, _("The day of a promise in “%(title)s” has passed; keep it, or name another"),
            _("A promise is late: %(title)s"),
        )  # fmt: skip
    if f.event.kind == "escalation.outcome_awaited":
        return _awaited(f)
    return _case(f, _("“%(title)s” is late"), _("Late: %(title)s"))


def _awaited(f: Facts) -> Words:
    return _case(
        f, _("“%(title)s” was handed off, and nothing has come of it yet; ask there, and post it"),
        _("What came of it? %(title)s"),
    )  # fmt: skip


def _case(f: Facts, sentence: str, subject: str) -> Words:
    return f.say(sentence, subject, _("Open the thread"), sentence + ".", quote=True)


WORDS: Sayings = {
    "case_department": _case_department,
    "case_assigned": _case_assigned,
    "case_answered": _case_answered,
    "cases_handed": _cases_handed,
    "case_lead": _case_lead,
    "case_late": _case_late,
}
