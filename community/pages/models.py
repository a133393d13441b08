"""Editors' pages that belong to no product: the home page, the help, and plain pages."""

from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Count, Q, QuerySet
from django.http import Http404, HttpRequest
from django.utils.crypto import salted_hmac
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from modelcluster.fields import ParentalKey, ParentalManyToManyField
from wagtail import blocks
from wagtail.admin.panels import FieldPanel, FieldRowPanel, InlinePanel, MultiFieldPanel, ObjectList, TabbedInterface
from wagtail.fields import StreamField
from wagtail.models import Locale, Orderable, Page, PageManager
from wagtail.url_routing import RouteResult

from community.accounts.models import Department
from community.core import clock
from community.core.guarding import unguarded
from community.core.models import CommunityImage, Vote, vote_constraints
from community.questions.models import Thread
from products.access import InItsLanguage, OneQueryRestrictions
from products.blocks import ProseBlock, anchor_of
from products.models import Product
from products.pages import give_pictures, pages_in_language
from products.prose import plain_text

from . import structured
from .querysets import HelpArticleQuerySet

PROMOTE = [
    MultiFieldPanel(
        [FieldPanel("slug"), FieldPanel("seo_title"), FieldPanel("search_description")], _("Found and shared")
    )
]
RELATED_THREADS = 5


class Action(blocks.StructBlock):
    label = blocks.CharBlock(max_length=60)
    url = blocks.CharBlock(max_length=300, label=_("address"))


class Phase(blocks.StructBlock):
    """One of the three phases of a customer's life with a product."""

    title = blocks.CharBlock(max_length=80)
    lead = blocks.TextBlock()
    points = blocks.ListBlock(blocks.CharBlock(max_length=160))
    action = Action()

    class Meta:
        icon = "list-ul"


class Step(blocks.StructBlock):
    title = blocks.CharBlock(max_length=80)
    body = blocks.TextBlock()

    class Meta:
        icon = "order"


class Change(blocks.StructBlock):
    """You said, we did."""

    said = blocks.TextBlock(label=_("you said"))
    did = blocks.TextBlock(label=_("we did"))
    helped = blocks.CharBlock(
        max_length=240, required=False, label=_("did it help"), help_text=_("In numbers, 60 days later.")
    )
    url = blocks.CharBlock(max_length=300, required=False, label=_("address"))

    class Meta:
        icon = "check"


class HomePage(InItsLanguage, OneQueryRestrictions, Page):
    """What the community is for, in the editors' words; what happens in it comes through panels (`home.*`)."""

    hero_title = models.CharField(_("headline"), max_length=120, default="Ask the people who own one.")
    hero_lead = models.TextField(_("lead"), blank=True, default="")
    hero_image = models.ForeignKey(
        CommunityImage, null=True, blank=True, on_delete=models.SET_NULL, related_name="+", verbose_name=_("picture")
    )
    hero_alt = models.CharField(
        _("alt text"), max_length=300, blank=True, default="", help_text=_("What the picture shows.")
    )
    hero_caption = models.CharField(_("caption"), max_length=200, blank=True, default="")
    ask_label = models.CharField(_("label of the ask box"), max_length=120, default="What would you like to know?")
    ask_placeholder = models.CharField(_("example in the ask box"), max_length=120, blank=True, default="")
    ask_help = models.CharField(_("line under the ask box"), max_length=240, blank=True, default="")
    phases = StreamField([("phase", Phase())], blank=True, verbose_name=_("phases"))
    steps_title = models.CharField(_("heading of the steps"), max_length=80, blank=True, default="")
    steps = StreamField([("step", Step())], blank=True, verbose_name=_("steps"))
    promises_title = models.CharField(_("heading of the promises"), max_length=80, blank=True, default="")
    promises = StreamField([("promise", Step())], blank=True, verbose_name=_("promises"))
    changes_title = models.CharField(_("heading of “You said, we did”"), max_length=80, blank=True, default="")
    changes = StreamField([("change", Change())], blank=True, verbose_name=_("you said, we did"))
    solved_title = models.CharField(_("heading of the questions"), max_length=80, default="Being solved now")
    advocates_title = models.CharField(_("heading of the advocates"), max_length=80, default="Advocates of the month")
    closing_title = models.CharField(_("closing headline"), max_length=120, blank=True, default="")
    closing_body = models.TextField(_("closing text"), blank=True, default="")

    parent_page_types = ["wagtailcore.Page"]
    subpage_types = ["products.CataloguePage", "pages.HelpIndexPage", "pages.ContentPage"]
    template = "pages/home.html"

    edit_handler = TabbedInterface(
        [
            ObjectList(
                [
                    FieldPanel("title"),
                    MultiFieldPanel(
                        [
                            FieldPanel("hero_title"),
                            FieldPanel("hero_lead"),
                            FieldPanel("hero_image"),
                            FieldPanel("hero_alt"),
                            FieldPanel("hero_caption"),
                        ],
                        heading=_("Top of the page"),
                    ),
                    MultiFieldPanel(
                        [FieldPanel("ask_label"), FieldPanel("ask_placeholder"), FieldPanel("ask_help")],
                        heading=_("Ask box"),
                    ),
                ],
                heading=_("Top"),
            ),
            ObjectList(
                [
                    FieldPanel("phases"),
                    FieldRowPanel([FieldPanel("solved_title"), FieldPanel("advocates_title")]),
                    FieldPanel("changes_title"),
                    FieldPanel("changes"),
                    FieldPanel("steps_title"),
                    FieldPanel("steps"),
                    FieldPanel("promises_title"),
                    FieldPanel("promises"),
                    FieldPanel("closing_title"),
                    FieldPanel("closing_body"),
                ],
                heading=_("Sections"),
            ),
            ObjectList(PROMOTE, heading=_("Found and shared")),
            ObjectList(Page.settings_panels, heading=_("Publishing")),
        ]
    )

    class Meta:
        verbose_name = _("home page")

    def clean(self) -> None:
        super().clean()
        if self.hero_image_id and not self.hero_alt:
            raise ValidationError({"hero_alt": _("Say what the picture shows, for those who cannot see it.")})

    def route(self, request: HttpRequest, path_components: list[str]) -> RouteResult:
        """What isn't online in this language is shown in the site's own."""
        try:
            return super().route(request, path_components)
        except Http404:
            own = HomePage.objects.filter(translation_key=self.translation_key, locale=Locale.get_default()).first()
            if own is None or own.pk == self.pk:
                raise
            return own.route(request, path_components)

    def get_context(self, request: HttpRequest, *args: Any, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context(request, *args, **kwargs)
        shelf = give_pictures(list(pages_in_language().filter(product__lifecycle=Product.Lifecycle.CURRENT)))
        if self.hero_image_id:
            models.prefetch_related_objects([self.hero_image], "renditions")
        return {**context, "shelf": shelf, "structured": structured.home(request, self)}


class HelpIndexPage(InItsLanguage, OneQueryRestrictions, Page):
    """Every help article, by product."""

    intro = models.TextField(_("introduction"), blank=True, default="")

    parent_page_types = ["pages.HomePage"]
    subpage_types = ["pages.HelpArticlePage"]
    max_count_per_parent = 1
    template = "pages/help_index.html"
    content_panels = [*Page.content_panels, FieldPanel("intro")]

    class Meta:
        verbose_name = _("help")

    def route(self, request: HttpRequest, path_components: list[str]) -> RouteResult:
        # An article with who keeps it in one query, where Wagtail's own way takes four.
        if len(path_components) != 1:
            return super().route(request, path_components)
        page = HelpArticlePage.objects.child_of(self).filter(slug=path_components[0]).for_page().first()
        if page is None or not page.live:
            raise Http404
        return RouteResult(page)

    def get_context(self, request: HttpRequest, *args: Any, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context(request, *args, **kwargs)
        articles = list(unguarded(HelpArticlePage.objects.child_of(self).live(), self).for_listing())
        shelves: dict[Product, list[HelpArticlePage]] = {}
        general = []
        for article in articles:
            about = list(article.products.all())
            for product in about:
                shelves.setdefault(product, []).append(article)
            if not about:
                general.append(article)
        ordered = sorted(shelves.items(), key=lambda pair: (pair[0].position, pair[0].name))
        return {
            **context,
            "articles": articles,
            "pinned": [article for article in articles if article.pinned],
            "general": general,
            "shelves": ordered,
            "structured": structured.help_index(request, self),
        }


class HelpArticlePage(InItsLanguage, OneQueryRestrictions, Page):
    """An answer that holds for everybody: somebody owns it, and looks at it again by a date."""

    summary = models.CharField(_("summary"), max_length=300, help_text=_("One or two sentences, as a list shows it."))
    body = StreamField(ProseBlock(), verbose_name=_("text"))
    keeper = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="kept_articles",
        verbose_name=_("who keeps it right"),
    )
    department = models.ForeignKey(
        Department,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="help_articles",
        verbose_name=_("department"),
    )
    products = ParentalManyToManyField(Product, blank=True, related_name="help_articles", verbose_name=_("products"))
    search_terms = models.CharField(
        _("search words"),
        max_length=400,
        blank=True,
        default="",
        help_text=_("Words people look for that the text does not use; by commas."),
    )
    pinned = models.BooleanField(_("keep at the top"), default=False)
    checked_on = models.DateField(_("last checked on"), null=True, blank=True)
    review_on = models.DateField(_("look at it again on"), null=True, blank=True)
    from_thread = models.ForeignKey(
        Thread,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="became_help",
        verbose_name=_("written from the thread"),
    )
    related_articles = ParentalManyToManyField(
        "self", blank=True, symmetrical=False, verbose_name=_("related articles")
    )

    objects = PageManager.from_queryset(HelpArticleQuerySet)()

    parent_page_types = ["pages.HelpIndexPage"]
    subpage_types: list[str] = []
    template = "pages/help_article.html"

    edit_handler = TabbedInterface(
        [
            ObjectList([FieldPanel("title"), FieldPanel("summary"), FieldPanel("body")], heading=_("Words")),
            ObjectList(
                [
                    FieldPanel("products"),
                    FieldPanel("search_terms"),
                    FieldPanel("pinned"),
                    MultiFieldPanel(
                        [
                            FieldRowPanel([FieldPanel("keeper"), FieldPanel("department")]),
                            FieldRowPanel([FieldPanel("checked_on"), FieldPanel("review_on")]),
                        ],
                        heading=_("Who keeps it right"),
                    ),
                    InlinePanel("changes", heading=_("What changed"), label=_("Change")),
                ],
                heading=_("Care"),
            ),
            ObjectList(
                [
                    FieldPanel("from_thread"),
                    InlinePanel("credits", heading=_("With thanks to"), label=_("Person")),
                    InlinePanel("related_threads", heading=_("Related threads"), label=_("Thread")),
                    FieldPanel("related_articles"),
                ],
                heading=_("Ties"),
            ),
            ObjectList(PROMOTE, heading=_("Found and shared")),
            ObjectList(Page.settings_panels, heading=_("Publishing")),
        ]
    )

    class Meta:
        verbose_name = _("help article")

    def get_absolute_url(self) -> str:
        return self.get_url() or f"/help/{self.slug}/"

    @property
    def author(self) -> Any:
        """Whom an event about the article is about."""
        return self.keeper

    @property
    def body_text(self) -> str:
        """Every word of the article and the words people look for, for search."""
        return "\n".join(part for part in (self.summary, plain_text(self.body), self.search_terms) if part)

    @property
    def is_overdue(self) -> bool:
        return self.review_on is not None and self.review_on < clock.now().date()

    @property
    def headings(self) -> list[tuple[str, str]]:
        """(anchor, words) of the sections, for the list at the top."""
        return [(anchor_of(block.value), block.value) for block in self.body if block.block_type == "heading"]

    @cached_property
    def judged(self) -> dict[str, int]:
        """How many it helped (`yes`) and did not help (`no`)."""
        return self.votes.aggregate(yes=Count("pk", filter=Q(helpful=True)), no=Count("pk", filter=Q(helpful=False)))

    def get_context(self, request: HttpRequest, *args: Any, **kwargs: Any) -> dict[str, Any]:
        from_thread = None
        if self.from_thread_id:
            from_thread = Thread.objects.visible_to(request.user).filter(pk=self.from_thread_id).first()
        return {
            **super().get_context(request, *args, **kwargs),
            "about": list(self.products.all()),
            "related": self.related_for_anybody(),
            "threads": self.threads_for(request.user),
            "credits": [credit.person for credit in self.credits.all().select_related("person")],
            "changes": self.changes.all().select_related("by"),
            "from_thread": from_thread,
            "my_vote": vote_of(self, request),
            "structured": structured.help_article(request, self),
        }

    def related_for_anybody(self) -> list["HelpArticlePage"]:
        """The articles beside it that are online and not guarded."""
        chosen = [page for page in self.related_articles.all() if page.live]
        shown = unguarded(HelpArticlePage.objects.filter(pk__in=[page.pk for page in chosen]))
        pks = set(shown.values_list("pk", flat=True)) if chosen else set()
        return [page for page in chosen if page.pk in pks]

    def threads_for(self, user: Any) -> "QuerySet[Thread]":
        """The threads beside it that somebody may see."""
        wanted = [row.thread_id for row in self.related_threads.all()]
        return Thread.objects.visible_to(user).filter(pk__in=wanted)[:RELATED_THREADS]


class HelpChange(Orderable):
    """What changed in a help article, in words, for its readers."""

    page = ParentalKey(HelpArticlePage, on_delete=models.CASCADE, related_name="changes")
    changed_on = models.DateField(_("on"), default=clock.now)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        verbose_name=_("by"),
    )
    summary = models.CharField(_("what changed"), max_length=240)

    panels = [FieldRowPanel([FieldPanel("changed_on"), FieldPanel("by")]), FieldPanel("summary")]

    def __str__(self) -> str:
        return self.summary


class HelpCredit(Orderable):
    """Whose answer an article was written from."""

    page = ParentalKey(HelpArticlePage, on_delete=models.CASCADE, related_name="credits")
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", verbose_name=_("person")
    )

    panels = [FieldPanel("person")]

    def __str__(self) -> str:
        return str(self.person)


class RelatedThread(Orderable):
    """A thread that a reader of the article may want."""

    page = ParentalKey(HelpArticlePage, on_delete=models.CASCADE, related_name="related_threads")
    thread = models.ForeignKey(Thread, on_delete=models.CASCADE, related_name="help_articles", verbose_name=_("thread"))

    panels = [FieldPanel("thread")]

    def __str__(self) -> str:
        return str(self.thread)


class HelpVote(Vote):
    """Did this help? One row a person, or a visit of somebody who is not signed in."""

    target = models.ForeignKey(HelpArticlePage, on_delete=models.CASCADE, related_name="votes")
    helpful = models.BooleanField()

    class Meta:
        constraints = vote_constraints("helpvote")

    def __str__(self) -> str:
        return f"{self.target}: {'yes' if self.helpful else 'no'}"


def visit_of(request: HttpRequest) -> str:
    """Which visit this is, for those who are not signed in; never the session's key itself."""
    return salted_hmac("community.pages.visit", request.session.session_key or "").hexdigest()[:32]


def vote_of(article: HelpArticlePage, request: HttpRequest) -> bool | None:
    """What this reader said before: it helped, it did not, or nothing."""
    if request.user.is_authenticated:
        mine = HelpVote.objects.filter(target=article.pk, voter=request.user)
    elif getattr(request, "session", None) is not None and request.session.session_key:
        mine = HelpVote.objects.filter(target=article.pk, source="visit", external_id=visit_of(request))
    else:
        return None
    return mine.values_list("helpful", flat=True).first()


class ContentPage(InItsLanguage, OneQueryRestrictions, Page):
    """A plain page: how points work, how reviews are handled, privacy. Pages below it are listed at its end."""

    intro = models.TextField(_("introduction"), blank=True, default="")
    body = StreamField(ProseBlock(), blank=True, verbose_name=_("text"))

    parent_page_types = ["pages.HomePage", "pages.ContentPage"]
    subpage_types = ["pages.ContentPage"]
    template = "pages/content.html"
    content_panels = [*Page.content_panels, FieldPanel("intro"), FieldPanel("body")]
    promote_panels = PROMOTE

    class Meta:
        verbose_name = _("plain page")

    def get_absolute_url(self) -> str:
        return self.get_url() or "/"

    @property
    def headings(self) -> list[tuple[str, str]]:
        return [(anchor_of(block.value), block.value) for block in self.body if block.block_type == "heading"]

    def get_context(self, request: HttpRequest, *args: Any, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context(request, *args, **kwargs)
        parent = self.get_parent() if self.depth > 3 else None
        below = unguarded(ContentPage.objects.child_of(self).live(), self) if self.pk and self.numchild else []
        return {
            **context,
            "below": list(below),
            "above": parent,
            "structured": structured.content(request, self, parent),
        }


class PublicFigures(models.Model):
    """One row: what the front page says in numbers, as counted last (figures.py says how)."""

    counted_at = models.DateTimeField()
    asked = models.PositiveIntegerField(default=0)
    answered = models.PositiveIntegerField(default=0)
    first_reply_seconds = models.PositiveBigIntegerField(null=True)
    solved = models.PositiveIntegerField(default=0)
    settled_at_once = models.PositiveIntegerField(default=0)
    open_since = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"Figures of {self.counted_at:%Y-%m-%d %H:%M}"
