"""Recipes and tips for machines: schema.org, saying what the page shows."""

from typing import Any

from community.core import ties

from .models import Recipe, Tip


def _minutes(minutes: int) -> str:
    return f"PT{minutes}M"


def _author(thing: Recipe | Tip) -> dict[str, Any]:
    return {"@type": "Person", "name": str(thing.author), **ties.known_of(thing.author, thing.created_at)}


def recipe_data(recipe: Recipe, base_url: str, picture: str = "") -> dict[str, Any]:
    data: dict[str, Any] = {
        "@context": "https://schema.org",
        "@type": "Recipe",
        "name": recipe.title,
        "url": base_url + recipe.get_absolute_url(),
        "inLanguage": recipe.language,
        "author": _author(recipe),
        "datePublished": (recipe.published_at or recipe.created_at).date().isoformat(),
        "description": recipe.body_text[:500],
        "recipeYield": f"{recipe.yield_amount.normalize():f} {recipe.yield_unit}".strip(),
        "prepTime": _minutes(recipe.prep_minutes),
        "cookTime": _minutes(recipe.cook_minutes + recipe.rest_minutes),
        "totalTime": _minutes(recipe.total_minutes),
        "recipeIngredient": [
            " ".join(filter(None, [item.amount, item.unit, item.name])) for item in recipe.ingredients.all()
        ],
        "recipeInstructions": [{"@type": "HowToStep", "text": step.text} for step in recipe.steps.all()],
        "tool": [{"@type": "HowToTool", "name": use.product.name} for use in recipe.uses.all()],
        "keywords": ", ".join(tag.name for tag in recipe.tags.all()),
    }
    if picture:
        data["image"] = picture if picture.startswith("http") else base_url + picture
    if recipe.stars_count:
        data["aggregateRating"] = {
            "@type": "AggregateRating",
            "ratingValue": round(recipe.stars_sum / recipe.stars_count, 1),
            "ratingCount": recipe.stars_count,
        }
    return {name: value for name, value in data.items() if value not in ("", [])}


def tip_data(tip: Tip, base_url: str) -> dict[str, Any]:
    """A `HowTo` where there are steps, an `Article` otherwise."""
    steps = list(tip.steps.all())
    data: dict[str, Any] = {
        "@context": "https://schema.org",
        "@type": "HowTo" if steps else "Article",
        "name" if steps else "headline": tip.title,
        "url": base_url + tip.get_absolute_url(),
        "inLanguage": tip.language,
        "author": _author(tip),
        "datePublished": (tip.published_at or tip.created_at).date().isoformat(),
        "description": tip.goal or tip.body_text[:300],
    }
    if steps:
        data["step"] = [{"@type": "HowToStep", "position": step.number, "text": step.text} for step in steps]
    if tip.product is not None:
        data["about"] = {
            "@type": "Product",
            "name": tip.product.name,
            "url": base_url + tip.product.get_absolute_url(),
        }
    return {name: value for name, value in data.items() if value != ""}
