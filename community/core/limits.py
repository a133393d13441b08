"""How often somebody may do something: counted in rows that all processes share, or in Redis where there is one.

    @limited("post")                                  # on a view: answers 429 by itself, the text is kept
    def ask(request): ...

    limits.spend("vote", person)                      # elsewhere: raises Limited at one too many

Views and the API ask; services don't, so imports and the demo never wait (RULINGS 32). A window begins with the first
act in it.
"""

import functools
import ipaddress
import logging
import math
import time
from collections.abc import Callable, Collection
from datetime import timedelta
from hashlib import sha256
from typing import Any

import redis
from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from . import clock, schedule
from .models import RateLimit

logger = logging.getLogger(__name__)

# action: (how often, in so many seconds), the shortest first. FEATURES H [K] for posts; the others leave room for
# the quickest person and stop a script.
FLOOD = ((5, 30), (15, 600), (50, 3600))
LIMITS: dict[str, tuple[tuple[int, int], ...]] = {
    "post": FLOOD,
    "comment": FLOOD,
    "vote": ((40, 60), (400, 3600)),
    "follow": ((30, 60), (200, 3600)),
    "flag": ((5, 60), (30, 3600)),
    "upload": ((10, 60), (60, 3600)),
    "preview": ((60, 60), (1800, 3600)),  # live: the page asks at most once in 1.2 s
    "suggest": ((60, 60), (1800, 3600)),  # tags while somebody writes
    "draft": ((60, 60),),
    "write_first": ((10, 600),),  # visitors who write before they sign up, by address
    "upload_first": ((10, 600), (40, 86400)),  # their pictures, by address
    "search": ((60, 60), (1200, 3600)),
    "matches": ((120, 60), (1200, 3600)),  # while somebody types a title
    "similar": ((240, 60), (4800, 3600)),  # beside each thread that is read
    "review_feed": ((12, 3600),),  # every review each time: Google asks once a day
    "signup": ((20, 3600),),
    "receipt": ((5, 600), (20, 86400)),  # tries at codes of 59 random bits, by person and by address
    "settings": ((30, 60),),
    "outcome": ((60, 60), (600, 3600)),  # letters of a helpdesk, by address
    "message": ((5, 60), (30, 3600)),
}


class Limited(Exception):
    """Too often; `wait` is the number of seconds until it opens again."""

    def __init__(self, action: str, wait: int) -> None:
        self.action, self.wait = action, max(1, wait)
        self.reason = _("That was quick. You can go on in %(wait)s; your text is kept.") % {"wait": in_words(self.wait)}
        super().__init__(self.reason)


def check(action: str, who: str, limit: int, window_seconds: int) -> None:
    """Count one act; raise Limited when it is one too many. Exact whoever asks at the same time.

    Call it outside of a transaction that may be rolled back: the act would not count.
    """
    key = f"{action}:{window_seconds}:{who}"
    if len(key) > 150:
        key = f"{action}:{window_seconds}:{sha256(who.encode()).hexdigest()}"
    wait = _ask_redis(key, limit, window_seconds) if settings.REDIS_URL else None
    if wait is None:
        wait = _ask_rows(key, limit, window_seconds)
    if wait:
        logger.info("Limit reached: %s by %s", action, who)
        raise Limited(action, wait)


def spend(action: str, who: Any) -> None:
    """Count one act of somebody (a user, or the address of a visitor) in every window of LIMITS, or raise Limited."""
    name = f"user:{who.pk}" if getattr(who, "pk", None) else f"ip:{who}"
    for limit, window in LIMITS[action]:
        check(action, name, limit, window)


def spend_for(action: str, request: HttpRequest) -> None:
    """`spend` for whoever asks."""
    user = getattr(request, "user", None)
    spend(action, user if user is not None and user.is_authenticated else client_ip(request))


def client_ip(request: HttpRequest) -> str:
    """REMOTE_ADDR, which TrustedProxyMiddleware has set; an IPv6 address by its /64."""
    address = request.META.get("REMOTE_ADDR", "")
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((parsed, 64), strict=False).network_address)
    return str(parsed)


# Rows -------------------------------------------------------------------------------------------------------


def _ask_rows(key: str, limit: int, window: int) -> int:
    """Seconds to wait, 0 when it was counted."""
    for _attempt in range(5):
        now = clock.now()
        ends = now + timedelta(seconds=window)
        rows = RateLimit.objects.filter(key=key)
        if rows.filter(expires_at__gt=now, count__lt=limit).update(count=F("count") + 1):
            return 0
        if rows.filter(expires_at__lte=now).update(count=1, window_start=now, expires_at=ends):
            return 0
        row = rows.first()
        if row is None:
            try:
                with transaction.atomic():
                    RateLimit.objects.create(key=key, count=1, window_start=now, expires_at=ends)
            except IntegrityError:
                continue  # somebody else began the window: count in theirs
            return 0
        if row.expires_at > now and row.count >= limit:
            return max(1, math.ceil((row.expires_at - now).total_seconds()))
    return 1  # five times overtaken within one call: a rush


def tidy() -> int:
    """Forget windows that are over."""
    return RateLimit.objects.filter(expires_at__lt=clock.now()).delete()[0]


# Redis ------------------------------------------------------------------------------------------------------

_PAUSE = 5.0  # seconds to leave a Redis alone that did not answer; rows count meanwhile
_redis_again_at = 0.0


@functools.cache
def _redis(url: str) -> "redis.Redis":
    return redis.Redis.from_url(url, socket_timeout=0.5, socket_connect_timeout=0.5)


def _ask_redis(key: str, limit: int, window: int) -> int | None:
    """Seconds to wait, 0 when it was counted, None when Redis does not answer."""
    global _redis_again_at
    if time.monotonic() < _redis_again_at:
        return None
    name = f"community:limit:{key}"
    try:
        with _redis(settings.REDIS_URL).pipeline(transaction=True) as pipe:
            pipe.set(name, 0, ex=window, nx=True)
            pipe.incr(name)
            pipe.pttl(name)
            _new, count, left = pipe.execute()
    except (redis.RedisError, OSError) as error:
        _redis_again_at = time.monotonic() + _PAUSE
        logger.warning("Redis does not answer (%s): limits count in rows meanwhile", type(error).__name__)
        return None
    return 0 if count <= limit else max(1, math.ceil(left / 1000))


# At the door ------------------------------------------------------------------------------------------------

View = Callable[..., HttpResponse]


def limited(action: str, methods: Collection[str] = ("POST",)) -> Callable[[View], View]:
    """Decorate a view: each request of these methods counts as one act, and is answered 429 when too many."""
    LIMITS[action]

    def decorate(view: View) -> View:
        @functools.wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if request.method in methods:
                try:
                    spend_for(action, request)
                except Limited as too_often:
                    return slow_down(request, too_often)
            return view(request, *args, **kwargs)

        return guarded

    return decorate


def slow_down(request: HttpRequest, too_often: Limited) -> HttpResponse:
    """The friendly 429 page: how long, and everything that was typed."""
    wait = in_words(too_often.wait)
    response = render(request, "429.html", {"wait": wait, "kept": typed(request.POST)}, status=429)
    response["Retry-After"] = str(too_often.wait)
    response["Cache-Control"] = "no-store"
    return response


def in_words(seconds: int) -> str:
    if seconds < 90:
        return ngettext("%(n)d second", "%(n)d seconds", seconds) % {"n": seconds}
    minutes = math.ceil(seconds / 60)
    if minutes < 90:
        return ngettext("%(n)d minute", "%(n)d minutes", minutes) % {"n": minutes}
    hours = math.ceil(minutes / 60)
    return ngettext("%(n)d hour", "%(n)d hours", hours) % {"n": hours}


_SECRET = ("csrf", "password", "code", "token", "secret", "started")


def typed(post: QueryDict) -> str:
    """The words of a form, to be given back: what a person typed, not what the page filled in."""
    words = [
        value.strip()
        for name, values in post.lists()
        for value in values
        if not any(part in name.lower() for part in _SECRET) and (" " in value.strip() or len(value) > 40)
    ]
    return "\n\n".join(words)


def register() -> None:
    """Called when the apps are ready."""
    schedule.every(60 * 60, "limits.tidy")(tidy)
