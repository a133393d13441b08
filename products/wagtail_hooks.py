"""The catalogue's rows in the Wagtail admin."""

from collections.abc import Iterable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext_lazy as _
from wagtail import hooks
from wagtail.admin import messages
from wagtail.admin.forms import WagtailAdminModelForm
from wagtail.admin.panels import FieldPanel, FieldRowPanel, MultiFieldPanel, ObjectList
from wagtail.snippets.models import register_snippet
from wagtail.snippets.views.snippets import CreateView, EditView, SnippetViewSet, SnippetViewSetGroup

from community.core import spoken_forms as spoken
from community.core.screens import ComplaintsAtFields

from . import services
from .models import Family, Product, Responsibility, Shop, Version
from .shelf import desk  # noqa: F401 - its hooks register themselves


class _ThroughService(ComplaintsAtFields):
    """Saves through the service, so that a recall or an end is told to whoever listens (RULINGS 6)."""

    def save_instance(self) -> Product:
        form, by = self.form, self.request.user  # type: ignore[attr-defined]
        return services.change_product(form.save(commit=False), by, form.cleaned_data.get("recall_versions"))


class ProductForm(WagtailAdminModelForm):
    """Offers the product's own versions for a recall, not those of others."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "recall_versions" in self.fields:
            own = Version.objects.filter(product=self.instance.pk)
            self.fields["recall_versions"].queryset = own  # type: ignore[attr-defined]


class ProductCreate(_ThroughService, CreateView):
    pass


class ProductEdit(_ThroughService, EditView):
    pass


class ProductViewSet(SnippetViewSet):
    model = Product
    icon = "tag"
    list_display = ["name", "family", "lifecycle", "rating_count", "thread_count"]
    list_filter = ["family", "lifecycle"]
    search_fields = ["name", "slug"]
    add_view_class = ProductCreate
    edit_view_class = ProductEdit

    def get_edit_handler(self) -> Any:
        form = spoken.form_for(Product, ProductForm)
        return ObjectList(self.panels, base_form_class=form).bind_to_model(self.model)

    panels = [
        FieldRowPanel([FieldPanel("name"), FieldPanel("short_name")]),
        FieldRowPanel(
            [
                FieldPanel("slug", help_text=_("The word in the address of its page: /products/…/. It stays.")),
                FieldPanel("family"),
                FieldPanel("position", help_text=_("Small numbers stand first.")),
            ]
        ),
        FieldPanel("what"),
        FieldPanel("gtin"),
        MultiFieldPanel(
            [
                FieldPanel("lifecycle"),
                FieldPanel("lifecycle_note"),
                FieldRowPanel([FieldPanel("launched_on"), FieldPanel("expected_on")]),
            ],
            heading=_("Where it is in its life"),
        ),
        MultiFieldPanel(
            [
                FieldPanel("recall_title"),
                FieldPanel("recall_affects"),
                FieldPanel("recall_versions"),
                FieldPanel("recall_note"),
                FieldPanel("recall_why"),
                FieldPanel("recalled_on"),
            ],
            heading=_("Recall"),
            help_text=_(
                "Shown on top of the product's page, as soon as it says what owners must do; the owners are told once."
            ),
        ),
        *spoken.panels_for(Product),
    ]


class SpokenViewSet(SnippetViewSet):
    """Of a model whose words stand in several languages."""

    instead: dict[str, Any] = {}  # the form field of a column that has one of its own
    form = WagtailAdminModelForm

    def get_edit_handler(self) -> Any:
        form = spoken.form_for(self.model, self.form, **self.instead)
        return ObjectList(self.panels, base_form_class=form).bind_to_model(self.model)


class FamilyViewSet(SpokenViewSet):
    model = Family
    icon = "folder-open-1"
    list_display = ["name", "position"]
    search_fields = ["name"]
    panels = [
        FieldRowPanel([FieldPanel("name"), FieldPanel("slug"), FieldPanel("position")]),
        FieldPanel("intro"),
        FieldPanel("secondary_ratings"),
        *spoken.panels_for(Family),
    ]
    instead = {
        "secondary_ratings": spoken.RatingsField(
            required=False,
            label=_("Secondary ratings"),
            help_text=_(
                "What reviews also rate, a line each, such as “noise: Quietness”. Keep the word before the colon when "
                "you reword the rest, and use the same one in every language: the ratings given stay with it."
            ),
        )
    }


class ShopViewSet(SpokenViewSet):
    model = Shop
    icon = "site"
    list_display = ["name", "where", "delivers"]
    search_fields = ["name", "where"]
    panels = [
        FieldRowPanel([FieldPanel("name"), FieldPanel("slug"), FieldPanel("position")]),
        FieldRowPanel([FieldPanel("where"), FieldPanel("delivers")]),
        FieldPanel("note"),
        FieldPanel("url"),
        *spoken.panels_for(Shop),
    ]


class VersionForm(WagtailAdminModelForm):
    """It stays with its product: recalls, shelves and answers name it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.fields["product"].disabled = True


@hooks.register("before_delete_snippet")
def keep_what_a_recall_names(request: HttpRequest, instances: Iterable[Any]) -> HttpResponse | None:
    """One by one and many at once. Says which, and leaves everything as it is."""
    versions = [one for one in instances if isinstance(one, Version)]
    reasons = [reason for one in versions if (reason := services.why_not_delete_version(one))]
    for reason in reasons:
        messages.error(request, reason)
    return redirect("wagtailsnippets_products_version:list") if reasons else None


class VersionViewSet(SpokenViewSet):
    model = Version
    form = VersionForm
    icon = "history"
    list_display = ["name", "product", "gtin", "position"]
    list_filter = ["product"]
    search_fields = ["name"]
    menu_label = _("Series and firmware")
    panels = [
        FieldPanel("product"),
        FieldRowPanel([FieldPanel("name"), FieldPanel("position")]),
        FieldPanel("gtin"),
        *spoken.panels_for(Version),
    ]


class ResponsibilityViewSet(SpokenViewSet):
    model = Responsibility
    icon = "group"
    list_display = ["product", "subject", "department"]
    list_filter = ["product", "department"]
    search_fields = ["subject"]
    panels = [
        FieldPanel("product"),
        FieldPanel("subject"),
        FieldPanel("department"),
        *spoken.panels_for(Responsibility),
    ]
    menu_label = _("Who answers for what")


class CatalogueGroup(SnippetViewSetGroup):
    items = (ProductViewSet, FamilyViewSet, ShopViewSet, VersionViewSet, ResponsibilityViewSet)
    menu_label = _("Catalogue")
    menu_icon = "tag"
    menu_order = 210
    add_to_admin_menu = True


register_snippet(CatalogueGroup)


@hooks.register("construct_settings_menu")
def hide_users_and_groups(request: Any, menu_items: list[Any]) -> None:
    """People and roles are kept by the accounts room; Wagtail's own screens would go round it (RULINGS 6)."""
    menu_items[:] = [item for item in menu_items if item.name not in ("users", "groups")]
