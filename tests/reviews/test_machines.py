"""What machines are told: the feed keeps Google's rules and is whole, JSON-LD equals what is seen."""

import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

import pytest
from defusedxml.ElementTree import fromstring
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from community.accounts.models import Standing, User
from community.core import clock
from community.core.models import BrandSettings
from community.events.log import replay
from products.models import Product, Version
from products.services import add_to_shelf
from reviews import feed, services
from reviews.models import RequestMail, Review, ReviewRequest
from tests import factories, schema_org
from tests.products.pages import a_product_page

from . import google_rules

pytestmark = pytest.mark.django_db
VARIANTS = [
    {"name": "Moss", "sku": "BR-DUO-M", "gtin": "9520042010016"},
    {"name": "Crema", "sku": "BR-DUO-C", "note": "Shows less dust"},
    {"name": "To order"},
]


def read(client: Client) -> Element:
    response = client.get("/reviews/google.xml")
    assert response.status_code == 200
    assert response.streaming
    return fromstring(b"".join(response.streaming_content))


def imported(by: User, product: Product, **fields: Any) -> Review:
    told = {"stars": 1, "title": "From elsewhere", "body": "It was said on another site.", **fields}
    with replay("import"):
        return services.write_review(by, product, **told, source="shop.example.com", external_id=f"{by.pk}")


def of(root: Element, review: Review) -> Element:
    return next(one for one in root.iter("review") if one.findtext("review_id") == str(review.pk))


def test_the_feed_keeps_the_rules_and_says_everything(
    client: Client, alice: User, bob: User, duo: Product, tmp_path: Path
) -> None:
    a_product_page(tmp_path, duo)
    add_to_shelf(duo, alice, verified="order")
    review = factories.a_review(
        alice, duo, title="Good & <cheap>", body="It \x0bholds ]]> & **lasts** a while.", stars=4, did_well="The valve",
        could_be_better="The cable", disclosure="free",
    )  # fmt: skip
    services.add_chapter(review, alice, stars=2, body="It broke after a year of use.", months_owned=12)
    factories.a_review(bob, duo)
    root = read(client)
    assert google_rules.problems(root) == []
    told = of(root, review)
    assert told.findtext("title") == "Good & <cheap>"
    assert told.findtext("content") == "It holds ]]> & lasts a while.\n\n12 months: It broke after a year of use."
    assert (told.findtext("ratings/overall"), told.findtext("is_verified_purchase")) == ("2", "true")
    assert told.findtext("is_incentivized_review") == "true"
    assert (told.findtext("pros/pro"), told.findtext("cons/con")) == ("The valve", "The cable")
    assert told.findtext("products/product/product_ids/skus/sku") == "BR-duo"
    assert told.findtext("products/product/product_url") == "http://testserver/products/duo/"
    assert told.findtext("review_url") == f"http://testserver{review.get_absolute_url()}"


def test_whose_reviews_are_in_it(client: Client, ravi: User, duo: Product) -> None:
    people = [factories.a_person() for _n in range(7)]
    own = factories.a_review(people[0], duo, stars=1)
    free = factories.a_review(people[1], duo, disclosure="free")
    for person, disclosure in zip(people[2:5], ("employee", "family", "paid"), strict=True):
        factories.a_review(person, duo, disclosure=disclosure)
    imported(people[5], duo)
    refused = factories.a_review(people[6], duo)
    services.refuse_review(refused, ravi, code="off_topic", passage="It does what it should")
    ids = {element.text for element in read(client).iter("review_id")}
    assert ids == {str(own.pk), str(free.pk)}


def test_a_former_member_has_no_name(client: Client, alice: User, duo: Product) -> None:
    review = factories.a_review(alice, duo)
    User.objects.filter(pk=alice.pk).update(standing=Standing.ERASED)
    root = read(client)
    assert google_rules.problems(root) == []
    name = of(root, review).find("reviewer/name")
    assert name is not None
    assert (name.text, name.get("is_anonymous")) == ("Anonymous", "true")
    assert of(root, review).find("reviewer/reviewer_id") is None


def test_an_empty_feed_is_valid(client: Client, db: None) -> None:
    root = read(client)
    assert google_rules.problems(root) == []
    assert root.find("reviews") is None


def test_the_rules_find_what_is_wrong() -> None:
    bad = fromstring("<feed><publisher><name> </name></publisher><version>2.3</version><reviews/></feed>")
    found = google_rules.problems(bad)
    assert len(found) == 4, found


@pytest.mark.once
def test_the_rules_know_order_number_and_values(client: Client, alice: User, duo: Product, tmp_path: Path) -> None:
    a_product_page(tmp_path, duo, variants=VARIANTS)
    factories.a_review(alice, duo, stars=4)
    good = b"".join(client.get("/reviews/google.xml").streaming_content).decode()
    assert google_rules.problems(fromstring(good)) == []
    for there, instead, reason in [
        ("title>", "subject>", "not known"),
        ("<review_timestamp>", "<review_timestamp>2026-", "review_timestamp"),
        ("Z</review_timestamp>", "</review_timestamp>", "review_timestamp"),  # a time without its zone
        ("<overall ", '<overall lowest="1" ', "attributes"),
        (">4</overall>", ">6</overall>", "outside of its bounds"),
        ("<gtin>9520042010016</gtin>", "<gtin>9520042010017</gtin>", "gtin"),
        ("<sku>BR-DUO-C", "<sku>BR-DUO-M", "twice"),
        ("<collection_method>unsolicited", "<collection_method>by_phone", "collection_method"),
        (' type="singleton"', "", "attributes"),
        ("<content>", "<content>x</content><content>", "2 of <content>"),
        ("<content>", "<is_spam>false</is_spam><content>", "order"),
        ("<product_url>http://", "<product_url>", "product_url"),
        ("<version>2.4", "<version>2.3", "version"),
    ]:
        assert there in good, there
        found = google_rules.problems(fromstring(good.replace(there, instead)))
        assert any(reason in one for one in found), (there, found)
    assert google_rules.problems(fromstring(good.replace("<is_spam>false</is_spam>", ""))) == []  # it may be left out


def test_it_is_written_in_chunks(duo: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed, "CHUNK", 2)
    there = [factories.a_review(product=duo if n % 2 else factories.a_product(), stars=n) for n in range(1, 6)]
    pieces = feed.written(BrandSettings(name="Brindle"))
    next(pieces)
    with CaptureQueriesContext(connection) as asked:
        piece = next(pieces)
    assert piece.count("<review>") == 2
    assert len(asked) <= 5
    rest = "".join(pieces)
    assert rest.count("<review>") == 3
    whole = fromstring("".join(feed.written(BrandSettings(name="Brindle"))).encode())
    assert google_rules.problems(whole) == []
    told = [one.findtext("review_id") for one in whole.iter("review")]
    assert told == [str(review.pk) for review in there], "each visible review once, whatever its stars and product"


def test_the_feed_is_not_for_everybody_all_day(client: Client, db: None) -> None:
    for _n in range(12):
        read(client)
    assert client.get("/reviews/google.xml").status_code == 429
    assert client.post("/reviews/google.xml").status_code == 405


def json_ld(client: Client, address: str) -> list[dict[str, Any]]:
    page = client.get(address).content.decode()
    return [
        json.loads(found) for found in re.findall(r'<script type="application/ld\+json">(.*?)</script>', page, re.S)
    ]


def kinds(found: list[dict[str, Any]]) -> list[str]:
    return sorted(data["@type"] for data in found)


def test_a_product_tells_what_its_page_shows(
    client: Client, alice: User, bob: User, duo: Product, tmp_path: Path
) -> None:
    a_product_page(tmp_path, duo)
    found = json_ld(client, "/products/duo/")
    assert kinds(found) == ["BreadcrumbList", "Product"]
    assert "aggregateRating" not in found[0] and "review" not in found[0]
    factories.a_review(alice, duo, stars=4)
    tied = factories.a_review(bob, duo, stars=5, disclosure="family")
    found = json_ld(client, "/products/duo/")
    products = [data for data in found if data["@type"] == "Product"]
    assert {data["@id"] for data in products} == {"http://testserver/products/duo/"}
    for data in products:
        assert data["aggregateRating"]["ratingValue"] == "4.0"
        assert data["aggregateRating"]["ratingCount"] == 1
    (told,) = products[1]["review"]
    assert (told["author"]["name"], told["reviewRating"]["ratingValue"]) == ("Alice", 4)
    assert kinds(json_ld(client, tied.get_absolute_url())) == ["BreadcrumbList"]


def test_what_came_from_elsewhere_is_shown_and_not_marked_up(
    client: Client, alice: User, bob: User, duo: Product, tmp_path: Path
) -> None:
    a_product_page(tmp_path, duo)
    factories.a_review(alice, duo, stars=4)
    review = imported(bob, duo)
    assert "From elsewhere" in client.get("/products/duo/").content.decode()
    for address in ("/products/duo/", "/reviews/?product=duo"):
        products = [data for data in json_ld(client, address) if data["@type"] == "Product"]
        assert not any("aggregateRating" in data for data in products)
        assert [one["reviewRating"]["ratingValue"] for data in products for one in data.get("review", [])] == [4]
    assert kinds(json_ld(client, review.get_absolute_url())) == ["BreadcrumbList"]


def test_the_list_of_a_product_tells_it_too(client: Client, alice: User, duo: Product) -> None:
    assert kinds(json_ld(client, "/reviews/?product=duo")) == ["BreadcrumbList"]
    factories.a_review(alice, duo, stars=2)
    product = next(data for data in json_ld(client, "/reviews/?product=duo") if data["@type"] == "Product")
    assert product["aggregateRating"]["ratingValue"] == "2.0"
    assert len(product["review"]) == 1
    assert json_ld(client, "/reviews/") == []


def test_a_film_is_told_with_all_it_needs(client: Client, duo: Product, tmp_path: Path) -> None:
    page = a_product_page(tmp_path, duo)
    assert "VideoObject" not in kinds(json_ld(client, "/products/duo/"))
    page.video_title, page.video_length = "The first morning", "6:40"
    page.video_url, page.video_poster = "https://vimeo.com/12345678", page.gallery.first().image
    page.save_revision().publish()
    film = next(data for data in json_ld(client, "/products/duo/") if data["@type"] == "VideoObject")
    assert (film["name"], film["duration"]) == ("The first morning", "PT6M40S")
    assert film["embedUrl"] == "https://player.vimeo.com/video/12345678"
    assert film["thumbnailUrl"][0].startswith("http://testserver/media/")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", film["uploadDate"])


def test_nothing_rates_the_brand_itself(client: Client, alice: User, duo: Product, tmp_path: Path) -> None:
    a_product_page(tmp_path, duo)
    review = factories.a_review(alice, duo)
    for address in ("/", "/products/", "/products/duo/", "/reviews/", review.get_absolute_url()):
        for data in json_ld(client, address):
            if {"aggregateRating", "review"} & data.keys():
                assert data["@type"] in ("Product", "ProductGroup")


def test_the_number_under_the_bar_code_is_told_wherever_the_product_is(
    client: Client, alice: User, duo: Product, tmp_path: Path
) -> None:
    Product.objects.filter(pk=duo.pk).update(gtin="9521234543213")
    Version.objects.create(product=duo, name="Series 2", gtin="95012346")
    page = a_product_page(tmp_path, Product.objects.get(pk=duo.pk))
    review = factories.a_review(alice, page.product)
    root = read(client)
    assert google_rules.problems(root) == []
    assert [one.text for one in of(root, review).iter("gtin")] == ["9521234543213", "95012346"]
    for data in json_ld(client, "/products/duo/"):
        assert data["@type"] != "Product" or data["gtin"] == "9521234543213"


def test_every_variant_is_told_with_its_numbers(client: Client, alice: User, duo: Product, tmp_path: Path) -> None:
    page = a_product_page(tmp_path, duo, variants=VARIANTS, variants_by="color")
    review = factories.a_review(alice, duo, stars=4)
    found = json_ld(client, "/products/duo/")
    assert [problem for data in found for problem in schema_org.problems(data)] == []
    groups = [data for data in found if data["@type"] == "ProductGroup"]
    assert len(groups) == 2 and len({data["@id"] for data in groups}) == 1  # the page's, and that of its reviews
    group, reviewed = groups
    assert (group["productGroupID"], group["variesBy"]) == ("duo", "https://schema.org/color")
    assert [(one["name"], one["sku"], one["color"], one.get("gtin")) for one in group["hasVariant"]] == [
        ("Brindle Duo, Moss", "BR-DUO-M", "Moss", "9520042010016"), ("Brindle Duo, Crema", "BR-DUO-C", "Crema", None),
    ]  # fmt: skip
    assert group["aggregateRating"] == reviewed["aggregateRating"] and len(reviewed["review"]) == 1
    listed = next(data for data in json_ld(client, "/reviews/?product=duo") if "@id" in data)
    kinds = (listed["@type"], group["@type"])
    assert kinds == ("ProductGroup",) * 2, "one thing has one type, wherever it is told of"
    html = client.get("/products/duo/").content.decode()
    assert "GTIN 9520042010016" in html  # what machines are told is seen
    told = of(read(client), review)
    assert google_rules.problems(read(client)) == []
    assert [one.text for one in told.iter("sku")] == ["BR-DUO-M", "BR-DUO-C"]
    assert [one.text for one in told.iter("gtin")] == ["9520042010016"]
    page.variants_by = ""
    page.save_revision().publish()
    group = next(data for data in json_ld(client, "/products/duo/") if data["@type"] == "ProductGroup")
    assert schema_org.problems(group) == [] and "variesBy" not in group


def test_who_was_asked_by_mail_did_not_write_unsolicited(client: Client, alice: User, bob: User, duo: Product) -> None:
    now = clock.now()
    for person, days in ((alice, -3), (bob, 3)):  # the second wrote before the mail came
        mail = RequestMail.objects.create(person=person, at=now + timedelta(days=days))
        ReviewRequest.objects.create(person=person, product=duo, bought_on=now.date(), asked_in=mail)
    asked, unasked = factories.a_review(alice, duo), factories.a_review(bob, duo)
    root = read(client)
    assert google_rules.problems(root) == []
    assert of(root, asked).findtext("collection_method") == "post_fulfillment"
    assert of(root, unasked).findtext("collection_method") == "unsolicited"
