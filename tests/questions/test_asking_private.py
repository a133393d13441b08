"""Private details are seen by the asker and staff only: on no page, in no feed, mail, notice, search or picture of
the data that anybody else gets. The pages are those that the address book knows, so that a new one is looked at too."""

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.core import mail
from django.db import connection
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from community.accounts.models import User
from community.core import clock, outbox
from community.moderation import services as moderation
from community.notifications.delivery import announce_due
from community.posts import services as posts
from community.posts.doors import long_open
from community.questions import services
from community.questions.models import PrivateDetails, Thread
from community.search import documents
from products.models import Product
from tests import factories

pytestmark = pytest.mark.django_db

TELLTALE = {
    "order_number": "ORD-zq71-88123", "serial": "SN-zq72-4471", "phone": "+44 20 zq73", "note": "Ring zq74 before noon",
}  # fmt: skip
MARK = re.compile(r"zq7[1-4]")


@pytest.fixture
def told(alice: User, bob: User, dana: User, duo: Product) -> Thread:
    """A thread with all of them, and everything that follows from it: answer, acceptance, mails, search, an edit."""
    factories.a_tag("noise")
    thread = factories.a_thread(
        alice, product=duo, kind="problem", title="A noise like a mill at night", private=TELLTALE, tags=["noise"]
    )
    answer = factories.an_answer(thread, bob)
    services.post_answer(thread, dana, body="Send it in, please, and we look at it.", official_for=dana.department)
    services.edit_thread(thread, alice, title="A noise like two mills at night", body=f"{thread.body_source} Still.")
    services.accept_answer(answer, alice)
    announce_due()
    outbox.deliver_due()
    documents.index_changes()
    return Thread.objects.get(pk=thread.pk)


def addresses(patterns: list[URLPattern | URLResolver], values: dict[str, str], before: str = "") -> Iterator[str]:
    """Every address there is, with what these values make of its parts; those with other parts are left out."""
    for pattern in patterns:
        route = str(getattr(pattern.pattern, "_route", None) or "")
        if isinstance(pattern, URLResolver):
            if not route.startswith("admin") and route != "__debug__/":
                yield from addresses(pattern.url_patterns, values, before + route)
            continue
        if not route and getattr(pattern.pattern, "_regex", ""):
            continue  # Wagtail's own, reached by the sitemap below
        filled = re.sub(r"<(?:\w+:)?(\w+)>", lambda part: values.get(part[1], part[0]), before + route)
        if "<" not in filled:
            yield f"/{filled}"


@pytest.mark.slow
@pytest.mark.once
def test_no_page_shows_them_to_anybody_else(told: Thread, alice: User, bob: User, ravi: User, duo: Product) -> None:
    answer = told.answers.earliest("pk")
    found = set()
    for pk in (told.pk, answer.pk):
        values = {
            "pk": str(pk), "slug": told.slug, "username": alice.username, "kind": "thread", "tag": "noise",
            "object_id": str(pk), "id": str(pk), "thread_id": str(pk),
        }  # fmt: skip
        found |= set(addresses(get_resolver().url_patterns, values))
        found |= set(addresses(get_resolver().url_patterns, {**values, "slug": duo.slug, "kind": "answer"}))
        found |= set(addresses(get_resolver().url_patterns, {**values, "slug": "noise"}))
    assert told.get_absolute_url() in found and len(found) > 80
    found |= {"/search/?q=zq71", "/search/?q=SN-zq72-4471", "/search/matches/?title=Ring zq74 before noon"}
    found |= {f"{told.get_absolute_url()}?comments=thread-{told.pk}", "/questions/?product=duo"}
    found |= set(re.findall(r"<loc>https?://[^/]+(/[^<]*)</loc>", Client().get("/sitemap.xml").content.decode()))
    seen = 0
    for person in (None, bob, ravi):
        for address in sorted(found):
            if address.startswith(("/accounts/logout", "/static", "/media")):
                continue
            client = Client(raise_request_exception=False)
            if person:
                client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
            answered = client.get(address)
            words = b"".join(answered.streaming_content) if answered.streaming else answered.content  # type: ignore[arg-type]
            # A page may say back what was looked for, which the looker typed.
            text = words.decode(errors="replace") if "zq7" not in address else ""
            assert not MARK.search(text + str(answered.headers)), f"{address} for {person}"
            seen += answered.status_code == 200
    assert seen > 60, "most of them are pages"


def test_a_search_for_them_finds_nothing(told: Thread, bob: User) -> None:
    for words in TELLTALE.values():
        page = Client().get("/search/", {"q": words}).content.decode()
        assert "mills at night" not in page


def test_the_asker_and_agents_see_them_and_a_moderator_does_not(
    told: Thread, alice: User, dana: User, ravi: User
) -> None:
    assert services.view_private_details(told, alice).serial == TELLTALE["serial"]  # type: ignore[union-attr]
    assert services.view_private_details(told, dana).serial == TELLTALE["serial"]  # type: ignore[union-attr]
    asker = Client()
    asker.force_login(alice, backend="django.contrib.auth.backends.ModelBackend")
    assert TELLTALE["serial"] in asker.get(told.get_absolute_url()).content.decode()
    moderator = Client()
    moderator.force_login(ravi, backend="django.contrib.auth.backends.ModelBackend")
    assert moderator.post(f"/questions/thread/{told.pk}/private/").status_code == 403


def test_no_mail_and_no_row_but_their_own_holds_them(told: Thread) -> None:
    assert mail.outbox, "people were told"
    assert not any(MARK.search(str(letter.message())) for letter in mail.outbox)
    holders = set()
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')  # noqa: S608 - names that the database itself gave
            holders |= {table for row in cursor.fetchall() if MARK.search(str(row))}
    assert holders == {"questions_privatedetails"}, "neither notices, deliveries, events, documents nor drafts"


def test_logs_name_none_of_them(alice: User, caplog: pytest.LogCaptureFixture) -> None:
    given = {"kind": "problem", "title": "A noise like a mill at night", "started": long_open(), **TELLTALE}
    visitor = Client()
    visitor.post("/questions/ask/", {**given, "body": "Since Monday, and it grows louder."})
    visitor.post("/questions/ask/", {**given, "body": "Short"})
    member = Client()
    member.force_login(alice, backend="django.contrib.auth.backends.ModelBackend")
    member.post("/posts/draft/?key=ask", given)
    member.post("/questions/ask/", {**given, "body": "Since Monday, and it grows louder."})
    assert Thread.objects.exists() and not MARK.search(caplog.text)


def test_they_are_erased_ninety_days_after_it_is_solved(told: Thread, alice: User) -> None:
    open_one = factories.a_thread(alice, kind="problem", private=TELLTALE)
    with clock.travel(clock.now() + timedelta(days=89)):
        assert services.erase_private_details() == 0
    with clock.travel(clock.now() + timedelta(days=91)):
        assert services.erase_private_details() == 1
        assert services.erase_private_details() == 0
    assert list(PrivateDetails.objects.values_list("thread", flat=True)) == [open_one.pk]


def test_those_of_a_merged_thread_go_with_the_thread_that_stands(alice: User, bob: User, dana: User) -> None:
    stands = factories.a_thread(bob, kind="problem")
    services.accept_answer(factories.an_answer(stands, alice), bob)
    with clock.travel(clock.now() + timedelta(days=60)):
        merged = factories.a_thread(alice, kind="problem", private=TELLTALE)
        services.merge_thread(merged, stands, dana, "The same mill")
    with clock.travel(clock.now() + timedelta(days=149)):
        assert services.erase_private_details() == 0
    with clock.travel(clock.now() + timedelta(days=151)):
        assert services.erase_private_details() == 1


def test_those_of_a_thread_merged_into_an_open_one_stay(alice: User, bob: User, dana: User) -> None:
    merged = factories.a_thread(alice, kind="problem", private=TELLTALE)
    services.merge_thread(merged, factories.a_thread(bob, kind="problem"), dana, "The same mill")
    with clock.travel(clock.now() + timedelta(days=200)):
        assert services.erase_private_details() == 0


def test_those_of_a_deleted_thread_are_erased_after_ninety_days(alice: User, ravi: User) -> None:
    moderation.delete(factories.a_thread(alice, kind="problem", private=TELLTALE), ravi, reason="Spam.")
    with clock.travel(clock.now() + timedelta(days=89)):
        assert services.erase_private_details() == 0
    with clock.travel(clock.now() + timedelta(days=91)):
        assert services.erase_private_details() == 1


def test_what_ended_without_a_solution_keeps_none_either(alice: User, ravi: User, dana: User) -> None:
    """Closed, hidden, or answered officially without a word since; who wrote again, or asked anew, still needs them."""
    closed, hidden, official, spoke, opened = (
        factories.a_thread(alice, kind="problem", private=TELLTALE) for _ in range(5)
    )
    services.close_thread(closed, ravi, "Sold to somebody else.")
    moderation.hide(hidden, ravi, reason="Rude.")
    for thread in (official, spoke, opened):
        factories.an_answer(thread, dana, official_for=dana.department)
    with clock.travel(clock.now() + timedelta(days=1)):
        posts.comment(spoke, alice, body="That did not help me at all.")
        services.solve_another_way(opened, alice, "A new gasket did it.")
    with clock.travel(clock.now() + timedelta(days=2)):
        services.reopen_thread(opened, alice, "It came back.")
    with clock.travel(clock.now() + timedelta(days=89)):
        assert services.erase_private_details() == 0
    with clock.travel(clock.now() + timedelta(days=91)):
        assert services.erase_private_details() == 3
    assert set(PrivateDetails.objects.values_list("thread", flat=True)) == {spoke.pk, opened.pk}
