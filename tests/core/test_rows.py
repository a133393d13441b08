"""Holding a row: against others who hold it, not against those who point at it."""

import threading

import pytest
from django.db import DatabaseError, connection, transaction

from community.core import clock
from community.core.rows import locked
from community.posts.models import Draft
from tests.factories import a_person


@pytest.mark.django_db(transaction=True)
def test_a_row_can_be_held_while_another_points_at_it():
    if connection.vendor != "postgresql":
        pytest.skip("One writer at a time: nobody can wait for two.")
    person = a_person("pia")
    failed: list[Exception] = []

    def hold() -> None:
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SET LOCAL lock_timeout = '2s'")
                locked(person)
        except DatabaseError as error:
            failed.append(error)
        finally:
            connection.close()

    with transaction.atomic():
        Draft.objects.create(user=person, key="ask", data={}, updated_at=clock.now())
        other = threading.Thread(target=hold)
        other.start()
        other.join()
    assert not failed
