import json
import re

import pytest

from advocates import services
from community.accounts.models import User
from community.accounts.services import edit_profile, rename, suspend
from community.moderation import services as moderation
from community.questions import services as questions
from products.models import Ownership

from ..factories import a_person, a_product, a_recipe, a_review, a_thread, an_answer

pytestmark = pytest.mark.django_db


def read(client, person):
    answer = client.get(f"/people/{person.username}/")
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.fixture
def life(alice, bob, duo, hanna):
    services.admit(bob, hanna, [duo])
    edit_profile(bob, name="Bob Ferreira", about="Opens everything once.", city="Porto")
    answer = an_answer(a_thread(alice, product=duo), bob)
    questions.vote_answer(answer, alice, 1)
    questions.accept_answer(answer, alice)
    Ownership.objects.create(owner=bob, product=duo, verified="order")
    return answer


def test_what_they_own_know_wrote_and_earned(client, life, bob, duo):
    page = read(client, bob)
    assert "Bob Ferreira" in page
    assert "Opens everything once." in page
    assert "Porto" in page
    assert '<dd class="num">26</dd>' in page
    assert 'href="/badges/first-answer/"' in page
    assert 'id="kn-h"' in page


def test_what_they_asked_to_hide_is_hidden(client, life, bob, duo):
    assert 'id="sh-h"' not in read(client, bob)
    edit_profile(bob, name="Bob", about="", city="Porto", show_shelf=True, show_city=False)
    page = read(client, bob)
    assert 'id="sh-h"' in page
    assert "Porto" not in page
    about = [a_review(bob, duo), a_recipe(bob)]
    lists = ["/reviews/?product=duo", "/advocates/"]
    for address in [*(post.get_absolute_url() for post in about), *lists]:
        assert "Porto" not in client.get(address).content.decode(), address
    edit_profile(bob, name="Bob", about="", city="Porto", show_shelf=True, show_city=True)
    for address in [*(post.get_absolute_url() for post in about), lists[0]]:
        assert "Porto" in client.get(address).content.decode(), address


def test_where_points_come_from_is_ones_own_affair(client, life, bob, charlie):
    url = f"/people/{bob.username}/points/"
    assert client.get(url).status_code == 302
    client.force_login(charlie)
    assert client.get(url).status_code == 404
    assert url not in read(client, bob)
    client.force_login(bob)
    assert url in read(client, bob)
    page = client.get(url).content.decode()
    assert "+\xa015" in page
    assert life.thread.title in page
    assert client.post(url).status_code == 405


def test_the_ledger_names_no_post_that_is_hidden(client, life, bob, ravi):
    moderation.hide(life.thread, ravi, reason="A look first.")
    client.force_login(bob)
    page = client.get(f"/people/{bob.username}/points/").content.decode()
    assert life.thread.title not in page
    assert "no longer shown" in page


def test_an_old_name_redirects_for_good(client, bob):
    rename(bob, "robert")
    answer = client.get("/people/bob/")
    assert (answer.status_code, answer["Location"]) == (301, "/people/robert/")
    assert client.get("/people/Robert/")["Location"] == "/people/robert/"


def test_nobody_is_404(client):
    assert client.get("/people/nobody.at.all/").status_code == 404
    assert client.post("/people/nobody.at.all/").status_code == 405


def test_an_erased_person_leaves_an_empty_page(client, bob, life):
    User.objects.filter(pk=bob.pk).update(standing="erased", name="former member", city="")
    page = read(client, bob)
    assert "Opens everything once." not in page
    assert "noindex" in page
    assert "Former member" in page


def test_a_suspended_person_shows_nothing(client, bob, life, ravi):
    suspend(bob, ravi, reason="Spam.")
    page = read(client, bob)
    assert "Opens everything once." not in page
    assert "noindex" in page


def test_imported_people_name_their_source(client, bob):
    somebody = a_person(
        "elsewhere", source="coffee.example", source_url="https://coffee.example/users/7", licence="CC BY-SA 4.0",
        email=None, about="Was here first.",
    )  # fmt: skip
    page = read(client, somebody)
    assert "https://coffee.example/users/7" in page
    assert "CC BY-SA 4.0" in page
    assert "noindex" in page


def test_pages_that_say_little_are_not_for_search_engines(client, alice, life, bob):
    assert "noindex" in read(client, a_person())
    assert "noindex" not in read(client, bob)


def test_structured_data_says_what_is_seen(client, life, bob):
    edit_profile(bob, name="Bob </script> Ferreira", about="Opens everything once.", city="Porto")
    found = re.search(r'<script type="application/ld\+json">(.*?)</script>', read(client, bob), re.DOTALL)
    data = json.loads(found.group(1))
    assert data["@type"] == "ProfilePage"
    assert data["mainEntity"]["name"] == "Bob </script> Ferreira"
    assert data["mainEntity"]["agentInteractionStatistic"]["userInteractionCount"] == 1


def test_hostile_words_are_inert(client):
    somebody = a_person(name="<b>Eve</b>", about='<img src=x onerror="alert(1)">')
    page = read(client, somebody)
    assert "<b>Eve</b>" not in page
    assert "<img src=x" not in page


def test_queries_stay_the_same_however_much_there_is(client, life, alice, bob, django_assert_max_num_queries):
    for _ in range(8):
        product = a_product()
        Ownership.objects.create(owner=bob, product=product)
        answer = an_answer(a_thread(alice, product=product), bob)
        questions.vote_answer(answer, alice, 1)
    edit_profile(bob, name="Bob", about="", city="", show_shelf=True)
    client.force_login(alice)
    read(client, bob)
    with django_assert_max_num_queries(20):
        read(client, bob)
    client.force_login(bob)
    with django_assert_max_num_queries(20):
        client.get(f"/people/{bob.username}/points/")
