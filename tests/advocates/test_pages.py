import pytest
from django.urls import reverse

from advocates import boards, services
from advocates.models import Award, Badge, BoardScore
from community.accounts.models import User
from community.moderation import services as moderation
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
    for words in ("+\xa015", "+\xa010", "\u2212\xa02", "\u2212\xa0100", "At most 200 points a day"):
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


def test_the_board_says_why_the_first_is_first_and_each_row_leads_to_its_reasons(
    client, wednesday, alice, bob, charlie, ravi, duo, crowd, django_assert_max_num_queries
):
    answers = [an_answer(a_thread(alice, product=duo, title=f"Why does tap {n} drip"), bob) for n in range(3)]
    for answer, voters in zip(answers, (8, 7, 6), strict=True):
        for person in crowd(voters):
            questions.vote_answer(answer, person, 1)
    questions.accept_answer(answers[0], alice)
    taken = an_answer(a_thread(alice), charlie)
    questions.vote_answer(taken, alice, 1)
    questions.vote_answer(taken, bob, -1)  # whom Bob voted down is nobody's business
    page = client.get("/advocates/leaderboard/").content.decode()
    assert "Why Bob is first" in page and "215 points; Charlie, who is next, has 8" in page
    assert "21 votes for their answers" in page and "1 accepted answer<" in page
    assert "over the daily limit" in page and "\u2212\xa09" in page  # of 209 in a day 200 count
    address = f"/advocates/leaderboard/{bob.username}/"
    assert f"{address}?period=month" in page
    with django_assert_max_num_queries(12):
        mine = client.get(address).content.decode()
    assert "Why Bob is first" in mine and "207 points ahead of Charlie" in mine
    assert (
        mine.index("Why does tap 0 drip") < mine.index("Why does tap 2 drip") and answers[2].get_absolute_url() in mine
    )
    about = client.get(f"{address}?period=year&of=product:{duo.slug}").content.decode()
    assert "has 225 points here" in about and "daily limit" not in about and duo.label in about
    helping = client.get(f"{address}?of=help:answering").content.decode()
    assert "has 225 points here" in helping and "accepted answer" in helping
    other = client.get(f"/advocates/leaderboard/{charlie.username}/").content.decode()
    assert "Why Charlie has place 2" in other and "207 points behind Bob" in other and "what took points" in other
    for wrong in (
        f"{address}?of=topic:none",
        f"{address}?period=decade",
        f"/advocates/leaderboard/{a_person().username}/",
    ):
        assert client.get(wrong).status_code == 404
    assert client.post(address).status_code == 405
    moderation.hide(answers[1], ravi, reason="A look first.")
    assert answers[1].get_absolute_url() not in client.get(address).content.decode()
