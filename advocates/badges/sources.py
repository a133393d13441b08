"""What badges count: the facts behind each kind of event, as paths from one row of a table."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.db import models
from django.db.models import Count, Exists, ExpressionWrapper, F, FloatField, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Cast, Coalesce, Length, NullIf

from community.events.models import Event
from community.moderation.models import Flag
from community.posts.models import ShareCredit
from community.questions.models import (
    Answer,
    AnswerVote,
    EditSuggestion,
    FollowUp,
    Kind,
    MeToo,
    Thread,
    ThreadVote,
    WorksForMine,
)
from community.sharing.models import Made, Worked
from products.models import Ownership
from reviews.models import Chapter, HelpfulVote

VISIBLE_THREAD = Q(target__visibility="visible")
VISIBLE_ANSWER = Q(target__visibility="visible", target__thread__visibility="visible")


@dataclass(frozen=True)
class Source:
    """Where the facts behind a kind of event stand, as paths from one row of `model`."""

    model: type[models.Model]
    author: str
    actor: str
    thing: str
    at: str
    standing: Q
    fields: dict[str, Any]
    per: dict[str, str] = field(default_factory=dict)
    # Over everything somebody has, not row by row: name to aggregate.
    sums: dict[str, Callable[[], Any]] = field(default_factory=dict)


def _events_about(kind: str, path: str) -> QuerySet[Event]:
    """Events of a kind about the thread a row leads to."""
    return Event.objects.filter(
        kind=kind, subject_type__app_label="questions", subject_type__model="thread", subject_id=OuterRef(path)
    )


def _count_of(kind: str, path: str) -> Any:
    found = _events_about(kind, path).order_by().values("subject_id").annotate(n=Count("pk")).values("n")
    return Coalesce(Subquery(found), 0)


def _ratio(part: str, *rest: str) -> Any:
    whole = sum((F(name) for name in rest), F(part))
    return Cast(F(part), FloatField()) / NullIf(Cast(whole, FloatField()), 0.0)


def _earlier_thread() -> Any:
    earlier = Thread._base_manager.filter(author=OuterRef("target__thread__author"), pk__lt=OuterRef("target__thread"))
    return ~Exists(earlier)


def _corrected() -> Any:
    """The answer was edited after its thread went to re-check, and this owner spoke after the edit."""
    doubted = Event.objects.filter(
        kind="thread.recheck_opened", subject_type__model="thread", subject_id=OuterRef(OuterRef("target__thread"))
    ).filter(occurred_at__lte=OuterRef("occurred_at"))
    edited = Event.objects.filter(
        kind="answer.edited",
        subject_type__model="answer",
        subject_id=OuterRef("target"),
        occurred_at__lte=OuterRef("created_at"),
    )
    return Exists(edited.filter(Exists(doubted)))


_THREAD = {
    "thread.kind": "target__kind",
    "thread.score": "target__score",
    "thread.me_too_count": "target__me_too_count",
    "thread.product": "target__product__slug",
}
_ANSWER = {
    "answer.score": "target__score",
    "thread.kind": "target__thread__kind",
    "thread.product": "target__thread__product__slug",
    "answer.accepted": ExpressionWrapper(Q(target__accepted_at__isnull=False), output_field=models.BooleanField()),
    "thread.is_first_of_author": _earlier_thread(),
}
_NOT_ONES_OWN = ~Q(voter=F("target__author")) | Q(voter__isnull=True)

SOURCES: dict[str, Source] = {
    "thread.voted": Source(
        ThreadVote,
        "target__author",
        "voter",
        "target",
        "created_at",
        VISIBLE_THREAD & _NOT_ONES_OWN,
        {"vote.value": "value", **_THREAD},
        {"thread": "target"},
    ),
    "thread.me_too": Source(
        MeToo,
        "target__author",
        "voter",
        "target",
        "created_at",
        VISIBLE_THREAD & _NOT_ONES_OWN,
        _THREAD,
        {"thread": "target"},
    ),
    "thread.solved": Source(
        Thread,
        "author",
        "author",
        "pk",
        "solved_at",
        Q(visibility="visible", solved_at__isnull=False) & ~Q(leading_solution__author=F("author")),
        {
            "thread.kind": "kind",
            "thread.score": "score",
            "thread.needs_info_count": _count_of("thread.needs_info", "pk"),
        },
        {"thread": "pk"},
    ),
    "idea.status_changed": Source(
        Thread,
        "author",
        "author",
        "pk",
        "active_at",
        Q(visibility="visible", kind=Kind.IDEA),
        {"status": "idea_status", "thread.score": "score"},
        {"thread": "pk"},
    ),
    "answer.voted": Source(
        AnswerVote,
        "target__author",
        "voter",
        "target",
        "created_at",
        VISIBLE_ANSWER & _NOT_ONES_OWN,
        {"vote.value": "value", **_ANSWER},
        {"answer": "target", "thread": "target__thread"},
    ),
    "answer.accepted": Source(
        Answer,
        "author",
        "thread__author",
        "pk",
        "accepted_at",
        # Who accepts their own answer solved it for themselves; that is nobody's judgement.
        Q(visibility="visible", thread__visibility="visible", accepted_at__isnull=False)
        & ~Q(author=F("thread__author")),
        {
            "asker": "thread__author",
            "accepted_by": models.Case(
                models.When(accepted_by=F("thread__author"), then=models.Value("asker")), default=models.Value("staff")
            ),
            "thread.kind": "thread__kind",
            "thread.age_days_at_answer": ExpressionWrapper(
                F("created_at") - F("thread__created_at"), output_field=models.DurationField()
            ),
            "thread.reopened_count": _count_of("thread.reopened", "thread"),
            "answer.posted_after_reopening": Exists(
                _events_about("thread.reopened", "thread").filter(occurred_at__lte=OuterRef("created_at"))
            ),
        },
        {"answer": "pk", "thread": "thread"},
        {"distinct_askers": lambda: Count("thread__author", distinct=True)},
    ),
    "follow_up.answered": Source(
        FollowUp,
        "answer__author",
        "answer__thread__author",
        "answer",
        "answered_at",
        Q(answer__visibility="visible", answer__thread__visibility="visible")
        & ~Q(answer__author=F("answer__thread__author")),
        {"follow_up.answer": "outcome", "thread.kind": "answer__thread__kind"},
        {"answer": "answer", "thread": "answer__thread"},
    ),
    "answer.works_for_mine": Source(
        WorksForMine,
        "target__author",
        "voter",
        "target",
        "created_at",
        VISIBLE_ANSWER & _NOT_ONES_OWN,
        {
            "works": "works",
            # A row without a voter was taken over as a tally of owners.
            "owns_product": ExpressionWrapper(
                Q(voter__isnull=True)
                | Exists(
                    Ownership.objects.filter(owner=OuterRef("voter"), product=OuterRef("target__thread__product"))
                ),
                output_field=models.BooleanField(),
            ),
            "answer.corrected_after_recheck": _corrected(),
            **_ANSWER,
        },
        {"answer": "target", "thread": "target__thread"},
    ),
    "review.found_helpful": Source(
        HelpfulVote,
        "target__author",
        "voter",
        "target",
        "created_at",
        VISIBLE_THREAD & Q(helpful=True) & _NOT_ONES_OWN,
        {
            "helpful": "helpful",
            "helpful_share": _ratio("target__helpful_yes", "target__helpful_no"),
            "review.has_good_and_better": ExpressionWrapper(
                ~Q(target__did_well="") & ~Q(target__could_be_better=""), output_field=models.BooleanField()
            ),
            "review.helpful_count": "target__helpful_yes",
        },
        {"review": "target"},
    ),
    "review.chapter_added": Source(
        Chapter,
        "review__author",
        "review__author",
        "review",
        "created_at",
        Q(review__visibility="visible"),
        {"chapter.months_owned": "months_owned", "review.helpful_count": "review__helpful_yes"},
        {"review": "review"},
    ),
    "recipe.made": Source(
        Made,
        "target__author",
        "voter",
        "target",
        "created_at",
        VISIBLE_THREAD & _NOT_ONES_OWN,
        {
            "recipe.mean_stars": Cast(F("target__stars_sum"), FloatField())
            / NullIf(Cast(F("target__stars_count"), FloatField()), 0.0),
            "recipe.is_remix": ExpressionWrapper(Q(target__remix_of__isnull=False), output_field=models.BooleanField()),
            "stars": "stars",
            "note.length": Length("note"),
        },
        {"recipe": "target"},
    ),
    "tip.worked": Source(
        Worked,
        "target__author",
        "voter",
        "target",
        "created_at",
        VISIBLE_THREAD & Q(worked=True) & _NOT_ONES_OWN,
        {"worked": "worked", "worked_share": _ratio("target__worked_yes", "target__worked_no")},
        {"tip": "target"},
    ),
    "flag.upheld": Source(
        Flag,
        "reporter",
        "reporter",
        "pk",
        "decided_at",
        Q(state=Flag.State.UPHELD),
        {"reason": "reason"},
    ),
    "edit.accepted": Source(
        EditSuggestion,
        "author",
        "decided_by",
        "pk",
        "decided_at",
        Q(state=EditSuggestion.State.APPROVED) & ~Q(decided_by=F("author")),
        {
            "edit.by_other_than_post_author": ExpressionWrapper(
                ~Q(author=Coalesce("answer__author", "thread__author")), output_field=models.BooleanField()
            ),
            "thread.kind": "thread__kind",
            "thread.product": "thread__product__slug",
        },
        {"thread": "thread"},
    ),
    "share.credited": Source(
        ShareCredit,
        "sharer",
        "newcomer",
        "newcomer",
        "created_at",
        Q(newcomer__is_active=True),
        {"outcome": "outcome"},
    ),
}

# What else can make or break the ground of a source. The value says which sources to look at again.
_OF_AN_ANSWER = ("answer.voted", "answer.accepted", "follow_up.answered", "answer.works_for_mine")
RELATED: dict[str, tuple[str, ...]] = {
    "answer.unaccepted": ("answer.accepted", "answer.works_for_mine"),
    "answer.accepted": ("answer.works_for_mine",),
    "answer.edited": ("answer.works_for_mine",),
    "thread.reopened": ("thread.solved", "answer.accepted"),
    "thread.needs_info": ("thread.solved",),
    "thread.solved_another_way": ("thread.solved",),
    "ownership.added": ("answer.works_for_mine",),
    "ownership.removed": ("answer.works_for_mine",),
    "flag.declined": ("flag.upheld",),
    **{f"answer.{verb}": (*_OF_AN_ANSWER, "thread.solved") for verb in ("hidden", "restored", "deleted")},
    **{
        f"thread.{verb}": ("thread.voted", "thread.me_too", "thread.solved", "idea.status_changed", *_OF_AN_ANSWER)
        for verb in ("hidden", "restored", "deleted", "merged")
    },
    **{
        f"review.{verb}": ("review.found_helpful", "review.chapter_added")
        for verb in ("hidden", "restored", "deleted", "edited")
    },
    "review.found_helpful": ("review.chapter_added",),
    **dict.fromkeys(
        ("review.submitted", "review.published", "review.refused"), ("review.found_helpful", "review.chapter_added")
    ),
    **{f"recipe.{verb}": ("recipe.made",) for verb in ("hidden", "restored", "deleted")},
    **{f"tip.{verb}": ("tip.worked",) for verb in ("hidden", "restored", "deleted")},
}
# Everything somebody could earn a badge by. Kinds about the badges themselves, or about work behind the counter, never.
LATER_ROOMS = ("help_article.published", "incident.opened")
HEARD = tuple(sorted({*SOURCES, *RELATED, *LATER_ROOMS}))


def sums_of(source: Source) -> set[str]:
    return {*source.sums, *({"failed_share"} if source.model is FollowUp else set())}


def people_paths(source: Source) -> dict[str, str]:
    paths = {"actor": source.actor, "author": source.author}
    if "thread" in source.per:
        path = source.per["thread"]
        paths["thread.author"] = "author" if path == "pk" else f"{path}__author"
    return paths
