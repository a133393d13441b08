"""What can be found (RULINGS 5): one plain row per thing that is public, whatever its kind."""

from django.contrib.contenttypes.fields import GenericForeignKey
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.template.defaultfilters import floatformat
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from wagtail.search import index

from community.core import clock
from community.questions.models import Thread
from products.models import Product

from . import words

TITLE_BOOST = 3


class Document(index.Indexed, models.Model):
    """One thing as search sees it. Exists only while the thing is public; results are checked again when read."""

    class Kind(models.TextChoices):
        QUESTION = "question", _("Questions")
        PROBLEM = "problem", _("Problems")
        IDEA = "idea", _("Ideas")
        PRAISE = "praise", _("Praise")
        HELP = "help", _("Help articles")
        TIP = "tip", _("Tips")
        RECIPE = "recipe", _("Recipes")
        REVIEW = "review", _("Reviews")
        PRODUCT = "product", _("Products")

    target_type = models.ForeignKey(ContentType, on_delete=models.CASCADE, related_name="+")
    target_id = models.BigIntegerField()
    target = GenericForeignKey("target_type", "target_id")
    kind = models.CharField(max_length=10, choices=Kind)
    product = models.ForeignKey(Product, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    product_slug = models.CharField(max_length=80, blank=True, default="")
    title = models.CharField(max_length=300)
    text = models.TextField(blank=True, default="")
    best_answer = models.TextField(blank=True, default="")
    state = models.CharField(max_length=20, blank=True, default="")
    solved = models.BooleanField(default=False)
    official = models.BooleanField(default=False)
    language = models.CharField(max_length=10, blank=True, default="")
    stars = models.PositiveSmallIntegerField(null=True, blank=True)
    url = models.CharField(max_length=500)
    said = models.CharField(max_length=200, blank=True, default="", help_text=_("Whose words they are."))
    worked_yes = models.PositiveIntegerField(default=0, help_text=_("A tip: for how many it worked."))
    worked_of = models.PositiveIntegerField(default=0, help_text=_("A tip: of how many who said so."))
    created_at = models.DateTimeField()
    active_at = models.DateTimeField()

    search_auto_update = False  # documents.py writes row and index together; a second queue would only lag behind
    search_fields = [
        index.SearchField("title", boost=TITLE_BOOST),
        index.SearchField("stems"),
        index.AutocompleteField("title"),
        index.FilterField("kind"),
        index.FilterField("product_slug"),
        index.FilterField("state"),
        index.FilterField("solved"),
        index.FilterField("official"),
        index.FilterField("language"),
        index.FilterField("active_at"),
    ]

    class Meta:
        constraints = [models.UniqueConstraint(fields=["target_type", "target_id"], name="document_once")]
        indexes = [models.Index(fields=["kind", "-active_at"], name="document_kind")]

    def __str__(self) -> str:
        return self.title

    @property
    def stems(self) -> str:
        """What the engine looks through: what words.py keeps of all words, those of the title as often as they count.

        The engines' own stemming differs, and none of it knows two languages at once.
        """
        title, text = words.every_stem(self.title), words.every_stem(f"{self.text} {self.best_answer}")
        return " ".join(title * TITLE_BOOST + text)

    @property
    def said_now(self) -> str:
        """A short line on who and how good, in the language of whoever reads."""
        if self.worked_of:
            return gettext("worked for %(yes)d of %(all)d") % {"yes": self.worked_yes, "all": self.worked_of}
        if self.kind == self.Kind.PRODUCT and self.product and self.product.rating_count:
            mean, count = floatformat(self.product.rating_mean, 1), self.product.rating_count
            return ngettext("%(mean)s from %(count)d review", "%(mean)s from %(count)d reviews", count) % {
                "mean": mean,
                "count": count,
            }
        return self.said


class TitleWord(models.Model):
    """A word of a thread's title, as words.py keeps it. Written with the document, and gone with it (alike.py)."""

    document = models.ForeignKey(Document, on_delete=models.CASCADE, related_name="title_words")
    word = models.CharField(max_length=40)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["word", "document"], name="title_word_once")]

    def __str__(self) -> str:
        return self.word


class Spelling(models.Model):
    """Three letters of a word that some title has: finds the known words that are spelt much like an unknown one."""

    piece = models.CharField(max_length=3)
    word = models.CharField(max_length=40)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["piece", "word"], name="spelling_once")]
        indexes = [models.Index(fields=["word"], name="spelling_word")]

    def __str__(self) -> str:
        return f"{self.piece} in {self.word}"


class IndexChange(models.Model):
    """A thing changed and must be indexed again. Written with the change; the queue is only nudged (RULINGS 29)."""

    target_type = models.ForeignKey(ContentType, on_delete=models.CASCADE, related_name="+")
    target_id = models.BigIntegerField()
    at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["target_type", "target_id"], name="index_change_once")]
        indexes = [models.Index(fields=["-at", "-id"], name="index_change_newest")]

    def __str__(self) -> str:
        return f"{self.target_type}#{self.target_id}"


class Deflection(models.Model):
    """Somebody who was about to ask found the answer instead: what was typed, and which thread it was.

    The words, and the name of the look at the matches, are erased after 30 days; no person is kept at all.
    """

    thread = models.ForeignKey(Thread, on_delete=models.CASCADE, related_name="deflections")
    typed = models.CharField(max_length=200, blank=True, default="")
    ask = models.CharField(max_length=32, blank=True, default="", help_text=_("One look at the matches, at random."))
    at = models.DateTimeField(default=clock.now)

    class Meta:
        indexes = [models.Index(fields=["at"], name="deflection_at")]
        constraints = [
            models.UniqueConstraint(fields=["thread", "ask"], condition=~models.Q(ask=""), name="deflection_once")
        ]

    def __str__(self) -> str:
        return f"deflected to {self.thread_id}"
