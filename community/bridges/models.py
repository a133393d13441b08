"""What ties neighbours: a review and the thread that deals with it; a change and those who asked for it (RULINGS 1)."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from community.accounts.models import Department
from community.core import clock
from community.core.models import Body, Vote, vote_constraints
from community.questions.models import Thread
from products.models import Product
from reviews.models import Review

from .querysets import ReleaseQuerySet


class Bridge(models.Model):
    """An offer to deal with what a review says in a thread, and what its author made of it."""

    class Kind(models.TextChoices):
        DELIVERY = "delivery", _("Not about the product: it becomes a thread")
        FIX = "fix", _("Let us fix this: the review stays")

    class State(models.TextChoices):
        OFFERED = "offered", _("Waits for the author")
        AGREED = "agreed", _("There is a thread")
        DECLINED = "declined", _("The author said no")

    review = models.ForeignKey(Review, on_delete=models.CASCADE, related_name="bridges")
    thread = models.ForeignKey(
        Thread, null=True, blank=True, on_delete=models.PROTECT, related_name="bridges",
        help_text=_("With an offer: an open thread about the same. Once agreed: the one that deals with it."),
    )  # fmt: skip
    kind = models.CharField(max_length=10, choices=Kind)
    state = models.CharField(max_length=10, choices=State, default=State.OFFERED)
    joined = models.BooleanField(default=False, help_text=_("The thread was there before."))
    department = models.ForeignKey(
        Department, null=True, blank=True, on_delete=models.PROTECT, related_name="+", help_text=_("Who deals with it.")
    )
    passage = models.TextField(blank=True, default="", help_text=_("The words that are not about the product."))
    note = models.TextField(_("note to the author"), max_length=2000, blank=True, default="")
    offered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+",
        help_text=_("Empty when the author asked for it."),
    )  # fmt: skip
    offered_at = models.DateTimeField(default=clock.now)
    decided_at = models.DateTimeField(null=True, blank=True)
    show_outcome = models.BooleanField(
        default=False, help_text=_("Its author lets the review say what came of the problem.")
    )

    class Meta:
        ordering = ["offered_at", "id"]
        constraints = [
            models.UniqueConstraint(fields=["review"], condition=~Q(state="declined"), name="bridge_one_per_review"),
            models.CheckConstraint(condition=~Q(state="agreed") | Q(thread__isnull=False), name="bridge_has_a_thread"),
        ]

    def __str__(self) -> str:
        return f"{self.kind}: review {self.review_id}"


class ReleaseNote(Body):
    """What changed in a product because somebody asked for it: you said, we did."""

    product = models.ForeignKey(
        Product, on_delete=models.PROTECT, related_name="release_notes", verbose_name=_("product")
    )
    title = models.CharField(_("title"), max_length=150)
    version = models.CharField(
        _("version"), max_length=120, blank=True, default="", help_text=_("Which series or firmware has it.")
    )
    you_said = models.CharField(_("you said"), max_length=300, help_text=_("In the words of those who asked."))
    we_did = models.CharField(_("we did"), max_length=300, help_text=_("In one or two sentences."))
    language = models.CharField(max_length=10, blank=True, default="", editable=False)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", editable=False)
    published_at = models.DateTimeField(default=clock.now, editable=False)
    asked_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text=_("When those who asked were asked whether it helped.")
    )
    asked_count = models.PositiveIntegerField(default=0, editable=False, help_text=_("How many were."))
    finding = models.CharField(
        _("what we learned from it"), max_length=300, blank=True, default="",
        help_text=_("Shown beside the numbers, sixty days later."),
    )  # fmt: skip

    objects = ReleaseQuerySet.as_manager()

    class Meta:
        ordering = ["-published_at", "-id"]
        indexes = [
            models.Index(fields=["product", "-published_at"], name="release_product"),
            models.Index(fields=["published_at"], condition=Q(asked_at__isnull=True), name="release_not_asked"),
        ]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return reverse("changes:note", args=[self.product.slug, self.pk])


class ReleaseTie(models.Model):
    """A thread or a review that asked for a change."""

    note = models.ForeignKey(ReleaseNote, on_delete=models.CASCADE, related_name="ties")
    thread = models.ForeignKey(Thread, null=True, blank=True, on_delete=models.CASCADE, related_name="release_ties")
    review = models.ForeignKey(Review, null=True, blank=True, on_delete=models.CASCADE, related_name="release_ties")

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(thread__isnull=False, review__isnull=True) | Q(thread__isnull=True, review__isnull=False),
                name="release_tie_to_one",
            ),
            models.UniqueConstraint(fields=["note", "thread"], name="release_thread_once"),
            models.UniqueConstraint(fields=["note", "review"], name="release_review_once"),
        ]

    def __str__(self) -> str:
        return f"{self.note_id}: {'thread' if self.thread_id else 'review'} {self.thread_id or self.review_id}"


class ReleaseHelp(Vote):
    """Whether a change helped somebody who had asked for it; or a dated row of a source (RULINGS 21)."""

    class Said(models.TextChoices):
        YES = "yes", _("Yes")
        PARTLY = "partly", _("Partly")
        NO = "no", _("No")

    target = models.ForeignKey(ReleaseNote, on_delete=models.CASCADE, related_name="helps")
    said = models.CharField(max_length=10, choices=Said)

    class Meta:
        constraints = vote_constraints("release_help")

    def __str__(self) -> str:
        return f"{self.said} on {self.target_id}"
