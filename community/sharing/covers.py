"""What stands on the card of a recipe: the brand's picture, its author's first photo, or a drawing of the product."""

from collections.abc import Iterable

from community.core.templatetags.community import DRAWINGS
from community.posts.photos import photos_of

from .models import Recipe


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
