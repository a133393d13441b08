"""Accepting, official answers, re-checks, and whether a fix held."""

from collections.abc import Iterable
from datetime import date, timedelta

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from community.accounts.models import Department, User
from community.core import clock, text
from community.core.errors import Conflict, require
from community.core.rows import locked, retried
from community.events.log import is_replaying, record
from community.events.models import Event
from community.moderation import screening
from community.moderation.permissions import why_not_write
from products.models import Product

from .. import facts, permissions
from ..models import (
    Answer,
    FollowUp,
    FollowUpRequest,
    Reconciled,
    Thread,
)
from .checks import copy_facts, held_answer
from .states import end_needs_info, reopen

FOLLOW_UP_AFTER = timedelta(days=3)


@retried
def accept_answer(answer: Answer, by: User, *, leading: bool | None = None) -> None:
    """Choose an answer as a solution: by the asker, or by staff for a silent one.

    The first one leads, unless `leading` says otherwise. Twice is harmless. Raises NotAllowed, Conflict.
    """
    thread, row = held_answer(answer)
    _hold_product(thread)
    if not is_replaying():
        require(permissions.why_not_accept(by, thread))
        facts.check_transition(thread, "accept")
        if not row.is_visible:
            raise Conflict(_("This answer has been taken down."))
    stands = row.stands
    if stands and not leading:
        return
    was_solved = thread.solved_at is not None
    if not stands:
        row.accepted_at, row.accepted_by, row.no_longer_works_at = clock.now(), by, None
        row.save(update_fields=["accepted_at", "accepted_by", "no_longer_works_at"])
    if leading or thread.leading_solution_id is None or not was_solved:
        thread.leading_solution = row
    rechecked = thread.recheck_at is not None and thread.disagree_since is None
    if rechecked:
        thread.recheck_at = None  # the asker's choice is newer than the doubt
    thread.solved_note, thread.remind_at = "", None
    end_needs_info(thread, by)
    thread.active_at = facts.latest(thread.active_at, clock.now())
    thread.save(update_fields=["solved_note", "recheck_at", "remind_at", "leading_solution", "active_at"])
    facts.refresh(thread)
    _copy_answer(answer, row, thread)
    if not stands:
        record(
            "answer.accepted", actor=by, subject=row, thread=thread.pk, kind=thread.kind, asker=thread.author_id,
            answerer=row.author_id, accepted_by="asker" if by.pk == thread.author_id else "staff",
            leading=thread.leading_solution_id == row.pk,
        )  # fmt: skip
    if not was_solved:
        record("thread.solved", actor=by, subject=thread, answer=row.pk)
    if rechecked:
        record("thread.recheck_settled", actor=by, subject=thread, holds=True, outcome="accepted_anew")


def _hold_product(thread: Thread) -> None:
    """Before the people who get points: who posts, reviews or hides holds a product's numbers first, too (0214)."""
    if thread.product_id is not None and not is_replaying():
        locked(Product(pk=thread.product_id))


def _copy_answer(answer: Answer, row: Answer, thread: Thread) -> None:
    for field in ("accepted_at", "accepted_by_id", "official_for_id", "official_at", "official_by_id"):
        setattr(answer, field, getattr(row, field))
    answer.thread = thread


@retried
def withdraw_acceptance(answer: Answer, by: User) -> None:
    """Take an acceptance back; what it gave is reversed. Twice is harmless."""
    thread, row = held_answer(answer)
    _hold_product(thread)
    if not is_replaying():
        require(permissions.why_not_withdraw(by, thread))
    if not row.is_accepted:
        return
    accepted_by_asker = row.accepted_by_id == thread.author_id
    row.accepted_at = row.accepted_by = None
    row.save(update_fields=["accepted_at", "accepted_by"])
    facts.refresh(thread)
    _copy_answer(answer, row, thread)
    record(
        "answer.unaccepted", actor=by, subject=row, thread=thread.pk, asker=thread.author_id,
        answerer=row.author_id, accepted_by="asker" if accepted_by_asker else "staff",
    )  # fmt: skip


@retried
def solve_another_way(thread: Thread, by: User, note: str) -> None:
    """The asker settled it without an answer from here, and says in a line how."""
    row = locked(thread)
    if not is_replaying():
        require(permissions.why_not_withdraw(by, row))
        facts.check_transition(row, "solve_another_way")
    note = text.clean_line(note)[:300]
    if not note:
        raise ValidationError({"note": _("Say in a line how it was solved; it helps the next person.")})
    screening.check_line(by, "note", note)
    row.solved_at = row.active_at = clock.now()
    row.solved_note = note
    end_needs_info(row, by)
    row.state = facts.derive_state(row)
    row.save(update_fields=["solved_at", "solved_note", "state", "active_at"])
    copy_facts(thread, row)
    record("thread.solved_another_way", actor=by, subject=row)


@retried
def make_official(
    answer: Answer, by: User, department: Department, *, sources: Iterable[str] = (), recheck_on: date | None = None
) -> None:
    """Put a department's name to an answer, as it stands now. Twice is harmless; a new day to look again is kept.

    Raises NotAllowed, Conflict, ValidationError at `recheck_on`.
    """
    thread, row = held_answer(answer)
    if not is_replaying():
        require(permissions.why_not_official(by, thread, department))
        facts.check_transition(thread, "official")
        if not row.is_visible:
            raise Conflict(_("This answer has been taken down."))
    if row.official_for_id == department.pk and not row.official_is_stale:
        _check_day(recheck_on)
        if recheck_on not in (None, row.recheck_on):
            row.recheck_on = recheck_on
            row.save(update_fields=["recheck_on"])
        return
    mark_official(row, thread, by, department, sources, recheck_on)
    _copy_answer(answer, row, thread)


def mark_official(
    row: Answer, thread: Thread, by: User, department: Department, sources: Iterable[str], recheck_on: date | None
) -> None:
    """Put a department's name to an answer whose row is held. Raises ValidationError for a re-check that is past."""
    _check_day(recheck_on)
    row.official_for, row.official_by, row.official_at = department, by, clock.now()
    row.official_revision, row.recheck_on = row.edit_count + 1, recheck_on
    row.official_sources = [text.clean_line(source)[:200] for source in sources if source.strip()][:10]
    row.save(
        update_fields=[
            "official_for", "official_by", "official_at", "official_revision", "official_sources", "recheck_on",
        ]
    )  # fmt: skip
    facts.refresh(thread)
    record("answer.made_official", actor=by, subject=row, thread=thread.pk, department=department.pk)


def _check_day(recheck_on: date | None) -> None:
    if recheck_on is not None and recheck_on <= clock.now().date() and not is_replaying():
        raise ValidationError({"recheck_on": _("Choose a day to come.")})


@retried
def withdraw_official(answer: Answer, by: User, reason: str) -> None:
    """A department takes its name back, and says why."""
    thread, row = held_answer(answer)
    if not is_replaying():
        require(permissions.why_not_official(by, thread, row.official_for))
    if not reason.strip():
        raise ValidationError({"reason": _("Say why; readers relied on it.")})
    if not row.is_official:
        return
    department = row.official_for_id
    row.official_for = row.official_by = row.official_at = row.official_revision = row.recheck_on = None
    row.save(update_fields=["official_for", "official_by", "official_at", "official_revision", "recheck_on"])
    facts.refresh(thread)
    _copy_answer(answer, row, thread)
    record("answer.official_withdrawn", actor=by, subject=row, note=reason, thread=thread.pk, department=department)


@retried
def say_no_longer_works(answer: Answer, by: User, note: str = "") -> None:
    """Somebody found that a solution doesn't hold any longer: it goes to re-check, and stays where it is."""
    thread, row = held_answer(answer)
    if not is_replaying():
        require(why_not_write(by))
        if not (row.is_accepted or row.is_official):
            raise Conflict(_("Only accepted and official answers can be sent to a re-check."))
        facts.check_transition(thread, "recheck")
    if row.no_longer_works_at:
        return
    row.no_longer_works_at = clock.now()
    row.save(update_fields=["no_longer_works_at"])
    put_in_doubt(thread, by, row, note)


def put_in_doubt(thread: Thread, by: User | None, answer: Answer, note: str = "", *, planned: bool = False) -> None:
    """Send a thread whose row is held to the re-check queue; `planned` when the day came, and nobody doubts it yet."""
    if thread.recheck_at is None:
        thread.recheck_at = clock.now()
        thread.save(update_fields=["recheck_at"])
        more = {"planned": True} if planned else {}
        record("thread.recheck_opened", actor=by, subject=thread, note=note, answer=answer.pk, **more)


@retried
def open_recheck(thread: Thread, by: User, note: str) -> None:
    """Staff look at a settled thread again. Twice is harmless."""
    row = locked(thread)
    if not is_replaying():
        require(permissions.why_not_moderate_thread(by))
        facts.check_transition(row, "recheck")
        if not (row.solved_at or row.official_at):
            raise Conflict(_("Only what is settled can be looked at again."))
    if row.recheck_at is not None:
        return
    row.recheck_at = clock.now()
    row.save(update_fields=["recheck_at"])
    copy_facts(thread, row)
    record("thread.recheck_opened", actor=by, subject=row, note=note, answer=row.leading_solution_id)


@retried
def say_they_disagree(thread: Thread, by: User, note: str, *, reconciler: User | None = None) -> None:
    """An agent says that the accepted and the official answer disagree, and who reconciles them (else the agent).

    Both stay; the thread names the person and goes to the re-check queue. Said again, it changes note and person.
    Raises ValidationError at `note` or `reconciler`, NotAllowed, Conflict.
    """
    row = locked(thread)
    person = reconciler or by
    if not is_replaying():
        require(permissions.why_not_reconcile(by))
        facts.check_transition(row, "recheck")
        if not _are_two(row):
            raise Conflict(_("It takes an accepted answer, and another one that is official."))
    note = text.clean_line(note)[:300]
    if not note:
        raise ValidationError({"note": _("Say in what they disagree; readers see it.")})
    if reason := permissions.why_not_reconcile(person):
        raise ValidationError({"reconciler": reason})
    if row.disagree_since and row.reconciler_id == person.pk and row.disagree_note == note:
        return
    new_person = row.disagree_since is None or row.reconciler_id != person.pk
    row.disagree_since, row.disagree_note, row.reconciler = row.disagree_since or clock.now(), note, person
    row.recheck_at = row.recheck_at or clock.now()
    row.reconciled_at, row.reconciled_outcome, row.reconciled_note = None, "", ""
    row.save(update_fields=[*DISAGREEMENT, "recheck_at"])
    copy_facts(thread, row)
    thread.reconciler = person
    if new_person:
        record(
            "thread.recheck_opened", actor=by, subject=row, note=note, answer=row.leading_solution_id,
            reconciler=person.pk,
        )  # fmt: skip


DISAGREEMENT = [
    "disagree_since", "disagree_note", "reconciler", "reconciled_at", "reconciled_outcome", "reconciled_note",
]  # fmt: skip


def _are_two(thread: Thread) -> bool:
    """Whether there is a standing accepted answer, and a different one that is official."""
    if thread.solved_at is None or thread.leading_solution_id is None:
        return False
    official = thread.answers.visible().filter(official_for__isnull=False)
    return official.exclude(pk=thread.leading_solution_id).exists()


@retried
def name_other_reconcilers() -> int:
    """Where whoever was named to settle a disagreement can't any more (left staff, suspended, erased), somebody else
    is named and asked. Returns how many threads that were. Twice is harmless; where nobody is left who may, the next
    change of somebody's role asks again, and pages name no one meanwhile (`Thread.settles_it`).
    """
    torn = Thread.objects.filter(recheck_at__isnull=False, disagree_since__isnull=False)
    found = torn.exclude(reconciler__in=permissions.agents().order_by()).order_by("pk").values_list("pk", flat=True)
    named = 0
    for pk in list(found):
        row = locked(Thread(pk=pk))
        if row.disagree_since is None or not permissions.why_not_reconcile(row.reconciler):
            continue
        if (person := _who_instead(row)) is None:
            continue
        row.reconciler = person
        row.save(update_fields=["reconciler"])
        record("thread.reconciler_changed", actor=None, subject=row, reconciler=person.pk)
        named += 1
    return named


def _who_instead(thread: Thread) -> User | None:
    """Who settles it in place of who was named: the agent who saw it, the lead of the department whose answer it is
    about, somebody of that department who is there, a community manager, any agent."""
    seen = Event.objects.about(thread).filter(kind="thread.recheck_opened", actor__isnull=False).order_by("-pk").first()
    official = thread.answers.visible().filter(official_for__isnull=False).select_related("official_for__lead")
    department = next((answer.official_for for answer in official.order_by("-official_at", "-pk")), None)
    agents = list(permissions.agents())
    there: set[int] = set()
    managers = set(permissions.agents().filter(MANAGES).values_list("pk", flat=True))
    if department is not None:
        members = department.memberships.exclude(away_until__gt=clock.now())
        there = set(members.values_list("user", flat=True))
    first = (seen.actor_id if seen else None, department.lead_id if department else None)

    def nearness(person: User) -> tuple[int, int]:
        near = [person.pk == first[0], person.pk == first[1], person.pk in there, person.pk in managers, True]
        return near.index(True), person.pk

    return next((one for one in sorted(agents, key=nearness) if not permissions.why_not_reconcile(one)), None)


MANAGES = Q(groups__permissions__codename="change_department") | Q(user_permissions__codename="change_department")


@retried
def reconcile(thread: Thread, by: User, outcome: str, line: str) -> None:
    """End a disagreement: which answer holds, or that both were corrected, with a line that readers see.

    Both answers keep their marks; the page says which one to go by. Twice is harmless. Raises ValidationError,
    NotAllowed.
    """
    row = locked(thread)
    if not is_replaying():
        require(permissions.why_not_reconcile(by))
    if outcome not in Reconciled.values:
        raise ValidationError({"outcome": _("Say which one holds, or that both were corrected.")})
    line = text.clean_line(line)[:1000]
    if not line:
        raise ValidationError({"line": _("Say in a line what holds; readers rely on it.")})
    if row.disagree_since is None:
        return
    row.disagree_since = row.recheck_at = None
    row.reconciler, row.reconciled_at, row.reconciled_outcome, row.reconciled_note = by, clock.now(), outcome, line
    row.active_at = facts.latest(row.active_at, clock.now())
    row.save(update_fields=[*DISAGREEMENT, "recheck_at", "active_at"])
    row.answers.update(no_longer_works_at=None)
    copy_facts(thread, row)
    thread.reconciler = by
    record("thread.recheck_settled", actor=by, subject=row, note=line, holds=True, outcome=outcome)


@retried
def settle_recheck(thread: Thread, by: User, *, holds: bool, note: str = "") -> None:
    """Staff looked again: the solution holds, or the thread is open once more. Two that disagree are reconciled."""
    row = locked(thread)
    if not is_replaying():
        require(permissions.why_not_moderate_thread(by))
    if row.recheck_at is None:
        return
    if row.disagree_since and holds:
        raise Conflict(_("Two answers disagree here. Say which one holds, or that both were corrected."))
    row.recheck_at = row.disagree_since = None
    row.save(update_fields=["recheck_at", "disagree_since"])
    row.answers.update(no_longer_works_at=None)
    record("thread.recheck_settled", actor=by, subject=row, note=note, holds=holds)
    if not holds:
        reopen(row, by, note)
    copy_facts(thread, row)


@retried
def answer_follow_up(answer: Answer, by: User, outcome: str, note: str = "") -> None:
    """The asker says whether the fix still holds. Once per answer: the first word stands.

    "No" about the answer that leads opens the thread again, one level up. "Worked at first", and "no" about another
    solution, put the answer in doubt, for staff to look at. Raises NotAllowed, ValidationError, and Conflict for an
    answer that does not settle the thread, or not long enough.
    """
    thread, row = held_answer(answer)
    if not is_replaying():
        require(why_not_write(by))
        require("" if by.pk == thread.author_id else _("Only the person who asked can say whether the fix held."))
        if FollowUp.objects.filter(answer=row).exists():
            return
        if row.accepted_at and thread.reopened_at and row.accepted_at <= thread.reopened_at:
            raise Conflict(_("Accepted before the thread was opened again."))
        if not row.stands or clock.now() < row.accepted_at + FOLLOW_UP_AFTER:
            raise Conflict(_("We ask three days after an answer was accepted."))
    if outcome not in FollowUp.Outcome.values:
        raise ValidationError({"outcome": _("Say yes, no, or that it worked at first.")})
    try:
        with transaction.atomic():
            FollowUp.objects.create(
                answer=row, outcome=outcome, note=text.clean_line(note)[:300], answered_at=clock.now()
            )
    except IntegrityError:
        return
    record(
        "follow_up.answered", actor=by, subject=row, answer=outcome, thread=thread.pk, answerer=row.author_id,
    )  # fmt: skip
    FollowUpRequest.objects.filter(answer=row, done_at=None).update(done_at=clock.now())
    if not thread.solved_at or thread.closed_at or thread.locked_at:
        return
    if outcome == FollowUp.Outcome.NO and thread.leading_solution_id == row.pk:
        reopen(thread, by, text.clean_line(note)[:300] or _("The fix did not hold."), one_level_up=True)
    elif outcome != FollowUp.Outcome.YES:
        row.no_longer_works_at = clock.now()
        row.save(update_fields=["no_longer_works_at"])
        put_in_doubt(thread, by, row, text.clean_line(note)[:300])
