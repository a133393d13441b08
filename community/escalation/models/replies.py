"""What staff write again and again, as beginnings."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from community.accounts.models import Department
from community.core import clock


class SavedReply(models.Model):
    """The beginning of an answer: {names in braces} are filled in, [words in brackets] are replaced by hand."""

    slug = models.SlugField(_("short name"), max_length=80)
    language = models.CharField(_("language"), max_length=10, choices=settings.LANGUAGES, default="en")
    title = models.CharField(_("title"), max_length=120, help_text=_("How agents find it."))
    body = models.TextField(_("text"), max_length=8000)
    departments = models.ManyToManyField(
        Department, blank=True, related_name="saved_replies", verbose_name=_("departments"),
        help_text=_("None chosen: for all of them."),
    )  # fmt: skip
    kinds = models.JSONField(_("kinds of thread"), default=list, blank=True)
    makes_promise = models.BooleanField(
        _("names a day"),
        default=False,
        help_text=_("The agent is asked by when, and the promise is kept in the register."),
    )
    active = models.BooleanField(_("in use"), default=True)
    position = models.PositiveSmallIntegerField(_("order"), default=100)
    changed_at = models.DateTimeField(default=clock.now, editable=False)
    changed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, editable=False, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        ordering = ["position", "title", "id"]
        verbose_name = _("saved reply")
        verbose_name_plural = _("saved replies")
        constraints = [models.UniqueConstraint(fields=["slug", "language"], name="saved_reply_once_a_language")]

    def __str__(self) -> str:
        return self.title
