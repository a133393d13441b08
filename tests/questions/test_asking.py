"""Asking: what looks alike, what is refused before anybody signs up, and nothing of what was written gets lost."""

import io
import re
from datetime import timedelta
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.core.files.storage import default_storage
from django.db import connection
from django.test import Client
from django.urls import reverse
from PIL import Image

from community.accounts.models import User
from community.core import clock, limits
from community.core.errors import Conflict
from community.core.models import Numbers
from community.posts import doors, kept, tagging
from community.posts import services as posts
from community.posts.models import Draft, KeptPicture, KeptPost, Tag, Upload
from community.questions import services
from community.questions.forms import AskForm
from community.questions.models import PrivateDetails, Thread
from community.questions.views.ask import _post_kept
from community.search import documents
from products.models import Ownership, Product, Version
from tests import factories

pytestmark = pytest.mark.django_db

ASK = "/questions/ask/"
TITLE = "It drips from the left at night"
BODY = "Since Monday there is water under it each morning."
PASSWORD = "crema-linen-4417"


def asking(**more: Any) -> dict[str, str]:
    return {"kind": "problem", "title": TITLE, "body": BODY, "started": doors.long_open(), **more}


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def page(client: Client, address: str = ASK, **query: str) -> str:
    return client.get(address, query).content.decode()


def with_password(user: User) -> User:
    user.set_password(PASSWORD)
    user.save()
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    return user


def log_in(client: Client, user: User, then: str) -> str:
    sent = client.post("/accounts/login/", {"login": user.username, "password": PASSWORD, "next": then})
    assert sent.status_code == 302, sent.content.decode()[:2000]
    return sent["Location"]


def write_first(client: Client, **more: Any) -> str:
    """A visitor sends the form; returns where signing in will lead."""
    sent = client.post(ASK, asking(**more))
    assert sent.status_code == 302 and sent["Location"].startswith("/accounts/signup/?next="), sent.content.decode()
    return "/questions/ask/?kept=1"


def everything_stored() -> str:
    """Every value of every table, as words."""
    said = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')  # noqa: S608 - names that the database itself gave
            said += [f"{table}: {row}" for row in cursor.fetchall()]
    return "\n".join(said)


# A visitor writes first and signs up after


@pytest.mark.django_db(transaction=True)
def test_joining_with_the_code_posts_the_question() -> None:
    client = Client()
    then = write_first(client, order_number="ORD-88123", follow="on")
    client.post(
        reverse("account_signup"),
        {"name": "Ida Berg", "username": "ida.berg", "email": "ida@example.org", "next": then},
    )
    assert not Thread.objects.exists(), "nothing is posted before the address is confirmed"
    code = re.search(r"\b([A-Z0-9]{3,4}-?[A-Z0-9]{3,4})\b", mail.outbox[-1].body)[1]  # type: ignore[index]
    confirmed = client.post(reverse("account_email_verification_sent"), {"code": code})
    thread = Thread.objects.get()
    assert confirmed["Location"] == thread.get_absolute_url()
    assert (thread.author.username, thread.title, thread.body_source) == ("ida.berg", TITLE, BODY)
    assert thread.private_details.order_number == "ORD-88123"
    shown = page(client, thread.get_absolute_url())
    assert "Posted. You hear of every answer." in shown and 'data-toast="forget:ask' in shown
    assert "ida@example.org is confirmed" not in shown, "on a phone three messages would hide the page"
    assert not KeptPost.objects.exists()
    # A reload, a second tab, the way back: it is there once.
    assert client.get(then)["Location"] == thread.get_absolute_url()
    client.post(reverse("account_email_verification_sent"), {"code": code})
    assert client.post(ASK, asking())["Location"] == thread.get_absolute_url()
    assert Thread.objects.count() == 1


def test_signing_in_with_a_password_posts_it_too(alice: User) -> None:
    client = Client()
    then = write_first(client)
    thread_at = log_in(client, with_password(alice), then)
    thread = Thread.objects.get()
    assert (thread.author, thread.get_absolute_url()) == (alice, thread_at)
    assert not posts.is_following(thread, alice), "the box to be mailed was not ticked"


def test_only_the_session_that_wrote_it_posts_it(alice: User, bob: User) -> None:
    writer, other = Client(), Client()
    then = write_first(writer)
    assert log_in(other, with_password(bob), then) == then
    assert not Thread.objects.exists() and TITLE not in page(other)
    # A sign-in that was not the last step of asking posts nothing; the words wait in the form.
    assert log_in(writer, with_password(alice), "/products/") == "/products/"
    assert not Thread.objects.exists()
    shown = page(writer)
    assert TITLE in shown and BODY in shown and "one press and it is posted" in shown


def test_opening_a_page_posts_nothing(alice: User) -> None:
    client = Client()
    then = write_first(client)
    client.force_login(alice, backend="django.contrib.auth.backends.ModelBackend")
    for _ in range(2):
        assert TITLE in page(client, then)
    assert not Thread.objects.exists()
    assert client.post(ASK, asking()).status_code == 302
    assert TITLE not in page(client) and not KeptPost.objects.exists()


def test_what_cannot_be_posted_comes_back_with_the_reason(alice: User) -> None:
    User.objects.filter(pk=alice.pk).update(silenced_until=clock.now() + timedelta(hours=2))
    alice.refresh_from_db()
    client = Client()
    then = write_first(client, serial="SN-4471")
    assert log_in(client, with_password(alice), then) == then
    assert client.session["_auth_user_id"] == str(alice.pk), "signed in all the same"
    shown = page(client, then)
    assert "You can read, but not write, until" in shown and "It is not posted yet" in shown
    assert TITLE in shown and BODY in shown and "SN-4471" in shown
    assert not Thread.objects.exists() and KeptPost.objects.count() == 1
    User.objects.filter(pk=alice.pk).update(silenced_until=None)
    assert client.post(ASK, asking(serial="SN-4471")).status_code == 302
    assert Thread.objects.get().private_details.serial == "SN-4471"


def test_a_newcomers_limit_comes_back_at_its_field(alice: User) -> None:
    User.objects.filter(pk=alice.pk).update(trust=0)
    alice.refresh_from_db()
    links = " ".join(f"https://example.com/{number}" for number in range(Numbers.load().newcomer_links + 1))
    client = Client()
    then = write_first(client, body=f"{BODY} {links}")
    log_in(client, with_password(alice), then)
    shown = page(client, then)
    assert "New members can use" in shown and 'aria-describedby="id_body_helptext id_body_error"' in shown
    assert not Thread.objects.exists()


def test_a_mistake_of_ours_costs_neither_the_sign_in_nor_the_text(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: object, **kwargs: object) -> None:
        raise RuntimeError("no disk")

    client = Client()
    then = write_first(client)
    monkeypatch.setattr(services, "post_thread_once", broken)
    assert log_in(client, with_password(alice), then) == then
    assert "Nothing you typed is lost" in page(client, then) and BODY in page(client, then)


def test_two_who_post_what_was_kept_post_it_once(alice: User) -> None:
    client = Client()
    write_first(client)
    token = client.session["kept_question"]
    form_of = {**kept.kept(token), "started": doors.long_open()}
    first, second = AskForm(form_of, user=alice), AskForm(form_of, user=alice)
    assert first.is_valid() and second.is_valid()
    _post_kept(alice, first, token)
    with pytest.raises(Conflict):
        _post_kept(alice, second, token)
    assert Thread.objects.count() == 1


def test_the_same_words_sent_twice_are_one_question(alice: User, bob: User) -> None:
    given = {"kind": "question", "title": TITLE, "body": f"{BODY}\r\nAnd more."}
    first = services.post_thread_once(alice, **given)
    assert services.post_thread_once(alice, **given) == first
    assert services.post_thread_once(bob, **given) != first
    with clock.travel(clock.now() + timedelta(hours=2)):
        assert services.post_thread_once(alice, **given) != first


def test_what_is_kept_is_sealed_and_short_lived() -> None:
    client = Client()
    write_first(client, order_number="ORD-88123", phone="+44 20 7946", note="Ring before noon")
    stored = everything_stored()
    assert "posts_keptpost" in stored
    for words in ("ORD-88123", "20 7946", "Ring before noon", BODY, TITLE):
        assert words not in stored
    assert set(client.session.keys()) & {"kept_question"} and "ORD-88123" not in str(dict(client.session))
    assert "ORD-88123" in page(client), "its writer reads it again"
    assert client.get(ASK)["Cache-Control"] == "private, no-store"
    assert kept.tidy() == 0
    with clock.travel(clock.now() + timedelta(hours=47)):
        assert TITLE in page(client)
    with clock.travel(clock.now() + timedelta(hours=49)):
        assert TITLE not in page(client), "over, whether or not the sweep has run"
        assert kept.tidy() == 1
    assert not KeptPost.objects.exists()
    assert kept.kept("") == kept.kept("guessed") == kept.take("guessed") == {}


def test_starting_afresh_throws_it_away(alice: User) -> None:
    client = Client()
    write_first(client)
    assert client.post(ASK, {**asking(), "afresh": "1"}).status_code == 302
    assert not KeptPost.objects.exists() and TITLE not in page(client)
    posts.save_draft(alice, "ask", {"title": TITLE, "body": BODY})
    member = signed_in(alice)
    assert "You began this before." in page(member)
    member.post(ASK, {"afresh": "1"})
    assert not Draft.objects.exists()


def test_a_hurried_visitor_is_asked_to_wait_and_keeps_everything() -> None:
    client = Client()
    sent = [client.post(ASK, asking(serial="SN-4471")) for _ in range(11)]
    assert [response.status_code for response in sent] == [302] * 10 + [429]
    last = sent[-1].content.decode()
    assert int(sent[-1]["Retry-After"]) > 0 and TITLE in last and BODY in last and "SN-4471" in last
    assert KeptPost.objects.count() == 1, "one visitor, one row"


# Tags


@pytest.fixture
def tags(db: None) -> list[Tag]:
    return [
        factories.a_tag("descaling", synonyms=("limescale", "chalk")),
        factories.a_tag("steam-wand", name="steam wand"),
        factories.a_tag("noise"),
        factories.a_tag("pump"),
    ]


def test_tags_are_found_in_what_is_written(tags: list[Tag]) -> None:
    def slugs(title: str, body: str = "") -> list[str]:
        return [tag.slug for tag in tagging.suggested(title, body)]

    assert slugs("The steam wands drip") == ["steam-wand"]
    assert slugs("Loud pump after I descaled it", "Limescale everywhere") == ["pump", "descaling"]
    assert slugs("Something else", "a NOISE like a mill") == ["noise"]
    assert slugs("Nothing of the kind", "") == []
    factories.a_tag("pumpe")
    cache.clear()
    assert slugs("Die Pumpe ist laut") == ["pumpe"] and slugs("Two pumps") == ["pump"]
    assert len(slugs("descaling noise pump steam wand", "x" * 100_000)) == 4


def test_unknown_tags_are_refused_before_anybody_signs_up(tags: list[Tag], alice: User) -> None:
    client = Client()
    sent = client.post(ASK, asking(tags="noise, descalling"))
    said = sent.content.decode()
    assert sent.status_code == 422 and not KeptPost.objects.exists()
    assert "There is no tag “descalling” yet. Near it: descaling." in said
    assert 'aria-describedby="id_tags_helptext id_tags_error"' in said and "noise, descalling" in said
    member = signed_in(alice).post(ASK, asking(tags="descalling")).content.decode()
    assert "Near it: descaling." in member and "you have 1" in member
    with pytest.raises(ValidationError):
        posts.tags_named(["never-heard"], alice)
    assert "at most 5 tags" in client.post(ASK, asking(tags="a,b,c,d,e,f")).content.decode()


def test_suggested_tags_are_ticked_and_posted(tags: list[Tag], alice: User) -> None:
    client = signed_in(alice)
    written = {"title": "The pump makes a noise", "body": "It is loud.", "tags": "pump", "suggested": ["descaling"]}
    piece = client.post("/questions/ask/tags/", written).content.decode()
    assert re.findall(r'value="([\w-]+)"( checked)?', piece) == [("descaling", " checked"), ("noise", "")]
    assert client.get("/questions/ask/tags/").status_code == 405
    strict = Client(enforce_csrf_checks=True)
    assert strict.post("/questions/ask/tags/", written).status_code == 403
    client.post(ASK, {**asking(tags="pump"), "suggested": ["descaling", "pump"]})
    assert sorted(Thread.objects.get().tags.values_list("slug", flat=True)) == ["descaling", "pump"]


def test_ticked_tags_survive_signing_up(tags: list[Tag], alice: User) -> None:
    client = Client()
    sent = client.post(ASK, {**asking(tags="pump"), "suggested": ["noise"]})
    assert sent.status_code == 302
    log_in(client, with_password(alice), "/questions/ask/?kept=1")
    assert sorted(Thread.objects.get().tags.values_list("slug", flat=True)) == ["noise", "pump"]


# The form


@pytest.mark.parametrize("kind", ["question", "problem", "idea", "praise"])
def test_the_summary_names_the_fields_as_the_page_does(alice: User, kind: str) -> None:
    shown = signed_in(alice).post(ASK, asking(kind=kind, title="Short", body="Short")).content.decode()
    summary = shown[shown.index("data-error-summary") : shown.index('<form class="asking__form"')]
    named = re.findall(r'<a href="#([\w-]+)">([^<]+?\?) ', summary)
    assert [field for field, _label in named] == ["id_title", "id_body"], "in the order of the page"
    for field, label in named:
        assert f'<label for="{field}">{label}</label>' in shown


def test_every_field_of_the_summary_leads_somewhere(alice: User) -> None:
    shown = signed_in(alice).post(
        ASK, asking(kind="nonsense", product="none", tags="never-heard", model_version="x" * 121)
    ).content.decode()  # fmt: skip
    led = set(re.findall(r'<a href="#([\w-]+)">', shown)) - {"main"}
    assert {"id_kind", "id_product", "id_tags", "id_model_version"} <= led
    assert all(f'id="{field}"' in shown for field in led if field.startswith("id_"))


def test_a_text_too_long_is_refused_before_anybody_signs_up() -> None:
    sent = Client().post(ASK, asking(body="word " * 5000))
    assert sent.status_code == 422 and "kB is the most" in sent.content.decode()


def test_the_shelf_comes_first_and_brings_its_series(alice: User, duo: Product) -> None:
    other = factories.a_product("kettle")
    assert "From your shelf first." not in page(signed_in(alice), product="duo")
    version = Version.objects.create(product=duo, name="Series 2")
    Ownership.objects.create(owner=alice, product=duo, version=version)
    shown = page(signed_in(alice))
    assert "From your shelf first." in shown
    assert re.search(r'value="duo" checked data-version="Series 2"', shown), "who owns one thing asks about that one"
    assert 'name="model_version" value="Series 2"' in shown
    Ownership.objects.create(owner=alice, product=other)
    shown = page(signed_in(alice))
    assert 'id="another-product" checked' in shown and 'name="model_version" value=""' in shown
    assert re.search(r'value="kettle" checked', page(signed_in(alice), product="kettle"))


def test_without_javascript_one_looks_first_and_goes_on(alice: User, duo: Product) -> None:
    like = factories.a_thread(alice, product=duo, title="It drips from the right at night", kind="problem")
    services.accept_answer(factories.an_answer(like, body="Turn the **left screw** once, then it stops."), alice)
    documents.index_changes()
    client = Client()
    blank = page(client)
    assert 'name="look"' in blank and "that may settle it" not in blank
    looked = client.post(ASK, asking(look="1", body="", serial="SN-4471", started=""))
    shown = looked.content.decode()
    assert looked.status_code == 200 and "1 thread that may settle it" in shown
    assert "<strong>left screw</strong>" in shown and "This solved it" in shown
    assert f'value="{TITLE}"' in shown and "SN-4471" in shown and "data-error-summary" not in shown
    refused = client.post(ASK, asking(body="")).content.decode()
    assert "1 thread that may settle it" in refused and "data-error-summary" in refused
    # From the ask box of another page the title comes along, and so do its matches.
    assert "1 thread that may settle it" in page(client, title=TITLE)
    write_first(client)


def test_the_preview_without_javascript_has_the_same_pace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(limits.LIMITS, "preview", ((1, 60),))
    visitor = Client()
    assert "<strong>bold</strong>" in visitor.post(ASK, asking(preview="1", body="A **bold** claim")).content.decode()
    again = visitor.post(ASK, asking(preview="1", body="A **second** claim")).content.decode()
    assert "<strong>second</strong>" not in again and "A **second** claim" in again


def test_without_javascript_there_is_a_preview_too() -> None:
    shown = Client().post(ASK, asking(preview="1", body="A **bold** claim <script>alert(1)</script>")).content.decode()
    assert "<strong>bold</strong>" in shown and "<script>alert" not in shown
    assert "kB long" in Client().post(ASK, asking(preview="1", body="x" * 30_000)).content.decode()


def test_the_page_costs_the_same_whoever_asks(alice: User, duo: Product, django_assert_max_num_queries) -> None:
    for number in range(8):
        thread = factories.a_thread(alice, title=f"It drips from the left at night, number {number}", product=duo)
        services.accept_answer(factories.an_answer(thread), alice)
        factories.a_tag(f"tag-{number}")
    Ownership.objects.create(owner=alice, product=duo)
    documents.index_changes()
    for client, most in ((Client(), 13), (signed_in(alice), 19)):
        page(client, title=TITLE)
        with django_assert_max_num_queries(most):
            assert "5 threads that may settle it" in page(client, title=TITLE)


# Pictures, without a script and before anybody has joined


def a_file(kind: str = "JPEG") -> io.BytesIO:
    drawn = io.BytesIO()
    Image.new("RGB", (30, 20), "brown").save(drawn, kind)
    drawn.seek(0)
    drawn.name = "pot.jpg"
    return drawn


def allowing(pictures: int) -> None:
    found = Numbers.load()
    found.newcomer_images = pictures
    found.save()


def test_a_visitors_picture_waits_sealed_and_is_posted_with_the_words(alice: User) -> None:
    allowing(2)
    client = Client()
    missing = client.post(ASK, asking(**{"photo-file-0": a_file()}))  # its words are missing
    shown = missing.content.decode()
    assert missing.status_code == 422 and "Describe each photo" in shown and BODY in shown
    name = re.search(r'name="photo-kept" value="(k\d+)"', shown)[1]  # type: ignore[index]
    place = re.search(r'src="(/questions/ask/picture/\d+/)"', shown)[1]  # type: ignore[index]
    picture = client.get(place)
    assert (picture["Content-Type"], picture["X-Content-Type-Options"]) == ("image/webp", "nosniff")
    assert Image.open(io.BytesIO(picture.content)).size == (30, 20)
    assert Client().get(place).status_code == signed_in(alice).get(place).status_code == 404
    assert b"WEBP" not in bytes(KeptPicture.objects.get().sealed) and not Upload.objects.exists()
    assert log_in(Client(), with_password(alice), "/questions/ask/?kept=1") and not Thread.objects.exists()
    then = write_first(client, **{"photo-kept": name, f"photo-alt-{name}": "A [pot], left"})
    assert "pot], left" not in everything_stored()
    thread_at = log_in(client, alice, then)
    upload = Upload.objects.get()
    thread = Thread.objects.get()
    assert thread.get_absolute_url() == thread_at
    assert (upload.owner, upload.target, upload.alt) == (alice, thread, "A [pot], left")
    assert thread.body_source.startswith(BODY) and f'src="{upload.file.url}"' in thread.body_html
    assert 'alt="A pot , left"' in thread.body_html
    assert not KeptPicture.objects.exists() and client.get(place).status_code == 404


def test_what_is_only_begun_is_posted_by_no_sign_in_and_its_picture_goes_along(alice: User) -> None:
    client = Client()
    client.post(ASK, asking(look="1", **{"photo-file-0": a_file(), "photo-alt-new-0": "A pot"}))
    assert log_in(client, with_password(alice), "/questions/ask/?kept=1") == "/questions/ask/?kept=1"
    assert not Thread.objects.exists()
    form = page(client)
    name = re.search(r'name="photo-kept" value="(k\d+)"', form)[1]  # type: ignore[index]
    assert BODY in form
    client.post(ASK, asking(**{"photo-kept": name, f"photo-alt-{name}": "A pot"}))
    assert Upload.objects.get().target == Thread.objects.get()
    assert not KeptPicture.objects.exists()


def test_pictures_of_a_text_nobody_came_back_for_are_erased() -> None:
    client = Client()
    write_first(client, **{"photo-file-0": a_file(), "photo-alt-new-0": "A pot"})
    picture = KeptPicture.objects.get()
    with clock.travel(clock.now() + timedelta(hours=49)):
        assert client.get(f"/questions/ask/picture/{picture.pk}/").status_code == 404
        assert kept.tidy() == 1
    assert not KeptPicture.objects.exists()


def test_hostile_files_are_refused_and_the_text_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    for content in (b"<svg onload=alert(1)>", b"", b"RIFF\0\0\0\0WEBPVP8 ", b"GIF89a" + b"\xff" * 40):
        file = io.BytesIO(content)
        file.name = "../../<b>pot</b>.png"
        refused = Client().post(ASK, asking(**{"photo-file-0": file, "photo-alt-new-0": "A pot"}))
        assert refused.status_code == 422 and BODY in refused.content.decode()
        assert "<b>pot" not in refused.content.decode()
    assert not KeptPicture.objects.exists() and not KeptPost.objects.exists()
    monkeypatch.setitem(limits.LIMITS, "upload_first", ((5, 600),))  # refused ones count
    client = Client()
    for status in (302, 429):
        sent = client.post(ASK, asking(**{"photo-file-0": a_file(), "photo-alt-new-0": "A pot"}))
        assert sent.status_code == status
    assert BODY in sent.content.decode() and sent["Retry-After"]


def test_a_newcomer_is_offered_as_many_as_may_be_used(alice: User) -> None:
    allowing(1)
    assert page(Client()).count('type="file"') == 1
    files = {f"photo-file-{row}": a_file() for row in range(3)}
    Client().post(ASK, asking(**files, **{f"photo-alt-new-{row}": "A pot" for row in range(3)}))
    assert KeptPicture.objects.count() == 1
    allowing(0)
    assert 'type="file"' not in page(Client())


def test_a_member_without_javascript_adds_pictures(alice: User) -> None:
    client = signed_in(alice)
    assert "<noscript><fieldset" in page(client)
    short = client.post(ASK, asking(body="short", **{"photo-file-1": a_file("PNG"), "photo-alt-new-1": "A pot"}))
    pk = Upload.objects.get().pk
    assert short.status_code == 422 and f'name="photo-kept" value="{pk}"' in short.content.decode()
    client.post(ASK, asking(**{"photo-kept": str(pk), f"photo-alt-{pk}": "Two pots"}))
    upload = Upload.objects.get()
    assert (upload.target, upload.alt) == (Thread.objects.get(), "Two pots")
    other = factories.a_person()
    signed_in(other).post(ASK, asking(**{"photo-kept": str(pk), f"photo-alt-{pk}": "Mine now"}))
    upload.refresh_from_db()
    assert upload.alt == "Two pots" and str(upload.file) not in Thread.objects.get(author=other).body_source


def test_a_post_that_fails_leaves_no_file(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    client = Client()
    then = write_first(client, **{"photo-file-0": a_file(), "photo-alt-new-0": "A pot"})
    made: list[str] = []
    monkeypatch.setattr(services, "post_thread_once", lambda by, body, **given: made.append(body) or 1 / 0)
    log_in(client, with_password(alice), then)
    path = re.search(r"/media/(uploads/[^)]+)", made[0])[1]  # type: ignore[index]
    assert not default_storage.exists(path) and not Upload.objects.exists()
    assert KeptPicture.objects.count() == 1, "it waits, for another try"


# Drafts


def test_a_draft_of_somebody_signed_out_is_not_taken_for_saved(alice: User) -> None:
    client = signed_in(alice)
    assert client.post("/posts/draft/?key=ask", {"title": TITLE, "body": BODY, "serial": "SN-4471"}).status_code == 204
    assert "SN-4471" not in str(Draft.objects.get().data)
    client.logout()
    gone = client.post("/posts/draft/?key=ask", {"title": "Another", "body": "Words"})
    assert gone.status_code == 401 and not gone.has_header("Location")
    again = page(signed_in(alice))
    assert TITLE in again and BODY in again and "You began this before." in again


def test_a_failed_post_keeps_the_draft(alice: User) -> None:
    client = signed_in(alice)
    client.post("/posts/draft/?key=ask", {"title": TITLE, "body": BODY})
    for _ in range(6):
        refused = client.post(ASK, asking(title="Short", body=f"{BODY} Once more."))
    assert refused.status_code == 422 and f"{BODY} Once more." in refused.content.decode()
    assert Draft.objects.get().data["body"] == BODY
    client.post(ASK, asking())
    assert not Draft.objects.exists()


def test_nothing_private_is_stored_but_in_its_table(alice: User) -> None:
    client = signed_in(alice)
    private = {"order_number": "ORD-88123", "serial": "SN-4471", "phone": "+44 20 7946", "note": "Ring before noon"}
    client.post("/posts/draft/?key=ask", asking(**private))
    client.post("/questions/ask/tags/", asking(**private))
    client.post(ASK, asking(**private, title="Short"))
    assert not any(words in everything_stored() for words in private.values())
    client.post(ASK, asking(**private))
    assert PrivateDetails.objects.get().serial == "SN-4471"
    kept_lines = [line for line in everything_stored().splitlines() if any(word in line for word in private.values())]
    assert kept_lines and all(line.startswith("questions_privatedetails: ") for line in kept_lines)
