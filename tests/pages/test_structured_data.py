"""Structured data of every kind of page passes a validator, and says what is seen (decision 0153)."""

import re
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from community.accounts.models import User
from community.pages import services as pages
from community.questions import services as questions
from products.models import Product
from tests import factories, schema_org
from tests.products.pages import a_product_page


@pytest.mark.django_db
def test_every_kind_of_page_is_valid(client: Client, alice: User, bob: User, duo: Product, tmp_path: Path) -> None:
    Product.objects.filter(pk=duo.pk).update(gtin="9521234543213")
    duo.refresh_from_db()
    page = a_product_page(tmp_path, duo)
    page.video_title, page.video_length = "The first morning", "6:40"
    page.video_url, page.video_poster = "https://vimeo.com/12345678", page.gallery.first().image
    page.save_revision().publish()
    bare = a_product_page(tmp_path, factories.a_product("bare", name="Bare"))
    review = factories.a_review(alice, duo, stars=4, title='Good </script> & "cheap"')
    factories.a_review(bob, duo, stars=1)
    tied = factories.a_review(factories.a_person(), duo, stars=5, disclosure="family")
    solved, idea = factories.a_thread(alice, product=duo), factories.a_thread(alice, product=duo, kind="idea")
    questions.accept_answer(factories.an_answer(solved, bob), alice)
    factories.an_answer(solved, factories.a_person())
    recipe, tip = factories.a_recipe(alice), factories.a_tip(alice, product=duo)
    article = pages.save_help_article(
        {"slug": "descaling", "title": "Descaling the Duo", "summary": "When and how."}, "Let it cool first."
    )
    found: dict[str, list[dict[str, Any]]] = {}
    wrong = []
    for address in [
        "/", "/products/", f"/products/?family={duo.family.slug}", "/products/duo/", bare.product.get_absolute_url(),
        "/reviews/", "/reviews/?product=duo", "/reviews/?product=bare", review.get_absolute_url(),
        tied.get_absolute_url(), "/questions/", "/ideas/", solved.get_absolute_url(), idea.get_absolute_url(),
        "/recipes/", recipe.get_absolute_url(), "/tips/", tip.get_absolute_url(), "/help/", article.get_absolute_url(),
        bob.get_absolute_url(), "/advocates/", "/search/?q=duo",
    ]:  # fmt: skip
        response = client.get(address)
        assert response.status_code == 200, address
        html = response.content.decode()
        found[address] = schema_org.of_page(html)
        for data in found[address]:
            wrong += schema_org.problems(data, address)
        if address in ("/products/duo/", "/reviews/?product=duo"):
            _equals_what_is_seen(html, found[address])
    assert wrong == []
    kinds = {data["@type"] for each in found.values() for data in each}
    assert kinds >= {
        "WebSite", "BreadcrumbList", "Product", "VideoObject", "Review", "QAPage", "DiscussionForumPosting", "Recipe",
        "Article", "ProfilePage",
    }  # fmt: skip
    # Nothing to rate, nothing rated; who has a tie is not marked up.
    assert not any({"aggregateRating", "review"} & data.keys() for data in found[bare.product.get_absolute_url()])
    assert [data["@type"] for data in found[tied.get_absolute_url()]] == ["BreadcrumbList"]


def _equals_what_is_seen(html: str, told: list[dict[str, Any]]) -> None:
    """Mean, number and reviews of the mark-up stand on the page, too."""
    product = next(data for data in told if data.get("review"))
    rating = product["aggregateRating"]
    shown = re.search(r'numbers__score num">([\d.]+)<', html)
    assert shown is not None
    assert (rating["ratingValue"], rating["ratingCount"]) == (shown[1], 2)
    body = re.sub(r"<script.*?</script>", "", html, flags=re.S)
    for review in product["review"]:
        assert review["reviewBody"].split("\n")[0] in body
        assert review["author"]["name"] in body


@pytest.mark.parametrize(
    ("data", "what"),
    [
        ({"@type": "Product"}, "no name"),
        ({"@type": "Product", "name": "A", "colour": "red"}, "colour is not known"),
        ({"@type": "Product", "name": "A", "gtin": "9521234543214"}, "is no GTIN"),
        ({"@type": "AggregateRating", "ratingValue": 6, "ratingCount": 1}, "outside of its bounds"),
        ({"@type": "AggregateRating", "ratingValue": 4, "ratingCount": 0}, "by nobody"),
        ({"@type": "BreadcrumbList", "itemListElement": []}, "is empty"),
        ({"@type": "Review", "datePublished": "2026-11-18T09:00:00"}, "without its zone"),
        ({"@type": "VideoObject", "name": "A", "thumbnailUrl": ["/a"], "uploadDate": "2026-11-18"}, "no whole address"),
        ({"@type": "Gadget"}, "where one of"),
    ],
)
def test_the_validator_finds_what_is_wrong(data: dict[str, Any], what: str) -> None:
    found = schema_org.problems({"@context": "https://schema.org", **data})
    assert any(what in problem for problem in found), found
