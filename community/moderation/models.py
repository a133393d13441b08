"""States of whatever members publish, and the flags that question it."""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.contenttypes.fields import GenericForeignKey
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from wagtail.admin.panels import FieldPanel, MultiFieldPanel
from wagtail.contrib.settings.models import BaseGenericSetting, register_setting

from community.accounts.models import TrustLevel
from community.core import clock


class Moderated(models.Model):
    """Whether a thing may be seen, by whom, and why not (RULINGS 14)."""

    class Visibility(models.TextChoices):
        DRAFT = "draft", _("Draft")
        PENDING = "pending", _("Waits for a look")
        VISIBLE = "visible", _("Visible")
        HIDDEN = "hidden", _("Hidden")
        DELETED = "deleted", _("Deleted")

    visibility = models.CharField(max_length=10, choices=Visibility, default=Visibility.VISIBLE)
    published_at = models.DateTimeField(null=True, blank=True, help_text=_("First time it was public."))
    hidden_reason = models.CharField(max_length=300, blank=True, default="")
    hidden_at = models.DateTimeField(null=True, blank=True)
    hidden_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        abstract = True

    # The name of the relation to what stands for others, e.g. the threads that were merged into a thread.
    instead_of = ""

    def published_event(self) -> tuple[str, dict[str, Any]]:
        """Kind and data of the event that says it went online; a concrete model gives its own."""
        raise NotImplementedError

    def mend_url(self) -> str:
        """Where its author changes it; empty when it can't be changed."""
        return ""

    def people_called(self) -> list[int]:
        """Ids of the people its words mention: who hear of it when it goes online after a look."""
        return []

    def why_closed_to_words(self) -> str:
        """Why nobody can comment or answer here now; empty when they can."""
        return ""

    def is_news_to(self, user: Any, since: datetime | None) -> bool:
        """Whether it came after a moment, by somebody else: written, let through, or brought by a merge."""
        if since is None or self.author_id == user.pk or not self.is_visible:  # type: ignore[attr-defined]
            return False
        came_at = getattr(self, "moved_at", None) or self.published_at or self.created_at  # type: ignore[attr-defined]
        return bool(came_at > since)

    @property
    def noun(self) -> str:
        """The word that begins the kinds of its events, and stands for it in addresses."""
        return str(self._meta.model_name)

    @property
    def is_visible(self) -> bool:
        return self.visibility == self.Visibility.VISIBLE

    @property
    def is_gone(self) -> bool:
        """Once public and deleted: 410, not 404."""
        return self.visibility == self.Visibility.DELETED and self.published_at is not None


class Flag(models.Model):
    """Somebody says that a post should be looked at. Its author never learns who."""

    class Reason(models.TextChoices):
        SPAM = "spam", _("Spam")
        RUDE = "rude", _("Rude or hurtful")
        PERSONAL_DATA = "personal_data", _("Personal data")
        OFF_TOPIC = "off_topic", _("Off topic")
        WRONG_PRODUCT = "wrong_product", _("Wrong product")
        DUPLICATE = "duplicate", _("Asked before")
        OUTDATED = "outdated", _("Outdated")
        ILLEGAL = "illegal", _("Illegal")
        OTHER = "other", _("Something else")

    class State(models.TextChoices):
        OPEN = "open", _("Open")
        UPHELD = "upheld", _("Agreed")
        DECLINED = "declined", _("Not agreed")

    target_type = models.ForeignKey(ContentType, on_delete=models.CASCADE, related_name="+")
    target_id = models.BigIntegerField()
    target = GenericForeignKey("target_type", "target_id")
    reporter = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="flags_raised")
    reason = models.CharField(_("reason"), max_length=20, choices=Reason)
    note = models.CharField(_("note"), max_length=500, blank=True, default="")
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    created_at = models.DateTimeField(default=clock.now)
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    alarmed_at = models.DateTimeField(null=True, blank=True, help_text=_("When moderators were told that it waits."))

    class Meta:
        permissions = [("moderate", "Can hide, restore, move and lock what members write")]
        constraints = [
            models.UniqueConstraint(fields=["reporter", "target_type", "target_id"], name="flag_one_per_person")
        ]
        indexes = [
            models.Index(fields=["state", "created_at"], name="flag_open"),
            models.Index(fields=["target_type", "target_id"], name="flag_target"),
        ]

    def __str__(self) -> str:
        return f"{self.get_reason_display()} on {self.target_type}#{self.target_id}"


class ProfileReport(models.Model):
    """Somebody says that a person's page should be looked at: its picture, name or words. They never learn who.

    Not a flag: a page of a person is not hidden by a crowd.
    """

    class Reason(models.TextChoices):
        PICTURE = "picture", _("The picture")
        NAME = "name", _("The name")
        WORDS = "words", _("What the page says")
        POSING = "posing", _("Pretends to be somebody else")

    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="reports")
    reporter = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    reason = models.CharField(_("reason"), max_length=20, choices=Reason)
    note = models.CharField(_("note"), max_length=500, blank=True, default="")
    created_at = models.DateTimeField(default=clock.now)
    settled_at = models.DateTimeField(null=True, blank=True)
    settled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    upheld = models.BooleanField(null=True, blank=True)
    alarmed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["created_at", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["person", "reporter"], condition=models.Q(settled_at=None), name="profile_report_one_open"
            )
        ]
        indexes = [models.Index(fields=["created_at"], condition=models.Q(settled_at=None), name="profile_report_open")]

    def __str__(self) -> str:
        return f"{self.get_reason_display()} of person {self.person_id}"


class AboutPost(models.Model):
    """Hangs on a post of any kind."""

    target_type = models.ForeignKey(ContentType, on_delete=models.CASCADE, related_name="+")
    target_id = models.BigIntegerField()
    target = GenericForeignKey("target_type", "target_id")

    class Meta:
        abstract = True


class Look(AboutPost):
    """A rule asks a moderator to look at a post: before others see it (`held`), or while they do."""

    class Reason(models.TextChoices):
        FIRST = "first", _("One of the first posts")
        QUICK = "quick", _("Sent very fast")
        TRAP = "trap", _("The field for robots was filled in")
        WORD = "word", _("A watched word")
        LINKS = "links", _("Several links to one place")
        MASKED = "masked", _("A link that looks like another address")
        LETTERS = "letters", _("Letters of several alphabets in one word")
        COPIES = "copies", _("The same text by several people")
        PROGRAM = "program", _("The spam filter")
        MENDED = "mended", _("Changed after it was hidden")

    reasons = models.JSONField(default=list, help_text="['word', 'quick']")
    details = models.JSONField(default=dict, help_text="{'words': [3], 'score': 0.98, 'hosts': ['example.org']}")
    held = models.BooleanField(default=True)
    created_at = models.DateTimeField(default=clock.now)
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    kept = models.BooleanField(null=True, help_text=_("What a moderator made of it: shown, or taken away."))
    alarmed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["target_type", "target_id"], condition=Q(decided_at=None), name="look_one_open"
            )
        ]
        indexes = [
            models.Index(fields=["created_at"], condition=Q(decided_at=None), name="look_open"),
            models.Index(fields=["decided_at"], name="look_decided"),
        ]

    def __str__(self) -> str:
        return f"{', '.join(self.reasons)} on {self.target_type}#{self.target_id}"

    def labels(self) -> list[str]:
        return [str(label) for reason, label in self.Reason.choices if reason in self.reasons]


class Print(models.Model):
    """What a text looked like when it was sent, for some days: to know the same words, and many links to one place."""

    KEPT_DAYS = 30

    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    digest = models.CharField(max_length=64, help_text=_("A hash of the words, folded."))
    hosts = models.JSONField(default=list, help_text=_("Where its links led, one each."))
    at = models.DateTimeField(default=clock.now)
    target_type = models.ForeignKey(ContentType, null=True, on_delete=models.CASCADE, related_name="+")
    target_id = models.BigIntegerField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["person", "at"], name="print_person"),
            models.Index(fields=["digest", "at"], name="print_digest"),
            models.Index(fields=["at"], name="print_at"),
        ]

    def __str__(self) -> str:
        return self.digest[:12]


class WatchedWord(models.Model):
    """A word, or several, that does something when somebody writes it. `*` stands for any letters within a word."""

    class Act(models.TextChoices):
        BLOCK = "block", _("Refuse the post")
        QUEUE = "queue", _("Look before it is shown")
        FLAG = "flag", _("Show it, and put it before a moderator")
        LINK = "link", _("Make it a link")

    pattern = models.CharField(_("word or words"), max_length=100, unique=True)
    act = models.CharField(_("what happens"), max_length=10, choices=Act, default=Act.QUEUE)
    address = models.CharField(_("address of the link"), max_length=300, blank=True, default="")
    note = models.CharField(_("why it is watched"), max_length=200, blank=True, default="")
    added_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    added_at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering = ["pattern"]

    def __str__(self) -> str:
        return self.pattern


class Claim(AboutPost):
    """Somebody is looking at a post in the queue: nobody else decides meanwhile."""

    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    until = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["target_type", "target_id"], name="claim_one")]

    def __str__(self) -> str:
        return f"{self.by} until {self.until:%H:%M}"


class Appeal(AboutPost):
    """The author of a hidden post asks somebody else to look (decision 0206). Once for each hiding."""

    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="appeals")
    words = models.TextField(_("why it should stay"), max_length=2000)
    hidden_at = models.DateTimeField(help_text=_("Which hiding it is about."))
    hidden_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(default=clock.now)
    granted = models.BooleanField(null=True, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    answer = models.CharField(_("answer to its author"), max_length=500, blank=True, default="")
    alarmed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["target_type", "target_id", "hidden_at"], name="appeal_once_a_hiding")
        ]
        indexes = [models.Index(fields=["created_at"], condition=Q(granted=None), name="appeal_open")]

    def __str__(self) -> str:
        return f"appeal of {self.author} about {self.target_type}#{self.target_id}"


class PenaltyAppeal(models.Model):
    """Whoever was warned, silenced or suspended asks somebody else to look. Once for each (decision 0240)."""

    penalty = models.OneToOneField("accounts.Penalty", on_delete=models.CASCADE, related_name="appeal")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    words = models.TextField(_("why it is wrong"), max_length=2000)
    created_at = models.DateTimeField(default=clock.now)
    granted = models.BooleanField(null=True, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    answer = models.CharField(_("answer"), max_length=500, blank=True, default="")
    alarmed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("appeal against a penalty")
        indexes = [models.Index(fields=["created_at"], condition=Q(granted=None), name="penalty_appeal_open")]

    def __str__(self) -> str:
        return f"{self.author}: {self.penalty.get_step_display()}"


class SpamAct(models.Model):
    """Somebody was taken for a spammer, in one step; what was done, so that it can be undone."""

    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="spam_acts")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=300)
    at = models.DateTimeField(default=clock.now)
    hidden = models.JSONField(default=list, help_text="[['thread', 17, 'visible']]")
    flags = models.JSONField(default=list, help_text=_("Flags that were open."))
    undone_at = models.DateTimeField(null=True, blank=True)
    undone_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["person"], condition=Q(undone_at=None), name="spam_act_one_standing")
        ]

    def __str__(self) -> str:
        return f"{self.person} at {self.at:%Y-%m-%d}"


class Weights(models.Model):
    """What the spam filter has learnt: a number for each of many hashed features, no word of any text."""

    made_at = models.DateTimeField(default=clock.now)
    numbers = models.TextField(help_text=_("One signed byte a feature, in base 64."))
    scale = models.FloatField()
    bias = models.FloatField()
    threshold = models.FloatField(help_text=_("From this score on a post is looked at first."))
    figures = models.JSONField(default=dict, help_text=_("What it learnt from, how many, precision and recall."))

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"weights of {self.made_at:%Y-%m-%d}"


@register_setting(icon="view")
class ModerationRules(BaseGenericSetting):
    """What is looked at before it is shown, and how long a queue may wait. Sources: FEATURES H, CHECKS 53-57."""

    first_posts = models.PositiveSmallIntegerField(
        _("how many of a person's first posts are looked at"),
        default=1,
        help_text=_("Only while Numbers say that first posts are looked at."),
    )
    first_posts_trust = models.PositiveSmallIntegerField(
        _("up to which trust"), choices=TrustLevel, default=TrustLevel.NEWCOMER
    )
    first_threads = models.BooleanField(_("questions, problems, ideas, praise"), default=True)
    first_answers = models.BooleanField(_("answers"), default=True)
    first_comments = models.BooleanField(_("comments"), default=False)
    first_reviews = models.BooleanField(_("reviews"), default=True)
    first_shared = models.BooleanField(_("recipes and tips"), default=True)
    quickest_seconds = models.PositiveSmallIntegerField(
        _("seconds under which a newcomer's post is looked at first"), default=3
    )
    duplicate_minutes = models.PositiveSmallIntegerField(
        _("minutes in which nobody can send the same text twice"), default=5
    )
    links_to_one_host = models.PositiveSmallIntegerField(
        _("links to one place by a newcomer that are looked at"), default=3
    )
    spam_filter = models.BooleanField(_("ask the spam filter"), default=True)
    pending_alarm_hours = models.PositiveSmallIntegerField(
        _("hours after which moderators are told of a post that waits"), default=24
    )
    flag_alarm_hours = models.PositiveSmallIntegerField(
        _("hours after which moderators are told of an open flag or appeal"), default=48
    )
    claim_minutes = models.PositiveSmallIntegerField(_("minutes for which a post in the queue is yours"), default=10)
    mend_after_minutes = models.PositiveSmallIntegerField(
        _("minutes after which the author of a hidden post can change it"), default=10
    )

    panels = [
        MultiFieldPanel(
            [
                FieldPanel("first_posts"),
                FieldPanel("first_posts_trust"),
                FieldPanel("first_threads"),
                FieldPanel("first_answers"),
                FieldPanel("first_comments"),
                FieldPanel("first_reviews"),
                FieldPanel("first_shared"),
            ],
            heading=_("First posts"),
        ),
        MultiFieldPanel(
            [
                FieldPanel("quickest_seconds"),
                FieldPanel("duplicate_minutes"),
                FieldPanel("links_to_one_host"),
                FieldPanel("spam_filter"),
            ],
            heading=_("What looks like spam"),
        ),
        MultiFieldPanel(
            [
                FieldPanel("pending_alarm_hours"),
                FieldPanel("flag_alarm_hours"),
                FieldPanel("claim_minutes"),
                FieldPanel("mend_after_minutes"),
            ],
            heading=_("Queue"),
        ),
    ]

    class Meta:
        verbose_name = _("Moderation")
