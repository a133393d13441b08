"""One fault, many threads: known issues that gather threads, and one answer for many."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from community.accounts.models import Department
from community.core import clock
from community.questions.models import Answer, Thread
from products.models import OwnerAlert, Product


class Incident(models.Model):
    """A known issue. Its banner is the product's alert; its threads are answered together when it is solved."""

    class State(models.TextChoices):
        OPEN = "open", _("open")
        SOLVED = "solved", _("solved")

    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="incidents", verbose_name=_("product"))
    title = models.CharField(_("headline"), max_length=160)
    text = models.TextField(_("what owners can do now"), max_length=2000)
    department = models.ForeignKey(Department, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    alert = models.OneToOneField(OwnerAlert, null=True, blank=True, on_delete=models.PROTECT, related_name="incident")
    first_thread = models.ForeignKey(
        Thread, null=True, blank=True, on_delete=models.SET_NULL, related_name="+", verbose_name=_("first report")
    )
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    opened_at = models.DateTimeField(default=clock.now)
    opened_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    solved_at = models.DateTimeField(null=True, blank=True)
    solved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    solution = models.TextField(_("what solves it"), max_length=8000, blank=True, default="")

    class Meta:
        ordering = ["-opened_at", "-id"]
        verbose_name = _("incident")
        verbose_name_plural = _("incidents")

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        """Where it was reported first, else the product."""
        first = self.first_thread and (self.first_thread.merged_into or self.first_thread)
        return first.get_absolute_url() if first is not None and first.is_visible else self.product.get_absolute_url()

    @property
    def is_open(self) -> bool:
        return self.state == self.State.OPEN


class IncidentThread(models.Model):
    """A thread that is about an incident; it is about one at most."""

    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="threads")
    thread = models.OneToOneField(Thread, on_delete=models.CASCADE, related_name="in_incident")
    added_at = models.DateTimeField(default=clock.now)
    added_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    note = models.CharField(max_length=300, blank=True, default="")

    def __str__(self) -> str:
        return f"{self.thread_id} in {self.incident_id}"


class IncidentUpdate(models.Model):
    """A line in the history of an incident, for everybody."""

    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="updates")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    text = models.CharField(max_length=500)
    at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering = ["at", "id"]

    def __str__(self) -> str:
        return self.text


class Cluster(models.Model):
    """One official answer, for several threads. The first stands; the worker posts it to the others."""

    answer = models.OneToOneField(Answer, on_delete=models.CASCADE, related_name="cluster")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    department = models.ForeignKey(Department, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField(default=clock.now)

    def __str__(self) -> str:
        return f"cluster of answer {self.answer_id}"


class ClusterThread(models.Model):
    """One of the other threads, and whether the answer has reached it."""

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        POSTED = "posted", _("answered")
        SKIPPED = "skipped", _("left out")

    cluster = models.ForeignKey(Cluster, on_delete=models.CASCADE, related_name="threads")
    thread = models.ForeignKey(Thread, on_delete=models.CASCADE, related_name="+")
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    answer = models.OneToOneField(Answer, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    why = models.CharField(max_length=300, blank=True, default="")

    class Meta:
        indexes = [models.Index(fields=["id"], condition=models.Q(state="waiting"), name="cluster_waiting")]
        constraints = [models.UniqueConstraint(fields=["cluster", "thread"], name="cluster_thread_once")]

    def __str__(self) -> str:
        return f"{self.thread_id}: {self.state}"
