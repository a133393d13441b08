"""What all content is about (RULINGS 4): plain rows here, editors' words on ProductPage."""

from typing import Any

from django.conf import settings
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import translation
from django.utils.translation import gettext_lazy as _
from wagtail.models import PreviewableMixin

from community.accounts.models import Department
from community.core import clock
from community.core.spoken import Spoken

from .gtin import GtinField
from .querysets import OrderLineQuerySet, OwnerAlertQuerySet, OwnershipQuerySet, ProductQuerySet

SURE_AFTER = 10  # reviews of a product that weigh as much as what is known of all products


class Family(Spoken):
    """A kind of product: what its reviews are rated on, and a filter of the catalogue."""

    SPOKEN = ("name", "intro", "secondary_ratings")

    slug = models.SlugField(unique=True)
    name = models.CharField(_("name"), max_length=80)
    intro = models.TextField(_("introduction"), blank=True, default="")
    secondary_ratings = models.JSONField(
        _("secondary ratings"), default=list, blank=True, help_text=_("What reviews also rate, a line each.")
    )
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["position", "name"]
        verbose_name_plural = "families"

    def __str__(self) -> str:
        return self.name

    @property
    def ratings(self) -> list[dict[str, str]]:
        """Slug and name of what its reviews also rate, named in the language that is being read."""
        named = {rating["slug"]: rating["name"] for rating in self.said.secondary_ratings}
        return [{**rating, "name": named.get(rating["slug"], rating["name"])} for rating in self.secondary_ratings]


class Product(PreviewableMixin, Spoken):
    """The row that threads, reviews, recipes and tips refer to. Its numbers are written by the rooms above."""

    SPOKEN = ("what", "lifecycle_note", "recall_title", "recall_affects", "recall_note", "recall_why")

    class Lifecycle(models.TextChoices):
        ANNOUNCED = "announced", _("Announced")
        CURRENT = "current", _("Current")
        DISCONTINUED = "discontinued", _("No longer made")
        RECALLED = "recalled", _("Recalled")

    slug = models.SlugField(unique=True, max_length=80)
    name = models.CharField(_("name"), max_length=120)
    short_name = models.CharField(_("short name"), max_length=60, blank=True, default="")
    family = models.ForeignKey(Family, on_delete=models.PROTECT, related_name="products")
    what = models.CharField(_("what it is"), max_length=200, blank=True, default="")
    lifecycle = models.CharField(_("lifecycle"), max_length=20, choices=Lifecycle, default=Lifecycle.CURRENT)
    lifecycle_note = models.TextField(_("note on the lifecycle"), blank=True, default="")
    launched_on = models.DateField(_("in the range since"), null=True, blank=True)
    expected_on = models.DateField(_("expected on"), null=True, blank=True, help_text=_("When it is only announced."))
    recall_title = models.CharField(
        _("recall: headline"), max_length=160, blank=True, default="", help_text=_("What is recalled, and for what.")
    )
    recall_affects = models.TextField(
        _("recall: whom it concerns"), blank=True, default="", help_text=_("Serial numbers, and where they stand.")
    )
    recall_why = models.TextField(_("recall: what happened"), blank=True, default="")
    recall_note = models.TextField(
        _("what owners must do"),
        blank=True,
        default="",
        help_text=_("A step a line. A recall is shown while it is here."),
    )
    recalled_on = models.DateField(_("recalled on"), null=True, blank=True)
    recall_versions: models.ManyToManyField = models.ManyToManyField(
        "Version",
        verbose_name=_("recall: series or firmware"),
        blank=True,
        related_name="+",
        help_text=_("Their owners are told, and owners who have not said which one is theirs. None chosen: all are."),
    )
    known_issues = models.JSONField(
        default=list,
        blank=True,
        editable=False,
        help_text=_("What the page says of open known issues; written by products/shelf/alerts.py."),
    )
    recall_news = models.JSONField(default=list, blank=True, editable=False)  # of the open recall; alerts.py, too
    gtin = GtinField(
        _("GTIN"), help_text=_("The digits under the bar code, for search engines. Series may have their own.")
    )
    position = models.PositiveSmallIntegerField(default=0)

    rating_count = models.PositiveIntegerField(default=0, editable=False)
    rating_sum = models.PositiveIntegerField(default=0, editable=False)
    stars_1 = models.PositiveIntegerField(default=0, editable=False)
    stars_2 = models.PositiveIntegerField(default=0, editable=False)
    stars_3 = models.PositiveIntegerField(default=0, editable=False)
    stars_4 = models.PositiveIntegerField(default=0, editable=False)
    stars_5 = models.PositiveIntegerField(default=0, editable=False)
    recommend_yes = models.PositiveIntegerField(default=0, editable=False)
    recommend_no = models.PositiveIntegerField(default=0, editable=False)
    still_yes = models.PositiveIntegerField(default=0, editable=False)
    still_no = models.PositiveIntegerField(default=0, editable=False)
    verified_count = models.PositiveIntegerField(default=0, editable=False)
    secondary_sums = models.JSONField(default=dict, blank=True, editable=False)  # {"noise": [sum of stars, how many]}
    imported_count = models.PositiveIntegerField(default=0, editable=False)
    review_count = models.PositiveIntegerField(default=0, editable=False)
    thread_count = models.PositiveIntegerField(default=0, editable=False)
    solved_count = models.PositiveIntegerField(default=0, editable=False)
    recipe_count = models.PositiveIntegerField(default=0, editable=False)
    tip_count = models.PositiveIntegerField(default=0, editable=False)

    objects = ProductQuerySet.as_manager()

    class Meta:
        ordering = ["family__position", "position", "name"]
        constraints = [
            models.UniqueConstraint(
                fields=["gtin"], condition=~models.Q(gtin=""), name="product_gtin",
                violation_error_message=_("Another product has this GTIN."),
            )
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        # Stable by decision (DESIGN.md, Addresses); the Wagtail catalogue serves it.
        return f"/products/{self.slug}/"

    @property
    def preview_modes(self) -> list[Any]:
        """In each language; the mode of the site's own has no name."""
        return [(code if code != settings.LANGUAGE_CODE else "", name) for code, name in settings.LANGUAGES]

    def serve_preview(self, request: HttpRequest, mode_name: str) -> HttpResponse:
        """As its page would be with what an editor has in hand: a recall, for one. Without a page, its banners."""
        language = mode_name or settings.LANGUAGE_CODE
        there = self.pages.live().select_related("locale") if self.pk else ()  # type: ignore[attr-defined]
        page = min(
            there, key=lambda one: (one.language != language, one.language != settings.LANGUAGE_CODE), default=None
        )
        with translation.override(language):
            if page is None:
                return render(request, "products/preview.html", {"product": self})
            page.product = self
            response = page.serve_preview(request, "")
            return response.render() if hasattr(response, "render") else response

    @property
    def label(self) -> str:
        return self.short_name or self.name

    @property
    def is_recalled(self) -> bool:
        """All of it, or a part of what was made: owners have to do something."""
        return self.lifecycle == self.Lifecycle.RECALLED or bool(self.recall_note.strip())

    @property
    def recall_steps(self) -> list[str]:
        """What owners must do, in the language that is being read."""
        return lines_of(self.said.recall_note)

    @property
    def rating_mean(self) -> float | None:
        """Mean of the counted stars from 1 to 5, or None without any."""
        return self.rating_sum / self.rating_count if self.rating_count else None

    def sure_mean(self, of_all: float) -> float:
        """Mean of its stars and of ten more as they are everywhere: one review of five stars does not beat ninety."""
        return (self.rating_sum + SURE_AFTER * of_all) / (self.rating_count + SURE_AFTER)

    @property
    def histogram(self) -> list[tuple[int, int]]:
        """(stars, count) from five down to one."""
        return [(stars, getattr(self, f"stars_{stars}")) for stars in (5, 4, 3, 2, 1)]

    @property
    def in_detail(self) -> list[dict[str, Any]]:
        """What its reviews also rate: `name`, `mean`, and `of` how many, in the family's order; what nobody rated is
        left out. Needs the family."""
        rated = [(rating["name"], self.secondary_sums.get(rating["slug"])) for rating in self.family.ratings]
        return [{"name": name, "mean": pair[0] / pair[1], "of": pair[1]} for name, pair in rated if pair and pair[1]]

    @property
    def recommend_share(self) -> float | None:
        """Share from 0 to 1 of those who said whether they would recommend it."""
        said = self.recommend_yes + self.recommend_no
        return self.recommend_yes / said if said else None

    @property
    def still_said(self) -> int:
        """How many owners said, at a later look, whether they still use it."""
        return self.still_yes + self.still_no


def lines_of(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


class Shop(Spoken):
    """Where products can be bought."""

    SPOKEN = ("name", "where", "delivers", "note")

    slug = models.SlugField(unique=True)
    name = models.CharField(_("name"), max_length=120)
    where = models.CharField(_("where"), max_length=80, blank=True, default="", help_text=_("A town, or “online”."))
    delivers = models.CharField(_("delivers to"), max_length=160, blank=True, default="")
    note = models.CharField(_("note"), max_length=240, blank=True, default="")
    url = models.URLField(_("address"), blank=True, default="")
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["position", "name"]

    def __str__(self) -> str:
        return self.name


class Version(Spoken):
    """A series or a firmware of a product; answers and tips say which one they speak of."""

    SPOKEN = ("name",)

    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="versions")
    name = models.CharField(_("name"), max_length=80)
    gtin = GtinField(_("GTIN"), help_text=_("When it has one of its own."))
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["position", "name"]
        verbose_name = _("series or firmware")
        verbose_name_plural = _("Series and firmware")
        constraints = [models.UniqueConstraint(fields=["product", "name"], name="version_unique")]

    def __str__(self) -> str:
        return self.name


class Ownership(models.Model):
    """A product on somebody's shelf. Private unless the owner shows the shelf."""

    class Verified(models.TextChoices):
        NO = "", _("not verified")
        ORDER = "order", _("by an order")
        RECEIPT = "receipt", _("by a receipt code")
        STAFF = "staff", _("by staff")

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="shelf")
    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="owners")
    version = models.ForeignKey(Version, null=True, blank=True, on_delete=models.SET_NULL)
    bought_on = models.DateField(_("bought on"), null=True, blank=True)
    verified = models.CharField(max_length=10, choices=Verified, default=Verified.NO, blank=True)
    serial = models.CharField(
        _("serial number"),
        max_length=60,
        blank=True,
        default="",
        help_text=_("On the label of the machine. Nobody but you and our support sees it."),
    )
    added_at = models.DateTimeField(default=clock.now)

    objects = OwnershipQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["owner", "product"], name="ownership_unique")]

    def __str__(self) -> str:
        return f"{self.owner}: {self.product}"


class CodeBatch(models.Model):
    """Receipt codes made or taken over together: for one product, one print run."""

    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="code_batches")
    version = models.ForeignKey(Version, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    note = models.CharField(_("what for"), max_length=120, blank=True, default="")
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    made_at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering = ["-made_at", "-pk"]

    def __str__(self) -> str:
        return f"{self.product}: {self.note or self.made_at.date()}"


class ReceiptCode(models.Model):
    """A code from the box or the receipt: proves one purchase, once. Only its keyed hash is kept."""

    batch = models.ForeignKey(CodeBatch, on_delete=models.CASCADE, related_name="codes")
    digest = models.CharField(max_length=64, unique=True)
    used_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    used_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"code {self.pk} of batch {self.batch_id}"


class OrderLine(models.Model):
    """A purchase that a shop told us of, until its buyer is found or the time is up (decision 0145).

    No address is kept, only its keyed hash, and that until somebody with the confirmed address is found.
    """

    source = models.CharField(max_length=80, help_text=_("The shop."))
    key = models.CharField(max_length=64, help_text=_("Keyed hash of order and line: importing twice is harmless."))
    address = models.CharField(max_length=64, blank=True, default="", help_text=_("Keyed hash; empty once matched."))
    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="+")
    version = models.ForeignKey(Version, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    bought_on = models.DateField(_("bought on"))
    matched_at = models.DateTimeField(null=True, blank=True)
    imported_at = models.DateTimeField(default=clock.now)

    objects = OrderLineQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["source", "key"], name="order_line_unique")]
        indexes = [
            models.Index(fields=["address"], condition=models.Q(matched_at=None), name="order_line_waiting"),
            models.Index(fields=["imported_at"], name="order_line_age"),
        ]

    def __str__(self) -> str:
        return f"{self.product}, {self.bought_on}"


class OwnerAlert(Spoken):
    """A recall or a known issue that owners are told of: each once, by notice and mail (decision 0146).

    A recall has its words, in every language, from the product.
    """

    SPOKEN = ("title", "text")

    class Kind(models.TextChoices):
        RECALL = "recall", _("Recall")
        KNOWN_ISSUE = "known_issue", _("Known issue")

    kind = models.CharField(_("kind"), max_length=12, choices=Kind, default=Kind.KNOWN_ISSUE)
    product = models.ForeignKey(Product, verbose_name=_("product"), on_delete=models.CASCADE, related_name="alerts")
    versions = models.ManyToManyField(
        Version, verbose_name=_("series or firmware"), blank=True, related_name="+", help_text=_("None: all of them.")
    )
    title = models.CharField(_("headline"), max_length=160)
    text = models.TextField(_("what to do"), max_length=2000, help_text=_("The first line is the most important one."))
    url = models.CharField(
        _("where more stands"), max_length=300, blank=True, default="", help_text=_("An address of this site, or none.")
    )
    issued_at = models.DateTimeField(default=clock.now)
    issued_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    ended_at = models.DateTimeField(null=True, blank=True)
    news = models.JSONField(default=list, blank=True, editable=False)  # [{"at", "text"}], newest first

    objects = OwnerAlertQuerySet.as_manager()

    class Meta:
        ordering = ["-issued_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["product"], condition=models.Q(kind="recall", ended_at=None), name="alert_one_open_recall"
            )
        ]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return self.url or self.product.get_absolute_url()

    @property
    def told(self) -> tuple[str, list[str]]:
        """Headline and lines in the language that is being read."""
        return self.said.title, lines_of(self.said.text)


class Responsibility(Spoken):
    """Which department answers for which subject of a product; an empty subject is the default."""

    SPOKEN = ("subject",)

    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="responsibilities")
    subject = models.CharField(_("subject"), max_length=80, blank=True, default="")
    department = models.ForeignKey(Department, on_delete=models.PROTECT, related_name="responsibilities")

    class Meta:
        verbose_name_plural = "responsibilities"
        constraints = [models.UniqueConstraint(fields=["product", "subject"], name="responsibility_unique")]

    def __str__(self) -> str:
        return f"{self.product}, {self.subject or 'all'}: {self.department}"


class Drawn(models.Model):
    """A file drawn for a product page, with the mark of what it was made of (products/made.py)."""

    page = models.ForeignKey("products.ProductPage", on_delete=models.CASCADE, related_name="drawn")
    kind = models.CharField(max_length=20)
    version = models.CharField(max_length=16)
    file = models.FileField(upload_to="drawn/")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["page", "kind"], name="drawn_unique")]

    def __str__(self) -> str:
        return f"{self.kind} of {self.page}"


# Wagtail's models of this app; at the end, because they refer to the ones above.
from . import pages  # noqa: E402, F401
