"""What people do with recipes and tips."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Count, Q, Sum
from django.utils.translation import gettext as _

from community.accounts.models import User
from community.core import clock, text
from community.core.body import BODY_FIELDS, write_body
from community.core.errors import Conflict, require
from community.core.models import Body, CommunityImage
from community.core.rows import locked, retried
from community.events.log import is_replaying, record
from community.moderation import screening
from community.moderation import services as moderation
from community.moderation.models import Moderated
from community.moderation.permissions import why_not_moderate, why_not_write
from community.posts import gates
from community.posts import services as posts
from community.posts.models import Upload
from products.models import Product

from . import permissions
from .models import Difficulty, Ingredient, Made, Recipe, RecipeProduct, RecipeStep, Shared, Tip, TipStep, Worked

Visibility = Moderated.Visibility

SHORTEST_TITLE, LONGEST_TITLE = 3, 150
MOST_INGREDIENTS, MOST_STEPS, MOST_PHOTOS = 60, 40, 6
LONGEST_STEP = 2000
LONGEST_MINUTES = 60 * 24 * 60  # two months: things are cured and aged
STATE_FIELDS = ["visibility", "published_at"]


# --- recipes ---------------------------------------------------------------------------------------------------------


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
    _require_may_share(by)
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
    _write(recipe, body, source_format, by)
    words = (recipe.title, *_beside(recipe), *_said(ingredients, steps), *posts.words_beside(photos))
    looked = gates.look(recipe, by, "shared", *words, published=_shared_by(by))
    waits = hold or looked.waits
    if waits:
        recipe.visibility = Visibility.PENDING
    found = posts.tags_named(list(tags), by)
    recipe.save(force_insert=True)
    recipe.tags.set(found)
    _set_parts(recipe, ingredients, steps, products)
    _finish(recipe, by, photos, waits, looked)
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
    row = _row_to_edit(recipe, by, seen_revision)
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
    _write(row, body, Body.Format.MARKDOWN, by)
    words = (row.title, *_beside(row), *_said(ingredients, steps), *posts.words_beside(photos))
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
    _finish_edit(row, by, photos, summary, before=before, waits=looked.waits)
    recipe.refresh_from_db()
    return recipe


@retried
def set_made(
    recipe: Recipe, by: User, *, on: bool = True, stars: int | None = None, note: str = "", variation: str = ""
) -> Recipe:
    """Say that one made it, with stars and words if one likes; saying it again changes them, `on=False` takes it back.

    Not on one's own. Twice is harmless.
    """
    require(permissions.why_not_judge_use(by, recipe))
    row = locked(recipe)
    if row.visibility != Visibility.VISIBLE:
        raise Conflict(_("This recipe is not online at the moment."))
    errors: dict[str, str] = {}
    if stars is not None and stars not in range(1, 6):
        errors["stars"] = _("Choose one to five stars, or none.")
    note, variation = text.clean_source(note).strip(), text.clean_line(variation)
    if len(note) > 600:
        errors["note"] = _("At most %(most)d characters here.") % {"most": 600}
    if len(variation) > 300:
        errors["variation"] = _("At most %(most)d characters here.") % {"most": 300}
    if errors:
        raise ValidationError(errors)
    if on:
        screening.check_line(by, "note", note)
        screening.check_line(by, "variation", variation)
    made = Made.objects.filter(target=row, voter=by).first()
    if not on:
        if made is not None:
            made.delete()
            _recount_made(row)
            record("recipe.made", actor=by, subject=row, on=False, stars=None)
    elif made is None:
        Made.objects.create(target=row, voter=by, stars=stars, note=note, variation=variation, created_at=clock.now())
        _recount_made(row)
        record("recipe.made", actor=by, subject=row, on=True, stars=stars)
    elif (made.stars, made.note, made.variation) != (stars, note, variation):
        # No second event: it was made once, its points are given.
        made.stars, made.note, made.variation = stars, note, variation
        made.save(update_fields=["stars", "note", "variation"])
        _recount_made(row)
    _copy(row, recipe, "made_count", "stars_sum", "stars_count")
    return recipe


@retried
def add_made_rows(
    recipe: Recipe, *, stars: Sequence[int | None], source: str, at: datetime | Sequence[datetime] | None = None
) -> int:
    """Dated rows of people who made it elsewhere (RULINGS 21): one for each entry of `stars`, None for no stars.

    Told twice adds nothing; returns how many were new.
    """
    moments = _moments(at)
    row = locked(recipe)
    known = set(Made.objects.filter(target=row, voter=None, source=source).values_list("external_id", flat=True))
    new = [
        Made(target=row, source=source, external_id=str(n), stars=given, created_at=moments[n % len(moments)])
        for n, given in enumerate(stars)
        if str(n) not in known
    ]
    Made.objects.bulk_create(new)
    if new:
        _recount_made(row)
    for made in sorted(new, key=lambda made: made.created_at):
        with clock.travel(made.created_at):
            record("recipe.made", actor=None, subject=row, on=True, stars=made.stars, voter_source=True)
    _copy(row, recipe, "made_count", "stars_sum", "stars_count")
    return len(new)


# --- tips ------------------------------------------------------------------------------------------------------------


@retried
def share_tip(
    by: User,
    *,
    title: str,
    body: str,
    steps: Sequence[Mapping[str, Any]] = (),
    product: Product | None = None,
    model_version: str = "",
    goal: str = "",
    safety: str = "",
    tags: Sequence[str] = (),
    language: str = "",
    photos: Sequence[Upload] = (),
    hold: bool = False,
    source_format: str = Body.Format.MARKDOWN,
    **sourced: str,
) -> Tip:
    """Share a tip: what it is good for, the steps, and why it works. Raises ValidationError by field."""
    _require_may_share(by)
    fields = _checked_tip(title, body, steps, model_version, goal, safety)
    tip = Tip(
        author=by,
        product=product,
        language=(language or by.language or "en")[:10],
        created_at=clock.now(),
        visibility=Visibility.DRAFT,
        **fields,
        **sourced,
    )
    _write(tip, body, source_format, by)
    words = (tip.title, *_beside(tip), *_said(steps), *posts.words_beside(photos))
    looked = gates.look(tip, by, "shared", *words, published=_shared_by(by))
    waits = hold or looked.waits
    if waits:
        tip.visibility = Visibility.PENDING
    found = posts.tags_named(list(tags), by)
    tip.save(force_insert=True)
    tip.tags.set(found)
    _set_tip_steps(tip, steps)
    _finish(tip, by, photos, waits, looked)
    return tip


@retried
def edit_tip(
    tip: Tip,
    by: User,
    *,
    title: str,
    body: str,
    steps: Sequence[Mapping[str, Any]] = (),
    product: Product | None = None,
    model_version: str = "",
    goal: str = "",
    safety: str = "",
    tags: Sequence[str] = (),
    photos: Sequence[Upload] | None = None,
    summary: str = "",
    seen_revision: int | None = None,
) -> Tip:
    """Change one's own tip; every version of its words is kept."""
    row = _row_to_edit(tip, by, seen_revision)
    fields = _checked_tip(title, body, steps, model_version, goal, safety)
    before = row.product_ids
    for field, value in fields.items():
        setattr(row, field, value)
    row.product = product
    _write(row, body, Body.Format.MARKDOWN, by)
    words = (row.title, *_beside(row), *_said(steps), *posts.words_beside(photos))
    looked = gates.look_again(row, by, "shared", *words)
    row.edited_at = clock.now()
    row.save(update_fields=[*fields, *BODY_FIELDS, "product", "edited_at"])
    screening.keep_change(looked, row)
    row.tags.set(posts.tags_named(list(tags), by))
    row.steps.all().delete()
    _set_tip_steps(row, steps)
    _finish_edit(row, by, photos, summary, before=before, waits=looked.waits)
    tip.refresh_from_db()
    return tip


@retried
def say_worked(tip: Tip, by: User, worked: bool | None) -> Tip:
    """Say whether a tip worked: True, False, or None to take it back. One per person, not on one's own."""
    require(permissions.why_not_judge_use(by, tip))
    row = locked(tip)
    if row.visibility != Visibility.VISIBLE:
        raise Conflict(_("This tip is not online at the moment."))
    _say_worked(row, by, worked)
    _copy(row, tip, "worked_yes", "worked_no")
    return tip


def _say_worked(row: Tip, by: User, worked: bool | None, **told: Any) -> None:
    """Set somebody's judgement on a tip whose row is held."""
    vote = Worked.objects.filter(target=row, voter=by).first()
    previous = vote.worked if vote else None
    if previous == worked:
        return
    if vote is None:
        Worked.objects.create(target=row, voter=by, worked=worked, created_at=clock.now())
    elif worked is None:
        vote.delete()
    else:
        vote.worked, vote.created_at = worked, clock.now()
        vote.save(update_fields=["worked", "created_at"])
    _recount_worked(row)
    record("tip.worked", actor=by, subject=row, worked=worked, previous=previous, **told)


@retried
def take_judgement_out(thing: Recipe | Tip, voter: User, by: User) -> dict[str, Any] | None:
    """A moderator takes a "made it" or "worked for me" out of the count. Returns what it takes to give it back; None
    if there is none."""
    require(why_not_moderate(by))
    return _unsay(thing, voter, taken_out_by=by.pk)


@retried
def unsay(thing: Recipe | Tip, voter: User) -> None:
    """Somebody leaves and takes along what they said of a thing. Twice is harmless."""
    _unsay(thing, voter)


def _unsay(thing: Recipe | Tip, voter: User, **told: Any) -> dict[str, Any] | None:
    row = locked(thing)
    if isinstance(row, Tip):
        said = Worked.objects.filter(target=row, voter=voter).first()
        if said is None:
            return None
        _say_worked(row, voter, None, **told)
        return {"worked": said.worked, "at": said.created_at.isoformat()}
    made = Made.objects.filter(target=row, voter=voter).first()
    if made is None:
        return None
    made.delete()
    _recount_made(row)
    record("recipe.made", actor=voter, subject=row, on=False, stars=None, **told)
    return {"stars": made.stars, "note": made.note, "variation": made.variation, "at": made.created_at.isoformat()}


@retried
def give_judgement_back(thing: Recipe | Tip, voter: User, by: User, kept: dict[str, Any]) -> bool:
    """Undo it, from the moment it was said. False if they have said something since."""
    require(why_not_moderate(by))
    row = locked(thing)
    at = datetime.fromisoformat(kept["at"])
    with clock.travel(at):
        if isinstance(row, Tip):
            if Worked.objects.filter(target=row, voter=voter).exists():
                return False
            _say_worked(row, voter, kept["worked"], given_back_by=by.pk)
            return True
        if Made.objects.filter(target=row, voter=voter).exists():
            return False
        words = {field: kept[field] for field in ("stars", "note", "variation")}
        Made.objects.create(target=row, voter=voter, created_at=at, **words)
        _recount_made(row)
        record("recipe.made", actor=voter, subject=row, on=True, stars=kept["stars"], given_back_by=by.pk)
    return True


@retried
def add_worked_rows(
    tip: Tip, *, yes: int = 0, no: int = 0, source: str, at: datetime | Sequence[datetime] | None = None
) -> int:
    """Dated rows without a voter, from a tally (RULINGS 21). Told twice adds nothing; returns how many were new."""
    moments = _moments(at)
    row = locked(tip)
    known = set(Worked.objects.filter(target=row, voter=None, source=source).values_list("external_id", flat=True))
    wanted = [(f"yes-{n}", True) for n in range(yes)] + [(f"no-{n}", False) for n in range(no)]
    new = [
        Worked(target=row, source=source, external_id=name, worked=worked, created_at=moments[n % len(moments)])
        for n, (name, worked) in enumerate(wanted)
        if name not in known
    ]
    Worked.objects.bulk_create(new)
    if new:
        _recount_worked(row)
    for vote in sorted(new, key=lambda vote: vote.created_at):
        with clock.travel(vote.created_at):
            record("tip.worked", actor=None, subject=row, worked=vote.worked, previous=None, voter_source=True)
    _copy(row, tip, "worked_yes", "worked_no")
    return len(new)


# --- both ------------------------------------------------------------------------------------------------------------


@retried
def feature(thing: Shared, by: User, *, on: bool = True, reason: str = "") -> None:
    """Staff put a recipe or tip into the window, or take it out. Twice is harmless."""
    require(permissions.why_not_feature(by))
    row = locked(thing)
    if row.visibility != Visibility.VISIBLE:
        raise Conflict(_("Only what is online can be featured."))
    if on != (row.featured_at is not None):
        row.featured_at = clock.now() if on else None
        row.featured_by = by if on else None
        row.featured_reason = text.clean_line(reason)[:300] if on else ""
        row.save(update_fields=["featured_at", "featured_by", "featured_reason"])
        if on:
            record(f"{moderation.noun(row)}.featured", actor=by, subject=row, note=row.featured_reason)
    _copy(row, thing, "featured_at", "featured_by_id", "featured_reason")


def recount_products(ids: Iterable[int]) -> None:
    """Bring the numbers of recipes and tips of these products in line with what is visible."""
    for product in Product.objects.select_for_update(no_key=True).filter(pk__in=set(ids)).order_by("pk"):
        product.recipe_count = Recipe.objects.visible().filter(uses__product=product).count()
        product.tip_count = Tip.objects.visible().filter(product=product).count()
        product.save(update_fields=["recipe_count", "tip_count"])


# --- within ----------------------------------------------------------------------------------------------------------


def _require_may_share(by: User) -> None:
    if not is_replaying():
        require(why_not_write(by))


def _shared_by(by: User) -> list[Any]:
    """A newcomer's first recipe or tip may be looked at first; one that was let through opens the door to both."""
    return [Recipe.objects.filter(author=by), Tip.objects.filter(author=by)]


def _said(*lists: Iterable[Mapping[str, Any]]) -> list[str]:
    """The words of steps and ingredients, the small ones, too."""
    kinds = ("text", "name", "note", "unit", "group")
    return [str(row[kind]) for rows in lists for row in rows for kind in kinds if row.get(kind)]


def _beside(thing: Recipe | Tip) -> list[str]:
    """What is shown of it besides title, text, ingredients and steps."""
    if isinstance(thing, Recipe):
        return [thing.yield_unit, thing.remix_note]
    return [thing.goal, thing.safety, thing.model_version]


def _write(thing: Body, body: str, source_format: str, by: User) -> None:
    body = text.clean_source(body).strip()
    try:
        write_body(thing, body, source_format, limit=None if is_replaying() else text.MAX_POST_BYTES)
    except text.TooLong as problem:
        raise ValidationError({"body": problem.messages}) from problem
    gates.check_newcomer(thing, by)


def _check_title(title: str, errors: dict[str, str]) -> str:
    title = text.clean_line(title)
    if not title or (not is_replaying() and len(title) < SHORTEST_TITLE):
        errors["title"] = _("Give it a title.")
    elif len(title) > LONGEST_TITLE:
        errors["title"] = _("A title has at most %(most)d characters.") % {"most": LONGEST_TITLE}
    return title


def _check_steps(steps: Sequence[Mapping[str, Any]], errors: dict[str, str]) -> None:
    if len(steps) > MOST_STEPS:
        errors["steps"] = _("At most %(most)d steps.") % {"most": MOST_STEPS}
    for step in steps:
        if not str(step.get("text", "")).strip():
            errors["steps"] = _("A step needs words.")
        elif len(str(step["text"])) > LONGEST_STEP:
            errors["steps"] = _("A step has at most %(most)d characters.") % {"most": LONGEST_STEP}
        if (minutes := step.get("timer_minutes")) and not 0 < minutes <= LONGEST_MINUTES:
            errors["steps"] = _("A timer runs for at least a minute, and for two months at most.")


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
    title = _check_title(title, errors)
    _check_steps(steps, errors)
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


def _checked_tip(
    title: str, body: str, steps: Sequence[Mapping[str, Any]], model_version: str, goal: str, safety: str
) -> dict[str, Any]:
    errors: dict[str, str] = {}
    title = _check_title(title, errors)
    _check_steps(steps, errors)
    if not steps and not body.strip():
        errors["body"] = _("Tell how it is done: in steps, or here.")
    lines = {
        "model_version": (text.clean_line(model_version), 120),
        "goal": (text.clean_line(goal), 200),
        "safety": (text.clean_line(safety), 400),
    }
    for field, (words, most) in lines.items():
        if len(words) > most:
            errors[field] = _("At most %(most)d characters here.") % {"most": most}
    if errors:
        raise ValidationError(errors)
    return {"title": title, **{field: words for field, (words, _most) in lines.items()}}


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


def _set_tip_steps(tip: Tip, steps: Sequence[Mapping[str, Any]]) -> None:
    TipStep.objects.bulk_create(
        TipStep(
            tip=tip,
            number=number,
            text=text.clean_source(str(step["text"])).strip(),
            timer_minutes=step.get("timer_minutes") or None,
        )
        for number, step in enumerate(steps, start=1)
    )


def _finish(thing: Recipe | Tip, by: User, photos: Sequence[Upload], waits: bool, looked: screening.Looked) -> None:
    posts.set_photos(thing, by, photos, MOST_PHOTOS)
    posts.attach_uploads(thing, by)
    _keep_version(thing, by)
    screening.keep(looked, thing)
    if not waits:
        moderation.publish(thing, by)


def _row_to_edit(thing: Any, by: User, seen_revision: int | None) -> Any:
    require(permissions.why_not_edit(by, thing))
    row = locked(thing)
    if row.visibility == Visibility.DELETED:
        raise Conflict(_("This has been deleted."))
    if seen_revision is not None and seen_revision != posts.latest_revision(row):
        raise Conflict(_("This was changed in another window meanwhile."))
    return row


def _finish_edit(
    row: Recipe | Tip, by: User, photos: Sequence[Upload] | None, summary: str, *, before: Sequence[int],
    waits: bool,
) -> None:  # fmt: skip
    if photos is not None:
        posts.set_photos(row, by, photos, MOST_PHOTOS)
    posts.attach_uploads(row, by)
    moderation.mended(row, by, waits=waits)
    version = _keep_version(row, by, summary)
    record(
        f"{moderation.noun(row)}.edited",
        actor=by,
        subject=row,
        revision=version,
        products=row.product_ids,
        products_before=list(before),
    )


def _keep_version(thing: Recipe | Tip, by: User, summary: str = "") -> int:
    return posts.add_revision(
        thing,
        by,
        title=thing.title,
        body_source=thing.body_source,
        source_format=thing.source_format,
        tags=" ".join(tag.slug for tag in thing.tags.all()),
        summary=summary,
    ).number


def _recount_made(row: Recipe) -> None:
    totals = row.made.aggregate(people=Count("pk"), rated=Count("stars"), total=Sum("stars", default=0))
    row.made_count, row.stars_count, row.stars_sum = totals["people"], totals["rated"], totals["total"]
    row.save(update_fields=["made_count", "stars_count", "stars_sum"])


def _recount_worked(row: Tip) -> None:
    totals = row.worked.aggregate(yes=Count("pk", filter=Q(worked=True)), no=Count("pk", filter=Q(worked=False)))
    row.worked_yes, row.worked_no = totals["yes"], totals["no"]
    row.save(update_fields=["worked_yes", "worked_no"])


def _moments(at: datetime | Sequence[datetime] | None) -> list[datetime]:
    return [clock.now()] if at is None else [at] if isinstance(at, datetime) else list(at)


def _copy(row: Any, thing: Any, *fields: str) -> None:
    """What changed on the locked row, onto the one the caller holds."""
    for field in fields:
        setattr(thing, field, getattr(row, field))
