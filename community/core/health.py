"""Two questions that machines ask: is the process up, and can it do its work? Neither answer tells a detail."""

import socket
from datetime import timedelta
from urllib.parse import urlsplit

from django.conf import settings
from django.core.cache import cache
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from django_tasks_db.models import DBTaskResult

from . import clock, workers

LATE = timedelta(minutes=5)  # a queue whose oldest task waits longer is not being worked on


@require_safe
@never_cache
def healthz(request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok\n", content_type="text/plain")


@require_safe
@never_cache
def readyz(request: HttpRequest) -> JsonResponse:
    """503 only where no page could be right. An engine that is down costs comfort, and is named."""
    states = {"database": database(), "migrations": "unknown", "queue": "unknown"}
    if states["database"] == "up":
        states |= {"migrations": migrations(), "queue": queue()}
    states |= {"cache": cache_state(), "search": search()}
    ready = states["database"] == "up" and states["migrations"] == "up"
    response = JsonResponse({"ready": ready, **states}, status=200 if ready else 503)
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


def queue() -> str:
    try:
        if not workers.alive():
            return "no worker"
        late = DBTaskResult.objects.ready().filter(enqueued_at__lt=clock.now() - LATE).exists()
    except DatabaseError:
        return "down"
    return "late" if late else "up"


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
