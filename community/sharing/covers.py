"""What stands on the card of a recipe: the brand's picture, its author's first photo, or a drawing of the product."""

from collections.abc import Iterable
from typing import Any

from community.core import pictures
from community.core.models import CommunityRendition
from community.core.templatetags.community import DRAWINGS
from community.posts.models import Upload
from community.posts.photos import photos_of
from products.models import Product

from .models import Recipe


def on_cards(recipes: Iterable[Recipe], product: Product) -> list[Recipe]:
    """Recipes read `for_cards()`, with `cover` and `drawing` as below: of the product they are shown with; no query."""
    cards: list[Any] = list(recipes)
    for recipe in cards:
        recipe.cover = Upload(**recipe.card_photo) if recipe.card_photo else None
        recipe.drawing = product.slug if product.slug in DRAWINGS else "flatwhite"
        if recipe.picture is not None:
            # One of an older focal point doesn't fit; then it is asked for, and made, as ever.
            made = [CommunityRendition(image=recipe.picture, **recipe.card_made)] if recipe.card_made else []
            pictures.have(recipe.picture, made)
    return cards


def covered(recipes: Iterable[Recipe]) -> list[Recipe]:
    """The recipes with `photos`, `cover` (an upload or None) and `drawing` (a name or nothing); one query."""
    recipes = list(recipes)
    photos = photos_of(recipes)
    for recipe in recipes:
        recipe.photos = photos[recipe.pk]  # type: ignore[attr-defined]
        recipe.cover = next(iter(recipe.photos), None)  # type: ignore[attr-defined]
        known = [product.slug for product in recipe.products.all() if product.slug in DRAWINGS]
        recipe.drawing = next(iter(known), "flatwhite")  # type: ignore[attr-defined]
    return recipes
