"""What comes back to advocates."""

from typing import Any

from django.conf import settings
from django.core.signing import Signer
from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from community.accounts.models import Department
from community.core import clock
from community.moderation.models import Moderated

from ..querysets import LetterQuerySet, ThanksQuerySet

PERSON = settings.AUTH_USER_MODEL


class Letter(models.Model):
    """What came of an advocate's month, signed by a department. Its figures are those of the day it was written."""

    person = models.ForeignKey(PERSON, on_delete=models.CASCADE, related_name="letters")
    month = models.DateField(help_text=_("Its first day."))
    department = models.ForeignKey(Department, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    signed_by = models.CharField(max_length=120, blank=True, default="", help_text=_("As it was signed."))
    answers = models.PositiveIntegerField(default=0)
    accepted = models.PositiveIntegerField(default=0)
    readers = models.PositiveIntegerField(default=0)
    fixes = models.PositiveIntegerField(default=0)
    thanks = models.PositiveIntegerField(default=0)
    contacts_saved = models.PositiveIntegerField(default=0)
    per_hundred = models.PositiveSmallIntegerField(
        default=0, help_text=_("Assumed: of a hundred readers so many would have written to us.")
    )
    written_at = models.DateTimeField(default=clock.now)

    objects = LetterQuerySet.as_manager()

    class Meta:
        ordering = ["-month", "-id"]
        constraints = [models.UniqueConstraint(fields=["person", "month"], name="letter_once_a_month")]

    def __str__(self) -> str:
        return f"{self.person_id} {self.month}"

    def get_absolute_url(self) -> str:
        """Signed: whoever has the address can see that the letter is genuine, and nobody guesses one."""
        return reverse("advocates:letter", args=[Signer(salt="advocates.letter").sign(str(self.pk))])


class Thanks(Moderated):
    """A thank you of an asker for an answer: seen by its author; by everybody, if both like."""

    answer = models.OneToOneField("questions.Answer", on_delete=models.CASCADE, related_name="thanks")
    author = models.ForeignKey(PERSON, on_delete=models.PROTECT, related_name="thanks_given")
    body_text = models.CharField(_("your words"), max_length=300)
    asker_shows = models.BooleanField(_("others may read it"), default=False)
    answerer_shows = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=clock.now)

    objects = ThanksQuerySet.as_manager()

    class Meta:
        verbose_name = _("thank you")
        verbose_name_plural = _("thank yous")

    def __str__(self) -> str:
        return self.body_text

    def get_absolute_url(self) -> str:
        return reverse("advocates:thanks", args=[self.answer_id])

    def published_event(self) -> tuple[str, dict[str, Any]]:
        return "thanks.given", {"answer": self.answer_id}
