"""Splitting: what belongs to another matter gets a thread of its own, with all that hangs on it
(docs/decisions/0208)."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.utils.translation import gettext as _

from community.accounts.models import User
from community.core import clock, text
from community.core.body import BODY_FIELDS
from community.core.errors import Conflict, require
from community.core.rows import locked, retried
from community.events.log import record
from community.moderation.models import Claim, Flag, Look
from community.moderation.services import publish
from community.posts.models import Comment, Follow, Revision, Upload
from community.posts.services import add_revision, follow, tags_named
from products.models import Product

from .. import facts, permissions
from ..models import Answer, EditSuggestion, FollowUpRequest, IdeaStatus, Split, Thread
from .checks import Visibility, check_texts, copy_facts
from .merging import ALIKE, LONGEST_REASON


def why_not_split(thread: Thread) -> str:
    """The reason against splitting a thread, whoever asks."""
    if reason := facts.why_not_now(thread, "split"):
        return reason
    if not thread.is_visible:
        return _("Only a thread that everybody sees can be split.")
    if thread.locked_at:
        return _("This thread is locked. Unlock it first.")
    if thread.is_idea and thread.source:
        return _("This idea came with an import, and stays as it is there.")
    return ""


@retried
def split_thread(
    thread: Thread,
    by: User,
    *,
    question: Answer | Comment,
    answers: Iterable[Answer] = (),
    comments: Iterable[Comment] = (),
    title: str,
    kind: str,
    reason: str,
    product: Product | None = None,
    tags: Iterable[str] = (),
) -> Thread:
    """Make a thread of some answers and comments of another one. Returns the new thread.

    The words of `question` begin it, and their author asks; the other posts come along, comments as comments on the
    new question. The same once more returns the thread it made; what was moved meanwhile is refused. Points stay with
    those who earned them. Raises NotAllowed, Conflict, ValidationError.
    """
    require(permissions.why_not_split(by))
    title, reason = text.clean_line(title), text.clean_line(reason)[:LONGEST_REASON]
    row = locked(thread)
    moving = sorted({answer.pk for answer in answers if answer != question})
    remarks = sorted({comment.pk for comment in comments if comment != question})
    if made := _made_before(row, question, moving, remarks):
        return made
    if objection := why_not_split(row):
        raise Conflict(objection)
    if not reason:
        raise ValidationError({"reason": _("Say why; whoever wrote what moves will read it.")})
    check_texts(title=title, kind=kind)
    begins, moved, along = _chosen(row, question, moving, remarks)
    if moved and not any(row.kind in kinds and kind in kinds for kinds in ALIKE):
        raise ValidationError(
            {"kind": _("The answers that come along were given to another kind of thread, and keep to that.")}
        )
    company: list[Answer | Comment] = [*moved, *along]
    before = {"state": row.state, "answers": row.answer_count}
    told = people_to_tell(row, [begins, *company])
    new = _begin(row, begins, by, title=title, kind=kind, product=product, tags=tags, told=told)
    split = Split.objects.create(
        thread=new, from_thread=row, at=new.created_at, answers=moving, comments=[comment.pk for comment in along],
        answer=begins if isinstance(begins, Answer) else None, comment=begins if isinstance(begins, Comment) else None,
    )  # fmt: skip
    _put_away(begins, new, by)
    move(row, new, moved, along, new.created_at)
    for one in (row, new):
        read_again(one)
    for author in sorted({post.author for post in company}, key=lambda person: person.pk):
        follow(new, author, because_of_a_post=True)
    copy_facts(thread, row)
    record(
        "thread.split", actor=by, subject=row, note=reason, into=new.pk, people=told, question=split.places()[0][0],
        # the answer that begins it goes along with its points
        answers=sorted({*moving, *([begins.pk] if isinstance(begins, Answer) else [])}), comments=split.comments,
        kind=new.kind, product=new.product_id,
        changes={
            "title": [row.title, new.title],
            "state": [before["state"], row.state],
            "answers": [before["answers"], row.answer_count],
        },
    )  # fmt: skip
    return new


def _made_before(row: Thread, question: Answer | Comment, answers: list[int], comments: list[int]) -> Thread | None:
    """The thread that the very same choice has made already."""
    mine = Q(answer=question) if isinstance(question, Answer) else Q(comment=question)
    split = Split.objects.select_related("thread").filter(mine, from_thread=row).first()
    if split is None:
        return None
    if split.answers == answers and {*split.comments} <= {*comments}:  # those on answers came with these
        return split.thread
    raise Conflict(_moved_already())


def _moved_already() -> str:
    return _("Somebody moved one of these a moment ago. Please look again.")


def _chosen(
    row: Thread, question: Answer | Comment, answers: list[int], comments: list[int]
) -> tuple[Answer | Comment, list[Answer], list[Comment]]:
    """The rows as they are now: the question, and what comes along by itself. Raises Conflict for what is not here."""
    own = [question.pk]
    rows, along = chosen(
        row,
        [*answers, *(own if isinstance(question, Answer) else [])],
        [*comments, *(own if isinstance(question, Comment) else [])],
        by_itself=question,
    )
    begins = next(post for post in (*rows, *along) if post == question)
    if isinstance(begins, Answer) and (begins.is_accepted or begins.is_official):
        raise Conflict(_("An accepted or official answer can't become a question. It can come along as an answer."))
    return begins, [answer for answer in rows if answer != begins], [remark for remark in along if remark != begins]


def chosen(
    row: Thread, answers: Iterable[int], comments: Iterable[int], by_itself: Answer | Comment | None = None
) -> tuple[list[Answer], list[Comment]]:
    """The rows as they are now, held. Raises Conflict for what is not here.

    A comment on an answer that moves comes along with it, and is not moved by itself, but for `by_itself`.
    """
    of_thread, of_answer = (ContentType.objects.get_for_model(model) for model in (Thread, Answer))
    wanted, said = {*answers}, {*comments}
    rows = list(
        Answer.objects.filter(thread=row, pk__in=wanted, visibility=Visibility.VISIBLE)
        .select_related("author")
        .select_for_update(of=("self",), no_key=True)
        .order_by("pk")
    )
    on_it = Q(target_type=of_thread, target_id=row.pk) | Q(
        target_type=of_answer, target_id__in=Answer.objects.filter(thread=row).values("pk")
    )
    remarks = list(
        Comment.objects.filter(on_it, pk__in=said, visibility=Visibility.VISIBLE)
        .select_related("author")
        .select_for_update(of=("self",), no_key=True)
        .order_by("pk")
    )
    if len(rows) != len(wanted) or len(remarks) != len(said):
        raise Conflict(_moved_already())
    along = [
        remark
        for remark in remarks
        if remark == by_itself or not (remark.target_type_id == of_answer.pk and remark.target_id in wanted)
    ]
    return rows, along


def people_to_tell(row: Thread, posts: list[Answer | Comment]) -> list[int]:
    """Whoever wrote what moves, asked or follows; who muted the thread hears nothing."""
    about = Follow.objects.filter(target_type=ContentType.objects.get_for_model(Thread), target_id=row.pk)
    levels = dict(about.values_list("user", "level"))
    people = {row.author_id, *(post.author_id for post in posts)}
    people |= {user for user, level in levels.items() if level in ("watching", "tracking")}
    return sorted(pk for pk in people if levels.get(pk) != Follow.Level.MUTED)


def _begin(
    row: Thread, begins: Answer | Comment, by: User, *, title: str, kind: str, product: Product | None,
    tags: Iterable[str], told: list[int],
) -> Thread:  # fmt: skip
    """The new thread, online: in its author's words, as they were seen already. Its clocks count from now."""
    now = clock.now()
    named = tags_named(list(tags), by)
    new = Thread(
        kind=kind, title=title, author=begins.author, product=product, language=row.language, created_at=now,
        active_at=now, visibility=Visibility.DRAFT, idea_status=IdeaStatus.NEW if kind == "idea" else "",
        model_version=getattr(begins, "model_version", ""),
        topic_id=next((tag.topic_id for tag in named if tag.topic_id), None),
        **{field: getattr(begins, field) for field in BODY_FIELDS},
    )  # fmt: skip
    new.save(force_insert=True)
    new.tags.set(named)
    here, there = _place(begins), _place(new)
    for model in (Revision, Upload):
        model.objects.filter(**here).update(**there)
    Revision.objects.filter(**there).update(title=title)
    if not Revision.objects.filter(**there).exists():
        add_revision(
            new, begins.author, number=1, title=title, body_source=new.body_source, source_format=new.source_format,
            tags=" ".join(tag.slug for tag in named),
        )  # fmt: skip
    Flag.objects.filter(**here, state=Flag.State.OPEN).update(**there)
    Look.objects.filter(**here, decided_at=None).update(**there)
    Claim.objects.filter(**here).update(**there)
    follow(new, begins.author, because_of_a_post=True)
    publish(new, begins.author, mentions=[], told=told)
    return new


def _place(post: Any) -> dict[str, Any]:
    return {"target_type": ContentType.objects.get_for_model(post), "target_id": post.pk}


def _put_away(begins: Answer | Comment, new: Thread, by: User) -> None:
    """The post whose words are a question now: no longer read as an answer or comment, with the votes it was given.

    What was said under it is said under the question.
    """
    begins.visibility, begins.hidden_at, begins.hidden_by = Visibility.DELETED, clock.now(), by
    begins.hidden_reason = ""
    changed = ["visibility", "hidden_at", "hidden_by", "hidden_reason"]
    if isinstance(begins, Answer):
        Comment.objects.filter(**_place(begins)).update(**_place(new))
        begins.edit_suggestions.filter(state=EditSuggestion.State.OPEN).update(
            state=EditSuggestion.State.WITHDRAWN, decided_at=clock.now()
        )
        begins.moved_from, begins.moved_at, begins.thread = begins.thread, new.created_at, new
        changed += ["moved_from", "moved_at", "thread"]
    begins.save(update_fields=changed)


def move(row: Thread, new: Thread, answers: list[Answer], comments: list[Comment], at: datetime) -> None:
    """Answers go with all that hangs on them. Their marks stay: an official one settles here, too; what was accepted
    settles what its asker asked, so here only when that is the same person."""
    moved = Answer.objects.filter(pk__in=[answer.pk for answer in answers])
    moved.update(thread=new, moved_from=row, moved_at=at)
    Comment.objects.filter(pk__in=[comment.pk for comment in comments]).update(**_place(new))
    EditSuggestion.objects.filter(answer__in=moved.values("pk")).update(thread=new)
    strangers = moved.filter(accepted_at__isnull=False).exclude(accepted_by=new.author_id)
    FollowUpRequest.objects.filter(answer__in=strangers.values("pk"), done_at=None).update(done_at=at)


def read_again(thread: Thread) -> None:
    """Facts and state from the rows that a thread has now. Its row is held."""
    facts.read_words(thread)
    facts.refresh(thread)
    if thread.solved_at is None or thread.official_at is None:  # one of the two that disagreed is gone
        thread.disagree_since = thread.reconciled_at = None
        thread.disagree_note = thread.reconciled_outcome = thread.reconciled_note = ""
    if thread.solved_at is None and thread.official_at is None:
        thread.recheck_at = None
    thread.save(
        update_fields=[
            "disagree_since", "disagree_note", "reconciled_at", "reconciled_outcome", "reconciled_note", "recheck_at",
        ]
    )  # fmt: skip
