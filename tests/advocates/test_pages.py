import pytest
from django.urls import reverse

from advocates import boards, services
from advocates.models import Award, Badge, BoardScore
from community.accounts.models import User
from community.posts.models import Topic
from community.questions import services as questions

from ..factories import a_person, a_thread, an_answer

pytestmark = pytest.mark.django_db


@pytest.fixture
def life(wednesday, alice, bob, hanna, duo):
    services.admit(bob, hanna, [duo])
    for _ in range(5):
        person = a_person()
        answer = an_answer(a_thread(alice, product=duo), person)
        questions.vote_answer(answer, bob, 1)
        questions.accept_answer(answer, alice)
    questions.vote_answer(an_answer(a_thread(product=duo), bob), alice, 1)
    services.declare_interest(bob, bob, kind="payment", line="Paid for a water test.", since="2025-05-01")


PAGES = [
    ("advocates:home", []),
    ("advocates:leaderboard", []),
    ("advocates:points", []),
    ("badges:list", []),
    ("badges:badge", ["first-answer"]),
]


@pytest.mark.parametrize(("name", "args"), PAGES)
def test_pages_answer_empty_and_full_and_only_to_reads(client, name, args, request):
    url = reverse(name, args=args)
    assert client.get(url).status_code == 200
    request.getfixturevalue("life")
    assert client.get(url).status_code == 200
    assert client.post(url).status_code == 405


def test_addresses():
    assert reverse("advocates:home") == "/advocates/"
    assert reverse("advocates:points") == "/advocates/how-points-work/"
    assert reverse("badges:list") == "/badges/"


def test_the_advocates_page_says_who_and_what_ties_them(client, life):
    page = client.get("/advocates/").content.decode()
    assert "Bob" in page
    assert "Paid for a water test." in page
    assert "No ties declared" not in page


def test_an_away_advocate_names_who_looks_after_the_questions(client, life, bob, charlie, hanna, duo):
    services.admit(charlie, hanna, [duo])
    services.set_away(bob, bob, note="Away until spring", stand_in=charlie)
    page = client.get("/advocates/").content.decode()
    assert "Away until spring" in page
    assert "Charlie looks after" in page


@pytest.mark.parametrize(
    "query", ["?period=decade", "?product=no-such-thing", "?of=topic:none", "?of=help:singing", "?of=all"]
)
def test_boards_that_do_not_exist(client, query):
    assert client.get(f"/advocates/leaderboard/{query}").status_code == 404


def test_filters(client, life, duo, alice):
    Topic.objects.create(slug="milk", name="Milk")
    for query in (
        "?period=quarter",
        f"?product={duo.slug}",
        f"?period=year&of=product:{duo.slug}",
        "?of=help:answering",
    ):
        page = client.get(f"/advocates/leaderboard/{query}").content.decode()
        assert 'class="tbl lb"' in page
    assert "Nobody has points here yet" in client.get("/advocates/leaderboard/?of=topic:milk").content.decode()
    # Alice earned by accepting, which is about no product.
    assert "Alice" not in client.get(f"/advocates/leaderboard/?product={duo.slug}").content.decode()
    assert "Alice" in client.get("/advocates/leaderboard/").content.decode()


def test_who_stays_out_of_sight(client, life, bob):
    User.objects.filter(pk=bob.pk).update(hide_from_boards=True)
    board = client.get("/advocates/leaderboard/").content.decode()
    assert bob.get_absolute_url() not in board


def test_the_whole_board_shows_me_among_my_neighbours(wednesday, client, life):
    me = a_person("last.of.all")
    today = {"period": "month", "start": boards.start_of("month", boards.today())}
    scores = [BoardScore(person=me, points=1, **today)]
    scores += [BoardScore(person=a_person(), points=20, **today) for _ in range(60)]
    BoardScore.objects.bulk_create(scores)
    boards.recount_buckets()
    client.force_login(me)
    page = client.get("/advocates/leaderboard/").content.decode()
    assert "You and your neighbours" in page
    assert 'class="is-me"' in page


@pytest.mark.parametrize(("name", "args"), PAGES)
def test_pages_ask_the_same_number_of_queries_however_full(
    client, name, args, life, bob, django_assert_max_num_queries
):
    client.force_login(bob)
    client.get("/advocates/")
    with django_assert_max_num_queries(21):
        client.get(reverse(name, args=args))


def test_points_are_those_of_the_rules(client):
    page = client.get("/advocates/how-points-work/").content.decode()
    for words in ("+ 15", "+ 10", "− 2", "− 100", "At most 200 points a day"):
        assert words in page


@pytest.mark.parametrize("slug", ["", "first-answer/", "good-answer/"])
def test_badge_pages_ask_ten_queries_at_most(client, life, bob, slug, django_assert_max_num_queries):
    client.force_login(bob)
    client.get("/badges/")
    with django_assert_max_num_queries(10):
        page = client.get(f"/badges/{slug}").content.decode()
    assert 'class="medal medal--' in page
    assert ("You have 1 of 5" in page) is (slug == "")
    assert ("You have 1 of 10." in page) is (slug == "good-answer/")


def test_who_earned_a_badge_often_stands_there_once(client, wednesday, bob, alice, charlie):
    badge = Badge.objects.get(slug="good-answer")
    for number in range(3):
        Award.objects.create(badge=badge, person=bob, per_key=str(number))
    Award.objects.bulk_create([Award(badge=badge, person=a_person()) for _ in range(30)])
    first = client.get("/badges/good-answer/").content.decode()
    second = client.get("/badges/good-answer/?page=2").content.decode()
    assert "31 people have it" in first
    assert (first + second).count(f'href="{bob.get_absolute_url()}"') == 1
    assert "3 times" in first + second


def test_my_page_says_what_i_am_near_to_and_nobody_else_sees_it(client, life, bob, alice):
    client.force_login(bob)
    assert "What you are near to" in client.get(bob.get_absolute_url()).content.decode()
    client.force_login(alice)
    assert "What you are near to" not in client.get(bob.get_absolute_url()).content.decode()


def test_a_badge_shows_its_holders(client, life, alice):
    page = client.get("/badges/first-answer/").content.decode()
    assert "Bob" in page
    assert client.get("/badges/no-such-badge/").status_code == 404
