"""Recipes and tips on the pages of other rooms: a product, the front page, a person."""

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

from django.http import HttpRequest

from community.core.panels import Panel
from products.models import Product

from .covers import covered, on_cards
from .models import Recipe, Tip

Context = Mapping[Hashable, Mapping[str, Any]]


class ProductRecipes(Panel):
    """What is made with a product."""

    template = "sharing/_product_recipes.html"
    query_budget = 7  # one; the others only when a picture has to be made
    shown = 3

    def context(self, request: HttpRequest | None, batch: Sequence[Product]) -> Context:
        return {product.pk: self._one(product) for product in batch}

    def _one(self, product: Product) -> Mapping[str, Any]:
        recipes: list[Recipe] = []
        if product.recipe_count:
            found = Recipe.objects.visible().filter(uses__product=product).sorted_by("made").for_cards()
            recipes = on_cards(found[: self.shown], product)
        return {"product": product, "recipes": recipes}


class ProductTips(Panel):
    """What owners found out about a product, what worked for most first."""

    template = "sharing/_product_tips.html"
    query_budget = 2
    shown = 5

    def context(self, request: HttpRequest | None, batch: Sequence[Product]) -> Context:
        found: dict[Any, list[Tip]] = {product.pk: [] for product in batch}
        rows = Tip.objects.visible().filter(product__in=batch).sorted_by("worked").for_listing()
        for tip in rows[: 40 * len(batch)]:
            if len(found[tip.product_id]) < self.shown:
                found[tip.product_id].append(tip)
        return {product.pk: {"product": product, "tips": found[product.pk]} for product in batch}


class HomeRecipe(Panel):
    """The recipe in the window: the one featured last, or the one most people made."""

    template = "sharing/_home_recipe.html"
    query_budget = (
        7  # five; one when nothing was featured yet, one that looks for a size of the picture that isn't there
    )

    def context(self, request: HttpRequest | None, batch: Sequence[Any]) -> Context:
        visible = Recipe.objects.visible().for_listing()
        recipe = (
            visible.filter(featured_at__isnull=False).order_by("-featured_at").first()
            or visible.sorted_by("made").first()
        )
        if recipe is None:
            return {}
        covered([recipe])
        return {None: {"recipe": recipe}}


class HomeTip(Panel):
    template = "sharing/_home_tip.html"
    query_budget = 2

    def context(self, request: HttpRequest | None, batch: Sequence[Any]) -> Context:
        visible = Tip.objects.visible().for_listing()
        tip = (
            visible.filter(featured_at__isnull=False).order_by("-featured_at").first()
            or visible.sorted_by("worked").first()
        )
        return {None: {"tip": tip}} if tip else {}


class PersonSharing(Panel):
    """The recipes and tips somebody shared."""

    template = "sharing/_person.html"
    order = 50
    query_budget = 2
    shown = 6

    def context(self, request: HttpRequest | None, batch: Sequence[Any]) -> Context:
        found: dict[Any, dict[str, list[Any]]] = {}
        for name, model in (("recipes", Recipe), ("tips", Tip)):
            for thing in model.objects.visible().filter(author__in=batch).order_by("-created_at")[: 50 * len(batch)]:
                kept = found.setdefault(thing.author_id, {"recipes": [], "tips": []})[name]
                if len(kept) < self.shown:
                    kept.append(thing)
        return found
