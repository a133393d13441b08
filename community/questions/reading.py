"""How often a thread was read: counted in memory, written a batch at a time (docs/decisions/0051)."""

import hashlib
import threading
import time
from collections import Counter, defaultdict

from django.core.cache import cache
from django.db.models import F
from django.http import HttpRequest

from community.core.robots import is_robot

from .models import Thread

EVERY = 20.0  # seconds between two writes
ONCE_IN = 30 * 60  # seconds in which one reader counts once

_waiting: Counter[int] = Counter()
_lock = threading.Lock()
_written_at = time.monotonic()


def count(request: HttpRequest, thread: Thread) -> None:
    """Somebody reads a thread. Robots and one's own thread don't count, and nobody twice in half an hour."""
    if request.user.is_authenticated:
        if request.user.pk == thread.author_id:
            return
        reader = f"u{request.user.pk}"
    else:
        if is_robot(request):
            return
        # The address itself is kept nowhere, not even for half an hour.
        agent = request.META["HTTP_USER_AGENT"].lower()
        reader = hashlib.blake2b(f"{request.META.get('REMOTE_ADDR')} {agent}".encode(), digest_size=8).hexdigest()
    if not cache.add(f"read:{thread.pk}:{reader}", 1, ONCE_IN):
        return
    with _lock:
        _waiting[thread.pk] += 1
        due = time.monotonic() - _written_at > EVERY
    if due:
        flush()


def flush() -> None:
    """Write what was counted: one update for each number of readings, however many threads."""
    global _written_at
    with _lock:
        counted = Counter(_waiting)
        _waiting.clear()
        _written_at = time.monotonic()
    alike: dict[int, list[int]] = defaultdict(list)
    for thread, times in counted.items():
        alike[times].append(thread)
    for times, threads in alike.items():
        Thread.objects.filter(pk__in=threads).update(view_count=F("view_count") + times)
