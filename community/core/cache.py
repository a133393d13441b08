"""Redis while it is there, this process's memory while it is not: the site stays up, limits still count.

After a failure Redis is left alone for some seconds, so that each request does not wait for it anew; then the next
call tries again, without a restart. What was cached meanwhile is local and short-lived. Nothing that must be true may
live in a cache alone: sessions and limits that matter are rows.
"""

import logging
import time
from collections.abc import Callable, Iterable
from typing import Any

from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)

PATIENCE = 0.5  # seconds a call may wait for Redis
PAUSE = 5.0  # seconds without asking it again


class SteadyRedisCache(RedisCache):
    def __init__(self, server: str, params: dict[str, Any]) -> None:
        options = {"socket_timeout": PATIENCE, "socket_connect_timeout": PATIENCE}
        options.update(params.get("OPTIONS", {}))
        super().__init__(server, {**params, "OPTIONS": options})
        self._local = LocMemCache("steady-redis", {k: v for k, v in params.items() if k != "OPTIONS"})
        self._retry_at = 0.0

    def _either(self, redis: Callable[[], Any], local: Callable[[], Any]) -> Any:
        if time.monotonic() < self._retry_at:
            return local()
        try:
            return redis()
        except (RedisError, OSError) as error:
            self._retry_at = time.monotonic() + PAUSE
            logger.warning("Redis does not answer (%s); using memory for %s s", type(error).__name__, PAUSE)
            self._local.clear()  # of an earlier failure: old by now
            return local()

    @property
    def is_up(self) -> bool:
        """Asked by the health page: is Redis there at this moment?"""
        try:
            return bool(self._cache.get_client().ping())
        except (RedisError, OSError):
            return False

    def add(self, key: Any, value: Any, timeout: Any = ..., version: int | None = None) -> bool:
        kwargs = _given(timeout, version)
        return self._either(
            lambda: super(SteadyRedisCache, self).add(key, value, **kwargs),
            lambda: self._local.add(key, value, **kwargs),
        )

    def get(self, key: Any, default: Any = None, version: int | None = None) -> Any:
        return self._either(
            lambda: super(SteadyRedisCache, self).get(key, default, version),
            lambda: self._local.get(key, default, version),
        )

    def set(self, key: Any, value: Any, timeout: Any = ..., version: int | None = None) -> None:
        kwargs = _given(timeout, version)
        self._either(
            lambda: super(SteadyRedisCache, self).set(key, value, **kwargs),
            lambda: self._local.set(key, value, **kwargs),
        )

    def touch(self, key: Any, timeout: Any = ..., version: int | None = None) -> bool:
        kwargs = _given(timeout, version)
        return self._either(
            lambda: super(SteadyRedisCache, self).touch(key, **kwargs), lambda: self._local.touch(key, **kwargs)
        )

    def delete(self, key: Any, version: int | None = None) -> bool:
        return self._either(
            lambda: super(SteadyRedisCache, self).delete(key, version), lambda: self._local.delete(key, version)
        )

    def get_many(self, keys: Iterable[Any], version: int | None = None) -> dict[Any, Any]:
        keys = list(keys)
        return self._either(
            lambda: super(SteadyRedisCache, self).get_many(keys, version), lambda: self._local.get_many(keys, version)
        )

    def has_key(self, key: Any, version: int | None = None) -> bool:
        return self._either(
            lambda: super(SteadyRedisCache, self).has_key(key, version), lambda: self._local.has_key(key, version)
        )

    def incr(self, key: Any, delta: int = 1, version: int | None = None) -> int:
        return self._either(
            lambda: super(SteadyRedisCache, self).incr(key, delta, version),
            lambda: self._local.incr(key, delta, version),
        )

    def set_many(self, data: dict[Any, Any], timeout: Any = ..., version: int | None = None) -> list[Any]:
        kwargs = _given(timeout, version)
        return self._either(
            lambda: super(SteadyRedisCache, self).set_many(data, **kwargs), lambda: self._local.set_many(data, **kwargs)
        )

    def delete_many(self, keys: Iterable[Any], version: int | None = None) -> None:
        keys = list(keys)
        self._either(
            lambda: super(SteadyRedisCache, self).delete_many(keys, version),
            lambda: self._local.delete_many(keys, version),
        )

    def clear(self) -> bool:
        return self._either(super().clear, self._local.clear)


def _given(timeout: Any, version: int | None) -> dict[str, Any]:
    """`timeout` left out means the cache's default, which differs from None (for ever)."""
    return {"version": version} if timeout is ... else {"timeout": timeout, "version": version}
