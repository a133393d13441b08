"""Redis while it is there, this process's memory while it is not: the site stays up, limits still count.

After a failure Redis is left alone for some seconds, so that each request does not wait for it anew; then the next
call tries again, without a restart. What was cached meanwhile is local and short-lived. Nothing that must be true may
live in a cache alone: sessions and limits that matter are rows.
"""

import logging
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache
from django.db import connection
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from . import schedule

logger = logging.getLogger(__name__)

PATIENCE = 0.5  # seconds a call may wait for Redis
PAUSE = 5.0  # seconds without asking it again


def tidy() -> int:
    """Take away what is over from the cache's tables: Django does so only when one is full, and counts it at each
    write. Returns how many rows."""
    gone = 0
    for kept in settings.CACHES.values():
        if "DatabaseCache" in kept["BACKEND"]:
            with connection.cursor() as cursor:
                table = connection.ops.quote_name(kept["LOCATION"])
                over = connection.ops.adapt_datetimefield_value(datetime.now(UTC).replace(microsecond=0))
                cursor.execute(f"DELETE FROM {table} WHERE expires < %s", [over])  # noqa: S608 - a table of ours
                gone += cursor.rowcount
    return gone


def register() -> None:
    """Called when the apps are ready."""
    schedule.every(10 * 60, "cache.tidy")(tidy)


@dataclass
class Line:
    """What this process knows about its line to one server. Django makes a cache object for each thread."""

    down: bool = False
    retry_at: float = 0.0


_lines: dict[str, Line] = {}


class SteadyRedisCache(RedisCache):
    def __init__(self, server: str, params: dict[str, Any]) -> None:
        options: dict[str, Any] = {
            "socket_timeout": PATIENCE,
            "socket_connect_timeout": PATIENCE,
            "retry": Retry(NoBackoff(), 0),
        }
        options.update(params.get("OPTIONS", {}))
        super().__init__(server, {**params, "OPTIONS": options})
        self._local = LocMemCache(
            f"steady:{server}:{params.get('KEY_PREFIX', '')}", {k: v for k, v in params.items() if k != "OPTIONS"}
        )
        self._line = _lines.setdefault(server, Line())

    def _either(self, name: str, *args: Any) -> Any:
        if self._line.down and time.monotonic() < self._line.retry_at:
            return getattr(self._local, name)(*args)
        try:
            result = getattr(super(), name)(*args)
        except (RedisError, OSError) as error:
            if not self._line.down:
                logger.warning("Redis does not answer (%s): using memory meanwhile", type(error).__name__)
                self._local.clear()  # what an earlier failure left is old by now
            self._line.down, self._line.retry_at = True, time.monotonic() + PAUSE
            return getattr(self._local, name)(*args)
        if self._line.down:
            logger.warning("Redis answers again")
            self._line.down = False
        return result

    def is_up(self) -> bool:
        """Asked by the health page: is Redis there at this moment?"""
        try:
            return bool(self._cache.get_client().ping())
        except (RedisError, OSError):
            return False

    def add(self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        return self._either("add", key, value, timeout, version)

    def get(self, key: Any, default: Any = None, version: int | None = None) -> Any:
        return self._either("get", key, default, version)

    def set(self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> None:
        self._either("set", key, value, timeout, version)

    def touch(self, key: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        return self._either("touch", key, timeout, version)

    def delete(self, key: Any, version: int | None = None) -> bool:
        return self._either("delete", key, version)

    def get_many(self, keys: Iterable[Any], version: int | None = None) -> dict[Any, Any]:
        return self._either("get_many", list(keys), version)

    def has_key(self, key: Any, version: int | None = None) -> bool:
        return self._either("has_key", key, version)

    def incr(self, key: Any, delta: int = 1, version: int | None = None) -> int:
        return self._either("incr", key, delta, version)

    def set_many(self, data: dict[Any, Any], timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> list[Any]:
        return self._either("set_many", data, timeout, version)

    def delete_many(self, keys: Iterable[Any], version: int | None = None) -> None:
        self._either("delete_many", list(keys), version)

    def clear(self) -> None:
        self._either("clear")
