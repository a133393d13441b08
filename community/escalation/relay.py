"""Who has a thread, until when, and who is next: the words under a question, for the person in front of it.

Times are in the reader's zone: the department's for staff, the person's own for members, the brand's, by its name,
for visitors (RULINGS 10).
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Func, OuterRef, QuerySet, Subquery
from django.db.models.functions import JSONObject
from django.http import HttpRequest
from django.utils import formats
from django.utils.dateparse import parse_datetime
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from community.core import brand as brands
from community.core import clock
from community.core.panels import Panel
from community.core.templatetags.community import lasted
from community.questions.models import Kind, Thread

from . import cases
from .clock import zone
from .models import Escalation, HandOff, Incident, Promise, StepKind

Cause, Phase = Escalation.Cause, Escalation.Phase
STAFF_RUNGS = (StepKind.DEPARTMENT, StepKind.ASSIGNED, StepKind.LEAD, StepKind.MANAGER)
UNTOLD = (Cause.GONE, Cause.CLOSED, Cause.DUPLICATE)  # the page says so itself


@dataclass
class Leg:
    """One stretch of the relay."""

    name: str
    state: str = "next"  # done, now, next
    lines: list[Any] = field(default_factory=list)
    width: str = "0%"
    begins: Any = None


@dataclass
class Reader:
    """In whose zone times are told."""

    staff: bool
    zone: ZoneInfo | None  # of the member; None for visitors
    brand: ZoneInfo

    @classmethod
    def of(cls, request: HttpRequest | None) -> Reader:
        brand = brands.of_request(request).time_zone
        user = getattr(request, "user", None)
        if user is None or not user.is_authenticated:
            return cls(staff=False, zone=None, brand=zone(brand))
        own = zone(user.time_zone or brand)
        return cls(staff=user.speaks_for_brand, zone=own, brand=zone(brand))

    def zone_for(self, case: Escalation) -> ZoneInfo:
        if self.staff and case.department is not None:
            return zone(case.department.time_zone)
        return self.zone or self.brand

    @property
    def note(self) -> str:
        """Whose clock it is, for visitors."""
        if self.zone is not None:
            return ""
        place = self.brand.key.rpartition("/")[2].replace("_", " ")
        return _("Times as in %(place)s") % {"place": place}


def moment(when: datetime, tz: ZoneInfo) -> str:
    """A moment as people say it: the hour today, the day this week, else the date."""
    local, now = when.astimezone(tz), clock.now().astimezone(tz)
    days = (local.date() - now.date()).days
    if days == 0:
        return _("today %(time)s") % {"time": formats.date_format(local, "H:i")}
    if -7 < days < 7:
        return formats.date_format(local, "D H:i")
    return formats.date_format(local, pgettext("format of a day and a time", "j M, H:i"))


def time_tag(when: datetime, tz: ZoneInfo) -> SafeString:
    local = when.astimezone(tz)
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        local.isoformat(timespec="minutes"),
        f"{formats.date_format(local, 'DATETIME_FORMAT')} ({tz.key})",
        moment(when, tz),
    )


class Words:
    """The sentences about one case."""

    def __init__(self, case: Escalation, thread: Thread, reader: Reader) -> None:
        self.case, self.thread = case, thread
        self.tz = reader.zone_for(case)
        self.note = reader.note
        self.waiting = cases.waiting(case)
        self.staff_next = next((row for row in self.waiting if row["kind"] in STAFF_RUNGS), None)

    def at(self, when: datetime) -> SafeString:
        return time_tag(when, self.tz)

    @property
    def department(self) -> str:
        return str(self.case.department) if self.case.department else _("the team")

    @property
    def asker(self) -> str:
        return self.thread.author.get_short_name()

    @property
    def holder(self) -> str:
        """Who of the brand has it."""
        case = self.case
        person = case.assignee
        if person is None:
            return self.department
        return _("%(name)s of %(department)s") % {"name": person.name, "department": self.department}

    def next_name(self, row: dict[str, Any]) -> str:
        """Who takes over at a rung."""
        if row["kind"] == StepKind.DEPARTMENT:
            return self.department
        if row["kind"] == StepKind.ASSIGNED:
            return _("one person of %(department)s") % {"department": self.department}
        if row["kind"] == StepKind.LEAD:
            lead = self.case.department.lead if self.case.department else None
            return lead.name if lead else _("the lead of %(department)s") % {"department": self.department}
        return _("the community manager")

    # The sentence on top

    def now(self) -> SafeString | str:
        case = self.case
        if not case.is_open:
            return self._settled()
        if case.paused_since is not None:
            if case.pause_cause == "customer":
                return format_html(
                    _("Waiting for {name} since {time}."), name=self.asker, time=self.at(case.paused_since)
                )
            return format_html(
                _("The clock stands since {time}: {cause}."),
                time=self.at(case.paused_since),
                cause=case.get_pause_cause_display(),
            )
        if case.acknowledged_at is not None:
            if case.resolve_due_at is None:
                return _("%(who)s looks after it.") % {"who": self.holder}
            if case.late_at is not None:
                return self._late()
            return format_html(
                _("{who} looks after it, with an answer by {time}."), who=self.holder, time=self.at(case.resolve_due_at)
            )
        if case.phase == Phase.REMIND:
            return _("An owner has answered. %(name)s says whether that settles it.") % {"name": self.asker}
        return self._staff_has_it() if case.told_at is not None else self._owners_have_it()

    def _late(self) -> SafeString:
        """The honest line: what was promised, and what happens by which new time."""
        case, now = self.case, clock.now()
        row = next((row for row in self.waiting if row["kind"] in STAFF_RUNGS and cases.due_of(row) > now), None)
        told = {"who": self.holder, "time": self.at(case.resolve_due_at)}  # type: ignore[arg-type]
        if row is None:
            return format_html(_("{who} looks after it. This is late: it was promised for {time}."), **told)
        text = _(
            "{who} looks after it. This is late: it was promised for {time}. "
            "Unless it is settled by {new}, {next} steps in."
        )
        return format_html(text, **told, new=self.at(cases.due_of(row)), next=self.next_name(row))

    def _owners_have_it(self) -> SafeString | str:
        row = self.staff_next
        if row is None:
            return _("Owners have it.")
        due = cases.due_of(row)
        if self.thread.kind == Kind.IDEA:
            text = _("Open for votes. {next} looks at it from {time}.")
        elif self.thread.kind == Kind.PRAISE:
            text = _("Thank you. {next} passes it on, by name, from {time}.")
        else:
            text = _("Owners have it until {time}, then {next}.")
        if due <= clock.now():
            return _("%(next)s is being told now.") % {"next": self.next_name(row)}
        return format_html(text, time=self.at(due), next=self.next_name(row))

    def _staff_has_it(self) -> SafeString | str:
        row = self.staff_next
        if row is None or cases.due_of(row) <= clock.now():
            return _("%(who)s has it.") % {"who": self.holder}
        return format_html(
            _("{who} has it until {time}, then {next}."),
            who=self.holder,
            time=self.at(cases.due_of(row)),
            next=self.next_name(row),
        )

    def _settled(self) -> str:
        case = self.case
        took = lasted(case.resolved_at - case.started_at - timedelta(seconds=0)) if case.resolved_at else ""
        sentence = {
            Cause.ACCEPTED: _("Settled after %(took)s: an answer was chosen."),
            Cause.OFFICIAL: _("Settled after %(took)s: %(department)s answered officially."),
            Cause.ANOTHER_WAY: _("Settled after %(took)s, another way."),
            Cause.SILENT: _("At rest: %(name)s did not write again. One word opens it again."),
            Cause.PRIVATE: _("Settled with %(name)s directly."),
            Cause.PASSED_ON: _("Passed on by %(department)s."),
            Cause.DECIDED: _("%(department)s has decided about it."),
            Cause.HOLDS: _("Looked at again: the answer holds."),
            Cause.NOTHING: _("%(department)s looked into it; nothing is left to be done."),
        }.get(Cause(case.resolved_cause), "")
        return sentence % {"took": took, "department": self.department, "name": self.asker}

    # The line below it

    def why(self) -> SafeString | str:
        case = self.case
        if not case.is_open:
            return ""
        if case.paused_since is not None:
            if case.pause_cause == "customer" and self.thread.needs_info_note:
                return _("Asked: %(note)s The clock goes on with the reply.") % {
                    "note": self.thread.needs_info_note.rstrip() + " "
                }
            if case.pause_until is not None and case.pause_until > clock.now():
                text = _("The clock goes on as soon as that is here. {who} looks at it again by {time} at the latest.")
                return format_html(text, who=self.holder, time=self.at(case.pause_until))
            return _("The clock goes on as soon as that is here.")
        if case.acknowledged_at is not None:
            name = case.acknowledged_by.name if case.acknowledged_by else self.department
            return format_html(_("Read by {name}, {time}."), name=name, time=self.at(case.acknowledged_at))
        if case.late_at is not None:
            if case.acknowledge_due_at is None:
                return _("This is late. It is looked at first.")
            return format_html(
                _("This is late: {department} was to have read it by {time}. It is looked at first."),
                department=self.department,
                time=self.at(case.acknowledge_due_at),
            )
        if case.round > 1 and case.phase == Phase.CARE:
            return _("%(name)s wrote again, so %(department)s looks at it again.") % {
                "name": self.asker, "department": self.department,
            }  # fmt: skip
        if case.round > 1 and not (self.thread.reopened_at or self.thread.recheck_at):
            return _("It is open again, and is looked at anew.")  # hidden for a while, say: nothing had failed
        if case.round > 1:
            return _("Opened again: what helped before no longer does, so it has gone further up.")
        if case.policy.asker_sees and not case.policy.default_for:
            due = self.staff_next or (self.waiting[0] if self.waiting else None)
            until = case.acknowledge_due_at or (cases.due_of(due) if due else None)
            if "{until}" in case.policy.asker_sees and until is None:
                return ""
            return case.policy.asker_sees.replace("{department}", self.department).replace(
                "{until}", moment(until, self.tz) if until else ""
            )
        return ""

    # The legs

    def legs(self) -> list[Leg]:
        """The stretches of this round: owners, those asked among them, the department, whoever is above."""
        case = self.case
        if not case.is_open or case.phase == Phase.REMIND or self.thread.kind == Kind.PRAISE:
            return []
        rows = {row["kind"]: row for row in sorted(case.ladder, key=lambda row: row["position"])}
        told, legs = case.told_at, []
        asked, first = rows.get(StepKind.ADVOCATES), self.staff_next
        owners_until = told or (cases.due_of(first) if first else None)
        if owners_until is not None and owners_until > case.started_at + timedelta(minutes=1):
            legs.append(self._leg(_("Owners"), case.started_at, self._fired(asked) or owners_until))
            if asked is not None and (asked["fired"] is None or asked.get("people")):
                words = []
                if asked.get("people"):
                    words.append(
                        ngettext("%(n)d asked to look", "%(n)d asked to look", asked["people"]) % {"n": asked["people"]}
                    )
                legs.append(self._leg(_("Advocates"), self._fired(asked) or cases.due_of(asked), owners_until, words))
        above = next((rows[kind] for kind in (StepKind.LEAD, StepKind.MANAGER) if kind in rows), None)
        above_at = (self._fired(above) or cases.due_of(above)) if above else None
        if told or first:
            begins = told or cases.due_of(first)  # type: ignore[arg-type]
            words = [_("with %(name)s") % {"name": case.assignee.name}] if case.assignee else []
            legs.append(self._leg(self.department, begins, above_at, words))
        if above is not None and above_at is not None:
            legs.append(self._leg(self.next_name(above)[:1].upper() + self.next_name(above)[1:], above_at, None))
        self._place(legs)
        return legs

    def _fired(self, row: dict[str, Any] | None) -> datetime | None:
        return datetime.fromisoformat(row["fired"]) if row and row["fired"] else None

    def _leg(self, name: str, begins: datetime, ends: datetime | None, words: Sequence[str] = ()) -> Leg:
        now = clock.now()
        leg = Leg(name, lines=list(words), begins=begins)
        if begins <= now:
            leg.state = "now"
            leg.lines.append(format_html(_("since {time}"), time=self.at(begins)))
            if ends is not None and ends > begins:
                part = min(1.0, (now - begins) / (ends - begins))
                leg.width = f"{part * 100:.0f}%"
        elif self.case.is_paused:
            leg.lines.append(_("not while the clock stands"))  # the time will be another one
        else:
            leg.lines.append(format_html(pgettext("relay", "from {time}"), time=self.at(begins)))
        return leg

    def _place(self, legs: list[Leg]) -> None:
        """The last that has begun has it; those before are done."""
        begun = [leg for leg in legs if leg.state == "now"]
        for leg in begun[:-1]:
            leg.state = "done"
            leg.lines[-1] = format_html(pgettext("relay", "from {time}"), time=self.at(leg.begins))

    # Both forms

    def tone(self) -> str:
        case = self.case
        if not case.is_open:
            return "done"
        if case.is_paused:
            return "paused"
        if case.late_at is not None:
            return "late"
        return "staff" if case.with_staff and case.phase != Phase.REMIND else ""

    def more(self) -> list[dict[str, str]]:
        case, lines = self.case, []
        until = (case.resolve_due_at if case.acknowledged_at else None) or (
            cases.due_of(self.staff_next) if self.staff_next else None
        )
        if case.is_open and not case.is_paused and until is not None and until > clock.now():
            lines.append({"icon": "clock", "text": _("%(time)s left") % {"time": lasted(until - clock.now())}})
        if case.pause_count and case.paused_seconds:
            words = ngettext("Paused once, %(time)s", "Paused %(n)d times, %(time)s", case.pause_count)
            spent = lasted(timedelta(seconds=case.paused_seconds))
            lines.append({"icon": "pause", "text": words % {"n": case.pause_count, "time": spent}})
        lines += self._beside()
        if self.note and (case.is_open or getattr(case, "promised", None)):
            lines.append({"icon": "", "text": self.note})
        return lines

    def _beside(self) -> list[dict[str, str]]:
        """What staff promised by a day, where it was handed to, and the known issue it is about: also once settled."""
        lines = []
        if promised := getattr(self.case, "promised", None):
            due, before = _moment_of(promised["due"]), _moment_of(promised["before"])
            told = {"what": promised["text"].rstrip("."), "time": self.at(due)} if due else {}
            if due is None:
                pass
            elif due <= clock.now():
                text = format_html(_("Late: “{what}” was promised for {time}. Staff owe you a new day."), **told)
                lines.append({"icon": "clock", "text": text})
            elif before is not None:
                text = format_html(
                    _("New day for “{what}”: {time} instead of {before}."), **told, before=self.at(before)
                )
                lines.append({"icon": "clock", "text": text})
            else:
                lines.append({"icon": "check", "text": format_html(_("Promised: “{what}”, by {time}."), **told)})
        if handed := getattr(self.case, "handed", None):
            words = _("With %(channel)s, reference %(reference)s. What comes of it is posted here.")
            lines.append({"icon": "send", "text": words % handed})
        if issue := getattr(self.case, "issue", None):
            solved = issue["state"] == Incident.State.SOLVED
            words = (
                _("Part of a known issue that is solved: %(title)s")
                if solved
                else _("Part of a known issue: %(title)s")
            )
            lines.append({"icon": "triangle-alert", "text": words % {"title": issue["title"]}})
        return lines

    def line(self) -> SafeString | str:
        """For a row of a list."""
        case = self.case
        if self.thread.kind == Kind.PRAISE and not (case.acknowledged_at or case.told_at):
            return ""  # nobody owes an answer to thanks
        if case.is_paused:
            if case.pause_cause == "customer":
                return _("Waiting for %(name)s") % {"name": self.asker}
            return case.get_pause_cause_display()
        who = self.holder if case.acknowledged_at else (self.department if case.told_at else _("Owners"))
        if case.phase == Phase.REMIND:
            return ""
        if case.late_at is not None:
            return _("Late, with %(who)s") % {"who": who}
        until = case.resolve_due_at if case.acknowledged_at else None
        if until is None and self.staff_next is not None and not case.acknowledged_at:
            until = cases.due_of(self.staff_next)
        if until is None or until <= clock.now():
            return _("With %(who)s") % {"who": who}
        return format_html(_("{who} until {time}"), who=who, time=self.at(until))


def _moment_of(value: Any) -> datetime | None:
    """A moment out of a database's JSON: SQLite leaves out the zone, which is UTC."""
    found = parse_datetime(value) if isinstance(value, str) else value
    return found.replace(tzinfo=UTC) if found is not None and found.tzinfo is None else found


class _Told(JSONObject):
    """Without asking SQLite first whether it knows JSON: ours does, and the question costs three queries."""

    def as_sql(self, compiler: Any, connection: Any, **extra: Any) -> Any:  # type: ignore[override]
        return Func.as_sql(self, compiler, connection, **extra)


def _of_case(rows: QuerySet[Any], **names: str) -> Subquery:
    return Subquery(rows.values(told=_Told(**names))[:1])


# What hangs on a case, brought along by its own query: the next promise, the last channel, the known issue.
BESIDE = {
    "promised": _of_case(
        Promise.objects.open().said().filter(escalation=OuterRef("pk")).order_by("due_at"),
        text="text", due="due_at", before="moved_from__due_at",
    ),
    "handed": _of_case(
        HandOff.objects.filter(escalation=OuterRef("pk"), state__in=HandOff.RUNNING).order_by("-pk"),
        channel="channel__name", reference="reference",
    ),
    "issue": _of_case(
        Incident.objects.filter(threads__thread=OuterRef("thread")).order_by("pk"), title="title", state="state"
    ),
}  # fmt: skip


def words_for(request: HttpRequest | None, threads: Sequence[Thread], *, open_only: bool = False) -> dict[int, Words]:
    """The words of each thread that has a case: one query for the cases, the brand's settings once a request."""
    found = Escalation.objects.filter(thread__in=[thread.pk for thread in threads]).select_related(
        "policy", "department__lead", "assignee", "acknowledged_by"
    )
    # Lists say who has it, pages the rest as well.
    found = found.open() if open_only else found.annotate(**BESIDE)
    rows = {case.thread_id: case for case in found}
    if not rows:
        return {}
    reader = Reader.of(request)
    return {thread.pk: Words(rows[thread.pk], thread, reader) for thread in threads if thread.pk in rows}


class Relay(Panel):
    """Under the question: the sentence, the legs, the small print."""

    template = "escalation/_relay.html"
    query_budget = 3

    def context(self, request: HttpRequest | None, batch: Sequence[Any]) -> Mapping[Hashable, Mapping[str, Any]]:
        return {
            pk: {
                "tone": words.tone(),
                "now": words.now(),
                "why": words.why(),
                "legs": words.legs(),
                "more": words.more(),
                "case": words.case,
                "dom_id": f"relay-{pk}",
            }
            for pk, words in words_for(request, batch).items()
            if words.case.resolved_cause not in UNTOLD and words.now()
        }


class RelayLine(Panel):
    """In a list: who has it and until when, in a few words."""

    template = "escalation/_relay_line.html"
    query_budget = 3

    def context(self, request: HttpRequest | None, batch: Sequence[Any]) -> Mapping[Hashable, Mapping[str, Any]]:
        found = words_for(request, batch, open_only=True)
        lines = {pk: {"line": words.line(), "tone": words.tone()} for pk, words in found.items()}
        return {pk: line for pk, line in lines.items() if line["line"]}
