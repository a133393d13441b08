from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Self

from django.contrib.contenttypes.models import ContentType
from django.db.models import (
    BooleanField,
    CharField,
    Count,
    DateTimeField,
    Exists,
    F,
    IntegerField,
    JSONField,
    OuterRef,
    Prefetch,
    Q,
    QuerySet,
    Subquery,
    Value,
    Window,
)
from django.db.models.functions import Cast, Coalesce, Concat, RowNumber

from community.moderation.querysets import ModeratedQuerySet
from community.posts.models import Draft
from products.models import Ownership

SETTLED = ("solved", "solved_another_way")

# What lists and counts mean by a word. A thread that was asked before waits for nobody: the original does.
OPEN = Q(closed_at__isnull=True, solved_at__isnull=True, duplicate_of__isnull=True)
UNANSWERED = OPEN & Q(first_reply_at__isnull=True, locked_at__isnull=True)
ATTENTION = (
    OPEN
    & Q(asker_spoke_at__isnull=False)
    & (Q(replied_at__isnull=True) | Q(asker_spoke_at__gt=F("replied_at")))
)  # fmt: skip


def owners_of(person: str, product: str) -> QuerySet:
    """Whether the person of an outer row is known to own its product: verified, or with a shelf that others see."""
    shown = Q(owner__profile__show_shelf=True) | ~Q(verified="")
    return Ownership.objects.filter(shown, owner=OuterRef(person), product=OuterRef(product))


def rows_of(model: Any, name: str) -> QuerySet:
    """The rows that point at a model under this name; the models themselves stand above this file."""
    return model._meta.get_field(name).related_model._base_manager.all()


def number_of(rows: QuerySet) -> Coalesce:
    """How many rows there are, as a part of another query."""
    counted = rows.order_by().values("thread").annotate(number=Count("pk")).values("number")
    return Coalesce(Subquery(counted[:1]), 0)


class ThreadQuerySet(ModeratedQuerySet):
    """Named reads of threads; the words are those of DESIGN.md."""

    def unanswered(self) -> Self:
        """No visible answer by anybody but the asker, and still open to one."""
        return self.filter(UNANSWERED)

    def unresolved(self) -> Self:
        """Neither accepted nor official, and still open."""
        return self.filter(solved_at__isnull=True, official_at__isnull=True, closed_at__isnull=True)

    def needs_attention(self) -> Self:
        """The asker spoke last, and the matter isn't settled."""
        return self.filter(ATTENTION)

    def solved(self) -> Self:
        return self.filter(solved_at__isnull=False)

    def official(self) -> Self:
        return self.filter(official_at__isnull=False)

    def by(self, user: Any) -> Self:
        return self.filter(author=user)

    def followed_by(self, user: Any) -> Self:
        from_follows = user.follows.filter(target_type__app_label="questions", target_type__model="thread").exclude(
            level="muted"
        )
        return self.filter(pk__in=from_follows.values("target_id"))

    def with_news(self, user: Any) -> Self:
        """With `news`: how many answers by others came since somebody was last in each thread."""
        if not user.is_authenticated:
            return self
        new = (
            rows_of(self.model, "answers")
            .filter(thread=OuterRef("pk"), visibility="visible", thread__seen__user=user)
            .annotate(came_at=Coalesce("moved_at", "published_at", "created_at"))
            .filter(came_at__gt=F("thread__seen__at"))
            .exclude(author=user)
        )
        counted = new.order_by().values("thread").annotate(n=Count("pk")).values("n")
        return self.annotate(news=Coalesce(Subquery(counted), 0))

    def for_listing(self) -> Self:
        """Everything a row of a list shows."""
        return self.select_related("author", "author__department", "product").prefetch_related(
            "tags", Prefetch("leading_solution")
        )

    def for_page(self) -> Self:
        """Everything the head of a thread page shows."""
        return self.select_related(
            "author", "author__department", "product", "topic", "duplicate_of", "leading_solution", "reconciler"
        ).prefetch_related("tags")

    def seen_by(self, user: Any) -> Self:
        """With what one person did to each thread: `my_vote`, `my_me_too`, `my_follow`, `my_answer`, `my_draft`,
        `i_own` its product; and whether its author owns the product (`author_owns`), and there are private details
        (`has_private`)."""
        rows = self.annotate(
            author_owns=Exists(owners_of("author", "product")),
            has_private=Exists(rows_of(self.model, "private_details").filter(thread=OuterRef("pk"))),
            has_merged=Exists(rows_of(self.model, "merged_threads").filter(merged_into=OuterRef("pk"))),
            has_split=Exists(
                rows_of(self.model, "splits").filter(Q(from_thread=OuterRef("pk")) | Q(thread=OuterRef("pk")))
            ),
        )
        if not user.is_authenticated:
            return rows.annotate(
                my_vote=Value(0),
                my_me_too=Value(False),
                my_follow=Value(False),
                my_seen=Value(None, DateTimeField()),
                my_seen_before=Value(None, DateTimeField()),
                my_answer=Value(None, IntegerField()),
                my_draft=Value(None, JSONField()),
                i_own=Value(False),
                open_edits=Value(0),
                invited=Value(0),
            )
        mine = {"target": OuterRef("pk"), "voter": user}
        seen = rows_of(self.model, "seen").filter(thread=OuterRef("pk"), user=user)
        follows = user.follows.filter(
            target_type=ContentType.objects.get_for_model(self.model), target_id=OuterRef("pk")
        ).exclude(level="muted")
        return rows.annotate(
            my_vote=Coalesce(Subquery(rows_of(self.model, "votes").filter(**mine).values("value")[:1]), 0),
            my_me_too=Exists(rows_of(self.model, "me_toos").filter(**mine)),
            my_follow=Exists(follows),
            i_own=Exists(Ownership.objects.filter(owner=user, product=OuterRef("product"))),
            my_seen=Subquery(seen.values("at")[:1]),
            my_seen_before=Subquery(seen.values("before")[:1]),
            my_answer=Subquery(
                rows_of(self.model, "answers")
                .filter(thread=OuterRef("pk"), author=user, visibility__in=("visible", "pending"))
                .values("pk")[:1]
            ),
            open_edits=number_of(rows_of(self.model, "edit_suggestions").filter(thread=OuterRef("pk"), state="open")),
            invited=number_of(rows_of(self.model, "invitations").filter(thread=OuterRef("pk"))),
            my_draft=Subquery(
                Draft.objects.filter(user=user, key=Concat(Value("answer:"), Cast(OuterRef("pk"), CharField()))).values(
                    "data"
                )[:1]
            ),
        )

    def with_my_vote(self, user: Any) -> Self:
        """`my_vote` alone, for lists where one votes."""
        if not user.is_authenticated:
            return self.annotate(my_vote=Value(0))
        mine = rows_of(self.model, "votes").filter(target=OuterRef("pk"), voter=user)
        return self.annotate(my_vote=Coalesce(Subquery(mine.values("value")[:1]), 0))


class EditSuggestionQuerySet(QuerySet):
    """Suggested edits of posts that can still be read."""

    def readable(self) -> Self:
        return self.filter(Q(answer=None) | Q(answer__visibility="visible"), thread__visibility="visible")

    def waiting(self) -> Self:
        return self.readable().filter(state="open")

    def on_posts_of(self, user: Any) -> Self:
        return self.filter(Q(answer=None, thread__author=user) | Q(answer__author=user))

    def for_listing(self) -> Self:
        return self.select_related(
            "author", "author__department", "thread", "thread__author", "answer", "answer__author", "answer__thread",
            "decided_by",
        )  # fmt: skip


class AnswerQuerySet(ModeratedQuerySet):
    parent = "thread"

    def for_page(self) -> Self:
        return self.select_related(
            "author", "author__department", "official_for", "official_by", "accepted_by", "follow_up", "moved_from"
        )

    def since(self, moment: Any) -> Self:
        """What came after a moment, here or with a merge: `came_at`."""
        return self.annotate(came_at=Coalesce("moved_at", "published_at", "created_at")).filter(came_at__gt=moment)

    def seen_by(self, user: Any) -> Self:
        """With what one person did to each answer: `my_vote`, `my_works`; and whether its author owns the product."""
        rows = self.annotate(author_owns=Exists(owners_of("author", "thread__product")))
        if not user.is_authenticated:
            return rows.annotate(my_vote=Value(0), my_works=Value(None, output_field=BooleanField()))
        mine = {"target": OuterRef("pk"), "voter": user}
        return rows.annotate(
            my_vote=Coalesce(Subquery(rows_of(self.model, "votes").filter(**mine).values("value")[:1]), 0),
            my_works=Subquery(rows_of(self.model, "works").filter(**mine).values("works")[:1]),
        )

    def voices(self, threads: Iterable[Any], most: int = 3) -> Self:
        """Who spoke in each of these threads, settled answers first and then the latest, at most `most` a thread."""
        return (
            self.visible()
            .filter(thread__in=[thread.pk for thread in threads])
            .exclude(author=F("thread__author"))
            .annotate(
                nth=Window(
                    RowNumber(),
                    partition_by=F("thread_id"),
                    order_by=[
                        F("accepted_at").asc(nulls_last=True),
                        F("official_at").asc(nulls_last=True),
                        F("created_at").desc(),
                        F("id").desc(),
                    ],
                )
            )
            .filter(nth__lte=most)
            .select_related("author", "author__department", "official_for")
            .defer("body_source", "body_html", "body_text")
            .order_by("thread_id", "nth")
        )

    def settled_first(self) -> Self:
        """Leading solution, other accepted and official answers, then score; the older first at equal score."""
        return self.order_by(
            F("accepted_at").asc(nulls_last=True),
            F("official_at").asc(nulls_last=True),
            "-score",
            "created_at",
            "id",
        )
