"""Reviews: one per person and product, with chapters over time; stars that nobody but their author can change."""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from community.accounts.models import Department
from community.core import clock
from community.core.models import Body, Sourced, Vote, one_per_source, vote_constraints
from community.moderation.models import Moderated
from products.models import Ownership, Product

from .querysets import ReviewQuerySet

STARS = [MinValueValidator(1), MaxValueValidator(5)]


class Disclosure(models.TextChoices):
    BOUGHT = "bought", _("I bought it")
    FREE = "free", _("It was given to me")
    PAID = "paid", _("I was paid for this review")
    EMPLOYEE = "employee", _("I work for the brand")
    FAMILY = "family", _("Somebody in my family works for the brand")


UNCOUNTED = (Disclosure.EMPLOYEE, Disclosure.FAMILY)


class RefusalCode(models.TextChoices):
    OFF_TOPIC = "off_topic", _("Off topic")
    PERSONAL_DATA = "personal_data", _("Personal data")
    PROFANITY = "profanity", _("Profanity")
    CONFLICT = "conflict_of_interest", _("Conflict of interest")
    COPIED = "copied", _("Copied from elsewhere")
    DUPLICATE = "duplicate", _("Second review by the same person")
    PROMOTION = "promotion", _("Advertising")
    NOT_EXPERIENCED = "not_experienced", _("No experience with the product")
    DELIVERY = "delivery_or_service", _("Not about the product, but about delivery or service")
    UNSAFE = "unsafe_advice", _("Advice that could hurt somebody")


def age_in_words(months: int) -> str:
    if months == 0:
        return str(_("First week"))
    if months < 36 or months % 12:
        return ngettext("%(n)d month", "%(n)d months", months) % {"n": months}
    return ngettext("%(n)d year", "%(n)d years", months // 12) % {"n": months // 12}


class Review(Body, Moderated, Sourced):
    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="reviews")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="reviews")
    stars = models.PositiveSmallIntegerField(_("stars"), validators=STARS)
    title = models.CharField(_("title"), max_length=150)
    did_well = models.TextField(_("what did we do well"), max_length=1000, blank=True, default="")
    could_be_better = models.TextField(_("what could be better"), max_length=1000, blank=True, default="")
    would_recommend = models.BooleanField(_("would you recommend it"), null=True, blank=True)
    secondary = models.JSONField(_("further ratings"), default=dict, blank=True)
    disclosure = models.CharField(_("how you came by it"), max_length=10, choices=Disclosure, default=Disclosure.BOUGHT)
    owned_months = models.PositiveSmallIntegerField(_("months you have owned it"), null=True, blank=True)
    verified = models.CharField(max_length=10, choices=Ownership.Verified, blank=True, default="")
    language = models.CharField(max_length=10, default="en")
    created_at = models.DateTimeField(default=clock.now)
    edited_at = models.DateTimeField(null=True, blank=True)
    due_at = models.DateTimeField(null=True, blank=True, help_text=_("Until when a moderator should have looked."))
    current_stars = models.PositiveSmallIntegerField(
        editable=False,
        validators=STARS,
        help_text=_("Stars of the newest chapter; these count (RULINGS 26)."),
    )
    still_in_use = models.BooleanField(
        null=True, editable=False, help_text=_("What the newest chapter says that says it; empty: none does.")
    )
    owned_last = models.PositiveSmallIntegerField(
        null=True,
        blank=True,
        editable=False,
        help_text=_("The most months of ownership that it or a chapter tells of; lists filter by it."),
    )
    photo_count = models.PositiveSmallIntegerField(default=0, editable=False)
    outcome = models.JSONField(
        default=dict,
        blank=True,
        editable=False,
        help_text=_("What came of the problem it tells of, where its author lets it be shown; written by bridges."),
    )
    helpful_yes = models.PositiveIntegerField(default=0)
    helpful_no = models.PositiveIntegerField(default=0)
    helpful_bound = models.FloatField(default=0, help_text=_("Wilson's lower bound of the share who found it helpful."))

    earlier = models.BooleanField(
        default=False,
        editable=False,
        help_text=_("Its author wrote a newer one, which counts; only imports bring several."),
    )
    looked_over_at = models.DateTimeField(
        null=True,
        blank=True,
        editable=False,
        help_text=_("When the program last looked for copies, bursts and the like; empty: it has to."),
    )
    scales = models.TextField(
        default="", editable=False, help_text=_("The further ratings, as its product counts them: “build5 noise4”.")
    )
    share = models.CharField(
        max_length=6,
        blank=True,
        default="",
        editable=False,
        help_text=_("What it adds to its product's numbers now (reviews/ratings.py)."),
    )

    objects = ReviewQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["product", "author"],
                condition=Q(source="") & ~Q(visibility="deleted"),
                name="review_one_per_person",
            ),
            models.CheckConstraint(condition=Q(stars__range=(1, 5), current_stars__range=(1, 5)), name="review_stars"),
            one_per_source("review_one_per_source"),
        ]
        indexes = [
            # One for each order, of a product's reviews and of all; lists page through them by keyset (decision 0151).
            *(
                models.Index(fields=[*of, *order], condition=Q(visibility="visible"), name=f"review_{name}{short}")
                for of, short in ((["product"], ""), ([], "_all"))
                for name, order in (
                    ("helpful", ["-helpful_bound", "-created_at", "-id"]),
                    ("newest", ["-created_at", "-id"]),
                    ("highest", ["-current_stars", "-created_at", "-id"]),
                    ("lowest", ["current_stars", "-created_at", "-id"]),
                )
            ),
            models.Index(
                fields=["product", "-created_at", "-id"],
                condition=Q(visibility="visible", photo_count__gt=0),
                name="review_photos",
            ),
            models.Index(fields=["author", "-created_at"], name="review_author"),
            models.Index(fields=["id"], condition=Q(looked_over_at=None), name="review_to_look_over"),
            models.Index(fields=["current_stars"], condition=Q(share="0"), name="review_not_averaged"),
        ]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return reverse("reviews:review", args=[self.pk])

    def published_event(self) -> tuple[str, dict[str, Any]]:
        return "review.published", {"product": self.product_id, "stars": self.current_stars}

    @property
    def is_counted_kind(self) -> bool:
        return self.disclosure not in UNCOUNTED

    @property
    def counts(self) -> bool:
        """Employees' and families' reviews are shown, not averaged (RULINGS 26), and so are earlier ones."""
        return self.is_visible and self.is_counted_kind and not self.earlier

    @property
    def last_words_at(self) -> datetime:
        """When its author last took a look: the newest chapter, or the review itself."""
        return max([self.created_at, *(chapter.created_at for chapter in self.chapters.all())])


class Chapter(Body):
    """A later look at the same thing; the stars here are the author's new opinion."""

    review = models.ForeignKey(Review, on_delete=models.CASCADE, related_name="chapters")
    stars = models.PositiveSmallIntegerField(_("stars"), validators=STARS)
    months_owned = models.PositiveSmallIntegerField(_("after how many months"), default=0)
    label = models.CharField(max_length=40, blank=True, default="")
    still_in_use = models.BooleanField(_("do you still use it"), null=True, blank=True)
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering = ["created_at", "id"]
        constraints = [
            models.CheckConstraint(condition=Q(stars__range=(1, 5)), name="chapter_stars"),
            # One look at one age of the thing: a second press of the button adds nothing.
            models.UniqueConstraint(fields=["review", "months_owned"], name="chapter_one_per_age"),
        ]

    @property
    def seen_with(self) -> Review:
        """Whoever may see this one may see the pictures in its words."""
        return self.review

    def __str__(self) -> str:
        return f"{self.age} of review {self.review_id}"

    @property
    def age(self) -> str:
        """How old the thing was, in words."""
        return self.label or age_in_words(self.months_owned)


class HelpfulVote(Vote):
    target = models.ForeignKey(Review, on_delete=models.CASCADE, related_name="helpful_votes")
    helpful = models.BooleanField()

    class Meta:
        constraints = vote_constraints("helpful")

    def __str__(self) -> str:
        return f"{'helpful' if self.helpful else 'not helpful'}: review {self.target_id}"


class BrandResponse(Body):
    """What a department says under a review: one per department, edited in sight."""

    review = models.ForeignKey(Review, on_delete=models.CASCADE, related_name="responses")
    department = models.ForeignKey(Department, on_delete=models.PROTECT, related_name="review_responses")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(default=clock.now)
    edited_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["created_at"]
        constraints = [models.UniqueConstraint(fields=["review", "department"], name="response_one_per_department")]

    @property
    def seen_with(self) -> Review:
        """Whoever may see this one may see the pictures in its words."""
        return self.review

    def __str__(self) -> str:
        return f"{self.department} on review {self.review_id}"


class Refusal(models.Model):
    """A review went back to its author: with a code, the passage marked, and by whom."""

    review = models.ForeignKey(Review, on_delete=models.CASCADE, related_name="refusals")
    code = models.CharField(_("code"), max_length=30, choices=RefusalCode)
    passage = models.TextField(_("passage"))
    note = models.TextField(_("note to the author"), blank=True, default="")
    stars = models.PositiveSmallIntegerField(help_text=_("The stars at that time; for the public totals."))
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(default=clock.now)
    resubmitted_at = models.DateTimeField(null=True, blank=True)
    appeal = models.TextField(_("why it should stay"), max_length=2000, blank=True, default="")
    appealed_at = models.DateTimeField(null=True, blank=True)
    granted = models.BooleanField(
        null=True, blank=True, help_text=_("What somebody else made of the appeal; empty: not decided, or none.")
    )

    class Meta:
        ordering = ["at", "id"]
        indexes = [
            models.Index(fields=["review", "resubmitted_at"], name="refusal_open"),
            # The public totals are read from these alone.
            models.Index(fields=["code", "stars"], name="refusal_totals"),
            models.Index(fields=["granted"], condition=Q(appealed_at__isnull=False), name="refusal_appeals"),
        ]

    def __str__(self) -> str:
        return f"{self.code}: review {self.review_id}"


class Hint(models.Model):
    """Something a moderator may want to look at: found by a program, which never decides anything."""

    class Kind(models.TextChoices):
        REPEATED = "repeated", _("The author's own words, again")
        COPIED = "copied", _("Words of another review")
        BURST = "burst", _("Many reviews at once")
        DEVICE = "device", _("Same device as another author")
        MACHINE = "machine", _("Reads as if a machine wrote it")

    review = models.ForeignKey(Review, on_delete=models.CASCADE, related_name="hints")
    kind = models.CharField(max_length=10, choices=Kind)
    data = models.JSONField(default=dict, blank=True, help_text=_("Numbers and ids the reason is made of."))
    at = models.DateTimeField(default=clock.now)
    settled_at = models.DateTimeField(null=True, blank=True)
    settled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        ordering = ["at", "id"]
        constraints = [models.UniqueConstraint(fields=["review", "kind"], name="hint_one_of_a_kind")]
        indexes = [models.Index(fields=["at"], condition=Q(settled_at=None), name="hint_open")]

    def __str__(self) -> str:
        return f"{self.kind}: review {self.review_id}"


class TextMark(models.Model):
    """A number that a text shares with its copies (reviews/signs.py)."""

    review = models.ForeignKey(Review, on_delete=models.CASCADE, related_name="text_marks")
    mark = models.BigIntegerField(db_index=True)

    def __str__(self) -> str:
        return f"mark of review {self.review_id}"


class DeviceTrace(models.Model):
    """From what kind of device at which address a review was sent, as a keyed hash; erased after 30 days."""

    review = models.OneToOneField(Review, on_delete=models.CASCADE, related_name="device")
    digest = models.CharField(max_length=32, db_index=True)
    at = models.DateTimeField(default=clock.now, db_index=True)

    def __str__(self) -> str:
        return f"device of review {self.review_id}"


class RequestMail(models.Model):
    """One time that somebody was asked for reviews, of up to five things (reviews/asking.py)."""

    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    at = models.DateTimeField(default=clock.now)

    class Meta:
        indexes = [models.Index(fields=["person", "at"], name="request_mail_person")]

    def __str__(self) -> str:
        return f"request {self.pk}"

    def get_absolute_url(self) -> str:
        return reverse("shelf:shelf")


class ReviewRequest(models.Model):
    """Whether somebody was asked what they think of something they bought, and what came of it. One a purchase."""

    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="review_requests")
    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="+")
    bought_on = models.DateField()
    due_at = models.DateTimeField(null=True, blank=True, help_text=_("When to look again; empty: never."))
    asked_in = models.ForeignKey(
        RequestMail, null=True, blank=True, on_delete=models.SET_NULL, related_name="first_asked"
    )
    reminded_in = models.ForeignKey(
        RequestMail, null=True, blank=True, on_delete=models.SET_NULL, related_name="reminded"
    )
    opened_at = models.DateTimeField(null=True, blank=True)
    opened_stars = models.PositiveSmallIntegerField(null=True, blank=True)
    reviewed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["person", "product"], name="review_request_unique")]
        indexes = [
            models.Index(fields=["due_at"], condition=Q(due_at__isnull=False), name="review_request_due"),
        ]

    def __str__(self) -> str:
        return f"{self.person_id} about {self.product}"
