"""What every kind of content shares: comments, revisions, drafts, uploads, tags, follows (RULINGS 1)."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.contenttypes.fields import GenericForeignKey
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from community.accounts.models import Department
from community.core import clock
from community.core.models import Body, Sourced, one_per_source
from community.moderation.models import Moderated

from .querysets import CommentQuerySet


class Topic(models.Model):
    """A curated subject. A tag belongs to at most one (RULINGS 27)."""

    slug = models.SlugField(unique=True)
    name = models.CharField(_("name"), max_length=80)
    department = models.ForeignKey(Department, null=True, blank=True, on_delete=models.PROTECT, related_name="topics")

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Tag(models.Model):
    slug = models.SlugField(unique=True, max_length=50, allow_unicode=True)
    name = models.CharField(_("name"), max_length=50)
    topic = models.ForeignKey(Topic, null=True, blank=True, on_delete=models.SET_NULL, related_name="tags")
    about = models.CharField(_("what it is for"), max_length=300, blank=True, default="")

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def words(self) -> list[tuple[str, str]]:
        """Slug and name, its own first, then those of its other words; one prefetches `synonyms` for many tags."""
        return [(self.slug, self.name), *((other.slug, other.name) for other in self.synonyms.all())]


class TagSynonym(models.Model):
    """Another word for a tag: whoever types it gets the tag, and its old address leads there."""

    slug = models.SlugField(unique=True, max_length=50, allow_unicode=True)
    name = models.CharField(_("name"), max_length=50)
    tag = models.ForeignKey(Tag, on_delete=models.CASCADE, related_name="synonyms")

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class OnTarget(models.Model):
    """Hangs on any kind of content."""

    target_type = models.ForeignKey(ContentType, on_delete=models.CASCADE, related_name="+")
    target_id = models.BigIntegerField()
    target = GenericForeignKey("target_type", "target_id")

    class Meta:
        abstract = True


class Comment(OnTarget, Body, Moderated, Sourced):
    """A short remark under a post: 600 characters (FEATURES E)."""

    LONGEST = 600
    SHOWN = 10  # before the rest is folded (FEATURES E)
    PAGE = 100  # unfolded: so many at once
    EDITABLE_FOR = timedelta(hours=1)  # others may have replied to what it said; deleting stays open

    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="comments")
    created_at = models.DateTimeField(default=clock.now)
    edited_at = models.DateTimeField(null=True, blank=True)

    objects = CommentQuerySet.as_manager()

    class Meta:
        ordering = ["created_at", "id"]
        indexes = [models.Index(fields=["target_type", "target_id", "created_at"], name="comment_target")]
        constraints = [one_per_source("comment_one_per_source")]

    def __str__(self) -> str:
        return self.body_text[:60]

    def get_absolute_url(self) -> str:
        """Leads to where it is read, which takes a look at what stands before it."""
        return reverse("posts:comment_place", args=[self.pk])

    @property
    def is_editable(self) -> bool:
        """Still in the time in which its author may change it."""
        return clock.now() - self.created_at <= self.EDITABLE_FOR

    def mend_url(self) -> str:
        return reverse("posts:comment_edit", args=[self.pk])

    def why_not_restore(self) -> str:
        if hasattr(self, "became"):  # a room above gave its words a page of their own
            return gettext("Its words are the question of a thread now.")
        return ""

    def people_called(self) -> list[int]:
        from . import gates  # it makes bodies, and those need the models

        return list(gates.called(self.body_source, self.author).values())

    def published_event(self) -> tuple[str, dict[str, Any]]:
        return "comment.posted", {"target_type": self.target_type.model, "target_id": self.target_id}


class Revision(OnTarget):
    """How a text was before it changed to this: every version is kept, the first included."""

    number = models.PositiveIntegerField()
    editor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="revisions"
    )
    title = models.CharField(max_length=200, blank=True, default="")
    body_source = models.TextField(blank=True, default="")
    source_format = models.CharField(max_length=10, default=Body.Format.MARKDOWN)
    tags = models.CharField(max_length=300, blank=True, default="")
    more = models.JSONField(
        default=dict, blank=True, help_text=_("What stood beside the text then: stars, further answers and the like.")
    )
    summary = models.CharField(_("what changed"), max_length=300, blank=True, default="")
    retitled = models.BooleanField(
        default=False, help_text=_("A moderator took the title before it away: only staff and the author read it.")
    )
    created_at = models.DateTimeField(default=clock.now)
    source = models.CharField(max_length=80, blank=True, default="")
    external_id = models.CharField(max_length=80, blank=True, default="")

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["target_type", "target_id", "number"], name="revision_number_unique"),
            models.UniqueConstraint(
                fields=["source", "external_id"], condition=~Q(source=""), name="revision_one_per_source"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.target_type}#{self.target_id} r{self.number}"


class Draft(models.Model):
    """What somebody was writing; survives logout, errors and a closed tab."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="drafts")
    key = models.CharField(max_length=120, help_text=_("Which form, e.g. ask or answer:17."))
    data = models.JSONField(default=dict)
    updated_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "key"], name="draft_unique")]

    def __str__(self) -> str:
        return f"{self.user}: {self.key}"


class KeptPost(models.Model):
    """What a visitor wrote before signing up, sealed with a key that only the visitor's session holds.

    Gone when it is posted, and after 48 hours in any case.
    """

    key = models.CharField(max_length=64, unique=True, help_text=_("A hash of what the session holds."))
    sealed = models.TextField()
    created_at = models.DateTimeField(default=clock.now, db_index=True)

    def __str__(self) -> str:
        return f"kept since {self.created_at:%Y-%m-%d %H:%M}"


class KeptPicture(models.Model):
    """A picture of what a visitor wrote, re-encoded on arrival and sealed with the same key. It goes with the text."""

    MOST = 3

    post = models.ForeignKey(KeptPost, on_delete=models.CASCADE, related_name="pictures")
    sealed = models.BinaryField()
    sealed_alt = models.TextField(blank=True, default="")
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"picture {self.pk} of {self.post_id}"


class Upload(models.Model):
    """A member's picture, re-encoded on arrival. Gone after 48 h unless a post uses it."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="uploads")
    file = models.ImageField(upload_to="uploads/%Y/%m/", width_field="width", height_field="height")
    width = models.PositiveIntegerField(default=0)
    height = models.PositiveIntegerField(default=0)
    alt = models.CharField(_("alt text"), max_length=300, blank=True, default="")
    caption = models.CharField(_("caption"), max_length=300, blank=True, default="")
    created_at = models.DateTimeField(default=clock.now)
    target_type = models.ForeignKey(ContentType, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    target_id = models.BigIntegerField(null=True, blank=True)
    target = GenericForeignKey("target_type", "target_id")
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["position", "id"]
        indexes = [
            models.Index(fields=["target_type", "target_id"], name="upload_target"),
            models.Index(fields=["created_at"], condition=Q(target_id__isnull=True), name="upload_unused"),
        ]

    def __str__(self) -> str:
        return self.alt or self.file.name


class Follow(OnTarget):
    """Somebody wants to hear of a thing, at a level (FEATURES I)."""

    class Level(models.TextChoices):
        WATCHING = "watching", _("Everything")
        TRACKING = "tracking", _("What is new")
        NORMAL = "normal", _("When I am meant")
        MUTED = "muted", _("Nothing")

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="follows")
    level = models.CharField(max_length=10, choices=Level, default=Level.WATCHING)
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "target_type", "target_id"], name="follow_unique")]
        indexes = [models.Index(fields=["target_type", "target_id", "level"], name="follow_target")]

    def __str__(self) -> str:
        return f"{self.user} follows {self.target_type}#{self.target_id}"


class ShareCredit(OnTarget):
    """Somebody came by a link that another shared, and then joined or wrote a first post. Once for each newcomer."""

    class Outcome(models.TextChoices):
        JOINED = "joined", _("joined")
        POSTED = "posted", _("wrote a first post")

    sharer = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="share_credits")
    newcomer = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="came_by")
    outcome = models.CharField(max_length=10, choices=Outcome)
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(sharer=models.F("newcomer")), name="share_credit_not_oneself")
        ]

    def __str__(self) -> str:
        return f"{self.newcomer} came by {self.sharer}"
