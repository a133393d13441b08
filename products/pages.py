"""The catalogue as editors write it: a page a product and language, over the plain rows of models.py (RULINGS 4)."""

from collections.abc import Iterator
from itertools import groupby
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.core.validators import FileExtensionValidator
from django.db import models
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from modelcluster.fields import ParentalKey
from wagtail.admin.panels import FieldPanel, HelpPanel, InlinePanel, MultiFieldPanel, ObjectList, TabbedInterface
from wagtail.fields import StreamField
from wagtail.models import Orderable, Page, PageManager
from wagtail.url_routing import RouteResult

from community.core import brand as brands
from community.core import panels, pictures
from community.core.models import CommunityImage, CommunityRendition

from . import compare, made, structured
from .access import InItsLanguage, OneQueryRestrictions
from .blocks import Paper, ProseBlock, SparePart, SpecificationGroup, Variant
from .models import Family, Ownership, Product, Responsibility, Shop, lines_of
from .prose import plain_text
from .querysets import ProductPageQuerySet
from .video import Film, film_of, is_captions, is_film

FACTS_SECONDS = 300
SORTS = {"": _("In our order"), "rated": _("Best rated")}


class CataloguePage(InItsLanguage, OneQueryRestrictions, Page):
    """All products, by family."""

    intro = models.TextField(_("introduction"), blank=True, default="")

    parent_page_types = ["pages.HomePage"]
    subpage_types = ["products.ProductPage"]
    max_count_per_parent = 1
    template = "products/catalogue.html"
    preview_modes: list[Any] = [("", _("Catalogue"))]
    content_panels = [*Page.content_panels, FieldPanel("intro")]

    class Meta:
        verbose_name = _("catalogue")

    def route(self, request: HttpRequest, path_components: list[str]) -> RouteResult:
        # A product page with its product in one query, where Wagtail's own way takes three.
        if len(path_components) != 1:
            return super().route(request, path_components)
        page = ProductPage.objects.child_of(self).filter(slug=path_components[0]).for_page(request.user).first()
        if page is None or not page.live:
            raise Http404
        return RouteResult(page)

    def get_context(self, request: HttpRequest, *args: Any, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context(request, *args, **kwargs)
        families = list(Family.objects.filter(products__pages__isnull=False).distinct())
        slug = request.GET.get("family", "")
        family = next((family for family in families if family.slug == slug), None)
        if slug and family is None:
            raise Http404
        open_pages = pages_in_language()
        if family is not None:
            open_pages = open_pages.filter(product__family=family)
        pages = list(open_pages)
        sort = request.GET.get("sort", "")
        if sort not in SORTS:
            raise Http404
        if sort:  # by Bayes, not by the bare mean; what nobody has rated yet comes last, in the catalogue's order
            mean = Product.objects.mean_of_all()
            pages.sort(key=lambda one: (not one.product.rating_count, -one.product.sure_mean(mean)))
        pages = give_pictures(pages)
        shelves = [(each, [page for page in pages if page.product.family_id == each.pk]) for each in families]
        return {
            **context,
            "words": self._in_language(),
            "families": families,
            "family": family,
            "sort": sort,
            "sorts": SORTS,
            "shelves": [(each, rows) for each, rows in shelves if rows],
            "structured": structured.catalogue(request, self, family),
        }

    def _in_language(self) -> "CataloguePage":
        """Title and introduction in the language that is being read, where editors wrote them."""
        read = get_language()
        if read in (None, self.language):
            return self
        said = CataloguePage.objects.live().filter(translation_key=self.translation_key)
        return said.filter(locale__language_code=read).select_related("locale").first() or self


class VariesBy(models.TextChoices):
    """What schema.org knows variants to differ by; the values are its names."""

    COLOUR = "color", _("Colour")
    SIZE = "size", _("Size")
    MATERIAL = "material", _("Material")
    PATTERN = "pattern", _("Pattern")


class ProductPage(InItsLanguage, OneQueryRestrictions, Page):
    """What editors say about a product. Its numbers come from the product's row, its voices through panels."""

    product = models.ForeignKey(
        Product,
        on_delete=models.PROTECT,
        related_name="pages",
        verbose_name=_("product"),
        help_text=_("The page takes its address from the product."),
    )
    tagline = models.CharField(
        _("tagline"), max_length=160, help_text=_("One line under the name. No full sentence needed.")
    )
    price_band = models.CharField(
        _("price band"), max_length=8, blank=True, default="", help_text=_("€ to €€€€; never an amount.")
    )
    highlights = models.TextField(_("highlights"), blank=True, default="", help_text=_("One a line, three to five."))
    description = StreamField(ProseBlock(), blank=True, verbose_name=_("description"))
    specification = StreamField([("group", SpecificationGroup())], blank=True, verbose_name=_("specification"))
    in_the_box = models.TextField(_("in the box"), blank=True, default="", help_text=_("One thing a line."))
    variants = StreamField([("variant", Variant())], blank=True, verbose_name=_("variants"))
    variants_by = models.CharField(
        _("variants differ by"),
        max_length=10,
        choices=VariesBy,
        blank=True,
        default="",
        help_text=_("What a variant's name says, for search engines. Empty: something else, or several things."),
    )
    documents = StreamField([("document", Paper())], blank=True, verbose_name=_("documents"))
    spare_parts = StreamField([("part", SparePart())], blank=True, verbose_name=_("spare parts"))
    repair_note = models.CharField(
        _("note on repair"),
        max_length=240,
        blank=True,
        default="",
        help_text=_("How it opens, how long parts are kept."),
    )
    video_title = models.CharField(_("title of the film"), max_length=160, blank=True, default="")
    video_length = models.CharField(
        _("length"), max_length=10, blank=True, default="", help_text=_("Minutes, such as 6:40.")
    )
    video_url = models.URLField(
        _("address of the film"),
        blank=True,
        default="",
        help_text=_("YouTube or Vimeo. Nothing is asked of them before a visitor clicks."),
    )
    video_file = models.FileField(
        _("film file"),
        upload_to="videos/",
        blank=True,
        default="",
        validators=[FileExtensionValidator(["mp4", "webm"]), is_film],
        help_text=_("An MP4 or WebM of your own; it is used before the address."),
    )
    video_captions = models.FileField(
        _("captions"),
        upload_to="videos/",
        blank=True,
        default="",
        validators=[FileExtensionValidator(["vtt"]), is_captions],
        help_text=_("What is said in your own film, as a WebVTT file."),
    )
    video_poster = models.ForeignKey(
        CommunityImage, null=True, blank=True, on_delete=models.SET_NULL, related_name="+", verbose_name=_("poster")
    )
    video_transcript = models.TextField(
        _("transcript"),
        blank=True,
        default="",
        help_text=_("What is said and shown, for those who can't hear or see it."),
    )

    objects = PageManager.from_queryset(ProductPageQuerySet)()

    parent_page_types = ["products.CataloguePage"]
    subpage_types: list[str] = []
    template = "products/product.html"

    content_panels = [
        FieldPanel("product"),
        FieldPanel("title", help_text=_("As the page is headed; usually the product's name.")),
        FieldPanel("tagline"),
        FieldPanel("price_band"),
        FieldPanel("highlights"),
        FieldPanel("description"),
    ]
    picture_panels = [
        HelpPanel(_("The first picture is the one that cards and shared links show. Say what each picture shows.")),
        InlinePanel("gallery", heading=_("Gallery"), label=_("Picture")),
        MultiFieldPanel(
            [
                FieldPanel("video_title"),
                FieldPanel("video_length"),
                FieldPanel("video_file"),
                FieldPanel("video_captions"),
                FieldPanel("video_url"),
                FieldPanel("video_poster"),
                FieldPanel("video_transcript"),
            ],
            heading=_("Film"),
        ),
    ]
    fact_panels = [
        FieldPanel("specification"),
        FieldPanel("in_the_box"),
        FieldPanel("variants"),
        FieldPanel("variants_by"),
        FieldPanel("documents"),
        FieldPanel("spare_parts"),
        FieldPanel("repair_note"),
        InlinePanel("shops", heading=_("Where to buy"), label=_("Shop")),
    ]
    # No slug: it is the product's.
    promote_panels = [
        MultiFieldPanel([FieldPanel("seo_title"), FieldPanel("search_description")], _("For search engines"))
    ]
    edit_handler = TabbedInterface(
        [
            ObjectList(content_panels, heading=_("Words")),
            ObjectList(picture_panels, heading=_("Pictures and film")),
            ObjectList(fact_panels, heading=_("Facts")),
            ObjectList(promote_panels, heading=_("Found and shared")),
            ObjectList(Page.settings_panels, heading=_("Publishing")),
        ]
    )

    class Meta:
        verbose_name = _("product page")

    def __str__(self) -> str:
        return self.title

    def full_clean(self, *args: Any, **kwargs: Any) -> None:
        if self.product_id:
            self.slug = self.product.slug
        super().full_clean(*args, **kwargs)

    def clean(self) -> None:
        super().clean()
        problems = {}
        if self.product_id and self.locale_id:
            others = ProductPage.objects.filter(product=self.product_id, locale=self.locale_id).exclude(pk=self.pk)
            if others.exists():
                problems["product"] = _("This product has its page in this language already.")
        if self.video_url and film_of(self.video_url) is None:
            problems["video_url"] = _("Give the address of a film at YouTube or Vimeo.")
        if (self.video_url or self.video_file) and not self.video_poster_id:
            problems["video_poster"] = _("A film needs a picture to show before it is played.")
        if problems:
            raise ValidationError(problems)

    def get_absolute_url(self) -> str:
        return self.get_url() or self.product.get_absolute_url()

    @property
    def body_text(self) -> str:
        """Every word of the page, for search."""
        facts = [self.tagline, self.highlights, plain_text(self.description), self.in_the_box]
        return "\n".join(
            fact for fact in [*facts, plain_text(self.specification), plain_text(self.spare_parts)] if fact
        )

    @property
    def highlight_lines(self) -> list[str]:
        return lines_of(self.highlights)

    @property
    def box_lines(self) -> list[str]:
        return lines_of(self.in_the_box)

    @property
    def has_film(self) -> bool:
        return bool(self.video_file or self.film)

    @property
    def film(self) -> Film | None:
        return film_of(self.video_url) if self.video_url and not self.video_file else None

    @property
    def key_facts(self) -> list[Any]:
        """What the head of the page shows: the rows marked for it, else the first of each group."""
        rows = [row for group in self.specification for row in group.value["rows"] if row["on_top"]]
        return (rows or [group.value["rows"][0] for group in self.specification if group.value["rows"]])[:4]

    def pictures(self) -> list["GalleryItem"]:
        """The gallery with its images and their renditions, in one query; works in a preview, too."""
        if not hasattr(self, "_pictures"):
            # What an editor has in hand, in a preview, is not what the database has.
            unsaved = not self.pk or "gallery" in getattr(self, "_cluster_related_objects", {})
            self._pictures = _given(self.gallery.all()) if unsaved else list(in_gallery([self.pk]))
        return self._pictures

    @property
    def picture(self) -> "GalleryItem | None":
        """The first picture."""
        pictures = self.pictures()
        return pictures[0] if pictures else None

    def facts(self, fresh: bool = False) -> dict[str, Any]:
        """Where it is sold, who answers for what, its papers and series: kept for some minutes, as editors change
        them at leisure."""
        key = f"product-facts:{self.pk}:{self.latest_revision_id}"
        kept = None if fresh or not self.pk else cache.get(key)
        if kept is None:
            answers = Responsibility.objects.filter(product=self.product_id).exclude(subject="")
            kept = {
                "sold_at": [row.shop for row in self.shops.all().select_related("shop")],
                "responsibilities": list(answers.select_related("department")),
                "papers": [_paper(block.value) for block in self.documents],
                "series": list(self.product.versions.all()),
            }
            if self.pk and not fresh:
                cache.set(key, kept, FACTS_SECONDS)
        return kept

    def is_on_shelf_of(self, user: Any) -> bool:
        if not user.is_authenticated:
            return False
        if (known := getattr(self, "on_shelf", None)) is not None:  # asked together with the page
            return known
        return Ownership.objects.filter(owner=user, product=self.product_id).exists()

    def get_context(self, request: HttpRequest, *args: Any, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context(request, *args, **kwargs)
        panels.hand_over("product", self, self.product)
        facts = self.facts(fresh=getattr(request, "is_preview", False))
        return {
            **context,
            "product": self.product,
            "pictures": self.pictures(),
            **facts,
            "papers_on_request": any(not paper["url"] for paper in facts["papers"]),
            "compared": compare.chosen(request),
            "on_shelf": self.is_on_shelf_of(request.user),
            "histogram": [{"stars": stars, "count": count} for stars, count in self.product.histogram],
            "structured": structured.product_page(request, self),
            "share_url": request.build_absolute_uri(self.get_absolute_url()),
            "share_picture": self._share_picture(request),
        }

    def _share_picture(self, request: HttpRequest) -> str:
        """The address of the picture drawn for this page; it changes with what the picture shows."""
        mark = made.version(made.PICTURE, self, brands.of_request(request))
        return request.build_absolute_uri(f"{self.get_absolute_url()}share.jpg?v={mark}")

    @property
    def preview_modes(self) -> list[Any]:
        return [
            ("", _("Page")),
            ("card", _("In the catalogue")),
            ("share", _("Picture of a shared link")),
            ("leaflet", _("Leaflet")),
        ]

    def serve_preview(self, request: HttpRequest, mode_name: str) -> HttpResponse:
        if mode_name == "card":
            card = {
                "family": self.product.family,
                "shelves": [(self.product.family, [self])],
                "page": self,
                "words": self,
            }
            return render(request, CataloguePage.template, card)
        kind = {"share": made.PICTURE, "leaflet": made.LEAFLET}.get(mode_name)
        if kind is None:
            return super().serve_preview(request, mode_name)
        return HttpResponse(made.fresh(kind, self, brands.of_request(request)), content_type=kind.content_type)

    def serve(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = super().serve(request, *args, **kwargs)
        if self.film is not None:
            # The one page where a provider's player may be framed, after a click.
            response._csp_update = {"frame-src": ["'self'", self.film.host]}
        return response


class GalleryItem(Orderable):
    """One picture of a product."""

    class Kind(models.TextChoices):
        HERO = "hero", _("The whole of it")
        DETAIL = "detail", _("A detail")
        IN_USE = "in use", _("In use")
        DRAWING = "drawing", _("A drawing")

    page = ParentalKey(ProductPage, on_delete=models.CASCADE, related_name="gallery")
    image = models.ForeignKey(
        CommunityImage, on_delete=models.PROTECT, related_name="in_galleries", verbose_name=_("picture")
    )
    kind = models.CharField(_("kind"), max_length=20, choices=Kind, default=Kind.HERO)
    alt = models.CharField(
        _("alt text"),
        max_length=300,
        blank=True,
        help_text=_(
            "What the picture shows, in a sentence, for those who cannot see it. Empty: the text kept with the picture."
        ),
    )
    caption = models.CharField(_("caption"), max_length=300, blank=True, default="")

    panels = [FieldPanel("image"), FieldPanel("kind"), FieldPanel("alt"), FieldPanel("caption")]

    def __str__(self) -> str:
        return self.alt

    def clean(self) -> None:
        """Described here or in the picture's own record: nobody says it twice, and no picture is without words."""
        super().clean()
        if not self.alt.strip() and self.image_id:
            self.alt = self.image.alt
        if not self.alt.strip():
            raise ValidationError({"alt": _("Say what the picture shows, for those who cannot see it.")})


class SoldAt(Orderable):
    """A shop that has the product."""

    page = ParentalKey(ProductPage, on_delete=models.CASCADE, related_name="shops")
    shop = models.ForeignKey(Shop, on_delete=models.PROTECT, related_name="sells", verbose_name=_("shop"))

    panels = [FieldPanel("shop")]

    def __str__(self) -> str:
        return str(self.shop)


def _paper(value: Any) -> dict[str, Any]:
    """A document as the page lists it: a file to download, an address to read at, or neither."""
    file = value.get("file")
    if file is None:
        return {"title": value["title"], "url": value["url"], "kind": "", "size": 0}
    return {
        "title": value["title"],
        "url": file.url,
        "kind": file.file_extension.upper(),
        "size": file.get_file_size() or 0,
    }


_RENDITION = ("id", "filter_spec", "focal_point_key", "file", "width", "height")


def in_gallery(pages: list[int]) -> "Iterator[GalleryItem]":
    """The pictures of these pages, in order, each image with the renditions there are: a row for each of those."""
    rows = (
        GalleryItem.objects.filter(page__in=pages)
        .select_related("image")
        .annotate(**{f"r_{field}": models.F(f"image__renditions__{field}") for field in _RENDITION})
        .order_by("page", "sort_order", "pk")
    )
    for _item, same in groupby(rows, key=lambda row: row.pk):
        row, *others = same
        made = [
            CommunityRendition(image=row.image, **{field: getattr(each, f"r_{field}") for field in _RENDITION})
            for each in (row, *others)
            if each.r_id
        ]
        pictures.have(row.image, made)
        yield row


def _given(items: Any) -> list[GalleryItem]:
    """The pictures of a gallery that is being edited."""
    found = [item for item in items if item.image_id]
    models.prefetch_related_objects([item.image for item in found], "renditions")
    return found


def give_pictures(pages: list[ProductPage]) -> list[ProductPage]:
    """Set each page's first picture, with its renditions, in one query for all of them."""
    first: dict[int, GalleryItem] = {}
    for item in in_gallery([page.pk for page in pages]):
        first.setdefault(item.page_id, item)
    for page in pages:
        page._pictures = [first[page.pk]] if page.pk in first else []
    return pages


def in_language() -> "ProductPageQuerySet":
    """A live page for each product: in the language that is being read, in the site's own where there is none."""
    own, read = settings.LANGUAGE_CODE, get_language() or settings.LANGUAGE_CODE
    pages = ProductPage.objects.live()
    here = pages.filter(locale__language_code=read)
    if read == own:
        return here
    elsewhere = models.Q(locale__language_code=own) & ~models.Q(product__in=here.values("product"))
    return pages.filter(models.Q(locale__language_code=read) | elsewhere)


def pages_in_language() -> "models.QuerySet[ProductPage]":
    """The product pages that are open to everybody, in the language that is being read, in the catalogue's order."""
    return in_language().for_everybody().for_listing()
