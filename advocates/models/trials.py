"""The way into the programme."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from community.core import clock
from community.core.models import Body
from products.models import Product

from ..querysets import OPEN_APPLICATIONS, ApplicationQuerySet

PERSON = settings.AUTH_USER_MODEL


class CodeOfConduct(Body):
    """A version of what an advocate promises. Never changed: an edit is the next version."""

    version = models.PositiveIntegerField(unique=True)
    published_at = models.DateTimeField(default=clock.now)
    published_by = models.ForeignKey(PERSON, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    what_changed = models.CharField(_("what changed"), max_length=300, blank=True, default="")

    class Meta:
        ordering = ["-version"]
        verbose_name = _("code of conduct")
        verbose_name_plural = _("code of conduct")

    def __str__(self) -> str:
        return f"{self.version}"


class CodeAcceptance(models.Model):
    """Somebody accepted a version on a day."""

    person = models.ForeignKey(PERSON, on_delete=models.CASCADE, related_name="codes_accepted")
    code = models.ForeignKey(CodeOfConduct, on_delete=models.PROTECT, related_name="acceptances")
    at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["person", "code"], name="code_accepted_once")]

    def __str__(self) -> str:
        return f"{self.person_id} accepted {self.code_id}"


class Application(models.Model):
    """Somebody's way into the programme, or to a further product: asked or invited, tried, judged, decided."""

    class State(models.TextChoices):
        INVITED = "invited", _("Invited")
        TRIAL = "trial", _("Trial")
        JUDGING = "judging", _("Being judged")
        JUDGED = "judged", _("Waits for a decision")
        ACCEPTED = "accepted", _("Accepted")
        DECLINED = "declined", _("Declined")
        WITHDRAWN = "withdrawn", _("Withdrawn")

    person = models.ForeignKey(PERSON, on_delete=models.CASCADE, related_name="applications", verbose_name=_("person"))
    state = models.CharField(_("state"), max_length=10, choices=State)
    motivation = models.TextField(blank=True, default="")
    invited_by = models.ForeignKey(PERSON, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(default=clock.now)
    applied_at = models.DateTimeField(null=True, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    judged_at = models.DateTimeField(null=True, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(PERSON, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=500, blank=True, default="", help_text=_("Of the decision; they read it."))

    objects = ApplicationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["person"],
                condition=Q(state__in=OPEN_APPLICATIONS),
                name="application_one_open",
            )
        ]
        indexes = [models.Index(fields=["state", "created_at"], name="application_state")]

    def __str__(self) -> str:
        return f"{self.person_id}: {self.state}"

    def get_absolute_url(self) -> str:
        return reverse("advocates:apply")

    @property
    def is_open(self) -> bool:
        return self.state in OPEN_APPLICATIONS


class AppliedProduct(models.Model):
    """A product somebody would answer for, and whether they were accepted for it."""

    application = models.ForeignKey(Application, on_delete=models.CASCADE, related_name="products")
    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="+")
    accepted = models.BooleanField(null=True, blank=True)

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["application", "product"], name="applied_product_unique")]

    def __str__(self) -> str:
        return f"{self.application_id}: {self.product_id}"


class TrialItem(models.Model):
    """A real, old, solved question, shown to an applicant without its answers; and what they would answer."""

    application = models.ForeignKey(Application, on_delete=models.CASCADE, related_name="trial")
    thread = models.ForeignKey("questions.Thread", on_delete=models.CASCADE, related_name="+")
    product = models.ForeignKey(Product, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    answer = models.TextField(blank=True, default="")
    answer_html = models.TextField(blank=True, default="", editable=False)
    answered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["application", "thread"], name="trial_item_unique")]

    def __str__(self) -> str:
        return f"{self.application_id}: {self.thread_id}"


class Judge(models.Model):
    """An advocate who judges a trial. The third is asked where the first two differ."""

    application = models.ForeignKey(Application, on_delete=models.CASCADE, related_name="judges")
    person = models.ForeignKey(PERSON, on_delete=models.PROTECT, related_name="judged_trials")
    place = models.PositiveSmallIntegerField()
    asked_at = models.DateTimeField(default=clock.now)
    done_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["place"]
        constraints = [
            models.UniqueConstraint(fields=["application", "person"], name="judge_once"),
            models.UniqueConstraint(fields=["application", "place"], name="judge_one_per_place"),
            models.CheckConstraint(condition=Q(place__range=(1, 3)), name="judge_of_three"),
        ]

    def __str__(self) -> str:
        return f"{self.person_id} judges {self.application_id}"

    def get_absolute_url(self) -> str:
        return reverse("advocates:judge", args=[self.application_id])


class Judgement(models.Model):
    """Whether an answer of a trial would help its asker, by one judge."""

    judge = models.ForeignKey(Judge, on_delete=models.CASCADE, related_name="judgements")
    item = models.ForeignKey(TrialItem, on_delete=models.CASCADE, related_name="judgements")
    helps = models.BooleanField()
    note = models.CharField(max_length=500, blank=True, default="")
    at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["judge", "item"], name="judgement_unique")]

    def __str__(self) -> str:
        return f"{self.judge_id} on {self.item_id}: {self.helps}"
