"""Two questions that machines ask: is the process up, and can it do its work? Neither answer tells a detail."""

import socket
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from django.conf import settings
from django.core.cache import cache
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.db.models import Min
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from django_tasks_db.models import DBTaskResult

from . import clock, outbox, workers

LATE = timedelta(minutes=5)  # a queue whose oldest task waits longer is not being worked on
MAIL_LATE = timedelta(minutes=10)  # the sweep is every 15 s; one refusal by the mail server costs a minute, two six


@dataclass(frozen=True)
class Backlog:
    """Rows that a worker works off: since when the oldest waits, and when that is too long."""

    oldest: Callable[[], datetime | None]
    late: timedelta


def oldest_task() -> datetime | None:
    return DBTaskResult.objects.ready().aggregate(oldest=Min("enqueued_at"))["oldest"]


_backlogs = {"queue": Backlog(oldest_task, LATE), "mail": Backlog(outbox.oldest_waiting, MAIL_LATE)}


def watch(name: str, oldest: Callable[[], datetime | None], late: timedelta) -> None:
    """Let `/readyz` name a backlog of a room above; called when the apps are ready."""
    _backlogs[name] = Backlog(oldest, late)


@require_safe
@never_cache
def healthz(request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok\n", content_type="text/plain")


@require_safe
@never_cache
def readyz(request: HttpRequest) -> JsonResponse:
    """503 only where no page could be right. An engine that is down costs comfort, and is named."""
    states, waiting = {"database": database(), "migrations": "unknown"}, {}
    if states["database"] == "up":
        states["migrations"] = migrations()
    for name in _backlogs:
        states[name], waiting[name] = backlog(name) if states["migrations"] == "up" else ("unknown", None)
    states |= {"cache": cache_state(), "search": search()}
    ready = states["database"] == "up" and states["migrations"] == "up"
    response = JsonResponse({"ready": ready, **states, "waiting": waiting}, status=200 if ready else 503)
    if not ready:
        response["Retry-After"] = "10"
    return response


def database() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return "down"
    return "up"


_applied = False  # what was applied once is not taken back under a running process


def migrations() -> str:
    global _applied
    if not _applied:
        try:
            executor = MigrationExecutor(connection)
            _applied = not executor.migration_plan(executor.loader.graph.leaf_nodes())
        except DatabaseError:
            return "down"
    return "up" if _applied else "behind"


def backlog(name: str) -> tuple[str, int | None]:
    """(state, seconds that the oldest row waits; 0 where none does)."""
    watched = _backlogs[name]
    try:
        state = "no worker" if name == "queue" and not workers.alive() else "up"
        oldest = watched.oldest()
    except DatabaseError:
        return "down", None
    age = max(timedelta(0), clock.now() - oldest) if oldest else timedelta(0)
    if state == "up" and age > watched.late:
        state = "late"
    return state, int(age.total_seconds())


def cache_state() -> str:
    """Redis, where it is used; memory and table have no state of their own."""
    is_up = getattr(cache, "is_up", None)
    return "up" if is_up is None or is_up() else "down"


def search() -> str:
    if not settings.ELASTICSEARCH_URL:
        return "up"
    parts = urlsplit(settings.ELASTICSEARCH_URL)
    try:
        with socket.create_connection((parts.hostname or "", parts.port or 9200), timeout=1):
            return "up"
    except OSError:
        return "down"
