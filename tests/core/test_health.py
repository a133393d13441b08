from datetime import timedelta

import pytest
from django.core.cache import cache
from django.db import DatabaseError
from django.test import Client, override_settings
from django_tasks_db.models import DBTaskResult

from community.core import clock, health, outbox, workers
from community.core.models import Delivery
from community.search import documents
from community.search.models import IndexChange
from tests import factories
from tests.core.test_workers import note


def test_the_process_is_up_without_a_database(client: Client) -> None:
    response = client.get("/healthz")
    assert (response.status_code, response.content) == (200, b"ok\n")
    assert "no-store" in response["Cache-Control"]
    assert not response.cookies


@pytest.mark.django_db
def test_ready_names_each_engine(client: Client) -> None:
    workers.beat("one")
    response = client.get("/readyz")
    assert response.status_code == 200
    assert response.json() == {
        "ready": True,
        "database": "up",
        "migrations": "up",
        "queue": "up",
        "mail": "up",
        "index": "up",
        "cases": "up",
        "notices": "up",
        "cache": "up",
        "search": "up",
        "waiting": {"queue": 0, "mail": 0, "index": 0, "cases": 0, "notices": 0},
    }


@pytest.mark.django_db
def test_a_missing_worker_is_named_but_pages_go_on(client: Client) -> None:
    response = client.get("/readyz")
    assert response.status_code == 200
    assert response.json()["queue"] == "no worker"


@pytest.mark.django_db
@override_settings(TASKS={"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}})
def test_a_queue_that_nobody_works_on_is_late(client: Client) -> None:
    workers.beat("one")
    note.enqueue("waits")
    assert client.get("/readyz").json()["queue"] == "up"
    DBTaskResult.objects.update(enqueued_at=clock.now() - timedelta(minutes=6))
    assert client.get("/readyz").json()["queue"] == "late"


@pytest.mark.django_db
def test_mail_that_does_not_leave_is_late(client: Client) -> None:
    now = clock.now()
    queue = {"kind": "note", "subject": "Hello", "text": "Hello", "address": "alice@example.org"}
    outbox.queue(**queue, due_at=now + timedelta(days=1))
    assert client.get("/readyz").json()["waiting"]["mail"] == 0, "what is due tomorrow does not wait"
    delivery = outbox.queue(**queue)
    Delivery.objects.filter(pk=delivery.pk).update(due_at=now - timedelta(minutes=2))
    answer = client.get("/readyz").json()
    assert answer["mail"] == "up"
    assert 120 <= answer["waiting"]["mail"] < 300
    # It failed, and is tried again in an hour; nobody would know.
    failed = {"attempts": 4, "created_at": now - timedelta(minutes=11), "due_at": now + timedelta(hours=1)}
    Delivery.objects.filter(pk=delivery.pk).update(**failed)
    response = client.get("/readyz")
    assert (response.status_code, response.json()["mail"]) == (200, "late")
    assert response.json()["waiting"]["mail"] >= 660


@pytest.mark.django_db
def test_changes_that_are_not_indexed_are_late(client: Client) -> None:
    documents.note_change(factories.a_product())
    IndexChange.objects.update(at=clock.now() - timedelta(minutes=4))
    assert client.get("/readyz").json()["index"] == "up"
    IndexChange.objects.update(at=clock.now() - timedelta(minutes=6))
    answer = client.get("/readyz").json()
    assert (answer["index"], answer["ready"]) == ("late", True)
    assert answer["waiting"]["index"] >= 360


def test_without_its_database_the_site_is_not_ready_and_tells_no_detail(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Gone:
        def cursor(self) -> None:
            raise DatabaseError("password of community@db is hunter2")

    monkeypatch.setattr(health, "connection", Gone())
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response["Retry-After"] == "10"
    assert response.json()["database"] == "down"
    assert response.json()["mail"] == response.json()["index"] == "unknown"
    assert "hunter2" not in response.text


@pytest.mark.django_db
def test_a_search_server_that_is_down_costs_no_page(client: Client) -> None:
    with override_settings(ELASTICSEARCH_URL="http://127.0.0.1:9"):
        response = client.get("/readyz")
    assert (response.status_code, response.json()["search"]) == (200, "down")


@pytest.mark.django_db
def test_a_cache_that_is_down_costs_no_page(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "is_up", lambda: False, raising=False)
    response = client.get("/readyz")
    assert (response.status_code, response.json()["cache"]) == (200, "down")


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_only_reading(client: Client, path: str) -> None:
    assert client.post(path).status_code == 405


@pytest.mark.django_db
def test_staff_come_in_by_the_common_door(client: Client) -> None:
    response = client.get("/admin/login/?next=/admin/pages/")
    assert (response.status_code, response["Location"]) == (302, "/accounts/login/?next=/admin/pages/")
    assert client.get("/admin/password_reset/")["Location"] == "/accounts/password/reset/"
    last, _status = client.get("/admin/", follow=True).redirect_chain[-1]
    assert last == "/accounts/login/?next=/admin/"
