"""What people do with threads and answers: a verb each. Every door (page, desk, API, import) goes through here."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils.translation import gettext as _

from community.accounts.models import Department, User
from community.core import clock, text
from community.core.body import BODY_FIELDS, write_body
from community.core.errors import Conflict, NotAllowed, require
from community.core.models import Body, Numbers
from community.core.rows import locked
from community.events.log import is_replaying, record
from community.moderation.models import Moderated
from community.moderation.permissions import is_moderator, why_not_write
from community.moderation.services import publish
from community.posts import gates
from community.posts.services import add_revision, attach_uploads, follow, latest_revision, tags_named
from products.models import Product

from . import facts, permissions
from .models import (
    Answer,
    FollowUp,
    IdeaStatus,
    Kind,
    MeToo,
    PrivateDetails,
    PrivateView,
    Thread,
    WorksForMine,
)

SHORTEST_TITLE, LONGEST_TITLE, SHORTEST_BODY = 15, 150, 20  # FEATURES E
FOLLOW_UP_AFTER = timedelta(days=3)
Visibility = Moderated.Visibility


# Asking


@transaction.atomic
def post_thread(
    by: User,
    *,
    kind: str,
    title: str,
    body: str,
    product: Product | None = None,
    model_version: str = "",
    tags: Iterable[str] = (),
    private: dict[str, str] | None = None,
    language: str = "en",
    source_format: str = Body.Format.MARKDOWN,
    **sourced: str,
) -> Thread:
    """Ask, report, propose or praise.

    `private` holds order_number, serial, phone and note for staff only. `sourced` (source, external_id,
    source_url, licence) says where an imported thread comes from. Raises ValidationError by field, NotAllowed.
    """
    told = is_replaying()
    if not told:
        require(why_not_write(by))
    title = text.clean_line(title)
    _check_texts(title=title, body=body, kind=kind)
    _check_first_day(by, by.threads.filter(source=""), "newcomer_threads_first_day")
    now = clock.now()
    people = gates.mentioned(body, by, source_format)
    thread = Thread(
        kind=kind, title=title, author=by, product=product, model_version=text.clean_line(model_version)[:120],
        language=language, created_at=now, active_at=now, visibility=Visibility.DRAFT,
        idea_status=IdeaStatus.NEW if kind == Kind.IDEA else "", **sourced,
    )  # fmt: skip
    write_body(
        thread, body, source_format, known_users=people, limit=None if told else text.MAX_POST_BYTES,
        base_url=thread.source_url,
    )  # fmt: skip
    gates.check_newcomer(thread, by)
    named = tags_named(list(tags), by)
    waits = gates.waits_for_a_look(by, by.threads)
    thread.topic_id = next((tag.topic_id for tag in named if tag.topic_id), None)
    if waits:
        thread.visibility = Visibility.PENDING
    thread.save(force_insert=True)
    thread.tags.set(named)
    if private and any(value.strip() for value in private.values()):
        PrivateDetails.objects.create(
            thread=thread, created_at=now, **{field: value.strip() for field, value in private.items()}
        )
    add_revision(
        thread, by, number=1, title=title, body_source=body, source_format=source_format,
        tags=" ".join(tag.slug for tag in named),
    )  # fmt: skip
    attach_uploads(thread, by)
    follow(thread, by, because_of_a_post=True)
    if not waits:
        publish(thread, by, mentions=list(people.values()))
    return thread


def _check_texts(*, body: str, title: str | None = None, kind: str | None = None) -> None:
    """Lengths and choices of what people write; imports bring what they bring."""
    errors: dict[str, str] = {}
    if kind is not None and kind not in Kind.values:
        errors["kind"] = _("Choose what it is.")
    if not is_replaying():
        if title is not None and not SHORTEST_TITLE <= len(title) <= LONGEST_TITLE:
            errors["title"] = _("A title has %(least)d to %(most)d characters; this one has %(have)d.") % {
                "least": SHORTEST_TITLE, "most": LONGEST_TITLE, "have": len(title),
            }  # fmt: skip
        if len(body.strip()) < SHORTEST_BODY:
            errors["body"] = _("Please write at least %(least)d characters, so that others can help.") % {
                "least": SHORTEST_BODY
            }
    if errors:
        raise ValidationError(errors)


def _check_first_day(by: User, posted: Any, number: str) -> None:
    """Newcomers' pace on their first day (FEATURES F)."""
    if is_replaying() or not gates.is_newcomer(by) or clock.now() - by.date_joined > timedelta(days=1):
        return
    most = getattr(Numbers.load(), number)
    if posted.exclude(visibility=Visibility.DELETED).count() >= most:
        raise ValidationError(
            {"body": _("On the first day you can post this %(most)d times. It opens up tomorrow.") % {"most": most}}
        )


@transaction.atomic
def edit_thread(
    thread: Thread,
    by: User,
    *,
    title: str,
    body: str,
    tags: Iterable[str] | None = None,
    product: Product | None = None,
    model_version: str = "",
    summary: str = "",
    seen_revision: int | None = None,
    source_format: str | None = None,
) -> Thread:
    """Change a thread; every version is kept.

    `seen_revision` is the number of the version the editor started from: raises Conflict when there is a newer
    one. Nothing changed is nothing recorded.
    """
    row = locked(thread)
    if not is_replaying():
        require(permissions.why_not_edit(by, row))
    title = text.clean_line(title)
    _check_texts(title=title, body=body)
    _check_seen(row, seen_revision)
    named = tags_named(list(tags), by) if tags is not None else list(row.tags.all())
    same_tags = {tag.pk for tag in named} == set(row.tags.values_list("pk", flat=True))
    version = text.clean_line(model_version)[:120]
    if (row.title, row.body_source, row.product_id, row.model_version) == (
        title, body, product.pk if product else None, version,
    ) and same_tags:  # fmt: skip
        return row
    written = source_format or _format_for(row)
    write_body(
        row, body, written, known_users=gates.mentioned(body, by, written),
        limit=None if is_replaying() else text.MAX_POST_BYTES, base_url=row.source_url,
    )  # fmt: skip
    gates.check_newcomer(row, by)
    before = row.product_id
    row.title, row.product, row.model_version = title, product, version
    row.topic_id = next((tag.topic_id for tag in named if tag.topic_id), row.topic_id)
    row.edited_at = clock.now()
    row.active_at = facts.latest(row.active_at, row.edited_at)
    row.tags.set(named)
    row.save(update_fields=[*BODY_FIELDS, "title", "product", "model_version", "topic", "edited_at", "active_at"])
    add_revision(
        row, by, title=title, body_source=body, source_format=row.source_format,
        tags=" ".join(tag.slug for tag in named), summary=summary,
    )  # fmt: skip
    attach_uploads(row, by)
    record("thread.edited", actor=by, subject=row, product=row.product_id, previous_product=before)
    return row


def _format_for(row: Body) -> str:
    """People write Markdown; an imported text stays HTML until a person edits it."""
    return row.source_format if is_replaying() else Body.Format.MARKDOWN


def _check_seen(row: Thread | Answer, seen: int | None) -> None:
    if seen is not None and seen != latest_revision(row):
        raise Conflict(_("Somebody else changed this while you were writing. Your text is kept below."))


# Answering


@transaction.atomic
def post_answer(
    thread: Thread,
    by: User,
    *,
    body: str,
    disclosure: str = "",
    model_version: str = "",
    official_for: Department | None = None,
    sources: Iterable[str] = (),
    recheck_on: date | None = None,
    source_format: str = Body.Format.MARKDOWN,
    **sourced: str,
) -> Answer:
    """Answer a thread; for a department when `official_for` is given. Raises ValidationError, NotAllowed, Conflict."""
    told = is_replaying()
    row = locked(thread)
    if not told:
        if closed := row.why_closed_to_words():
            raise Conflict(closed)
        require(permissions.why_not_answer(by, row))
        if official_for is not None:
            require(permissions.why_not_official(by, row))
        _check_one_answer(row, by)
        _check_first_day(by, by.answers.filter(source=""), "newcomer_replies_first_day")
    _check_texts(body=body)
    people = gates.mentioned(body, by, source_format)
    answer = Answer(
        thread=row, author=by, created_at=clock.now(), visibility=Visibility.DRAFT,
        disclosure=text.clean_line(disclosure)[:300], model_version=text.clean_line(model_version)[:120], **sourced,
    )  # fmt: skip
    write_body(
        answer, body, source_format, known_users=people, limit=None if told else text.MAX_POST_BYTES,
        base_url=answer.source_url,
    )  # fmt: skip
    gates.check_newcomer(answer, by)
    waits = gates.waits_for_a_look(by, by.answers)
    if waits:
        answer.visibility = Visibility.PENDING
    answer.save(force_insert=True)
    add_revision(answer, by, number=1, body_source=body, source_format=source_format)
    attach_uploads(answer, by)
    follow(row, by, because_of_a_post=True)
    if not waits:
        answer.visibility, answer.published_at = Visibility.VISIBLE, answer.created_at
        answer.save(update_fields=["visibility", "published_at"])
        kind, data = answer.published_event()
        record(kind, actor=by, subject=answer, mentions=list(people.values()), **data)
        if official_for is not None:
            _mark_official(answer, answer.thread, by, official_for, sources, recheck_on)
    thread.refresh_from_db(fields=facts.FACTS)
    return answer


def _check_one_answer(thread: Thread, by: User) -> None:
    if not Numbers.load().one_answer_per_person:
        return
    mine = thread.answers.filter(author=by).exclude(visibility__in=(Visibility.DELETED, Visibility.HIDDEN))
    if mine.exists():
        raise Conflict(_("You have answered this already. You can edit your answer, or add a comment."))


@transaction.atomic
def edit_answer(
    answer: Answer,
    by: User,
    *,
    body: str,
    summary: str = "",
    disclosure: str | None = None,
    seen_revision: int | None = None,
    source_format: str | None = None,
) -> Answer:
    """Change an answer; an edit of an official one by a member opens a re-check (RULINGS 16)."""
    thread = locked(answer.thread)
    row = locked(answer)
    row.thread = thread
    if not is_replaying():
        require(permissions.why_not_edit(by, row))
    _check_texts(body=body)
    _check_seen(row, seen_revision)
    disclosed = row.disclosure if disclosure is None else text.clean_line(disclosure)[:300]
    if row.body_source == body and disclosed == row.disclosure:
        return row
    written = source_format or _format_for(row)
    write_body(
        row, body, written, known_users=gates.mentioned(body, by, written),
        limit=None if is_replaying() else text.MAX_POST_BYTES, base_url=row.source_url,
    )  # fmt: skip
    gates.check_newcomer(row, by)
    row.disclosure, row.edited_at, row.edit_count = disclosed, clock.now(), row.edit_count + 1
    row.save(update_fields=[*BODY_FIELDS, "disclosure", "edited_at", "edit_count"])
    add_revision(row, by, body_source=body, source_format=row.source_format, summary=summary)
    attach_uploads(row, by)
    thread.active_at = facts.latest(thread.active_at, row.edited_at)
    thread.save(update_fields=["active_at"])
    record("answer.edited", actor=by, subject=row, thread=thread.pk)
    if row.is_official:
        if by.speaks_for_brand:
            row.official_revision = row.edit_count + 1
            row.save(update_fields=["official_revision"])
        else:
            _open_recheck(thread, by, row)
    return row


# Judging


def _cast(post: Thread | Answer, votes: Any, by: User, value: int, kind: str, /, **data: Any) -> int:
    """Set somebody's vote on a post whose row is held. Returns the score, which is always the sum of the rows."""
    if value not in (1, 0, -1):
        raise ValidationError({"value": _("Vote up, down, or take it back.")})
    vote = votes.filter(voter=by).first()
    previous = vote.value if vote else 0
    if value == previous:
        return post.score
    if value == 0:
        vote.delete()
    elif vote:
        vote.value, vote.created_at = value, clock.now()
        vote.save(update_fields=["value", "created_at"])
    else:
        votes.create(voter=by, value=value, created_at=clock.now())
    type(post)._base_manager.filter(pk=post.pk).update(score=F("score") + value - previous)
    post.score += value - previous
    record(kind, actor=by, subject=post, value=value, previous=previous, **data)
    return post.score


@transaction.atomic
def vote_thread(thread: Thread, by: User, value: int) -> int:
    """Vote 1 or -1, or 0 to take it back; returns the new score. Raises NotAllowed."""
    row = locked(thread)
    if not is_replaying():
        require((permissions.why_not_vote_down if value < 0 else permissions.why_not_vote)(by, row))
    thread.score = _cast(row, row.votes, by, value, "thread.voted", kind=row.kind)
    return thread.score


@transaction.atomic
def vote_answer(answer: Answer, by: User, value: int) -> int:
    """Vote 1 or -1, or 0 to take it back; returns the new score. Raises NotAllowed."""
    thread = locked(answer.thread)
    row = locked(answer)
    row.thread = thread
    if not is_replaying():
        require((permissions.why_not_vote_down if value < 0 else permissions.why_not_vote)(by, row))
    answer.score = _cast(row, row.votes, by, value, "answer.voted", thread=thread.pk)
    return answer.score


def add_vote_rows(post: Thread | Answer, *, value: int, rows: Iterable[tuple[str, datetime]], source: str) -> int:
    """Take over votes that name no voter: dumps and tallies (RULINGS 21). Each row is (id there, moment).

    Rows that are here already are left alone. Returns how many were added. Each is an event of its own, so that
    the ledger can point at it.
    """
    wanted = dict(rows)
    with transaction.atomic():
        row = locked(post)
        if isinstance(row, Answer):
            row.thread = post.thread  # type: ignore[union-attr]
        known = set(row.votes.filter(source=source).values_list("external_id", flat=True))
        new = {key: at for key, at in wanted.items() if key not in known}
        if not new:
            return 0
        votes: list[Any] = [
            row.votes.model(target=row, value=value, source=source, external_id=key, created_at=at)
            for key, at in new.items()
        ]
        row.votes.model._base_manager.bulk_create(votes)
        type(row)._base_manager.filter(pk=row.pk).update(score=F("score") + value * len(new))
        kind, data = ("answer.voted", {"thread": row.thread_id}) if isinstance(row, Answer) else (
            "thread.voted", {"kind": row.kind}
        )  # fmt: skip
        for at in new.values():
            row.score += value
            with clock.travel(at):
                record(kind, actor=None, subject=row, value=value, previous=0, voter_source=True, **data)
        post.score = row.score
    return len(new)


@transaction.atomic
def withdraw_vote_rows(post: Thread | Answer, *, source: str, gone: Iterable[str]) -> int:
    """Take back rows that their source no longer has; the ledger reverses what they gave. Returns how many."""
    row = locked(post)
    if isinstance(row, Answer):
        row.thread = post.thread  # type: ignore[union-attr]
    votes: list[Any] = list(row.votes.filter(source=source, external_id__in=list(gone)))
    kind, data = ("answer.voted", {"thread": row.thread_id}) if isinstance(row, Answer) else (
        "thread.voted", {"kind": row.kind}
    )  # fmt: skip
    for vote in votes:
        value = vote.value
        vote.delete()
        type(row)._base_manager.filter(pk=row.pk).update(score=F("score") - value)
        row.score -= value
        with clock.travel(vote.created_at):
            record(kind, actor=None, subject=row, value=0, previous=value, voter_source=True, **data)
    post.score = row.score
    return len(votes)


@transaction.atomic
def set_me_too(thread: Thread, by: User, on: bool) -> int:
    """Say that one has the same, or no longer; returns how many do. Raises NotAllowed."""
    row = locked(thread)
    if not is_replaying():
        require(permissions.why_not_vote(by, row))
    mine = row.me_toos.filter(voter=by)
    if on == mine.exists():
        return row.me_too_count
    if on:
        row.me_toos.create(voter=by, created_at=clock.now())
        follow(row, by, because_of_a_post=True)
    else:
        mine.delete()
    row.me_too_count += 1 if on else -1
    row.save(update_fields=["me_too_count"])
    thread.me_too_count = row.me_too_count
    record("thread.me_too", actor=by, subject=row, on=on, kind=row.kind)
    return row.me_too_count


@transaction.atomic
def add_me_too_rows(thread: Thread, *, rows: Iterable[tuple[str, datetime]], source: str) -> int:
    """Me-toos of people who are not here, as dated rows (RULINGS 21). Returns how many were added."""
    row = locked(thread)
    known = set(row.me_toos.filter(source=source).values_list("external_id", flat=True))
    new = [(key, at) for key, at in rows if key not in known]
    MeToo.objects.bulk_create(MeToo(target=row, source=source, external_id=key, created_at=at) for key, at in new)
    row.me_too_count += len(new)
    row.save(update_fields=["me_too_count"])
    thread.me_too_count = row.me_too_count
    for _key, at in new:
        with clock.travel(at):
            record("thread.me_too", actor=None, subject=row, on=True, kind=row.kind, voter_source=True)
    return len(new)


@transaction.atomic
def say_works_for_mine(answer: Answer, by: User, works: bool | None, model_version: str = "") -> None:
    """An owner says whether somebody else's answer works for theirs; None takes it back.

    Raises NotAllowed, Conflict.
    """
    row = locked(answer)
    if not is_replaying():
        require(why_not_write(by))
        if row.author_id == by.pk:
            raise NotAllowed(_("This is your own answer; others say whether it works for theirs."))
        if not (row.is_visible and row.thread.is_visible):
            raise Conflict(_("This post has been taken down."))
    mine = row.works.filter(voter=by).first()
    previous = mine.works if mine else None
    if previous == works:
        return
    if works is None:
        mine.delete()
    else:
        row.works.update_or_create(
            voter=by,
            defaults={"works": works, "model_version": text.clean_line(model_version)[:120], "created_at": clock.now()},
        )
    _count_works(row, works, previous)
    answer.works_yes, answer.works_no = row.works_yes, row.works_no
    record("answer.works_for_mine", actor=by, subject=row, works=works, previous=previous, thread=row.thread_id)


def _count_works(row: Answer, works: bool | None, previous: bool | None) -> None:
    row.works_yes += (works is True) - (previous is True)
    row.works_no += (works is False) - (previous is False)
    row.save(update_fields=["works_yes", "works_no"])


@transaction.atomic
def add_works_rows(
    answer: Answer, *, works: bool, rows: Iterable[tuple[str, datetime]], source: str, model_version: str = ""
) -> int:
    """What owners who are not here said about an answer, as dated rows. Returns how many were added."""
    row = locked(answer)
    known = set(row.works.filter(source=source).values_list("external_id", flat=True))
    new = [(key, at) for key, at in rows if key not in known]
    WorksForMine.objects.bulk_create(
        WorksForMine(
            target=row, works=works, source=source, external_id=key, created_at=at, model_version=model_version
        )
        for key, at in new
    )
    for _key, at in new:
        _count_works(row, works, None)
        with clock.travel(at):
            record(
                "answer.works_for_mine", actor=None, subject=row, works=works, previous=None, thread=row.thread_id,
                voter_source=True,
            )  # fmt: skip
    answer.works_yes, answer.works_no = row.works_yes, row.works_no
    return len(new)


# Settling


@transaction.atomic
def accept_answer(answer: Answer, by: User, *, leading: bool | None = None) -> None:
    """Choose an answer as a solution: by the asker, or by staff for a silent one.

    The first one leads, unless `leading` says otherwise. Twice is harmless. Raises NotAllowed, Conflict.
    """
    thread = locked(answer.thread)  # first the thread, so that two acceptances stand in line (RULINGS 23)
    row = locked(answer)
    row.thread = thread
    if not is_replaying():
        require(permissions.why_not_accept(by, thread))
        facts.check_transition(thread, "accept")
        if not row.is_visible:
            raise Conflict(_("This answer has been taken down."))
    stands = row.is_accepted and not (thread.reopened_at and row.accepted_at <= thread.reopened_at)
    if stands and not leading:
        return
    was_solved = thread.solved_at is not None
    if not stands:
        row.accepted_at, row.accepted_by, row.no_longer_works_at = clock.now(), by, None
        row.save(update_fields=["accepted_at", "accepted_by", "no_longer_works_at"])
    if leading or thread.leading_solution_id is None or not was_solved:
        thread.leading_solution = row
    thread.solved_note, thread.recheck_at = "", None
    end_needs_info(thread, by)
    thread.active_at = facts.latest(thread.active_at, clock.now())
    thread.save(update_fields=["solved_note", "recheck_at", "leading_solution", "active_at"])
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


def _copy_answer(answer: Answer, row: Answer, thread: Thread) -> None:
    for field in ("accepted_at", "accepted_by_id", "official_for_id", "official_at", "official_by_id"):
        setattr(answer, field, getattr(row, field))
    answer.thread = thread


@transaction.atomic
def withdraw_acceptance(answer: Answer, by: User) -> None:
    """Take an acceptance back; what it gave is reversed. Twice is harmless."""
    thread = locked(answer.thread)
    row = locked(answer)
    row.thread = thread
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


@transaction.atomic
def solve_another_way(thread: Thread, by: User, note: str) -> None:
    """The asker settled it without an answer from here, and says in a line how."""
    row = locked(thread)
    if not is_replaying():
        require(permissions.why_not_withdraw(by, row))
        facts.check_transition(row, "solve_another_way")
        if row.solved_at:
            raise Conflict(_("This is solved already."))
    note = text.clean_line(note)[:300]
    if not note:
        raise ValidationError({"note": _("Say in a line how it was solved; it helps the next person.")})
    row.solved_at = row.active_at = clock.now()
    row.solved_note = note
    end_needs_info(row, by)
    row.state = facts.derive_state(row)
    row.save(update_fields=["solved_at", "solved_note", "state", "active_at"])
    _copy_facts(thread, row)
    record("thread.solved_another_way", actor=by, subject=row)


@transaction.atomic
def make_official(
    answer: Answer, by: User, department: Department, *, sources: Iterable[str] = (), recheck_on: date | None = None
) -> None:
    """Put a department's name to an answer, as it stands now. Twice is harmless."""
    thread = locked(answer.thread)
    row = locked(answer)
    row.thread = thread
    if not is_replaying():
        require(permissions.why_not_official(by, thread))
        facts.check_transition(thread, "official")
        if not row.is_visible:
            raise Conflict(_("This answer has been taken down."))
    if row.official_for_id == department.pk and not row.official_is_stale:
        return
    _mark_official(row, thread, by, department, sources, recheck_on)
    _copy_answer(answer, row, thread)


def _mark_official(
    row: Answer, thread: Thread, by: User, department: Department, sources: Iterable[str], recheck_on: date | None
) -> None:
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


@transaction.atomic
def withdraw_official(answer: Answer, by: User, reason: str) -> None:
    """A department takes its name back, and says why."""
    thread = locked(answer.thread)
    row = locked(answer)
    row.thread = thread
    if not is_replaying():
        require(permissions.why_not_official(by, thread))
    if not reason.strip():
        raise ValidationError({"reason": _("Say why; readers relied on it.")})
    if not row.is_official:
        return
    department = row.official_for_id
    row.official_for = row.official_by = row.official_at = row.official_revision = None
    row.save(update_fields=["official_for", "official_by", "official_at", "official_revision"])
    facts.refresh(thread)
    _copy_answer(answer, row, thread)
    record("answer.official_withdrawn", actor=by, subject=row, note=reason, thread=thread.pk, department=department)


@transaction.atomic
def say_no_longer_works(answer: Answer, by: User, note: str = "") -> None:
    """Somebody found that a solution doesn't hold any longer: it goes to re-check, and stays where it is."""
    thread = locked(answer.thread)
    row = locked(answer)
    row.thread = thread
    if not is_replaying():
        require(why_not_write(by))
        if not (row.is_accepted or row.is_official):
            raise Conflict(_("Only accepted and official answers can be sent to a re-check."))
        facts.check_transition(thread, "recheck")
    if row.no_longer_works_at:
        return
    row.no_longer_works_at = clock.now()
    row.save(update_fields=["no_longer_works_at"])
    _open_recheck(thread, by, row, note)


def _open_recheck(thread: Thread, by: User, answer: Answer, note: str = "") -> None:
    if thread.recheck_at is None:
        thread.recheck_at = clock.now()
        thread.save(update_fields=["recheck_at"])
        record("thread.recheck_opened", actor=by, subject=thread, note=note, answer=answer.pk)


@transaction.atomic
def open_recheck(thread: Thread, by: User, note: str) -> None:
    """Staff look at a settled thread again: the accepted and the official answer disagree, say. Twice is harmless."""
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
    _copy_facts(thread, row)
    record("thread.recheck_opened", actor=by, subject=row, note=note, answer=row.leading_solution_id)


@transaction.atomic
def settle_recheck(thread: Thread, by: User, *, holds: bool, note: str = "") -> None:
    """Staff looked again: the solution holds, or the thread is open once more."""
    row = locked(thread)
    if not is_replaying():
        require(permissions.why_not_moderate_thread(by))
    if row.recheck_at is None:
        return
    row.recheck_at = None
    row.save(update_fields=["recheck_at"])
    row.answers.update(no_longer_works_at=None)
    record("thread.recheck_settled", actor=by, subject=row, note=note, holds=holds)
    if not holds:
        _reopen(row, by, note)
    _copy_facts(thread, row)


@transaction.atomic
def answer_follow_up(answer: Answer, by: User, outcome: str, note: str = "") -> None:
    """The asker says whether the fix still holds; "no" opens the thread again. Once per answer."""
    thread = locked(answer.thread)
    row = locked(answer)
    row.thread = thread
    if not is_replaying():
        require("" if by.pk == thread.author_id else _("Only the person who asked can say whether the fix held."))
        if not row.is_accepted or clock.now() < row.accepted_at + FOLLOW_UP_AFTER:
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
    if outcome == FollowUp.Outcome.NO and thread.solved_at and not (thread.closed_at or thread.locked_at):
        _reopen(thread, by, _("The fix did not hold."), one_level_up=True)


# States


def _copy_facts(thread: Thread, row: Thread) -> None:
    for field in row._meta.concrete_fields:
        setattr(thread, field.attname, getattr(row, field.attname))


def end_needs_info(thread: Thread, by: User | None) -> None:
    if thread.needs_info_since is not None:
        since = thread.needs_info_since
        thread.needs_info_since, thread.needs_info_note = None, ""
        thread.save(update_fields=["needs_info_since", "needs_info_note"])
        record("thread.info_given", actor=by, subject=thread, since=since.isoformat())


@transaction.atomic
def ask_for_info(thread: Thread, by: User, note: str) -> None:
    """Ask the asker for something; the clocks stand until the reply."""
    row = locked(thread)
    if not is_replaying():
        require(permissions.why_not_ask_for_info(by, row))
        facts.check_transition(row, "ask_for_info")
        if row.solved_at:
            raise Conflict(_("This is solved already."))
    note = text.clean_line(note)[:300]
    if not note:
        raise ValidationError({"note": _("Say what you need to know.")})
    already = row.needs_info_since is not None
    row.needs_info_since = row.needs_info_since or clock.now()
    row.needs_info_note, row.replied_at = note, clock.now()
    row.state = facts.derive_state(row)
    row.save(update_fields=["needs_info_since", "needs_info_note", "replied_at", "state"])
    _copy_facts(thread, row)
    if not already:
        record("thread.needs_info", actor=by, subject=row)


@transaction.atomic
def mark_duplicate(thread: Thread, by: User | None, of: Thread) -> None:
    """Point a thread at the one that asked first; page and votes stay (RULINGS 13)."""
    if of.pk < thread.pk:
        locked(of)  # in the order of their ids, so that two who point them at each other stand in line
    row = locked(thread)
    if not is_replaying():
        require(permissions.why_not_moderate_thread(by))
        facts.check_transition(row, "duplicate")
    original = locked(of.duplicate_of or of)
    original = original.duplicate_of or original  # somebody may have pointed it elsewhere meanwhile
    if original.pk == row.pk:
        raise ValidationError({"of": _("A thread can't be a duplicate of itself.")})
    if row.duplicate_of_id == original.pk:
        return
    row.duplicates.update(duplicate_of=original)  # what pointed here points there: no chains
    row.duplicate_of, row.active_at = original, facts.latest(row.active_at, clock.now())
    row.state = facts.derive_state(row)
    row.save(update_fields=["duplicate_of", "state", "active_at"])
    _copy_facts(thread, row)
    record("thread.marked_duplicate", actor=by, subject=row, of=original.pk)


@transaction.atomic
def close_thread(thread: Thread, by: User | None, reason: str) -> None:
    """No more answers, with the reason."""
    row = locked(thread)
    if not is_replaying():
        require(permissions.why_not_moderate_thread(by))
        facts.check_transition(row, "close")
    reason = text.clean_line(reason)[:300]
    if not reason:
        raise ValidationError({"reason": _("Say why it is closed.")})
    if row.closed_at:
        return
    row.closed_at, row.closed_reason = clock.now(), reason
    row.state = facts.derive_state(row)
    row.save(update_fields=["closed_at", "closed_reason", "state"])
    _copy_facts(thread, row)
    record("thread.closed", actor=by, subject=row, note=reason)


@transaction.atomic
def reopen_thread(thread: Thread, by: User, reason: str = "") -> None:
    """Open a settled or closed thread again: its asker while it isn't locked, or staff."""
    row = locked(thread)
    if not is_replaying():
        require(why_not_write(by))
        asker = by.pk == row.author_id and not row.locked_at and not row.closed_at
        require("" if asker else permissions.why_not_moderate_thread(by))
        if not (row.solved_at or row.closed_at or row.duplicate_of_id):
            raise Conflict(_("This thread is open."))
    _reopen(row, by, reason)
    _copy_facts(thread, row)


def _reopen(row: Thread, by: User | None, reason: str, *, one_level_up: bool = False) -> None:
    row.reopened_at = row.active_at = clock.now()
    row.closed_at = row.solved_at = row.duplicate_of = row.leading_solution = row.recheck_at = None
    row.closed_reason = row.solved_note = ""
    row.state = facts.derive_state(row)
    row.save(
        update_fields=[
            "reopened_at", "closed_at", "closed_reason", "solved_at", "solved_note", "duplicate_of",
            "leading_solution", "recheck_at", "state", "active_at",
        ]
    )  # fmt: skip
    record("thread.reopened", actor=by, subject=row, note=reason, one_level_up=one_level_up)


@transaction.atomic
def lock_thread(thread: Thread, by: User, on: bool = True, reason: str = "") -> None:
    """No more words of any kind, or again."""
    row = locked(thread)
    if not is_replaying():
        require("" if is_moderator(by) else _("Only moderators can lock a thread."))
    if bool(row.locked_at) == on:
        return
    reason = text.clean_line(reason)[:300]
    if on and not reason:
        raise ValidationError({"reason": _("Say why it is locked.")})
    row.locked_at, row.locked_reason = (clock.now(), reason) if on else (None, "")
    row.save(update_fields=["locked_at", "locked_reason"])
    _copy_facts(thread, row)
    record("thread.locked", actor=by, subject=row, note=reason, on=on)


@transaction.atomic
def set_idea_status(thread: Thread, by: User, status: str, reason: str) -> None:
    """Staff say what becomes of an idea, and why."""
    row = locked(thread)
    if not is_replaying():
        require(permissions.why_not_moderate_thread(by))
        facts.check_transition(row, "idea_status")
    if status not in IdeaStatus.values:
        raise ValidationError({"status": _("Choose a status.")})
    if not reason.strip() and status != IdeaStatus.NEW:
        raise ValidationError({"reason": _("Say why; everybody who voted will read it.")})
    previous = row.idea_status
    if previous == status:
        return
    row.idea_status, row.idea_reason, row.active_at = status, reason.strip()[:500], clock.now()
    row.save(update_fields=["idea_status", "idea_reason", "active_at"])
    _copy_facts(thread, row)
    record("idea.status_changed", actor=by, subject=row, note=reason, status=status, previous=previous)


@transaction.atomic
def move_thread(
    thread: Thread, by: User, *, title: str | None = None, tags: Iterable[str] | None = None,
    product: Product | None = None, reason: str = "",
) -> None:  # fmt: skip
    """A moderator retitles, retags or moves; never rewords (RULINGS 17)."""
    row = locked(thread)
    require("" if is_moderator(by) else _("Only moderators can do this."))
    before = row.product_id
    if title is not None:
        row.title = text.clean_line(title)
        _check_texts(title=row.title, body=row.body_source.ljust(SHORTEST_BODY))
    named = tags_named(list(tags), by) if tags is not None else list(row.tags.all())
    row.tags.set(named)
    row.topic_id = next((tag.topic_id for tag in named if tag.topic_id), row.topic_id)
    row.product = product
    row.save(update_fields=["title", "product", "topic"])
    add_revision(
        row, by, title=row.title, body_source=row.body_source, source_format=row.source_format,
        tags=" ".join(tag.slug for tag in named), summary=reason,
    )  # fmt: skip
    _copy_facts(thread, row)
    record("thread.moved", actor=by, subject=row, note=reason, product=row.product_id, previous_product=before)


# Private details


@transaction.atomic
def view_private_details(thread: Thread, by: User) -> PrivateDetails | None:
    """The private details, for the asker and staff; each look by staff is kept (RULINGS 18)."""
    require(permissions.why_not_see_private(by, thread))
    details = PrivateDetails.objects.filter(thread=thread).first()
    if details is not None and by.pk != thread.author_id:
        PrivateView.objects.create(thread=thread, viewer=by, at=clock.now())
    return details


@transaction.atomic
def give_private_details(thread: Thread, by: User, **details: str) -> PrivateDetails:
    """The asker adds or changes what only staff may see."""
    require(why_not_write(by))
    require("" if by.pk == thread.author_id else _("Only the person who asked can do this."))
    row, _new = PrivateDetails.objects.update_or_create(
        thread=thread, defaults={field: value.strip() for field, value in details.items()}
    )
    return row
