import logging
import socket
import threading
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.cache import caches
from django.core.management import call_command
from django.test import Client, RequestFactory

from community.core import cache as steady
from community.core.cache import SteadyRedisCache
from community.questions import reading
from community.questions.models import Thread


@pytest.fixture
def nobody_there(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(steady, "_lines", {})
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"redis://127.0.0.1:{probe.getsockname()[1]}/0"


def test_without_redis_the_cache_works_in_memory(nobody_there: str, caplog: pytest.LogCaptureFixture) -> None:
    cache = SteadyRedisCache(nobody_there, {"KEY_PREFIX": "test"})
    cache.clear()
    with caplog.at_level(logging.WARNING):
        assert cache.get("a", "nothing") == "nothing"
        cache.set("a", 1)
        assert cache.add("a", 5) is False
        assert cache.incr("a") == 2
        cache.set_many({"b": 2, "c": None}, timeout=30)
        assert cache.get_many(["a", "b"]) == {"a": 2, "b": 2}
        assert cache.has_key("c") and cache.touch("c")  # noqa: W601
        assert cache.delete("a") is True
        cache.delete_many(["b"])
        assert cache.get_many(["a", "b"]) == {}
    assert len([line for line in caplog.records if "does not answer" in line.message]) <= 1
    assert cache.is_up() is False


def test_limits_keep_counting_however_long_redis_is_away(nobody_there: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steady, "PAUSE", 0.0)  # every call tries Redis again, and fails again
    cache = SteadyRedisCache(nobody_there, {})
    cache.set("attempts", 1)
    for _ in range(3):
        cache.incr("attempts")
    assert cache.get("attempts") == 4


def test_threads_share_what_is_known_of_the_line(nobody_there: str) -> None:
    SteadyRedisCache(nobody_there, {}).set("a", 1)
    seen: list[object] = []
    thread = threading.Thread(target=lambda: seen.append(SteadyRedisCache(nobody_there, {}).get("a")))
    thread.start()
    thread.join()
    assert seen == [1]


def test_a_missing_number_is_a_mistake_not_a_failure(nobody_there: str) -> None:
    with pytest.raises(ValueError, match="not found"):
        SteadyRedisCache(nobody_there, {}).incr("never-set")


def test_readers_do_not_push_limits_out_of_the_cache(
    client: Client, thread: Thread, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wrong passwords count in the cache: 400 readings later they count still, and no reader counts twice."""
    monkeypatch.setattr(reading, "EVERY", 86_400)  # what is counted is not written meanwhile
    caches["readings"].clear()
    wrong = {"login": "alice", "password": "not-the-one"}
    for _ in range(10):
        client.post("/accounts/login/", wrong)
    refused = client.post("/accounts/login/", wrong).content.decode()
    before = reading._waiting[thread.pk]
    for _round in range(2):
        for number in range(400):
            request = RequestFactory().get("/", headers={"User-Agent": f"Mozilla/5.0 Firefox/{number}"})
            request.user = AnonymousUser()
            reading.count(request, thread)
    assert client.post("/accounts/login/", wrong).content.decode().count("Too many") == refused.count("Too many") == 1
    assert reading._waiting[thread.pk] - before == 400


@pytest.mark.once
def test_what_is_over_leaves_the_tables_of_the_cache(db: None, settings: Any) -> None:
    backend = "django.core.cache.backends.db.DatabaseCache"
    settings.CACHES = {name: {"BACKEND": backend, "LOCATION": f"cache_of_{name}"} for name in ("default", "readings")}
    call_command("createcachetable", verbosity=0)
    for cache in (caches["default"], caches["readings"]):
        cache.set("over", 1, timeout=-5)
        cache.set("stands", 1, timeout=60)
    assert steady.tidy() == 2 and steady.tidy() == 0
    assert caches["default"].get("stands") == caches["readings"].get("stands") == 1
