"""One case on one screen: what was said, what happened, who it is about, and what can be done."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.contrib.contenttypes.models import ContentType
from django.db.models import DateTimeField, Exists, F, OuterRef, Q, Subquery, TextField, Value
from django.db.models.functions import Cast, Coalesce
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from community.accounts.models import Department, User
from community.core import clock, panels
from community.core.errors import NotAllowed
from community.core.text import render_markdown
from community.posts.models import Comment, Draft, Tag
from community.questions import services as questions
from community.questions.models import Answer, PrivateDetails, Thread
from community.questions.permissions import departments_of, why_not_moderate_thread
from products.models import Ownership

from .. import claims, remembered, replies, services, suggesting
from ..case_forms import HandOffForm, IncidentForm, OfficialForm, PromiseForm
from ..clock import business_between, zone
from ..forms import AssignForm, InfoForm, LookForm, NoteForm, PauseForm, ReopenForm, ResolveForm, RouteForm
from ..models import Channel, Escalation, EscalationStep, HandOff, PauseCause, Promise, SavedReply, StepKind
from ..querysets import Joined
from ..relay import moment
from .common import Row, for_agents, people_of, short
from .queues import beside

DRAFTED = ("body", "sources", "recheck_on", "promise_on", "department")  # of an official answer, by desk-case.js
WORDS_OF_THREAD = ("body_source", "body_html", "body_text")
BESIDE = 14  # rows of the queue beside an open case


def load(request: HttpRequest, pk: int) -> Escalation:
    case = get_object_or_404(
        Escalation.objects.select_related(
            "thread__product", "department", "policy", "claim", "thread__in_incident__incident"
        ).annotate(
            has_private=Exists(PrivateDetails.objects.filter(thread=OuterRef("thread"))),
            begun=Subquery(Draft.objects.filter(user=request.user.pk, key=f"desk:{pk}").values("data")[:1]),
            newest_model=Subquery(suggesting.NEWEST_MODEL),
            has_merged=Exists(Thread._base_manager.filter(merged_into=OuterRef("thread"))),
            tag_names=Subquery(
                Tag.objects.filter(threads=OuterRef("thread"))
                .order_by()
                .values("threads")
                .annotate(names=Joined("name"))
                .values("names")
            ),
        ),
        thread__pk=pk,  # not thread=: of a number no table has, SQLite would complain
    )  # fmt: skip
    seen = case.thread.merged_into or case.thread  # what was merged is read as long as what it went to
    if not seen.is_visible and not request.user.has_perm("moderation.moderate"):  # type: ignore[union-attr]
        raise Http404
    return case


def case_page(
    request: HttpRequest,
    case: Escalation,
    *,
    bound: tuple[str, forms.Form] | None = None,
    private: PrivateDetails | None = None,
    status: int = 200,
    preview: bool = False,
) -> HttpResponse:
    """The screen. `bound` is a form that came back, `private` what staff looked at just now, `preview` whether the
    official answer is to be shown as it would stand. Twenty queries at most, whatever the case has."""
    thread, user = case.thread, request.user
    tz = zone_of(case, user)
    answers = list(
        Answer.objects.visible_to(user)  # type: ignore[arg-type]
        .filter(thread=thread)
        .select_related("official_for")
        .order_by("created_at", "id")
    )
    types = ContentType.objects.get_for_models(Thread, Answer)
    comments = list(
        Comment.objects.visible()
        .filter(
            Q(target_type=types[Thread], target_id=thread.pk)
            | Q(target_type=types[Answer], target_id__in=[answer.pk for answer in answers])
        )
        .order_by("created_at", "id")
    )
    _bring_people(case, [*answers, *comments])
    slips = slips_of(case)
    stream: list[dict[str, Any]] = [
        *({"kind": "answer", "post": answer, "at": answer.created_at} for answer in answers),
        *({"kind": "comment", "post": comment, "at": comment.created_at} for comment in comments),
        *({"kind": "note", "post": slip, "at": slip.at} for slip in slips if slip.kind == "note"),
    ]
    stream.sort(key=lambda item: item["at"])
    departments = list(
        Department.objects.current()
        .annotate(mine=Exists(departments_of(user).filter(pk=OuterRef("pk"))))
        .order_by("name")
    )
    lines = services.history(case)
    people, names = people_of(request, {pk for line in lines for pk in line.people})
    speaks_for = [department for department in departments if department.mine]  # type: ignore[attr-defined]
    own = user.department_id or case.department_id  # type: ignore[union-attr]
    offered, channels = replies.offered(own, thread.language), channels_for(case)
    actions: dict[str, forms.Form] = {
        "official": OfficialForm(
            auto_id="official_%s",
            departments=speaks_for,
            tz=tz,
            initial={"department": own, **_begun(request, case, offered, answers)},
        ),
        "promise": PromiseForm(auto_id="promise_%s", tz=tz),
        "hand_off": HandOffForm(auto_id="hand-off_%s", channels=channels),
        "incident": IncidentForm(auto_id="incident_%s", known=known_issues(case)),
        "note": NoteForm(auto_id="note_%s"),
        "info": InfoForm(auto_id="info_%s"),
        "assign": AssignForm(auto_id="assign_%s", people=people, initial={"seen": case.assignee_id or 0}),
        "route": RouteForm(
            auto_id="route_%s", departments=departments, initial={"department": request.GET.get("to", "")}
        ),
        "pause": PauseForm(auto_id="pause_%s"),
        "look": LookForm(
            auto_id="look_%s",
            initial={"until": case.pause_until.astimezone(tz).date() if case.pause_until else None},
        ),
        "resolve": ResolveForm(auto_id="resolve_%s"),
        "reopen": ReopenForm(auto_id="reopen_%s"),
    }
    if bound is not None:
        actions[bound[0].replace("-", "_")] = bound[1]
    past = list(
        Thread.objects.visible_to(user)
        .filter(author=thread.author_id)
        .exclude(pk=thread.pk)
        .defer(*WORDS_OF_THREAD)
        .order_by("-created_at")[:6]
    )
    merged = (
        list(thread.merged_threads.select_related("author", "escalation").order_by("created_at", "pk"))
        if case.has_merged  # type: ignore[attr-defined]
        else []
    )
    shelf = (
        Ownership.objects.filter(owner=thread.author_id).select_related("product", "version").order_by("-added_at")[:8]
    )
    queue = beside(request, departments, BESIDE)
    context = {
        "case": case,
        "thread": thread,
        "row": Row(case, user),  # type: ignore[arg-type]
        "tags": case.tag_names or "",  # type: ignore[attr-defined]
        "stream": stream,
        "history": _history(lines, names, tz),
        "asked_at": moment(thread.created_at, tz),
        "clocks": _clocks(case, tz, slips),
        "past": past,
        "merged": merged,
        "shelf": shelf,
        "private": private,
        "actions": actions,
        "refused": bound is not None,
        "here": _here(request, thread),
        "settled": not case.is_open,
        "sent": _sent(case, answers),
        "open_action": bound[0] if bound else request.GET.get("open", ""),
        "has_channels": bool(channels),
        "chosen": [pk for pk in request.GET.getlist("threads") if pk.isdecimal()][:50],
        "replies": _filled(request, case, offered, answers),
        "preview": render_markdown(str(actions["official"].data.get("body", ""))).html if preview else "",
        "claim": _claim_words(case, user, tz),
        "promises": [
            {"row": slip, "due": moment(slip.due, tz), "late": slip.is_open and slip.due <= clock.now()}
            for slip in slips
            if slip.kind == "promise" and slip.due
        ],
        "pauses": _pauses(slips, case),
        "hand_offs": [{"row": slip, "at": moment(slip.at, tz)} for slip in slips if slip.kind == "hand_off"],
        "incident": getattr(getattr(thread, "in_incident", None), "incident", None),
        "suggestion": _suggestion(case, departments),
        "beside": [Row(other, user) for other in queue],  # type: ignore[arg-type]
        "next_case": _next_of([other.thread_id for other in queue], thread.pk),
        "reached": thread.me_too_count + 1,
        "mark_departments": speaks_for,
        "own_department": own,
        "zone": tz.key,
        "can_lead": thread.is_visible and not why_not_moderate_thread(user),
        "side": panels.render("case.side", request, [thread]).get(thread.pk, ""),
    }
    return TemplateResponse(request, "escalation/case.html", context, status=status)


def _bring_people(case: Escalation, posts: list[Answer | Comment]) -> None:
    """Everybody the page names, with one query: joined to each row they would be most of what the database sends."""
    places: list[tuple[Any, str]] = [(case, name) for name in ("assignee", "acknowledged_by", "resolved_by")]
    places += [(row, "author") for row in (case.thread, *posts)]
    if claim := getattr(case, "claim", None):
        places.append((claim, "holder"))
    wanted = {pk for row, name in places if (pk := getattr(row, f"{name}_id"))}
    people = User.objects.select_related("department").in_bulk(wanted)
    for row, name in places:
        if person := people.get(getattr(row, f"{name}_id")):
            setattr(row, name, person)


def _here(request: HttpRequest, thread: Thread) -> str:
    """The address of this case beside the queue it was opened from, for pages that lead back here."""
    chosen = request.GET.get("department")
    return reverse("escalation:case", args=[thread.pk]) + (f"?{urlencode({'department': chosen})}" if chosen else "")


def _sent(case: Escalation, answers: list[Answer]) -> Answer | None:
    """The official answer that settled the case: whoever sent it must see that it went out."""
    if case.is_open or case.resolved_cause != Escalation.Cause.OFFICIAL:
        return None
    official = [answer for answer in answers if answer.is_official and answer.is_visible]
    return max(official, key=lambda answer: answer.official_at or answer.created_at, default=None)


def _next_of(queue: list[int], here: int) -> int | None:
    """The thread of the case behind this one in the queue; the first where this one is settled or the last."""
    behind = queue[queue.index(here) + 1 :] if here in queue else []
    return next((pk for pk in [*behind, *queue] if pk != here), None)


def zone_of(case: Escalation, user: Any) -> ZoneInfo:
    """In whose zone the page tells and reads moments: the department's."""
    return zone(case.department.time_zone if case.department else user.time_zone)


def draft_key(thread: Thread) -> str:
    return f"desk:{thread.pk}"


def channels_for(case: Escalation) -> list[Channel]:
    """Where this case can be handed to."""
    return remembered.channels(case.department_id)


def known_issues(case: Escalation) -> list[str]:
    """Headlines of the open known issues of the product, which stand on its row."""
    return [known["title"] for known in case.thread.product.known_issues] if case.thread.product else []


@dataclass(frozen=True)
class Slip:
    """What hangs on a case: a note, a promise, a hand-off, a pause (its cause is the text, its end is `due`). All of
    them come with one query."""

    kind: str
    pk: int
    text: str
    by: str
    at: datetime
    due: datetime | None
    state: str
    reference: str
    outcome: str
    note: str
    error: str

    @property
    def is_open(self) -> bool:
        return self.state == Promise.State.OPEN

    @property
    def is_running(self) -> bool:
        return self.state in HandOff.RUNNING

    @property
    def state_words(self) -> str:
        return str((Promise.State if self.kind == "promise" else HandOff.State)(self.state).label)


SLIPS = 100


def slips_of(case: Escalation) -> list[Slip]:
    """Notes, promises, hand-offs and pauses of a case, by time; the newest hundred."""

    def text(value: Any) -> Any:
        return Cast(value, TextField())

    def columns(kind: str, **given: Any) -> dict[str, Any]:
        empty = {name: text(Value("")) for name in ("s_state", "s_reference", "s_outcome", "s_note", "s_error")}
        due = Cast(Value(None), DateTimeField())
        return {"s_kind": text(Value(kind)), "s_due": due, **empty, **given}

    order = (
        "s_kind", "s_pk", "s_text", "s_by", "s_at", "s_due", "s_state", "s_reference", "s_outcome", "s_note", "s_error",
    )  # fmt: skip
    promises = case.promises.said().order_by().annotate(
        **columns("promise", s_due=F("due_at"), s_state=text(F("state"))), s_pk=F("pk"), s_text=text(F("text")),
        s_by=text(F("made_by__name")), s_at=F("made_at"),
    )  # fmt: skip
    notes = case.notes.order_by().annotate(
        **columns("note"), s_pk=F("pk"), s_text=text(F("body")), s_by=text(F("author__name")), s_at=F("created_at")
    )
    hand_offs = case.hand_offs.order_by().annotate(
        **columns(
            "hand_off", s_state=text(F("state")), s_reference=text(F("reference")), s_outcome=text(F("outcome")),
            s_note=text(F("outcome_note")), s_error=text(F("last_error")),
        ),
        s_pk=F("pk"), s_text=text(F("channel__name")), s_by=text(F("by__name")), s_at=F("created_at"),
    )  # fmt: skip
    pauses = case.pauses.order_by().annotate(
        **columns("pause", s_due=F("until"), s_note=text(F("note"))), s_pk=F("pk"), s_text=text(F("cause")),
        s_by=text(Coalesce("by__name", Value(""))), s_at=F("since"),
    )  # fmt: skip
    rows = promises.values_list(*order).union(
        notes.values_list(*order), hand_offs.values_list(*order), pauses.values_list(*order), all=True
    )
    return [Slip(*row) for row in rows.order_by("-s_at", "-s_pk")[:SLIPS]][::-1]


def _best(answers: list[Answer]) -> Answer | None:
    """The answer a reply may lean on: accepted, else the one with most votes."""
    good = [answer for answer in answers if answer.score > 0 or answer.is_accepted]
    return max(good, key=lambda answer: (answer.is_accepted, answer.score), default=None)


def _filled(
    request: HttpRequest, case: Escalation, offered: list[SavedReply], answers: list[Answer]
) -> list[dict[str, Any]]:
    """Saved replies as they read for this case."""
    if not offered:
        return []
    values = replies.values_for(case, request.user, best=_best(answers))  # type: ignore[arg-type]
    ranked = replies.best_first(offered, kind=case.thread.kind, language=case.thread.language)
    return [{"reply": reply, "text": replies.filled_for(reply, values)} for reply in ranked]


def _begun(request: HttpRequest, case: Escalation, offered: list[SavedReply], answers: list[Answer]) -> dict[str, Any]:
    """What stands in the answer's field: a saved reply that was asked for, else what was being written."""
    chosen = request.GET.get("reply", "")
    for row in _filled(request, case, [reply for reply in offered if str(reply.pk) == chosen], answers):
        return {"body": row["text"], "reply": row["reply"].pk}
    kept = case.begun or {}  # type: ignore[attr-defined]
    return {name: str(kept[name]) for name in DRAFTED if kept.get(name)}


def _claim_words(case: Escalation, user: Any, tz: ZoneInfo) -> dict[str, Any]:
    claim = getattr(case, "claim", None)
    if claim is None or not claim.runs():
        return {}
    return {
        "mine": claim.holder_id == user.pk,
        "until": f"{claim.until.astimezone(tz):%H:%M}",
        "name": claim.holder.name,
        "why": claims.why_not_now(claim, user),
    }


def _suggestion(case: Escalation, departments: list[Department]) -> dict[str, Any]:
    """The department that such cases went to, with the words that led to it and how often that is wrong."""
    if not case.is_open:
        return {}
    model = suggesting.newest(case.newest_model)  # type: ignore[attr-defined]
    found = suggesting.suggest(model.weights, suggesting.text_of(case, case.tag_names or "")) if model else None  # type: ignore[attr-defined]
    department = next((one for one in departments if found and str(one.pk) == found.label), None)
    if model is None or found is None or department is None:
        return {}
    wrong = model.mis_routed.get(found.label)
    return {
        "department": department,
        "here": department.pk == case.department_id,
        "phrases": found.phrases,
        "wrong": None if wrong is None else round(wrong * 100),
        "cases": model.held_back,
    }


@require_GET
@for_agents
def alike(request: HttpRequest, pk: int) -> HttpResponse:
    """Threads like this one: those that were solved, and those that could be answered along with it.

    Fetched after the page, so that reading a case never waits for a search; a page of its own without JavaScript.
    """
    case = load(request, pk)
    found = panels.render("case.alike", request, [case.thread]).get(case.thread_id, "")
    template = (
        "escalation/_alike.html" if request.headers.get("Accept") == "text/html-fragment" else "escalation/alike.html"
    )
    return TemplateResponse(request, template, {"thread": case.thread, "found": found})


def _stood(case: Escalation, since: datetime, until: datetime) -> timedelta:
    return business_between(since, until, case.department) if case.department else max(timedelta(0), until - since)


def _pauses(slips: list[Slip], case: Escalation) -> list[dict[str, Any]]:
    """How long the clocks stood in this round, by cause, the longest first; in the department's business hours."""
    rows: dict[str, dict[str, Any]] = {}
    end = case.resolved_at or clock.now()
    for slip in slips:
        if slip.kind != "pause" or slip.at < case.started_at:
            continue
        row = rows.setdefault(slip.text, {"cause": PauseCause(slip.text).label, "for": timedelta(0), "times": 0})
        row["for"] += _stood(case, slip.at, min(slip.due or end, end))
        row["times"] += 1
        row["running"] = slip.due is None and case.is_paused
    found = sorted(rows.values(), key=lambda row: row["for"], reverse=True)
    return [{**row, "text": short(row["for"])} for row in found]


def _clocks(case: Escalation, tz: Any, slips: list[Slip]) -> list[dict[str, Any]]:
    now = clock.now()

    def due(when: Any, done: Any) -> dict[str, Any]:
        if done:
            return {"text": moment(done, tz), "done": True}
        if when is None:
            return {"text": "–"}
        late = when <= now
        return {"text": _("%(time)s late") % {"time": short(now - when)} if late else moment(when, tz), "late": late}

    spent = _stood(case, case.started_at, case.resolved_at or now)
    spent -= sum((row["for"] for row in _pauses(slips, case)), timedelta(0))
    return [
        {"name": _("Acknowledge"), **due(case.acknowledge_due_at, case.acknowledged_at)},
        {"name": _("Resolve"), **due(case.resolve_due_at, case.resolved_at)},
        {"name": _("Open, business hours"), "text": short(max(spent, timedelta(0)))},
        {"name": _("Reporters"), "text": str(case.thread.me_too_count + 1)},
    ]


def _history(lines: Iterable[EscalationStep], known: dict[int, str], tz: Any) -> list[dict[str, Any]]:
    """The history in words. A department that hears of the case anew in a round is told *again*."""
    told: set[tuple[int, int | None]] = set()
    rows = []
    for line in lines:
        again = line.kind == StepKind.DEPARTMENT and (line.round, line.department_id) in told
        if line.kind == StepKind.DEPARTMENT:
            told.add((line.round, line.department_id))
        rows.append(_told(line, known, tz, again=again))
    return rows


WORDS = {
    "advocates_notified": gettext_lazy("asked: %(names)s"),
    "department_notified": gettext_lazy("%(department)s told"),
    "assigned": gettext_lazy("with %(names)s"),
    "handed_over": gettext_lazy("handed to %(names)s"),
    "given_back": gettext_lazy("given back to %(department)s"),
    "lead_notified": gettext_lazy("lead told: %(names)s"),
    "manager_notified": gettext_lazy("community manager told: %(names)s"),
    "late": gettext_lazy("late"),
    "asker_reminded": gettext_lazy("asker reminded"),
    "acknowledged": gettext_lazy("read by %(by)s"),
    "routed": gettext_lazy("to %(department)s, by %(by)s"),
    "paused": gettext_lazy("paused"),
    "look_on": gettext_lazy("to be looked at again on another day"),
    "pause_over": gettext_lazy("to be looked at again"),
    "resumed": gettext_lazy("goes on"),
    "resolved": gettext_lazy("settled"),
    "reopened": gettext_lazy("open again"),
    "handed_off": gettext_lazy("handed off, %(reference)s"),
    "hand_off_failed": gettext_lazy("%(reference)s could not be handed over"),
    "hand_off_withdrawn": gettext_lazy("%(reference)s taken back"),
    "outcome_posted": gettext_lazy("outcome of %(reference)s posted"),
    "outcome_awaited": gettext_lazy("asked what came of %(reference)s"),
    "outcome_not_posted": gettext_lazy("outcome of %(reference)s could not be posted"),
    "promise_made": gettext_lazy("promised by %(by)s"),
    "promise_kept": gettext_lazy("promise kept"),
    "promise_late": gettext_lazy("promise late"),
}
WAS_DUE = {"acknowledge": gettext_lazy("acknowledge was due"), "resolve": gettext_lazy("resolve was due")}


def _told(step: EscalationStep, known: dict[int, str], tz: Any, *, again: bool = False) -> dict[str, Any]:
    """A line of the history in words."""
    names = ", ".join(known[pk] for pk in step.people if pk in known)
    nobody = _("nobody was there")
    department = str(step.department) if step.department else "" if step.kind == "routed" else nobody
    phrase: Any = WORDS.get(step.kind)
    if again:
        phrase = _("%(department)s told again")
    elif step.kind == StepKind.LATE:
        phrase = WAS_DUE.get(step.cause, phrase)
    words = step.kind.replace("_", " ") if phrase is None else str(phrase) % {
        "names": names or nobody, "department": department, "by": step.by.name if step.by else "",
        "reference": step.reference,
    }  # fmt: skip
    cause = ""
    if step.kind == "resolved" and step.cause in Escalation.Cause.values:
        cause = Escalation.Cause(step.cause).label
    return {
        "at": moment(step.fired_at, tz),
        "iso": step.fired_at.isoformat(),
        "words": words,
        "cause": cause,
        "note": step.note,
        "late": step.kind in (StepKind.LATE, "promise_late"),
        "round": step.round,
    }


@require_GET
@for_agents
def case(request: HttpRequest, pk: int) -> HttpResponse:
    return case_page(request, load(request, pk))


@require_POST
@for_agents
def private(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the private details this once; that somebody looked is written down."""
    case = load(request, pk)
    try:
        details = questions.view_private_details(case.thread, request.user)  # type: ignore[arg-type]
    except NotAllowed as problem:
        return TemplateResponse(request, "escalation/refused.html", {"reason": problem.reason}, status=403)
    if details is None:
        raise Http404
    return case_page(request, case, private=details)
