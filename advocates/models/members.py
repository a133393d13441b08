"""Who is an advocate, for what, and with which ties to the brand."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from community.core import clock
from products.models import Product

from ..querysets import MembershipQuerySet

PERSON = settings.AUTH_USER_MODEL


class AdvocateMembership(models.Model):
    """Somebody's place in the programme. The truth; `User.standing` is its copy for bylines (RULINGS 7)."""

    class State(models.TextChoices):
        CANDIDATE = "candidate", _("Candidate")
        ACTIVE = "active", _("Active")
        AWAY = "away", _("Away")
        LEFT = "left", _("Left")

    user = models.OneToOneField(PERSON, on_delete=models.PROTECT, related_name="advocate", verbose_name=_("person"))
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.CANDIDATE)
    since = models.DateTimeField(_("since"), default=clock.now)
    until = models.DateTimeField(_("away until, or left on"), null=True, blank=True)
    note = models.CharField(_("note, as shown"), max_length=200, blank=True, default="")
    stand_in = models.ForeignKey(
        PERSON,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        verbose_name=_("who looks after the questions meanwhile"),
    )
    admitted_by = models.ForeignKey(PERSON, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    joined_at = models.DateTimeField(null=True, blank=True, help_text=_("First time they were admitted."))
    resting_until = models.DateTimeField(
        null=True, blank=True, help_text=_("Said that there is no time now: not asked until then.")
    )
    farewell = models.CharField(
        _("thanks at parting"), max_length=300, blank=True, default="", help_text=_("Shown with former advocates.")
    )
    removed = models.BooleanField(default=False, help_text=_("Left because the role was taken away."))

    objects = MembershipQuerySet.as_manager()

    class Meta:
        verbose_name = _("advocate")
        verbose_name_plural = _("advocates")
        permissions = [("manage_advocates", "Can run the programme: advocates, ranks and badges")]

    def __str__(self) -> str:
        return str(self.user)

    @property
    def is_current(self) -> bool:
        return self.state in (self.State.ACTIVE, self.State.AWAY)


class Expertise(models.Model):
    """A product an advocate answers for."""

    membership = models.ForeignKey(AdvocateMembership, on_delete=models.CASCADE, related_name="expertise")
    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="experts")
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["position", "id"]
        verbose_name_plural = "expertise"
        constraints = [models.UniqueConstraint(fields=["membership", "product"], name="expertise_unique")]

    def __str__(self) -> str:
        return f"{self.membership_id}: {self.product_id}"


class Interest(models.Model):
    """A tie to the brand somebody declared, with dates; printed beside what they write in that time."""

    class Kind(models.TextChoices):
        FREE_PRODUCT = "free_product", _("A product for free")
        PAYMENT = "payment", _("A payment")
        EMPLOYMENT = "employment", _("Employment")
        FAMILY = "family", _("Family")
        OTHER = "other", _("Something else")

    person = models.ForeignKey(PERSON, on_delete=models.CASCADE, related_name="interests")
    kind = models.CharField(_("kind"), max_length=20, choices=Kind)
    line = models.CharField(_("in a line"), max_length=200, help_text=_("As printed: “Given a Mill 54 in May 2023.”"))
    since = models.DateField(_("since"))
    until = models.DateField(_("until"), null=True, blank=True)
    declared_at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering = ["since", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(until__isnull=True) | Q(until__gte=models.F("since")), name="interest_ends_after_start"
            ),
            models.UniqueConstraint(fields=["person", "kind", "line", "since"], name="interest_unique"),
        ]

    def __str__(self) -> str:
        return self.line
