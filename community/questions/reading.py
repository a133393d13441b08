"""How often a thread was read: counted in memory, written a batch at a time (docs/decisions/0051).

In all on the thread, and by day in `Readings`, with whether it was settled by then.
"""

import hashlib
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Mapping
from datetime import date, timedelta

from django.core.cache import caches
from django.db.models import F
from django.http import HttpRequest

from community.core import clock
from community.core.robots import is_robot

from .models import Readings, Thread

EVERY = 20.0  # seconds between two writes
ONCE_IN = 30 * 60  # seconds in which one reader counts once
KEPT = timedelta(days=400)  # of readings by day: a year and the month it is compared with

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
    if not caches["readings"].add(f"read:{thread.pk}:{reader}", 1, ONCE_IN):
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
    if counted:
        read = Thread.objects.filter(pk__in=counted).values_list("pk", "solved_at", "official_at")
        today = clock.now().date()
        write_days({(today, pk, bool(solved or official)): counted[pk] for pk, solved, official in read})


def write_days(read: Mapping[tuple[date, int, bool], int]) -> None:
    """Add readings by (day, thread, settled): rows first, so that two processes add to the same one."""
    rows = [Readings(day=day, thread_id=thread, settled=settled) for day, thread, settled in read]
    Readings.objects.bulk_create(rows, ignore_conflicts=True, batch_size=500)
    alike: dict[tuple[date, bool, int], list[int]] = defaultdict(list)
    for (day, thread, settled), times in read.items():
        alike[day, settled, times].append(thread)
    for (day, settled, times), threads in alike.items():
        Readings.objects.filter(day=day, settled=settled, thread__in=threads).update(times=F("times") + times)


def tidy() -> int:
    """Forget readings by day that no figure asks for any more; returns how many rows."""
    return Readings.objects.filter(day__lt=(clock.now() - KEPT).date()).delete()[0]
