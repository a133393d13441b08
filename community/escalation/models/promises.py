"""What staff said they would do by a day."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from community.accounts.models import Department
from community.core import clock
from community.questions.models import Answer

from .base import Escalation


class PromiseQuerySet(models.QuerySet):
    def open(self) -> "PromiseQuerySet":
        return self.filter(state="open")

    def shown(self) -> "PromiseQuerySet":
        """Those whose words may be read: not those of an answer, or in a thread, that was taken down."""
        return self.said().filter(
            Q(escalation__thread__visibility="visible") | Q(escalation__thread__merged_into__visibility="visible")
        )

    def said(self) -> "PromiseQuerySet":
        """Without the words of answers that were taken down."""
        return self.filter(Q(answer=None) | Q(answer__visibility="visible"))

    def late(self) -> "PromiseQuerySet":
        return self.open().filter(late_at__isnull=False)


class Promise(models.Model):
    """A statement with a date. It is open until it is kept, or moved to another day with the reason said in public."""

    class State(models.TextChoices):
        OPEN = "open", _("open")
        KEPT = "kept", _("kept")
        MOVED = "moved", _("moved to another day")

    escalation = models.ForeignKey(Escalation, on_delete=models.CASCADE, related_name="promises")
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    department = models.ForeignKey(Department, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    answer = models.ForeignKey(Answer, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    text = models.CharField(_("what"), max_length=300)
    made_at = models.DateTimeField(default=clock.now)
    due_at = models.DateTimeField(_("by"))
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    late_at = models.DateTimeField(null=True, blank=True, help_text=_("When it was found to be late; once."))
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    why = models.CharField(_("reason"), max_length=500, blank=True, default="")
    moved_to = models.OneToOneField("self", null=True, blank=True, on_delete=models.SET_NULL, related_name="moved_from")

    objects = PromiseQuerySet.as_manager()

    class Meta:
        ordering = ["due_at", "id"]
        indexes = [models.Index(fields=["due_at"], condition=Q(state="open"), name="promise_due")]
        constraints = [
            models.CheckConstraint(
                condition=Q(state="open", ended_at__isnull=True) | (~Q(state="open") & Q(ended_at__isnull=False)),
                name="promise_open_has_no_end",
            ),
            models.UniqueConstraint(
                fields=["escalation", "due_at", "text"], condition=Q(state="open"), name="promise_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.text} by {self.due_at}"

    @property
    def is_open(self) -> bool:
        return self.state == self.State.OPEN

    @property
    def is_late(self) -> bool:
        return self.is_open and self.late_at is not None
