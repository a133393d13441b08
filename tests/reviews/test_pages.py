import io
import json
import re
from pathlib import Path

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from PIL import Image
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects

from community.accounts.models import Department, Membership, Standing, User
from community.core import panels
from community.core.models import Numbers
from community.moderation import services as moderation
from community.posts.doors import long_open
from community.posts.models import Draft, Upload
from products.models import Product
from reviews import services
from reviews.models import Review
from reviews.panels import ProductReviews
from tests import factories
from tests.posts.test_uploads import a_picture as a_photo
from tests.products.pages import a_product_page

pytestmark = pytest.mark.django_db


def told(**fields: object) -> dict:
    return {
        "stars": "4",
        "title": "Holds its heat",
        "body": "A year of mornings, and not one bad one.",
        "disclosure": "bought",
        "would_recommend": "yes",
        "started": long_open(),
        **fields,
    }


def a_picture(name: str = "cup.png") -> io.BytesIO:
    file = io.BytesIO()
    Image.new("RGB", (40, 30), "brown").save(file, "PNG")
    file.seek(0)
    file.name = name
    return file


def structured(response: object) -> dict:
    found = re.search(r'<script type="application/ld\+json">(.*?)</script>', response.content.decode(), re.DOTALL)
    assert found
    return json.loads(found[1])


# --- writing, without a script


def test_the_form_asks_who_one_is(client: Client, alice: User, dana: User, duo: Product) -> None:
    assert client.get("/reviews/write/duo/").status_code == 302
    client.force_login(dana)
    response = client.get("/reviews/write/duo/")
    assertContains(response, "That is for those who bought it", status_code=403)
    client.force_login(alice)
    assertContains(client.get("/reviews/write/duo/"), "What happens next")
    assert client.get("/reviews/write/nothing/").status_code == 404


def test_nobody_reviews_what_is_only_announced(
    client: Client, alice: User, duo: Product, settings: object, tmp_path: Path
) -> None:
    settings.MEDIA_ROOT = tmp_path  # type: ignore[attr-defined]
    Product.objects.filter(pk=duo.pk).update(lifecycle=Product.Lifecycle.ANNOUNCED)
    page = a_product_page(tmp_path, duo)
    client.force_login(alice)
    for address in (page.url, "/reviews/?product=duo"):
        shown = client.get(address)
        assertContains(shown, "Reviews open as soon as people can own it.")
        assertNotContains(shown, "/reviews/write/duo/")
    for sent in (client.get("/reviews/write/duo/"), client.post("/reviews/write/duo/", told())):
        assertContains(sent, "is not on sale yet", status_code=403)
    assert not Review.objects.exists()


def test_a_member_reviews(client: Client, alice: User, duo: Product) -> None:
    client.force_login(alice)
    photo = {"photo-file-0": a_picture(), "photo-alt-new-0": "Two cups on top", "photo-caption-new-0": "Morning"}
    response = client.post("/reviews/write/duo/", told(**photo))
    review = Review.objects.get()
    assertRedirects(response, review.get_absolute_url())
    assert (review.stars, review.would_recommend) == (4, True)
    upload = Upload.objects.get()
    assert (upload.target, upload.alt) == (review, "Two cups on top")
    page = client.get(review.get_absolute_url())
    assertContains(page, "Two cups on top")
    # Writing again leads to what there is.
    assertRedirects(client.get("/reviews/write/duo/"), review.get_absolute_url())
    assertRedirects(client.post("/reviews/write/duo/", told(stars="1")), review.get_absolute_url())
    assert Review.objects.get().stars == 4


def test_bad_input_keeps_the_text_and_says_why_beside_the_field(client: Client, alice: User, duo: Product) -> None:
    client.force_login(alice)
    sent = told(title="My own words", body="short", photo="", **{"photo-file-0": a_picture()})
    del sent["stars"]
    response = client.post("/reviews/write/duo/", sent)
    assertContains(response, "Choose one to five stars.", status_code=422)
    assertContains(response, "My own words", status_code=422)
    assertContains(response, "Describe each photo", status_code=422)
    assertContains(response, 'name="photo-kept"', status_code=422)
    assert not Review.objects.exists()
    kept = Upload.objects.get()
    good = told(**{"photo-kept": kept.pk, f"photo-alt-{kept.pk}": "A cup"})
    client.post("/reviews/write/duo/", good)
    kept.refresh_from_db()
    assert kept.target == Review.objects.get()


def test_what_the_service_refuses_stands_at_its_field(client: Client, alice: User, duo: Product) -> None:
    client.force_login(alice)
    response = client.post("/reviews/write/duo/", told(body="too short"))
    assertContains(response, "20 characters at least", status_code=422)
    assertContains(response, "too short", status_code=422)


def test_a_file_that_is_no_picture_is_refused(client: Client, alice: User, duo: Product) -> None:
    client.force_login(alice)
    fake = io.BytesIO(b"<svg onload=alert(1)>")
    fake.name = "cup.png"
    response = client.post("/reviews/write/duo/", told(**{"photo-file-0": fake}))
    assertContains(response, "not a picture", status_code=422)


def test_what_a_robot_sends_waits_for_a_moderator(client: Client, alice: User, duo: Product) -> None:
    client.force_login(alice)
    review_page = client.post("/reviews/write/duo/", told(website="http://spam.example"))
    assert review_page.status_code == 302
    assert Review.objects.get().visibility == "pending"
    client.logout()
    assert client.get(review_page["Location"]).status_code == 404


def test_a_second_look_and_a_change(client: Client, alice: User, bob: User, duo: Product) -> None:
    review = factories.a_review(alice, duo, stars=5)
    client.force_login(alice)
    response = client.post(
        f"/reviews/{review.pk}/chapter/",
        {"stars": "2", "months_owned": "12", "body": "The pump gave up after a year.", "still_in_use": "no"},
    )
    assertRedirects(response, review.get_absolute_url())
    assertContains(client.get(review.get_absolute_url()), "No longer in use")
    assert client.post(f"/reviews/{review.pk}/chapter/", {"months_owned": "x"}).status_code == 422
    client.post(f"/reviews/{review.pk}/edit/", told(title="Changed", seen="1"))
    assert Review.objects.get().title == "Changed"
    assertContains(
        client.post(f"/reviews/{review.pk}/edit/", told(title="From an old window", seen="1")),
        "From an old window",
        status_code=409,
    )
    client.force_login(bob)
    for page in ("edit", "chapter"):
        assert client.get(f"/reviews/{review.pk}/{page}/").status_code == 403


# --- helpful


def test_helpful_with_and_without_htmx(client: Client, alice: User, bob: User, duo: Product) -> None:
    review = factories.a_review(alice, duo)
    url = f"/reviews/{review.pk}/helpful/"
    assert client.get(url).status_code == 405
    assert client.post(url, {"helpful": "yes"}).status_code == 302
    client.force_login(bob)
    assert client.post(url, {"helpful": "yes"}).status_code == 302
    response = client.post(url, {"helpful": "yes"}, headers={"HX-Request": "true"})
    assertContains(response, 'aria-pressed="true"', 1)
    assertContains(response, 'value="none"', 1)
    assert client.post(url, {"helpful": "maybe"}).status_code == 422
    client.post(url, {"helpful": "none"})
    client.force_login(alice)
    assert client.post(url, {"helpful": "yes"}).status_code == 403
    review.refresh_from_db()
    assert review.helpful_yes == 0


# --- reading


def test_structured_data_says_what_the_page_shows(client: Client, alice: User, duo: Product) -> None:
    review = factories.a_review(alice, duo, title="Ends </script><script>alert(1)", stars=3)
    response = client.get(review.get_absolute_url())
    data = structured(response)
    assert data["@type"] == "Review"
    assert data["reviewRating"]["ratingValue"] == 3
    assert data["itemReviewed"]["name"] == "Brindle Duo"
    assert data["name"] == review.title
    assertNotContains(response, "<script>alert")


def test_who_sees_what(client: Client, alice: User, bob: User, ravi: User, duo: Product) -> None:
    numbers = Numbers.load()
    numbers.review_moderation = True
    numbers.save()
    review = factories.a_review(alice, duo)
    url = review.get_absolute_url()
    assert client.get(url).status_code == 404
    client.force_login(bob)
    assert client.get(url).status_code == 404
    assert client.post(f"{url}publish/").status_code == 404
    client.force_login(alice)
    assertContains(client.get(url), "waits for a look")
    client.force_login(ravi)
    assertContains(client.post(f"{url}refuse/", {"code": "profanity", "passage": "nowhere"}), "stand", status_code=422)
    passage = {"code": "off_topic", "passage": "It does what it should", "note": "Tell more."}
    assertRedirects(client.post(f"{url}refuse/", passage), url)
    client.force_login(alice)
    page = client.get(url)
    assertContains(page, "<mark>It does what it should</mark>")
    assertContains(page, "Tell more.")
    assert client.get(f"{url}resubmit/").status_code == 405
    client.post(f"{url}resubmit/")
    client.force_login(ravi)
    assert client.get(f"{url}publish/").status_code == 405
    client.post(f"{url}publish/")
    client.logout()
    assert client.get(url).status_code == 200
    moderation.delete(Review.objects.get(), alice)
    assert client.get(url).status_code == 410
    assert client.get("/reviews/999999/").status_code == 404
    figures = client.get("/reviews/figures/")
    assertContains(figures, "Off topic")
    assertContains(client.get("/reviews/policy/"), "Refuse a review for its stars")


def test_a_department_answers_on_the_page(
    client: Client, alice: User, bob: User, dana: User, support: Department, duo: Product
) -> None:
    review = factories.a_review(alice, duo)
    url = f"/reviews/{review.pk}/respond/"
    client.force_login(bob)
    assert client.post(url, {"department": "support", "body": "Hello"}).status_code == 403
    client.force_login(dana)
    assertContains(client.get(review.get_absolute_url()), "Answer as Customer support")
    assert client.post(url, {"department": "support", "body": " "}).status_code == 422
    client.post(url, {"department": "support", "body": "You are right."})
    assertContains(client.get("/reviews/?product=duo"), "You are right.")


def test_the_list_filters_sorts_and_refuses_nonsense(client: Client, alice: User, bob: User, duo: Product) -> None:
    low = factories.a_review(alice, duo, stars=1, title="Too loud for me")
    high = factories.a_review(bob, duo, stars=5, title="Quiet as a mouse")
    response = client.get("/reviews/?product=duo&stars=1")
    assert [review.pk for review in response.context["reviews"]] == [low.pk]
    response = client.get("/reviews/?sort=highest")
    assert [review.pk for review in response.context["reviews"]] == [high.pk, low.pk]
    assertContains(client.get("/reviews/?product=duo&photos=1"), "No review is like that")
    for nonsense in ("stars=6", "stars=x", "sort=up", "page=0", "page=x", "after=x", "owned=x", "product=none"):
        assert client.get(f"/reviews/?{nonsense}").status_code == 404, nonsense


@pytest.mark.parametrize("logged_in", [False, True])
def test_queries_do_not_grow(client: Client, bob: User, duo: Product, logged_in: bool) -> None:
    def more(number: int) -> None:
        for _n in range(number):
            author = factories.a_person()
            review = factories.a_review(author, duo)
            services.add_chapter(review, author, stars=3, body="Later I thought otherwise.", months_owned=3)
            services.find_helpful(review, bob, True)

    if logged_in:
        client.force_login(bob)
    more(2)

    def cost(url: str) -> int:
        with CaptureQueriesContext(connection) as queries:
            assert client.get(url).status_code == 200
        return len(queries)

    one = Review.objects.first()
    urls = ["/reviews/?product=duo", "/reviews/", one.get_absolute_url()]
    for url in urls:
        client.get(url)
    before = [cost(url) for url in urls]
    more(6)
    assert [cost(url) for url in urls] == before
    assert max(before) <= 20


def test_the_panel_of_a_product(rf: object, alice: User, bob: User, duo: Product) -> None:
    request = rf.get("/products/duo/?stars=1&sort=newest")  # type: ignore[attr-defined]
    request.user = bob
    empty = panels.piece("product.reviews", request, duo)
    assert "Nobody has reviewed this yet" in empty
    factories.a_review(alice, duo, stars=1, title="Too loud for me")
    factories.a_review(factories.a_person(), duo, stars=5, title="Quiet as a mouse")
    duo = Product.objects.for_listing().get(pk=duo.pk)  # as its page has it
    html = panels.render("product.reviews", request, [duo])[duo.pk]
    assert "Too loud for me" in html
    assert "Quiet as a mouse" not in html
    assert "/reviews/write/duo/" in html
    assert ProductReviews.query_budget < 10


def test_the_panel_of_a_person(rf: object, alice: User, bob: User, duo: Product) -> None:
    factories.a_review(alice, duo, title="Too loud for me")
    request = rf.get("/people/alice/")  # type: ignore[attr-defined]
    request.user = bob
    assert "Too loud for me" in panels.render("person.work", request, [alice, bob])[alice.pk]


def test_what_one_department_typed_stands_in_its_own_form(
    client: Client, alice: User, dana: User, support: Department, duo: Product
) -> None:
    review = factories.a_review(alice, duo)
    other = factories.a_department("design", name="Design")
    Membership.objects.create(user=dana, department=other)
    services.respond(review, dana, other, "The spring is a new one.")
    client.force_login(dana)
    url = f"/reviews/{review.pk}/respond/"
    page = client.post(url, {"department": "support", "body": "x" * 4001}).content.decode()
    assert page.count("x" * 4001) == 1 and page.count("The spring is a new one.</textarea>") == 1


def test_whoever_marks_a_passage_sees_all_that_was_said(client: Client, alice: User, ravi: User, duo: Product) -> None:
    photo = a_photo(alice, hours_ago=0)
    review = factories.a_review(alice, duo, did_well="The lid", photos=[photo])
    services.add_chapter(review, alice, stars=3, body="Later I thought otherwise.", months_owned=3)
    client.force_login(ravi)
    for page in ("refuse", "thread/propose"):
        shown = client.get(f"/reviews/{review.pk}/{page}/")
        for said in ("The lid", "Later I thought otherwise.", "A pot", "js/passage.js"):
            assertContains(shown, said)


def test_a_second_look_is_kept_while_it_is_written_and_says_what_comes_next(
    client: Client, alice: User, duo: Product
) -> None:
    review = factories.a_review(alice, duo, owned_months=10)
    client.force_login(alice)
    key = f"/posts/draft/?key=chapter%3A{review.pk}"
    address = f"/reviews/{review.pk}/chapter/"
    assertContains(client.get(address), key)
    sent = {"stars": "2", "months_owned": "12", "body": "It leaks into the drawer by now.", "still_in_use": "no"}
    assert client.post(key, sent).status_code == 204
    page = client.get(address)
    assertContains(page, "It leaks into the drawer by now.")
    assertContains(page, 'value="12"')
    numbers = Numbers.load()
    numbers.review_moderation = True
    numbers.save()
    assertContains(client.post(address, sent, follow=True), "Somebody looks at it first")
    assert not Draft.objects.exists()


def test_all_reviews_can_be_filtered_by_stars(client: Client, alice: User, duo: Product) -> None:
    factories.a_review(alice, duo, stars=2)
    assertContains(client.get("/reviews/?sort=newest"), 'href="/reviews/?sort=newest&amp;stars=2"')
    page = client.get("/reviews/?stars=2")
    assertContains(page, "2 stars")
    assertNotContains(page, 'href="/reviews/?stars=2"')


def test_beside_a_review_stands_how_long_by_now_and_lists_show_the_newest_look(
    client: Client, alice: User, bob: User, duo: Product
) -> None:
    alice.standing = Standing.ADVOCATE
    alice.save()
    review = factories.a_review(alice, duo, stars=3, owned_months=0)
    services.add_chapter(review, alice, stars=5, body="It has grown on me. " * 30, months_owned=24)
    said = factories.a_review(bob, duo, source="amazon", external_id="17")
    listed = client.get("/reviews/?product=duo")
    assertContains(listed, "Owned 24 months. Paid for it.")
    assertNotContains(listed, "Owned for some weeks.")
    assertContains(listed, "It has grown on me. It has")
    chapter = review.chapters.get()
    assertContains(listed, f'href="/reviews/{review.pk}/#chapter-{chapter.pk}"')
    page = client.get(review.get_absolute_url())
    assertContains(page, '<span class="tag-role">Advocate</span>')  # as in the list
    assertContains(page, "Owned 24 months. Paid for it.")
    # Of an imported review nobody knows it.
    assertNotContains(client.get(said.get_absolute_url()), "Paid for it.")
    client.force_login(alice)
    assertNotContains(client.get(review.get_absolute_url()), "0 people found this helpful")


def test_whoever_deletes_their_review_goes_on_at_the_product(client: Client, alice: User, duo: Product) -> None:
    review = factories.a_review(alice, duo)
    client.force_login(alice)
    assert client.post(f"/posts/review/{review.pk}/delete/").url == duo.get_absolute_url()
    assert client.get(review.get_absolute_url()).status_code == 410


def test_whoever_works_here_is_not_asked_for_a_review(
    client: Client, alice: User, bob: User, dana: User, duo: Product, tmp_path: Path
) -> None:
    a_product_page(tmp_path, duo)
    factories.a_review(alice, duo)
    for person, offered in ((None, True), (bob, True), (dana, False)):
        if person is not None:
            client.force_login(person)
        for address in ("/products/duo/", "/reviews/?product=duo"):
            assert ("/reviews/write/duo/" in client.get(address).content.decode()) is offered
