from collections.abc import Callable

import pytest

from community.accounts.models import User

from ..factories import a_person


@pytest.fixture
def crowd(db: None) -> Callable[[int], list[User]]:
    """So many strangers who may vote."""

    def make(number: int) -> list[User]:
        return [a_person() for _ in range(number)]

    return make


@pytest.fixture
def points_of() -> Callable[[User], int]:
    def read(person: User) -> int:
        return User.objects.values_list("reputation", flat=True).get(pk=person.pk)

    return read
