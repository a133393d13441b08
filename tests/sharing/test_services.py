from datetime import UTC, datetime

import pytest
from django.core.exceptions import ValidationError

from community.accounts.models import User
from community.core.errors import Conflict, NotAllowed
from community.core.models import Numbers
from community.events.log import replay
from community.events.models import Event
from community.moderation import services as moderation
from community.posts import services as posts
from community.posts.models import Revision
from community.sharing import services
from community.sharing.models import Made, Recipe, Tip, Worked
from products.models import Product
from tests import factories

pytestmark = pytest.mark.django_db


def told(**fields: object) -> dict:
    return {
        "title": "Flat white",
        "body": "The cup we check machines with.",
        "ingredients": [
            {"group": "Espresso", "amount": "18", "unit": "g", "name": "coffee", "note": "fresh"},
            {"group": "Milk", "amount": "130", "unit": "ml", "name": "milk"},
        ],
        "steps": [{"text": "Pull the shot.", "timer_minutes": 1}, {"text": "Steam the milk."}],
        "yield_unit": "cup",
        **fields,
    }


def kinds(subject: object) -> list[str]:
    return list(Event.objects.about(subject).in_order().values_list("kind", flat=True))


# --- recipes


def test_a_recipe_is_online_with_its_products(alice: User, duo: Product) -> None:
    mill = factories.a_product("mill-54")
    recipe = services.share_recipe(
        alice,
        **told(steps=[{"text": "Grind.", "product": mill}, {"text": "Pull."}], products={duo: [2]}),
    )
    assert recipe.is_visible
    assert kinds(recipe) == ["recipe.published"]
    assert {use.product: use.steps for use in recipe.uses.all()} == {duo: [2], mill: [1]}
    duo.refresh_from_db()
    assert duo.recipe_count == 1
    assert [item.name for item in recipe.ingredients.all()] == ["coffee", "milk"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("title", ""),
        ("ingredients", []),
        ("ingredients", [{"name": " "}]),
        ("steps", []),
        ("steps", [{"text": ""}]),
        ("steps", [{"text": "Wait.", "timer_minutes": -5}]),
        ("yield_amount", 0),
        ("prep_minutes", -1),
        ("difficulty", "impossible"),
        ("body", "x" * 20_001),
        ("tags", ["a", "b", "c", "d", "e", "f"]),
    ],
)
def test_nonsense_is_refused_at_its_field(alice: User, field: str, value: object) -> None:
    with pytest.raises(ValidationError) as problem:
        services.share_recipe(alice, **told(**{field: value}))
    assert list(problem.value.message_dict) == [field]
    assert not Recipe.objects.exists()


def test_an_edit_moves_the_products_numbers(alice: User, bob: User, duo: Product) -> None:
    mill = factories.a_product("mill-54")
    recipe = services.share_recipe(alice, **told(products=[duo]))
    with pytest.raises(NotAllowed):
        services.edit_recipe(recipe, bob, **told())
    services.edit_recipe(recipe, alice, **told(title="Flatter", products=[mill]))
    duo.refresh_from_db()
    mill.refresh_from_db()
    assert (duo.recipe_count, mill.recipe_count, recipe.title) == (0, 1, "Flatter")
    assert Revision.objects.filter(target_id=recipe.pk).count() == 2
    with pytest.raises(Conflict):
        services.edit_recipe(recipe, alice, seen_revision=1, **told())


def test_a_remix_gives_credit(alice: User, bob: User) -> None:
    first = services.share_recipe(alice, **told())
    second = services.share_recipe(bob, **told(remix_of=first, remix_note="Oat milk"))
    assert second.remix_of == first
    moderation.delete(first, alice)
    with pytest.raises(Conflict):
        services.share_recipe(bob, **told(remix_of=first))


def test_a_newcomers_first_may_wait(ravi: User, duo: Product) -> None:
    numbers = Numbers.load()
    numbers.review_first_posts = True
    numbers.save()
    newcomer = factories.a_person(trust=0)
    recipe = services.share_recipe(newcomer, **told(products=[duo]))
    duo.refresh_from_db()
    assert (recipe.visibility, duo.recipe_count) == ("pending", 0)
    moderation.approve(recipe, ravi)
    duo.refresh_from_db()
    assert (recipe.is_visible, duo.recipe_count) == (True, 1)
    assert services.share_tip(newcomer, title="Lid on", body="It keeps the heat.").is_visible
    with replay("demo"):
        assert services.share_recipe(factories.a_person(trust=0), **told()).is_visible


def test_made_once_with_stars_changed_and_taken_back(alice: User, bob: User) -> None:
    recipe = services.share_recipe(alice, **told())
    services.set_made(recipe, bob, stars=4, note="Good")
    services.set_made(recipe, bob, stars=4, note="Good")
    assert (recipe.made_count, recipe.stars_sum, recipe.stars_count) == (1, 4, 1)
    services.set_made(recipe, bob, stars=5, note="Better", variation="Oat")
    assert (recipe.made_count, recipe.stars_sum) == (1, 5)
    assert kinds(recipe).count("recipe.made") == 1
    with pytest.raises(NotAllowed):
        services.set_made(recipe, alice, stars=5)
    with pytest.raises(ValidationError):
        services.set_made(recipe, bob, stars=6)
    services.set_made(recipe, bob, on=False)
    services.set_made(recipe, bob, on=False)
    assert (recipe.made_count, Made.objects.count()) == (0, 0)
    assert [e.data["on"] for e in Event.objects.about(recipe).filter(kind="recipe.made").in_order()] == [True, False]


def test_tallies_of_made_come_once(alice: User) -> None:
    recipe = services.share_recipe(alice, **told())
    at = datetime(2026, 5, 1, tzinfo=UTC)
    assert services.add_made_rows(recipe, stars=[5, 4, None], source="demo", at=at) == 3
    assert services.add_made_rows(recipe, stars=[5, 4, None], source="demo", at=at) == 0
    assert (recipe.made_count, recipe.stars_count, recipe.stars_mean) == (3, 2, 4.5)


def test_staff_feature_and_members_do_not(alice: User, bob: User, dana: User) -> None:
    recipe = services.share_recipe(alice, **told())
    with pytest.raises(NotAllowed):
        services.feature(recipe, bob)
    services.feature(recipe, dana, reason="For Sunday")
    services.feature(recipe, dana, reason="For Sunday")
    assert recipe.featured_reason == "For Sunday"
    assert kinds(recipe).count("recipe.featured") == 1
    services.feature(recipe, dana, on=False)
    assert recipe.featured_at is None


def test_hiding_and_restoring_moves_the_numbers(alice: User, ravi: User, duo: Product) -> None:
    recipe = services.share_recipe(alice, **told(products=[duo]))
    tip = services.share_tip(alice, title="Lid on", body="It keeps the heat.", product=duo)
    for thing in (recipe, tip):
        moderation.hide(thing, ravi, reason="A look.")
    duo.refresh_from_db()
    assert (duo.recipe_count, duo.tip_count) == (0, 0)
    for thing in (recipe, tip):
        moderation.restore(thing, ravi)
    duo.refresh_from_db()
    assert (duo.recipe_count, duo.tip_count) == (1, 1)


def test_comments_hang_on_recipes_and_tips(alice: User, bob: User) -> None:
    for thing in (factories.a_recipe(alice), factories.a_tip(alice)):
        comment = posts.comment(thing, bob, body=f"Finer, or more coffee? {thing}")
        assert comment.target == thing


# --- tips


def test_a_tip_is_online(alice: User, duo: Product) -> None:
    tip = services.share_tip(
        alice, title="Lid on", body="It keeps the heat.", product=duo, steps=[{"text": "Close it."}], goal="Hotter"
    )
    duo.refresh_from_db()
    assert (tip.is_visible, duo.tip_count, tip.steps.count()) == (True, 1, 1)
    with pytest.raises(ValidationError):
        services.share_tip(alice, title="Nothing", body=" ")


def test_a_tip_moves_with_its_product(alice: User, bob: User, duo: Product) -> None:
    mill = factories.a_product("mill-54")
    tip = services.share_tip(alice, title="Lid on", body="It keeps the heat.", product=duo)
    with pytest.raises(NotAllowed):
        services.edit_tip(tip, bob, title="Mine", body="No.")
    services.edit_tip(tip, alice, title="Lid on", body="It keeps the heat.", product=mill)
    duo.refresh_from_db()
    mill.refresh_from_db()
    assert (duo.tip_count, mill.tip_count) == (0, 1)


def test_worked_once_per_person_and_back(alice: User, bob: User) -> None:
    tip = factories.a_tip(alice)
    services.say_worked(tip, bob, True)
    services.say_worked(tip, bob, True)
    assert (tip.worked_yes, tip.worked_no) == (1, 0)
    services.say_worked(tip, bob, False)
    services.say_worked(tip, bob, None)
    assert (tip.worked_yes, tip.worked_no, Worked.objects.count()) == (0, 0, 0)
    assert kinds(tip).count("tip.worked") == 3
    with pytest.raises(NotAllowed):
        services.say_worked(tip, alice, True)


def test_tallies_of_worked_come_once(alice: User) -> None:
    tip = factories.a_tip(alice)
    assert services.add_worked_rows(tip, yes=33, no=6, source="demo") == 39
    assert services.add_worked_rows(tip, yes=33, no=6, source="demo") == 0
    assert (Tip.objects.get().worked_yes, tip.worked_no) == (33, 6)
