"""Sharing a recipe, and changing it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from community.accounts.models import User
from community.core import clock, text
from community.core.body import BODY_FIELDS
from community.core.errors import Conflict
from community.core.models import Body, CommunityImage
from community.core.rows import retried
from community.moderation import screening
from community.posts import gates
from community.posts import services as posts
from community.posts.models import Upload
from products.models import Product

from ..models import Difficulty, Ingredient, Recipe, RecipeProduct, RecipeStep
from .ground import (
    LONGEST_MINUTES,
    MOST_INGREDIENTS,
    Visibility,
    beside,
    check_steps,
    check_title,
    finish_edit,
    finish_sharing,
    require_may_share,
    row_to_edit,
    said_in,
    shared_by,
    write_words,
)


@retried
def share_recipe(
    by: User,
    *,
    title: str,
    body: str,
    ingredients: Sequence[Mapping[str, str]],
    steps: Sequence[Mapping[str, Any]],
    yield_amount: Decimal | float = 1,
    yield_unit: str = "",
    prep_minutes: int = 0,
    cook_minutes: int = 0,
    rest_minutes: int = 0,
    difficulty: str = Difficulty.EASY,
    products: Mapping[Product, Sequence[int]] | Sequence[Product] = (),
    tags: Sequence[str] = (),
    language: str = "",
    remix_of: Recipe | None = None,
    remix_note: str = "",
    photos: Sequence[Upload] = (),
    picture: CommunityImage | None = None,
    hold: bool = False,
    source_format: str = Body.Format.MARKDOWN,
    **sourced: str,
) -> Recipe:
    """Share a recipe. `ingredients` have name and perhaps group, amount, unit, note; `steps` have text and perhaps
    timer_minutes and product. `products` may say in which steps (from 1) each is used.

    Raises ValidationError by field (`ingredients` and `steps` for the lists). A newcomer's first may wait for a look.
    """
    require_may_share(by)
    if remix_of is not None and not Recipe.objects.visible_to(by).filter(pk=remix_of.pk).exists():
        raise Conflict(_("The recipe this one grew from is not online any more."))
    fields = _checked_recipe(
        title=title,
        ingredients=ingredients,
        steps=steps,
        yield_amount=yield_amount,
        yield_unit=yield_unit,
        prep_minutes=prep_minutes,
        cook_minutes=cook_minutes,
        rest_minutes=rest_minutes,
        difficulty=difficulty,
        remix_note=remix_note,
    )
    recipe = Recipe(
        author=by,
        language=(language or by.language or "en")[:10],
        created_at=clock.now(),
        remix_of=remix_of,
        picture=picture,
        visibility=Visibility.DRAFT,
        **fields,
        **sourced,
    )
    write_words(recipe, body, source_format, by)
    words = (recipe.title, *beside(recipe), *said_in(ingredients, steps), *posts.words_beside(photos))
    looked = gates.look(recipe, by, "shared", *words, published=shared_by(by))
    waits = hold or looked.waits
    if waits:
        recipe.visibility = Visibility.PENDING
    found = posts.tags_named(list(tags), by)
    recipe.save(force_insert=True)
    recipe.tags.set(found)
    _set_parts(recipe, ingredients, steps, products)
    finish_sharing(recipe, by, photos, waits, looked)
    return recipe


@retried
def edit_recipe(
    recipe: Recipe,
    by: User,
    *,
    title: str,
    body: str,
    ingredients: Sequence[Mapping[str, str]],
    steps: Sequence[Mapping[str, Any]],
    yield_amount: Decimal | float = 1,
    yield_unit: str = "",
    prep_minutes: int = 0,
    cook_minutes: int = 0,
    rest_minutes: int = 0,
    difficulty: str = Difficulty.EASY,
    products: Mapping[Product, Sequence[int]] | Sequence[Product] = (),
    tags: Sequence[str] = (),
    remix_note: str = "",
    photos: Sequence[Upload] | None = None,
    summary: str = "",
    seen_revision: int | None = None,
) -> Recipe:
    """Change one's own recipe; every version of its words is kept. `photos` None leaves them."""
    row = row_to_edit(recipe, by, seen_revision)
    fields = _checked_recipe(
        title=title,
        ingredients=ingredients,
        steps=steps,
        yield_amount=yield_amount,
        yield_unit=yield_unit,
        prep_minutes=prep_minutes,
        cook_minutes=cook_minutes,
        rest_minutes=rest_minutes,
        difficulty=difficulty,
        remix_note=remix_note,
    )
    for field, value in fields.items():
        setattr(row, field, value)
    write_words(row, body, Body.Format.MARKDOWN, by)
    words = (row.title, *beside(row), *said_in(ingredients, steps), *posts.words_beside(photos))
    looked = gates.look_again(row, by, "shared", *words)
    row.edited_at = clock.now()
    row.save(update_fields=[*fields, *BODY_FIELDS, "edited_at"])
    screening.keep_change(looked, row)
    row.tags.set(posts.tags_named(list(tags), by))
    before = row.product_ids
    products = _in_steps(row, products, steps)
    row.ingredients.all().delete()
    row.steps.all().delete()
    row.uses.all().delete()
    _set_parts(row, ingredients, steps, products)
    finish_edit(row, by, photos, summary, before=before, waits=looked.waits)
    recipe.refresh_from_db()
    return recipe


def _checked_recipe(
    *,
    title: str,
    ingredients: Sequence[Mapping[str, str]],
    steps: Sequence[Mapping[str, Any]],
    yield_amount: Decimal | float,
    yield_unit: str,
    prep_minutes: int,
    cook_minutes: int,
    rest_minutes: int,
    difficulty: str,
    remix_note: str,
) -> dict[str, Any]:
    errors: dict[str, str] = {}
    title = check_title(title, errors)
    check_steps(steps, errors)
    if not steps:
        errors["steps"] = _("Tell at least one step.")
    if not ingredients:
        errors["ingredients"] = _("Name at least one ingredient.")
    elif len(ingredients) > MOST_INGREDIENTS:
        errors["ingredients"] = _("At most %(most)d ingredients.") % {"most": MOST_INGREDIENTS}
    elif any(not str(item.get("name", "")).strip() for item in ingredients):
        errors["ingredients"] = _("An ingredient needs a name.")
    if difficulty not in Difficulty.values:
        errors["difficulty"] = _("Choose how difficult it is.")
    if not 0 < yield_amount <= 1000:
        errors["yield_amount"] = _("How many does it make? Use a number above zero.")
    minutes = {"prep_minutes": prep_minutes, "cook_minutes": cook_minutes, "rest_minutes": rest_minutes}
    for field, value in minutes.items():
        if not 0 <= value <= LONGEST_MINUTES:
            errors[field] = _("How many minutes is that? Use a whole number.")
    if errors:
        raise ValidationError(errors)
    return {
        "title": title,
        "yield_amount": yield_amount,
        "yield_unit": text.clean_line(yield_unit)[:40],
        **minutes,
        "difficulty": difficulty,
        "remix_note": text.clean_line(remix_note)[:300],
    }


def _set_parts(
    recipe: Recipe,
    ingredients: Sequence[Mapping[str, str]],
    steps: Sequence[Mapping[str, Any]],
    products: Mapping[Product, Sequence[int]] | Sequence[Product],
) -> None:
    Ingredient.objects.bulk_create(
        Ingredient(
            recipe=recipe,
            group=text.clean_line(str(item.get("group") or ""))[:80],
            amount=text.clean_line(str(item.get("amount") or ""))[:30],
            unit=text.clean_line(str(item.get("unit") or ""))[:30],
            name=text.clean_line(str(item["name"]))[:120],
            note=text.clean_line(str(item.get("note") or ""))[:200],
            position=position,
        )
        for position, item in enumerate(ingredients)
    )
    used: dict[Product, list[int]] = {}
    if isinstance(products, Mapping):
        used = {product: list(numbers) for product, numbers in products.items()}
    else:
        used = {product: [] for product in products}
    rows = []
    for number, step in enumerate(steps, start=1):
        product = step.get("product")
        if product is not None and number not in used.setdefault(product, []):
            used[product].append(number)
        rows.append(
            RecipeStep(
                recipe=recipe,
                number=number,
                text=text.clean_source(str(step["text"])).strip(),
                timer_minutes=step.get("timer_minutes") or None,
                product=product,
            )
        )
    RecipeStep.objects.bulk_create(rows)
    RecipeProduct.objects.bulk_create(
        RecipeProduct(recipe=recipe, product=product, steps=sorted(numbers)) for product, numbers in used.items()
    )


def _in_steps(
    row: Recipe, products: Mapping[Product, Sequence[int]] | Sequence[Product], steps: Sequence[Mapping[str, Any]]
) -> Mapping[Product, Sequence[int]]:
    """A form names products alone. In which steps they are used stays known, as far as these steps stand where they
    stood."""
    if isinstance(products, Mapping):
        return products
    were = dict(row.steps.values_list("number", "text"))
    now = {number: text.clean_source(str(step["text"])).strip() for number, step in enumerate(steps, start=1)}
    used = dict(row.uses.values_list("product", "steps"))
    return {
        product: [number for number in used.get(product.pk, []) if number in now and now[number] == were.get(number)]
        for product in products
    }
