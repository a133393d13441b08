import threading
import uuid
from datetime import timedelta

import pytest
from django.conf import settings as settings_of_the_run
from django.contrib.auth.models import AnonymousUser
from django.db import connections
from django.http import HttpResponse

from community.core import clock, limits
from community.core.models import RateLimit

pytestmark = pytest.mark.django_db


REDIS_URL = settings_of_the_run.REDIS_URL


@pytest.fixture(autouse=True)
def rows_only(settings):
    settings.REDIS_URL = ""


def test_the_sixth_in_the_window_is_one_too_many(wednesday):
    for _ in range(5):
        limits.check("post", "user:1", 5, 30)
    with clock.travel(wednesday + timedelta(seconds=10)), pytest.raises(limits.Limited) as refused:
        limits.check("post", "user:1", 5, 30)
    assert refused.value.wait == 20
    limits.check("post", "user:2", 5, 30)
    limits.check("vote", "user:1", 5, 30)
    with clock.travel(wednesday + timedelta(seconds=30)):
        limits.check("post", "user:1", 5, 30)
    assert RateLimit.objects.get(key="post:30:user:1").count == 1


def test_every_window_of_an_action_holds(alice, wednesday):
    moment = wednesday
    for _ in range(3):
        with clock.travel(moment):
            for _ in range(5):
                limits.spend("post", alice)
        moment += timedelta(seconds=31)
    with clock.travel(moment), pytest.raises(limits.Limited) as refused:
        limits.spend("post", alice)
    assert refused.value.wait == 600 - 93


def test_an_unknown_action_is_a_mistake():
    with pytest.raises(KeyError):
        limits.limited("nonsense")


def test_windows_that_are_over_are_forgotten(wednesday):
    limits.check("post", "user:1", 5, 30)
    assert limits.tidy() == 0
    with clock.travel(wednesday + timedelta(minutes=1)):
        assert limits.tidy() == 1


@pytest.mark.django_db(transaction=True)
def test_parallel_calls_never_get_more_than_the_limit():
    passed, refused = [], []
    start = threading.Barrier(8)

    def many():
        try:
            start.wait()
            for _ in range(5):
                try:
                    limits.check("vote", "user:1", 10, 3600)
                    passed.append(1)
                except limits.Limited:
                    refused.append(1)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=many) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(passed), len(refused)) == (10, 30)


def test_rows_count_when_redis_is_down(settings, monkeypatch):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    monkeypatch.setattr(limits, "_redis_again_at", 0.0)
    limits.check("post", "user:1", 1, 30)
    with pytest.raises(limits.Limited):
        limits.check("post", "user:1", 1, 30)


@pytest.mark.skipif(not REDIS_URL, reason="needs a Redis at REDIS_URL")
def test_redis_counts_and_says_how_long(settings):
    settings.REDIS_URL = REDIS_URL
    who = f"user:{uuid.uuid4()}"
    for _ in range(3):
        limits.check("post", who, 3, 30)
    with pytest.raises(limits.Limited) as refused:
        limits.check("post", who, 3, 30)
    assert 25 <= refused.value.wait <= 30
    assert not RateLimit.objects.filter(key__contains=who).exists()


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("", "unknown"),
        ("nonsense\n", "unknown"),
    ],
)
def test_who_a_visitor_is(rf, address, shown):
    assert limits.client_ip(rf.get("/", REMOTE_ADDR=address)) == shown


def test_headers_of_the_visitor_change_nothing(rf):
    request = rf.get("/?x=1", HTTP_X_FORWARDED_FOR="1.2.3.4", HTTP_X_REAL_IP="1.2.3.4", HTTP_FORWARDED="for=1.2.3.4")
    assert limits.client_ip(request) == "127.0.0.1"


# The door ---------------------------------------------------------------------------------------------------


@limits.limited("flag")
def view(request):
    return HttpResponse("done")


def request_by(rf, user, method="post", **data):
    request = getattr(rf, method)("/questions/ask/", data)
    request.user = user
    return request


def test_the_page_says_how_long_and_gives_back_what_was_typed(rf, alice, wednesday):
    words = "My grinder <b>stops</b> after a minute."
    data = {"body": words, "csrfmiddlewaretoken": "x" * 64, "password1": "correct horse battery", "kind": "problem"}
    for _ in range(5):
        assert view(request_by(rf, alice, **data)).status_code == 200
    answer = view(request_by(rf, alice, **data))
    page = answer.content.decode()
    assert answer.status_code == 429 and answer["Retry-After"] == "60"
    assert "60 seconds" in page
    assert "My grinder &lt;b&gt;stops&lt;/b&gt; after a minute." in page
    assert "correct horse" not in page and "xxxx" not in page
    assert view(request_by(rf, alice, "get")).status_code == 200


def test_visitors_count_by_address_members_by_account(rf, alice, bob):
    for _ in range(5):
        view(request_by(rf, alice))
    assert view(request_by(rf, alice)).status_code == 429
    assert view(request_by(rf, bob)).status_code == 200
    for _ in range(5):
        view(request_by(rf, AnonymousUser()))
    assert view(request_by(rf, AnonymousUser())).status_code == 429


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(1, "1 second"), (60, "60 seconds"), (90, "2 minutes"), (600, "10 minutes"), (7000, "2 hours")],
)
def test_waits_in_words(seconds, words):
    assert limits.in_words(seconds) == words
