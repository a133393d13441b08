"""Shared ground: what every room stands on, and nothing that knows what it is used for."""

import uuid

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from wagtail.contrib.settings.models import BaseGenericSetting, BaseSiteSetting, register_setting
from wagtail.images.models import AbstractImage, AbstractRendition, Image

from . import clock
from .colours import check_accents


class Body(models.Model):
    """A text a person wrote: its source, and the safe HTML and plain text made of it once, on write."""

    class Format(models.TextChoices):
        MARKDOWN = "markdown", _("Markdown")
        HTML = "html", _("HTML of an imported site")
        PLAIN = "plain", _("Plain text")

    body_source = models.TextField(_("text"))
    source_format = models.CharField(max_length=10, choices=Format, default=Format.MARKDOWN)
    body_html = models.TextField(editable=False)
    body_text = models.TextField(editable=False)
    pipeline = models.PositiveSmallIntegerField(editable=False, default=0)

    class Meta:
        abstract = True


class Sourced(models.Model):
    """Where a thing came from when it was not written here: site, id there, address, licence."""

    source = models.CharField(max_length=80, blank=True, default="", help_text=_("Site it was imported from."))
    external_id = models.CharField(max_length=80, blank=True, default="")
    source_url = models.URLField(max_length=500, blank=True, default="")
    licence = models.CharField(max_length=40, blank=True, default="")

    class Meta:
        abstract = True

    @property
    def is_imported(self) -> bool:
        return bool(self.source)


def one_per_source(name: str) -> models.UniqueConstraint:
    """The constraint that makes importing twice harmless; put it into a Sourced model's Meta."""
    return models.UniqueConstraint(fields=["source", "external_id"], condition=~Q(source=""), name=name)


class Vote(models.Model):
    """One judgement on one thing (RULINGS 21): by a voter here, or a dated row without one from a source.

    A concrete vote adds `target` (a foreign key) and `vote_constraints("label")` in its Meta.
    """

    voter = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.CASCADE, related_name="+"
    )
    source = models.CharField(max_length=80, blank=True, default="")
    external_id = models.CharField(max_length=80, blank=True, default="")
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        abstract = True


def vote_constraints(name: str, target: str = "target") -> list[models.BaseConstraint]:
    """One vote per person and thing, one row per row of a source, and a voter or a source but never both."""
    return [
        models.UniqueConstraint(
            fields=["voter", target], condition=Q(voter__isnull=False), name=f"{name}_one_per_person"
        ),
        models.UniqueConstraint(
            fields=[target, "source", "external_id"],
            condition=Q(voter__isnull=True),
            name=f"{name}_one_per_source",
        ),
        models.CheckConstraint(
            condition=Q(voter__isnull=False, source="") | (Q(voter__isnull=True) & ~Q(source="")),
            name=f"{name}_voter_or_source",
        ),
    ]


class Delivery(models.Model):
    """One message on its way to one person or address. The row is the truth; the queue only nudges."""

    class State(models.TextChoices):
        QUEUED = "queued", _("waiting")
        SENDING = "sending", _("being sent")
        SENT = "sent", _("sent")
        DROPPED = "dropped", _("not wanted any more")
        PARKED = "parked", _("given up, needs a look")

    class Channel(models.TextChoices):
        MAIL = "mail", _("E-mail")
        PUSH = "push", _("Web push")

    key = models.CharField(
        max_length=200,
        unique=True,
        default=uuid.uuid4,
        help_text=_("Makes the same message impossible to queue twice."),
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.CASCADE, related_name="deliveries"
    )
    address = models.EmailField(blank=True, default="", help_text=_("When it goes to somebody without an account."))
    channel = models.CharField(max_length=10, choices=Channel, default=Channel.MAIL)
    kind = models.CharField(max_length=60, default="transactional")
    subject = models.CharField(max_length=255)
    body_text = models.TextField()
    body_html = models.TextField(blank=True, default="")
    headers = models.JSONField(default=dict, blank=True)
    data = models.JSONField(default=dict, blank=True, help_text=_("Ids the checker of this kind needs at sending."))
    state = models.CharField(max_length=10, choices=State, default=State.QUEUED)
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField(default=clock.now)
    claimed_at = models.DateTimeField(null=True, blank=True)
    claim = models.UUIDField(null=True, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    last_error = models.CharField(max_length=300, blank=True, default="")
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        verbose_name_plural = "deliveries"
        indexes = [
            models.Index(fields=["state", "due_at"], name="delivery_due"),
            models.Index(fields=["user", "created_at"], name="delivery_user"),
        ]

    def __str__(self) -> str:
        return f"{self.channel} to {self.user_id or self.address}: {self.subject}"


class RateLimit(models.Model):
    """How often somebody did something in the running window; shared by every process."""

    key = models.CharField(max_length=160, unique=True)
    count = models.PositiveIntegerField(default=0)
    window_start = models.DateTimeField()
    expires_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"{self.key}: {self.count}"


class Tick(models.Model):
    """When a periodic sweep is due next; claimed by a conditional update, so two workers run it once."""

    name = models.CharField(max_length=80, unique=True)
    next_at = models.DateTimeField()
    last_started_at = models.DateTimeField(null=True, blank=True)
    last_finished_at = models.DateTimeField(null=True, blank=True)
    last_error = models.CharField(max_length=300, blank=True, default="")

    def __str__(self) -> str:
        return self.name


class CommunityImage(AbstractImage):
    """An editor's picture. Alt text is asked for; the caption is shown under it."""

    alt = models.CharField(
        _("alt text"), max_length=300, blank=True, help_text=_("What the picture shows, in a sentence.")
    )
    caption = models.CharField(_("caption"), max_length=300, blank=True)

    admin_form_fields = (*Image.admin_form_fields, "alt", "caption")

    @property
    def default_alt_text(self) -> str:
        return self.alt or self.title


class CommunityRendition(AbstractRendition):
    image = models.ForeignKey(CommunityImage, on_delete=models.CASCADE, related_name="renditions")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["image", "filter_spec", "focal_point_key"], name="rendition_unique")
        ]


hex_colour = RegexValidator(r"^#[0-9a-fA-F]{6}$", _("A colour like #79491f."))


@register_setting(icon="pick")
class BrandSettings(BaseSiteSetting):
    """The brand's name, logo and accents. The rest of the look is the house's (RULINGS 35)."""

    name = models.CharField(_("brand name"), max_length=60, default="Community")
    community_name = models.CharField(_("name of the community"), max_length=80, default="Community")
    tagline = models.CharField(_("tagline"), max_length=120, blank=True, default="")
    makes = models.CharField(_("what you make"), max_length=200, blank=True, default="")
    logo = models.ForeignKey(
        CommunityImage,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        verbose_name=_("logo"),
    )
    accent = models.CharField(
        _("accent on light"),
        max_length=7,
        default="#79491f",
        validators=[hex_colour],
        help_text=_("Logo, official answers. Needs a contrast of 4.5 to 1 on the paper colour."),
    )
    accent_dark = models.CharField(_("accent on dark"), max_length=7, default="#dcae80", validators=[hex_colour])
    time_zone = models.CharField(_("time zone shown to visitors"), max_length=60, default="Europe/Berlin")
    contact = models.EmailField(_("contact address"), blank=True, default="")

    class Meta:
        verbose_name = _("Brand")

    def clean(self) -> None:
        check_accents(self.accent, self.accent_dark)


@register_setting(icon="cog")
class Numbers(BaseGenericSetting):
    """Every number a community manager may want to turn, in one place. Sources: FEATURES.md, section in brackets."""

    one_answer_per_person = models.BooleanField(_("one answer per person and thread"), default=True, help_text="[E]")
    review_first_posts = models.BooleanField(
        _("look at a newcomer's first post before it is shown"), default=False, help_text="[H]"
    )
    review_moderation = models.BooleanField(
        _("look at every review before it is shown"),
        default=False,
        help_text=_("[C] within 72 business hours"),
    )
    member_flags_to_hide = models.PositiveSmallIntegerField(_("flags by members that hide a post"), default=3)
    regular_flags_to_hide = models.PositiveSmallIntegerField(_("flags by regulars that hide a post"), default=2)
    staff_accept_after_days = models.PositiveSmallIntegerField(
        _("days of silence after which staff may accept for the asker"), default=7
    )
    remind_after_hours = models.PositiveSmallIntegerField(
        _("hours between reminders to an asker who got an answer"), default=72, help_text="[E]"
    )
    reminders = models.PositiveSmallIntegerField(
        _("reminders to say whether an answer settled it"), default=5, help_text="[E]"
    )
    newcomer_links = models.PositiveSmallIntegerField(_("links in a newcomer's post"), default=2)
    newcomer_mentions = models.PositiveSmallIntegerField(_("mentions in a newcomer's post"), default=2)
    mentions = models.PositiveSmallIntegerField(_("mentions in a post"), default=10)
    newcomer_images = models.PositiveSmallIntegerField(_("pictures in a newcomer's post"), default=1)
    newcomer_replies_per_thread = models.PositiveSmallIntegerField(_("newcomer's replies in a thread"), default=3)
    newcomer_threads_first_day = models.PositiveSmallIntegerField(_("threads on a newcomer's first day"), default=3)
    newcomer_replies_first_day = models.PositiveSmallIntegerField(_("replies on a newcomer's first day"), default=10)
    votes_newcomer = models.PositiveSmallIntegerField(_("newcomer's votes a day"), default=10, help_text="[E]")
    votes_member = models.PositiveSmallIntegerField(_("member's votes a day"), default=30, help_text="[E, SO]")
    votes_regular = models.PositiveSmallIntegerField(_("regular's votes a day"), default=45, help_text="[E]")
    votes_leader = models.PositiveSmallIntegerField(_("leader's votes a day"), default=60, help_text="[E]")
    open_edit_suggestions = models.PositiveSmallIntegerField(
        _("suggested edits of one person that wait for review"), default=5, help_text="[E, SO]"
    )
    invitations_a_day = models.PositiveSmallIntegerField(
        _("people one may invite to answer a day"), default=5, help_text="[E]"
    )
    invitations_a_thread = models.PositiveSmallIntegerField(
        _("people invited to answer one thread"), default=10, help_text="[E]"
    )
    idea_votes_newcomer = models.PositiveSmallIntegerField(
        _("votes of a newcomer on open ideas"), default=2, help_text=_("[E] A vote comes back when the idea is closed.")
    )
    idea_votes_member = models.PositiveSmallIntegerField(_("votes of a member on open ideas"), default=4)
    idea_votes_regular = models.PositiveSmallIntegerField(_("votes of a regular on open ideas"), default=6)
    idea_votes_leader = models.PositiveSmallIntegerField(_("votes of a leader on open ideas"), default=10)
    daily_reputation_cap = models.PositiveSmallIntegerField(_("reputation a day"), default=200, help_text="[F]")
    advocates_asked = models.PositiveSmallIntegerField(_("advocates asked per question"), default=3, help_text="[F]")
    asks_per_advocate_a_week = models.PositiveSmallIntegerField(_("asks per advocate a week"), default=5)
    review_requests = models.BooleanField(
        _("ask owners for a review by mail"),
        default=True,
        help_text=_("[C] Members only, never somebody who is no member (decision 0147)."),
    )
    review_request_after_days = models.PositiveSmallIntegerField(
        _("days after the purchase until an owner is asked for a review"), default=14, help_text="[C]"
    )
    review_request_latest_days = models.PositiveSmallIntegerField(
        _("days after the purchase by which the mail has gone, so that a second purchase may join it"),
        default=21,
        help_text="[C]",
    )
    review_request_end_days = models.PositiveSmallIntegerField(
        _("days after the purchase from which nobody is asked any more"), default=180, help_text="[C]"
    )
    review_request_products = models.PositiveSmallIntegerField(
        _("products in one mail that asks for reviews"), default=5, help_text="[C]"
    )
    review_request_reminder_days = models.PositiveSmallIntegerField(
        _("days until the one reminder of a request for a review"), default=7, help_text="[C]"
    )
    review_request_mails = models.PositiveSmallIntegerField(
        _("mails in 30 days that ask a person for reviews"), default=5, help_text="[C]"
    )
    orders_kept_days = models.PositiveSmallIntegerField(
        _("days an imported order waits for its buyer to join"), default=365, help_text=_("Then it is erased.")
    )
    contacts_per_hundred_readers = models.PositiveSmallIntegerField(
        _("of a hundred readers of an answer, how many would have written to you"),
        default=5,
        help_text=_("An assumption, printed in every letter to an advocate. [F]"),
    )
    mails_a_day = models.PositiveSmallIntegerField(_("mails a person a day"), default=100, help_text="[I]")
    claim_seconds = models.PositiveIntegerField(
        _("seconds an agent has a case to answer it alone"), default=600, help_text="[G]"
    )

    MOST_ASKED = 3  # a question is offered to so many at most, whatever the settings say [F]

    class Meta:
        verbose_name = _("Numbers")

    def clean(self) -> None:
        if self.advocates_asked > self.MOST_ASKED:
            said = _("At most %(n)d: a question is not passed round.") % {"n": self.MOST_ASKED}
            raise ValidationError({"advocates_asked": said})

    @property
    def asked_at_most(self) -> int:
        """How many advocates a question is offered to."""
        return min(self.MOST_ASKED, self.advocates_asked)
