import json
import re
from pathlib import Path

import pytest
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects

from community.accounts.models import User
from community.core import clock, panels
from community.moderation import services as moderation
from community.pages import services as pages
from community.posts.doors import long_open
from community.sharing import services
from community.sharing.models import Recipe, Tip
from products.models import Product
from tests import factories
from tests.products.pages import a_picture

pytestmark = pytest.mark.django_db


def sent(**fields: object) -> dict:
    return {
        "title": "Flat white",
        "body": "The cup we check machines with.",
        "yield_amount": "1",
        "yield_unit": "cup",
        "prep_minutes": "5",
        "cook_minutes": "2",
        "rest_minutes": "0",
        "difficulty": "medium",
        "ingredients-TOTAL_FORMS": "3",
        "ingredients-INITIAL_FORMS": "0",
        "ingredients-0-amount": "18",
        "ingredients-0-unit": "g",
        "ingredients-0-name": "coffee",
        "ingredients-1-amount": "130–150",
        "ingredients-1-unit": "ml",
        "ingredients-1-name": "milk",
        "steps-TOTAL_FORMS": "2",
        "steps-INITIAL_FORMS": "0",
        "steps-0-text": "Pull the shot.",
        "steps-0-timer_minutes": "1",
        "started": long_open(),
        **fields,
    }


def structured(response: object) -> dict:
    found = re.search(r'<script type="application/ld\+json">(.*?)</script>', response.content.decode(), re.DOTALL)
    assert found
    return json.loads(found[1])


# --- recipes


def test_a_member_shares_a_recipe_without_a_script(client: Client, alice: User, duo: Product) -> None:
    assert client.get("/recipes/new/").status_code == 302
    client.force_login(alice)
    assertContains(client.get("/recipes/new/"), "What happens next")
    response = client.post("/recipes/new/", sent(products=[str(duo.pk)]))
    recipe = Recipe.objects.get()
    assertRedirects(response, recipe.get_absolute_url())
    assert [i.name for i in recipe.ingredients.all()] == ["coffee", "milk"]
    assert [s.timer_minutes for s in recipe.steps.all()] == [1]
    assert list(recipe.products.all()) == [duo]
    assertContains(client.get("/recipes/"), "Flat white")


def test_bad_input_is_kept_and_named(client: Client, alice: User) -> None:
    client.force_login(alice)
    response = client.post("/recipes/new/", sent(**{"title": "", "ingredients-0-name": "", "body": "My own words"}))
    assertContains(response, "My own words", status_code=422)
    assertContains(response, "Please fill this in.", status_code=422)
    none = {f"ingredients-{n}-{field}": "" for n in (0, 1) for field in ("amount", "unit", "name")}
    assertContains(client.post("/recipes/new/", sent(**none)), "at least one ingredient", status_code=422)
    assert client.post("/recipes/new/", {"title": "x", "ingredients-TOTAL_FORMS": "99999"}).status_code == 422
    assert not Recipe.objects.exists()


def test_more_rows_come_with_what_was_typed(client: Client, alice: User) -> None:
    client.force_login(alice)
    response = client.post("/recipes/new/", sent(**{"ingredients-more": "1"}))
    assertContains(response, 'name="ingredients-6-name"')
    assertContains(response, "Pull the shot.")
    assert not Recipe.objects.exists()


def test_changing_and_remixing(client: Client, alice: User, bob: User) -> None:
    recipe = factories.a_recipe(alice)
    client.force_login(bob)
    assert client.get(f"/recipes/{recipe.pk}/edit/").status_code == 403
    assertContains(client.get(f"/recipes/new/?remix={recipe.pk}"), "It grows from")
    client.post(f"/recipes/new/?remix={recipe.pk}", sent(remix_note="Oat milk"))
    assert Recipe.objects.get(author=bob).remix_of == recipe
    assert client.get("/recipes/new/?remix=99999").status_code == 404
    assert client.get("/recipes/new/?remix=x").status_code == 404
    client.force_login(alice)
    client.post(f"/recipes/{recipe.pk}/edit/", sent(title="Flatter", seen="1"))
    recipe.refresh_from_db()
    assert recipe.title == "Flatter"
    again = client.post(f"/recipes/{recipe.pk}/edit/", sent(title="From an old window", seen="1"))
    assertContains(again, "From an old window", status_code=409)


def test_amounts_for_more(client: Client, alice: User) -> None:
    recipe = factories.a_recipe(
        alice,
        ingredients=[
            {"amount": "18", "unit": "g", "name": "coffee"},
            {"amount": "1–2", "name": "eggs"},
            {"amount": "a pinch", "name": "salt"},
        ],
    )
    page = client.get(recipe.get_absolute_url() + "?servings=3")
    assertContains(page, ">54</span>")
    assertContains(page, ">3–6</span>")
    assertContains(page, "a pinch")
    for nonsense in ("0", "-1", "x", "nan", "1e9", "Infinity", ""):
        assertContains(client.get(recipe.get_absolute_url() + f"?servings={nonsense}"), ">18</span>")


def test_made_it(client: Client, alice: User, bob: User) -> None:
    recipe = factories.a_recipe(alice)
    url = f"/recipes/{recipe.pk}/made/"
    assert client.get(url).status_code == 405
    assert client.post(url).status_code == 302
    client.force_login(bob)
    assert client.post(url, {"stars": "5", "note": "Lovely", "variation": "Oat"}).status_code == 302
    page = client.get(recipe.get_absolute_url())
    assertContains(page, "1 person made it")
    assertContains(page, "Changed: Oat")
    assertContains(client.post(url, {"stars": "9", "note": "Kept"}), "Kept", status_code=422)
    client.post(url, {"on": "0"})
    client.force_login(alice)
    assert client.post(url, {"stars": "5"}).status_code == 403
    recipe.refresh_from_db()
    assert recipe.made_count == 0


def test_addresses(client: Client, alice: User, ravi: User) -> None:
    for thing, room in ((factories.a_recipe(alice), "recipes"), (factories.a_tip(alice), "tips")):
        right = thing.get_absolute_url()
        for wrong in (f"/{room}/{thing.pk}/", f"/{room}/{thing.pk}/wrong/"):
            assertRedirects(client.get(wrong), right, status_code=301)
        assert client.get(f"/{room}/99999/").status_code == 404
        moderation.hide(thing, ravi, reason="A look.")
        assert client.get(right).status_code == 404
        client.force_login(alice)
        assertContains(client.get(right), "A look.")
        client.logout()
        moderation.delete(thing, alice)
        assert client.get(right).status_code == 410


def test_lists_filter_and_refuse_nonsense(client: Client, alice: User, duo: Product) -> None:
    quick = factories.a_recipe(alice, prep_minutes=5, products=[duo])
    slow = factories.a_recipe(alice, prep_minutes=5, rest_minutes=720, difficulty="hard")

    def shown(query: str) -> set[int]:
        return {recipe.pk for recipe in client.get(f"/recipes/?{query}").context["recipes"]}

    assert shown("") == {quick.pk, slow.pk}
    assert shown("product=duo") == shown("time=15") == {quick.pk}
    assert shown("difficulty=hard&sort=made") == {slow.pk}
    assertContains(client.get("/recipes/?difficulty=hard&product=duo"), "Nothing fits")
    for nonsense in ("product=x", "tag=x", "time=7", "difficulty=x", "sort=x", "page=x", "page=9"):
        assert client.get(f"/recipes/?{nonsense}").status_code == 404, nonsense
    assert client.get("/tips/?sort=x").status_code == 404
    assertContains(client.get("/tips/"), "No tips yet")


def test_structured_data(client: Client, alice: User, duo: Product) -> None:
    recipe = factories.a_recipe(alice, products=[duo], title="</script><b>", prep_minutes=7)
    services.add_made_rows(recipe, stars=[5, 4], source="demo")
    response = client.get(recipe.get_absolute_url())
    data = structured(response)
    assert (data["@type"], data["prepTime"], data["recipeYield"]) == ("Recipe", "PT7M", "1 cup")
    assert data["aggregateRating"]["ratingValue"] == 4.5
    assert data["recipeIngredient"] == ["18 g coffee"]
    assertNotContains(response, "</script><b>")
    tip = structured(client.get(factories.a_tip(alice, product=duo).get_absolute_url()))
    assert (tip["@type"], tip["about"]["name"]) == ("HowTo", "Brindle Duo")
    plain = structured(client.get(factories.a_tip(alice, steps=[]).get_absolute_url()))
    assert plain["@type"] == "Article"


def test_staff_put_it_into_the_window(client: Client, alice: User, bob: User, dana: User) -> None:
    recipe, tip = factories.a_recipe(alice), factories.a_tip(alice)
    client.force_login(bob)
    assert client.post(f"/recipes/{recipe.pk}/feature/").status_code == 403
    client.force_login(dana)
    assert client.get(f"/recipes/{recipe.pk}/feature/").status_code == 405
    client.post(f"/recipes/{recipe.pk}/feature/", {"reason": "For Sunday"})
    client.post(f"/tips/{tip.pk}/feature/")
    assertContains(client.get(recipe.get_absolute_url()), "For Sunday")
    tip.refresh_from_db()
    assert tip.featured_at


# --- tips


def test_a_member_shares_a_tip(client: Client, alice: User, duo: Product) -> None:
    client.force_login(alice)
    assertContains(client.get("/tips/new/?product=duo"), f'value="{duo.pk}" selected')
    rows = {
        "started": long_open(),
        "steps-TOTAL_FORMS": "3",
        "steps-INITIAL_FORMS": "0",
        "steps-0-text": "Leave the lid on.",
    }
    response = client.post("/tips/new/", {"title": "Lid on", "product": str(duo.pk), "safety": "Hot steam.", **rows})
    tip = Tip.objects.get()
    assertRedirects(response, tip.get_absolute_url())
    assertContains(client.get(tip.get_absolute_url()), "Hot steam.")
    nothing = {"title": "Nothing", "started": long_open(), "steps-TOTAL_FORMS": "1", "steps-INITIAL_FORMS": "0"}
    assertContains(client.post("/tips/new/", nothing), "Tell how it is done", status_code=422)
    client.post(f"/tips/{tip.pk}/edit/", {"title": "Lid shut", "body": "Heat.", **rows})
    tip.refresh_from_db()
    assert tip.title == "Lid shut"


def test_worked_with_and_without_htmx(client: Client, alice: User, bob: User) -> None:
    tip = factories.a_tip(alice)
    url = f"/tips/{tip.pk}/worked/"
    assert client.get(url).status_code == 405
    client.force_login(bob)
    client.post(url, {"worked": "yes"})
    response = client.post(url, {"worked": "yes"}, headers={"HX-Request": "true"})
    assertContains(response, "Worked for <b>1</b> of 1")
    assert client.post(url, {"worked": "perhaps"}).status_code == 422
    client.force_login(alice)
    assert client.post(url, {"worked": "yes"}).status_code == 403


# --- elsewhere


def test_panels(rf: object, alice: User, bob: User, duo: Product) -> None:
    request = rf.get("/")  # type: ignore[attr-defined]
    request.user = bob
    recipe = factories.a_recipe(alice, products=[duo], title="Flat white")
    tip = factories.a_tip(alice, product=duo, title="Lid on")
    services.say_worked(tip, bob, True)
    services.set_made(recipe, bob)
    duo.refresh_from_db()
    assert "Flat white" in panels.render("product.recipes", request, [duo])[duo.pk]
    assert "worked for 1 of 1" in panels.render("product.tips", request, [duo])[duo.pk]
    assert "Flat white" in panels.render("home.recipe", request, [None])[None]
    assert "Lid on" in panels.render("home.tip", request, [None])[None]
    work = panels.render("person.work", request, [alice, bob])
    assert "Flat white" in work[alice.pk]
    assert "Lid on" in work[alice.pk]


@pytest.mark.parametrize("logged_in", [False, True])
def test_queries_do_not_grow(client: Client, bob: User, duo: Product, logged_in: bool) -> None:
    def more(number: int) -> None:
        for _n in range(number):
            author = factories.a_person()
            recipe = factories.a_recipe(author, products=[duo])
            services.set_made(recipe, bob, stars=4, note="Good")
            services.set_made(one, author, stars=3)
            factories.a_tip(author, product=duo)

    def cost(url: str) -> int:
        with CaptureQueriesContext(connection) as queries:
            assert client.get(url).status_code == 200
        return len(queries)

    one, tip = factories.a_recipe(products=[duo]), factories.a_tip(product=duo)
    more(3)
    if logged_in:
        client.force_login(bob)
    urls = ["/recipes/", "/recipes/?product=duo", one.get_absolute_url(), "/tips/", tip.get_absolute_url()]
    for url in urls:
        client.get(url)
    before = [cost(url) for url in urls]
    more(5)
    assert [cost(url) for url in urls] == before
    assert max(before) <= 20


@pytest.mark.parametrize("servings", ["1e-999999", "0", "-1", "NaN", "Infinity", "1e999999", "101"])
def test_odd_numbers_of_servings_cost_nothing(client: Client, alice: User, servings: str) -> None:
    recipe = factories.a_recipe(alice)
    assert client.get(recipe.get_absolute_url(), {"servings": servings}).status_code == 200


def test_the_first_visit_makes_the_picture_within_the_panels_budget(alice: User, tmp_path: Path) -> None:
    recipe = factories.a_recipe(alice)
    recipe.picture = pages.save_image(a_picture(tmp_path), "Cake", "A crumb cake")
    recipe.featured_at = clock.now()
    recipe.save()
    ContentType.objects.clear_cache()
    assert "fill-720x560" in panels.render("home.recipe", None, [None])[None]  # the tests' settings raise when over it
    assert recipe.picture.renditions.count() == 1
    assert "fill-720x560" in panels.render("home.recipe", None, [None])[None]


def test_changing_a_recipe_by_its_form_keeps_where_a_product_is_used(client: Client, alice: User, duo: Product) -> None:
    steps = [{"text": "Grind it fine."}, {"text": "Pull it."}]
    recipe = factories.a_recipe(alice, products={duo: [2]}, steps=steps)
    client.force_login(alice)
    page = client.get(f"/recipes/{recipe.pk}/edit/").context
    data = {"started": long_open(), "seen": page["seen"]}
    for form in (
        page["form"],
        *page["ingredients"].forms,
        *page["steps"].forms,
        page["ingredients"].management_form,
        page["steps"].management_form,
    ):
        for name in form.fields:
            value = form[name].value()
            data[form.add_prefix(name)] = "" if value is None else value
    assert client.post(f"/recipes/{recipe.pk}/edit/", data | {"title": "Another title"}).status_code == 302
    recipe.refresh_from_db()
    assert recipe.title == "Another title"
    assert [use.steps for use in recipe.uses.all()] == [[2]]
    services.edit_recipe(
        recipe, alice, title="Another title", body=recipe.body_source, products=[duo],
        ingredients=[{"name": "Beans", "amount": "18", "unit": "g"}], steps=[steps[1], steps[0]],
    )  # fmt: skip
    assert [use.steps for use in recipe.uses.all()] == [[]], "no step stands where it stood"
