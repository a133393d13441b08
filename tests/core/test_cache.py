import logging
import socket
import threading

import pytest

from community.core import cache as steady
from community.core.cache import SteadyRedisCache


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
