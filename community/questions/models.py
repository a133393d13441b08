"""Threads and their answers. A thread stores facts; its state is derived from them (RULINGS 11)."""

import re
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from community.accounts.models import Department, User
from community.core import clock
from community.core.models import Body, Sourced, Vote, one_per_source, vote_constraints
from community.core.slugs import slug_of
from community.moderation.models import Moderated
from community.posts import gates
from community.posts.models import Comment, Tag, Topic
from products.models import Product

from .querysets import AnswerQuerySet, EditSuggestionQuerySet, ThreadQuerySet

MARKS = re.compile(r"[\\`*_\[\]<>@#]")  # that mean something in Markdown


class Kind(models.TextChoices):
    QUESTION = "question", _("Question")
    PROBLEM = "problem", _("Problem")
    IDEA = "idea", _("Idea")
    PRAISE = "praise", _("Praise")


class State(models.TextChoices):
    """What a thread's facts come to; written by `services.derive_state` only."""

    NO_REPLY = "no_reply", _("No reply")
    REPLIED = "replied", _("Replied")
    NEEDS_INFO = "needs_info", _("Needs info")
    SOLVED = "solved", _("Solved")
    SOLVED_ANOTHER_WAY = "solved_another_way", _("Solved another way")
    REOPENED = "reopened", _("Reopened")
    DUPLICATE = "duplicate", _("Asked before")
    MERGED = "merged", _("Merged")
    CLOSED = "closed", _("Closed")


class IdeaStatus(models.TextChoices):
    NEW = "new", _("New")
    IN_REVIEW = "in_review", _("In review")
    PLANNED = "planned", _("Planned")
    IN_PROGRESS = "in_progress", _("In progress")
    SHIPPED = "shipped", _("Shipped")
    NEEDS_INFO = "needs_info", _("Needs info")
    FUTURE = "future", _("Future consideration")
    DECLINED = "declined", _("Declined")
    EXISTS = "exists", _("Already exists")


def quote_head(author: Any) -> str:
    """The line above a quoted passage, as Markdown: whose words they are."""
    name = gettext("Former member") if author.is_erased else str(author)
    return gettext("%(name)s wrote:") % {"name": MARKS.sub(r"\\\g<0>", name)}


class Reconciled(models.TextChoices):
    """How a disagreement between the accepted and the official answer ended."""

    ACCEPTED = "accepted", _("The accepted answer holds")
    OFFICIAL = "official", _("The official answer holds")
    BOTH = "both", _("Both were corrected")


# States that few of many threads are in. The lists' own conditions imply these (`querysets.py`, `views/listing.py`).
FEW = {
    "waiting": Q(closed_at__isnull=True, solved_at__isnull=True, first_reply_at__isnull=True),
    "asker_spoke": Q(closed_at__isnull=True, solved_at__isnull=True, asker_spoke_at__isnull=False),
    "info": Q(needs_info_since__isnull=False),
    "reopened": Q(reopened_at__isnull=False),
    "recheck": Q(recheck_at__isnull=False),
    "another_way": ~Q(solved_note=""),
    "official": Q(official_at__isnull=False),
    "duplicate": Q(duplicate_of__isnull=False),
    "closed": Q(closed_at__isnull=False),
    "locked": Q(locked_at__isnull=False),
}


class Thread(Body, Moderated, Sourced):
    """A question, problem, idea or praise."""

    kind = models.CharField(_("kind"), max_length=10, choices=Kind, default=Kind.QUESTION)
    title = models.CharField(_("title"), max_length=200)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="threads")
    product = models.ForeignKey(
        Product,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="threads",
        verbose_name=_("product"),
    )
    model_version = models.CharField(_("version"), max_length=120, blank=True, default="")
    tags = models.ManyToManyField(Tag, blank=True, related_name="threads", verbose_name=_("tags"))
    topic = models.ForeignKey(Topic, null=True, blank=True, on_delete=models.SET_NULL, related_name="threads")
    language = models.CharField(max_length=10, default="en")

    created_at = models.DateTimeField(default=clock.now)
    edited_at = models.DateTimeField(null=True, blank=True)
    active_at = models.DateTimeField(default=clock.now, help_text=_("Last answer, comment or edit."))

    # Facts
    first_reply_at = models.DateTimeField(
        null=True, blank=True, help_text=_("First visible answer by somebody other than the asker.")
    )
    asker_spoke_at = models.DateTimeField(null=True, blank=True, help_text=_("Last word of the asker after the post."))
    replied_at = models.DateTimeField(null=True, blank=True, help_text=_("Last word of anybody else."))
    solved_at = models.DateTimeField(null=True, blank=True)
    solved_note = models.CharField(_("how it was solved"), max_length=300, blank=True, default="")
    leading_solution = models.ForeignKey("Answer", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    needs_info_since = models.DateTimeField(null=True, blank=True)
    needs_info_note = models.CharField(max_length=300, blank=True, default="")
    duplicate_of = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.SET_NULL, related_name="duplicates"
    )
    merged_into = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="merged_threads"
    )
    merged_at = models.DateTimeField(null=True, blank=True)
    title_hidden = models.BooleanField(
        default=False, help_text=_("Merged, and a moderator took its title out of “Also asked”.")
    )
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_reason = models.CharField(max_length=300, blank=True, default="")
    locked_at = models.DateTimeField(null=True, blank=True)
    locked_reason = models.CharField(max_length=300, blank=True, default="")
    reopened_at = models.DateTimeField(null=True, blank=True)
    recheck_at = models.DateTimeField(null=True, blank=True, help_text=_("Since when a solution is in doubt."))
    disagree_since = models.DateTimeField(
        null=True, blank=True, help_text=_("Since when staff say that the accepted and the official answer disagree.")
    )
    disagree_note = models.CharField(max_length=300, blank=True, default="")
    reconciler = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text=_("Who settles the disagreement, or settled the last one."),
    )
    reconciled_at = models.DateTimeField(null=True, blank=True)
    reconciled_outcome = models.CharField(max_length=10, choices=Reconciled, blank=True, default="")
    reconciled_note = models.CharField(max_length=1000, blank=True, default="")
    remind_at = models.DateTimeField(
        null=True, blank=True, help_text=_("When the asker is asked next whether an answer settled it.")
    )
    official_at = models.DateTimeField(null=True, blank=True, help_text=_("First answer that is official now."))
    idea_status = models.CharField(max_length=20, choices=IdeaStatus, blank=True, default="")
    idea_reason = models.CharField(max_length=500, blank=True, default="")
    idea_link = models.CharField(
        max_length=500, blank=True, default="", help_text=_("Release note of what shipped, or the thing that exists.")
    )

    # Derived, in the same transaction as the facts
    state = models.CharField(max_length=20, choices=State, default=State.NO_REPLY)
    score = models.IntegerField(default=0, help_text=_("Always the sum of the vote rows."))
    me_too_count = models.PositiveIntegerField(default=0)
    answer_count = models.PositiveIntegerField(default=0)
    view_count = models.PositiveIntegerField(default=0)
    for_department = models.ForeignKey(
        Department, null=True, blank=True, on_delete=models.PROTECT, related_name="+",
        help_text=_("Who should deal with it, when staff said so before it was posted."),
    )  # fmt: skip
    has_ties = models.BooleanField(
        default=False, editable=False, help_text=_("Rooms above tie something to it, such as a review; they ask then.")
    )

    # What this thread adds to the numbers of a product now: see listeners.tally
    counted_on = models.ForeignKey(
        Product, null=True, blank=True, editable=False, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    counted_solved = models.BooleanField(default=False, editable=False)

    objects = ThreadQuerySet.as_manager()
    instead_of = "merged_threads"

    class Meta:
        indexes = [
            models.Index(fields=["-active_at", "-id"], condition=Q(visibility="visible"), name="thread_active"),
            models.Index(fields=["-created_at", "-id"], condition=Q(visibility="visible"), name="thread_newest"),
            models.Index(fields=["-score", "-id"], condition=Q(visibility="visible"), name="thread_score"),
            models.Index(fields=["product", "-active_at"], condition=Q(visibility="visible"), name="thread_product"),
            models.Index(fields=["author", "-created_at"], name="thread_author"),
            models.Index(fields=["state", "-active_at"], condition=Q(visibility="visible"), name="thread_state"),
            models.Index(fields=["kind", "-active_at"], condition=Q(visibility="visible"), name="thread_kind"),
            models.Index(fields=["-me_too_count", "-id"], condition=Q(visibility="visible"), name="thread_me_too"),
            models.Index(fields=["-view_count", "-id"], condition=Q(visibility="visible"), name="thread_views"),
            models.Index(fields=["author", "-active_at"], condition=Q(visibility="visible"), name="thread_mine"),
            # Each state that few threads are in: so that its list and its number cost what they show (0106).
            *(
                models.Index(
                    fields=["-active_at", "-id"], condition=Q(visibility="visible") & few, name=f"thread_is_{name}"
                )
                for name, few in FEW.items()
            ),
            models.Index(
                fields=["-score", "-id"], condition=Q(visibility="visible", kind="idea"), name="thread_idea_score"
            ),
            models.Index(
                fields=["-created_at", "-id"], condition=Q(visibility="visible", kind="idea"), name="thread_idea_newest"
            ),
            models.Index(
                fields=["product", "-created_at"],
                condition=Q(visibility="visible", kind="praise"),
                name="thread_praise",
            ),
            models.Index(fields=["recheck_at"], condition=Q(recheck_at__isnull=False), name="thread_recheck"),
            models.Index(fields=["remind_at"], condition=Q(remind_at__isnull=False), name="thread_remind"),
        ]
        constraints = [
            one_per_source("thread_one_per_source"),
            models.CheckConstraint(condition=~Q(duplicate_of=models.F("id")), name="thread_not_its_own_duplicate"),
            # What was merged is never seen at its own address again, and knows since when.
            models.CheckConstraint(
                condition=Q(merged_into__isnull=True) | Q(visibility="deleted", merged_at__isnull=False),
                name="thread_merged_is_away",
            ),
            models.CheckConstraint(
                condition=Q(merged_into__isnull=True) | ~Q(merged_into=models.F("id")), name="thread_not_into_itself"
            ),
            models.CheckConstraint(
                condition=Q(disagree_since__isnull=True) | Q(reconciler__isnull=False, recheck_at__isnull=False),
                name="thread_disagreement_has_a_person",
            ),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def slug(self) -> str:
        return slug_of(self.title)

    @property
    def settles_it(self) -> User | None:
        """Who settles the disagreement, while they can: no page names somebody who has left (`for_listing` joins)."""
        person = self.reconciler
        can = person is not None and person.is_active and (person.speaks_for_brand or person.is_superuser)
        return person if can else None

    def get_absolute_url(self) -> str:
        return reverse("questions:thread", args=[self.pk, self.slug])

    @property
    def people_url(self) -> str:
        """Where one asks whom to mention."""
        return reverse("questions:people", args=[self.pk])

    @property
    def quote_head(self) -> str:
        return quote_head(self.author)

    def published_event(self) -> tuple[str, dict[str, Any]]:
        return "thread.posted", {"kind": self.kind, "product": self.product_id, "topic": self.topic_id}

    def mend_url(self) -> str:
        return reverse("questions:edit", args=[self.pk])

    def people_called(self) -> list[int]:
        return list(gates.called(self.body_source, self.author, self.source_format).values())

    def why_closed_to_words(self) -> str:
        if self.merged_into_id:
            return gettext("This thread was merged with another one.")
        if self.locked_at:
            return gettext("This thread is locked.")
        if self.closed_at:
            return gettext("This thread is closed.")
        return ""

    def why_not_restore(self) -> str:
        if self.merged_into_id:
            return gettext("This thread was merged with another one; what was said in it stands there.")
        return ""

    def why_author_cannot_delete(self) -> str:
        """What others built on stays: a thread with an answer that helped isn't its asker's alone."""
        others = self.answers.filter(visibility=self.Visibility.VISIBLE).exclude(author=self.author_id)
        if others.filter(Q(accepted_at__isnull=False) | Q(official_at__isnull=False) | Q(score__gt=0)).exists():
            return gettext("Others found an answer here, so it stays. You can edit it, or ask a moderator.")
        return ""

    @property
    def state_words(self) -> str:
        """How it stands, in a word or two: of an idea its status, of praise nothing while it just stands there."""
        if self.state not in (State.DUPLICATE, State.MERGED, State.CLOSED):
            if self.kind == Kind.IDEA:
                return str(IdeaStatus(self.idea_status or IdeaStatus.NEW).label)
            if self.kind == Kind.PRAISE:
                return ""
        return str(self.get_state_display())

    @property
    def is_idea(self) -> bool:
        return self.kind == Kind.IDEA

    def waits_for(self, user: Any) -> bool:
        """Whether it was asked for something that this person is to say."""
        return self.needs_info_since is not None and self.author_id == user.pk

    @property
    def asks_nothing(self) -> bool:
        """What others write beneath it are replies: there is nothing to answer."""
        return self.kind in (Kind.IDEA, Kind.PRAISE)

    @property
    def is_open(self) -> bool:
        """Takes answers and comments."""
        return not (self.locked_at or self.closed_at)

    @property
    def is_settled(self) -> bool:
        return self.solved_at is not None

    @property
    def needs_attention(self) -> bool:
        """The asker spoke last, and the matter isn't settled."""
        return (
            not self.is_settled
            and self.asker_spoke_at is not None
            and (self.replied_at is None or self.asker_spoke_at > self.replied_at)
        )


class Answer(Body, Moderated, Sourced):
    """An answer to a thread; chosen by the asker (accepted), spoken for a department (official), or both."""

    PAGE = 20  # of a thread with many

    thread = models.ForeignKey(Thread, on_delete=models.PROTECT, related_name="answers")
    moved_from = models.ForeignKey(
        Thread, null=True, blank=True, on_delete=models.PROTECT, related_name="+",
        help_text=_("The thread it was given in, when that was merged or split."),
    )  # fmt: skip
    moved_at = models.DateTimeField(null=True, blank=True)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="answers")
    model_version = models.CharField(_("version"), max_length=120, blank=True, default="")
    disclosure = models.CharField(_("your tie to the brand"), max_length=300, blank=True, default="")
    created_at = models.DateTimeField(default=clock.now)
    edited_at = models.DateTimeField(null=True, blank=True)
    edit_count = models.PositiveSmallIntegerField(default=0)

    accepted_at = models.DateTimeField(null=True, blank=True)
    accepted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    official_for = models.ForeignKey(
        Department, null=True, blank=True, on_delete=models.PROTECT, related_name="official_answers"
    )
    official_at = models.DateTimeField(null=True, blank=True)
    official_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    official_revision = models.PositiveIntegerField(null=True, blank=True)
    official_sources = models.JSONField(default=list, blank=True)
    recheck_on = models.DateField(null=True, blank=True, help_text=_("When staff look again whether it still holds."))
    no_longer_works_at = models.DateTimeField(null=True, blank=True)

    score = models.IntegerField(default=0)
    works_yes = models.PositiveIntegerField(default=0)
    works_no = models.PositiveIntegerField(default=0)
    works_by_version = models.JSONField(
        default=dict, blank=True, help_text=_("Version to how many say that it works, and that it does not.")
    )

    objects = AnswerQuerySet.as_manager()

    class Meta:
        permissions = [("answer_officially", "Can answer for a department and mark answers official")]
        indexes = [
            models.Index(fields=["thread", "-score", "created_at"], name="answer_thread"),
            models.Index(fields=["author", "-created_at"], name="answer_author"),
            models.Index(fields=["recheck_on"], condition=Q(recheck_on__isnull=False), name="answer_recheck"),
        ]
        constraints = [
            one_per_source("answer_one_per_source"),
            models.CheckConstraint(
                condition=Q(official_for__isnull=True) | Q(official_at__isnull=False, official_by__isnull=False),
                name="answer_official_by_somebody",
            ),
        ]

    def __str__(self) -> str:
        return f"answer {self.pk} to {self.thread_id}"

    def waits_for(self, user: Any) -> bool:
        return self.thread.waits_for(user)

    def get_absolute_url(self) -> str:
        """Its place in the thread; where that has several pages, the one it stands on is found by its number."""
        page = f"?answer={self.pk}" if self.thread.answer_count > self.PAGE else ""
        return f"{self.thread.get_absolute_url()}{page}#answer-{self.pk}"

    @property
    def people_url(self) -> str:
        return reverse("questions:people", args=[self.thread_id])

    @property
    def quote_head(self) -> str:
        return quote_head(self.author)

    def published_event(self) -> tuple[str, dict[str, Any]]:
        return "answer.posted", {
            "thread": self.thread_id,
            "by_asker": self.author_id == self.thread.author_id,
            "by_staff": self.author.speaks_for_brand,
        }

    def mend_url(self) -> str:
        return reverse("questions:edit_answer", args=[self.pk])

    def people_called(self) -> list[int]:
        return list(gates.called(self.body_source, self.author, self.source_format).values())

    def why_closed_to_words(self) -> str:
        return self.thread.why_closed_to_words()

    def why_not_restore(self) -> str:
        if hasattr(self, "became"):
            return gettext("Its words are the question of another thread now.")
        return ""

    @property
    def official_is_stale(self) -> bool:
        """Somebody edited it after a department put its name to it (RULINGS 16)."""
        return self.official_revision is not None and self.official_revision < self.edit_count + 1

    @property
    def is_accepted(self) -> bool:
        return self.accepted_at is not None

    @property
    def stands(self) -> bool:
        """Accepted, and it settles the thread as it is now: not before that was opened again, nor by the asker of
        another thread that was merged into it. `facts.standing` says the same of many rows."""
        if self.accepted_at is None:
            return False
        if self.thread.reopened_at and self.accepted_at <= self.thread.reopened_at:
            return False
        came_along = self.moved_at is not None and self.accepted_at <= self.moved_at
        return not came_along or self.accepted_by_id == self.thread.author_id

    @property
    def is_official(self) -> bool:
        return self.official_for_id is not None


class Judgement(models.IntegerChoices):
    UP = 1
    DOWN = -1


class ThreadVote(Vote):
    target = models.ForeignKey(Thread, on_delete=models.CASCADE, related_name="votes")
    value = models.SmallIntegerField(choices=Judgement)
    given_to = models.ForeignKey(
        Thread, null=True, blank=True, on_delete=models.CASCADE, related_name="+",
        help_text=_("The thread it was cast on, when that was merged: its points are that author's."),
    )  # fmt: skip

    class Meta:
        constraints = [
            *vote_constraints("thread_vote"),
            models.CheckConstraint(condition=Q(value__in=(1, -1)), name="thread_vote_up_or_down"),
        ]

    def __str__(self) -> str:
        return f"{self.value:+d} on thread {self.target_id}"


class IdeaStep(models.Model):
    """A status that staff gave an idea: when, who and why. The thread carries the last one."""

    thread = models.ForeignKey(Thread, on_delete=models.CASCADE, related_name="idea_steps")
    status = models.CharField(_("status"), max_length=20, choices=IdeaStatus)
    previous = models.CharField(max_length=20, choices=IdeaStatus, blank=True, default="")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(default=clock.now)
    reason = models.CharField(_("reason"), max_length=500, blank=True, default="")
    link = models.CharField(_("link"), max_length=500, blank=True, default="")

    class Meta:
        indexes = [models.Index(fields=["thread", "-at", "-id"], name="idea_step_thread")]

    def __str__(self) -> str:
        return f"idea {self.thread_id}: {self.status}"


class AnswerVote(Vote):
    target = models.ForeignKey(Answer, on_delete=models.CASCADE, related_name="votes")
    value = models.SmallIntegerField(choices=Judgement)

    class Meta:
        constraints = [
            *vote_constraints("answer_vote"),
            models.CheckConstraint(condition=Q(value__in=(1, -1)), name="answer_vote_up_or_down"),
        ]

    def __str__(self) -> str:
        return f"{self.value:+d} on answer {self.target_id}"


class MeToo(Vote):
    """Somebody has the same; apart from votes (FEATURES E)."""

    target = models.ForeignKey(Thread, on_delete=models.CASCADE, related_name="me_toos")

    class Meta:
        constraints = vote_constraints("me_too")

    def __str__(self) -> str:
        return f"me too on {self.target_id}"


class WorksForMine(Vote):
    """An owner says whether an answer works for theirs."""

    target = models.ForeignKey(Answer, on_delete=models.CASCADE, related_name="works")
    works = models.BooleanField()
    model_version = models.CharField(max_length=120, blank=True, default="")

    class Meta:
        constraints = vote_constraints("works_for_mine")

    def __str__(self) -> str:
        return f"{'works' if self.works else 'does not work'}: answer {self.target_id}"


class EditSuggestion(models.Model):
    """A change to a question or an answer that somebody proposes who may not make it (FEATURES E, F).

    Whole texts, not differences: what is read in the review is what will stand there.
    """

    class State(models.TextChoices):
        OPEN = "open", _("Waits for review")
        APPROVED = "approved", _("Taken over")
        REJECTED = "rejected", _("Not taken over")
        WITHDRAWN = "withdrawn", _("Taken back")

    thread = models.ForeignKey(Thread, on_delete=models.CASCADE, related_name="edit_suggestions")
    answer = models.ForeignKey(
        Answer, null=True, blank=True, on_delete=models.CASCADE, related_name="edit_suggestions",
        help_text=_("Empty when the question itself is meant."),
    )  # fmt: skip
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="edit_suggestions")
    base = models.PositiveIntegerField(help_text=_("The version it started from."))
    title = models.CharField(max_length=200, blank=True, default="")
    body_source = models.TextField()
    tags = models.CharField(max_length=300, blank=True, default="", help_text=_("With commas between them."))
    summary = models.CharField(_("what changes, and why"), max_length=300)
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    created_at = models.DateTimeField(default=clock.now)
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    reason = models.CharField(max_length=300, blank=True, default="")

    objects = EditSuggestionQuerySet.as_manager()

    class Meta:
        ordering = ["created_at", "id"]
        indexes = [models.Index(fields=["created_at"], condition=Q(state="open"), name="edit_suggestion_open")]
        constraints = [
            models.UniqueConstraint(
                fields=["author", "thread"],
                condition=Q(state="open", answer__isnull=True),
                name="edit_suggestion_once_a_thread",
            ),
            models.UniqueConstraint(
                fields=["author", "answer"], condition=Q(state="open"), name="edit_suggestion_once_an_answer"
            ),
        ]

    def __str__(self) -> str:
        return f"edit of {self.answer or self.thread} by {self.author}"

    def get_absolute_url(self) -> str:
        return reverse("questions:suggestion", args=[self.pk])

    @property
    def post(self) -> Thread | Answer:
        return self.answer or self.thread

    @property
    def is_open(self) -> bool:
        return self.state == self.State.OPEN


class Invitation(models.Model):
    """Somebody was invited to answer a thread: once, whoever else thinks of them (FEATURES E)."""

    thread = models.ForeignKey(Thread, on_delete=models.CASCADE, related_name="invitations")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="invitations")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["thread", "person"], name="invitation_once")]
        indexes = [models.Index(fields=["by", "created_at"], name="invitation_by")]

    def __str__(self) -> str:
        return f"{self.person} invited to {self.thread_id}"


class Split(models.Model):
    """What a moderator took out of one thread, and where it is now: in a thread made of it (then `answer` or `comment`
    is the post whose words are its question), or in one that was there (then neither).

    The post that became a question stays as a deleted row, with its votes and points; it can become one only.
    """

    thread = models.ForeignKey(Thread, on_delete=models.CASCADE, related_name="came_by")
    from_thread = models.ForeignKey(Thread, on_delete=models.PROTECT, related_name="splits")
    answer = models.OneToOneField(Answer, null=True, blank=True, on_delete=models.PROTECT, related_name="became")
    comment = models.OneToOneField(Comment, null=True, blank=True, on_delete=models.PROTECT, related_name="became")
    answers = models.JSONField(default=list, help_text=_("Ids of the answers that came along."))
    comments = models.JSONField(default=list, help_text=_("Ids of the comments that came along by themselves."))
    at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(answer__isnull=True) | Q(comment__isnull=True), name="split_question_is_one_post"
            ),
            models.UniqueConstraint(
                fields=["thread"],
                condition=Q(answer__isnull=False) | Q(comment__isnull=False),
                name="split_makes_a_thread_once",
            ),
            models.CheckConstraint(condition=~Q(thread=models.F("from_thread")), name="split_not_from_itself"),
        ]

    def __str__(self) -> str:
        return f"{self.thread_id} out of {self.from_thread_id}"

    @property
    def made_it(self) -> bool:
        """Whether the thread began with it."""
        return self.answer_id is not None or self.comment_id is not None

    @property
    def count(self) -> int:
        return len(self.answers) + len(self.comments) + self.made_it

    def places(self) -> list[tuple[str, str]]:
        """What stood in the old thread: its anchor there, and where it is read now."""
        thread = (self.thread.merged_into or self.thread).get_absolute_url()
        question = f"answer-{self.answer_id}" if self.answer_id else f"comment-{self.comment_id}"
        return [
            *([(question, thread)] if self.made_it else []),
            *((f"answer-{pk}", f"{thread}?answer={pk}#answer-{pk}") for pk in self.answers),
            *((f"comment-{pk}", reverse("posts:comment_place", args=[pk])) for pk in self.comments),
        ]


class PrivateDetails(models.Model):
    """Order, serial and the like: for the asker and staff, erased 90 days after the thread is solved (RULINGS 18)."""

    thread = models.OneToOneField(Thread, on_delete=models.CASCADE, related_name="private_details")
    order_number = models.CharField(_("order number"), max_length=80, blank=True, default="")
    serial = models.CharField(_("serial number"), max_length=80, blank=True, default="")
    phone = models.CharField(_("telephone"), max_length=40, blank=True, default="")
    call_when = models.CharField(_("when to ring you"), max_length=80, blank=True, default="")
    note = models.TextField(_("anything else"), max_length=1000, blank=True, default="")
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        verbose_name_plural = "private details"

    def __str__(self) -> str:
        return f"private details of thread {self.thread_id}"


class PrivateView(models.Model):
    """A member of staff looked at somebody's private details."""

    thread = models.ForeignKey(Thread, on_delete=models.CASCADE, related_name="private_views")
    viewer = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(default=clock.now)

    def __str__(self) -> str:
        return f"{self.viewer} at {self.at}"


class FollowUp(models.Model):
    """Three days after acceptance: still working? (FEATURES E)"""

    class Outcome(models.TextChoices):
        YES = "yes", _("Yes")
        WORKED_AT_FIRST = "worked_at_first", _("It worked at first")
        NO = "no", _("No")

    answer = models.OneToOneField(Answer, on_delete=models.CASCADE, related_name="follow_up")
    outcome = models.CharField(max_length=20, choices=Outcome)
    note = models.CharField(max_length=300, blank=True, default="")
    answered_at = models.DateTimeField(default=clock.now)

    def __str__(self) -> str:
        return f"{self.outcome} for answer {self.answer_id}"


class Seen(models.Model):
    """When somebody was last in a thread, and before that: what is new since. Written only when something new was
    there to see (docs/decisions/0107)."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    thread = models.ForeignKey(Thread, on_delete=models.CASCADE, related_name="seen")
    at = models.DateTimeField()
    before = models.DateTimeField(null=True, blank=True, help_text=_("The visit before this one."))

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "thread"], name="seen_once")]
        indexes = [models.Index(fields=["at"], name="seen_at")]

    def __str__(self) -> str:
        return f"{self.user_id} in {self.thread_id}"


class Readings(models.Model):
    """How often a thread was read on a day (UTC), before and after it was settled: what deflection is told from."""

    thread = models.ForeignKey(Thread, on_delete=models.CASCADE, related_name="readings")
    day = models.DateField()
    settled = models.BooleanField()
    times = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["day", "thread", "settled"], name="readings_once_a_day")]

    def __str__(self) -> str:
        return f"{self.times} readings of {self.thread_id} on {self.day}"


class SavedFilter(models.Model):
    """A list somebody comes back to, under a name: what stands in its address."""

    MOST = 20

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="saved_filters")
    name = models.CharField(_("name"), max_length=40)
    query = models.CharField(max_length=500)
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering = ["created_at", "id"]
        constraints = [models.UniqueConstraint(fields=["user", "name"], name="saved_filter_name_once")]

    def __str__(self) -> str:
        return self.name


class Reminder(models.Model):
    """The asker was asked once more whether an answer settled it. The number makes one impossible to send twice."""

    thread = models.ForeignKey(Thread, on_delete=models.CASCADE, related_name="reminders")
    number = models.PositiveSmallIntegerField()
    info = models.BooleanField(default=False, help_text="Of something that was asked for, not of an answer.")
    sent_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["thread", "number"], name="reminder_number_unique")]

    def __str__(self) -> str:
        return f"reminder {self.number} of thread {self.thread_id}"


class FollowUpRequest(models.Model):
    """That an asker is to be asked whether an accepted answer still works: one an answer, so one mail an answer."""

    answer = models.OneToOneField(Answer, on_delete=models.CASCADE, related_name="follow_up_request")
    due_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True, blank=True, help_text=_("When it was asked, or needed no asking."))
    asked = models.BooleanField(default=False)

    class Meta:
        indexes = [models.Index(fields=["due_at"], condition=Q(done_at__isnull=True), name="follow_up_due")]

    def __str__(self) -> str:
        return f"still working? answer {self.answer_id}"
