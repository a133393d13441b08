"""The whole story, told once for the tests of this folder, on an ordinary Wednesday."""

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.conf import settings
from django.db import transaction
from django.test import override_settings

from community.core import clock
from community.demo import loading, logins
from community.demo.files import read
from community.demo.rows import Content

FOLDER = Path(settings.ROOT) / "demo"
WEDNESDAY = datetime(2026, 11, 18, 9, 0, tzinfo=UTC)


@pytest.fixture(scope="session")
def content() -> Content:
    return read(FOLDER)


@pytest.fixture(scope="package")
def story(
    django_db_setup: None, django_db_blocker: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[loading.Report]:
    """Tells everything into a transaction of its own, which is taken back when this folder's tests are done."""
    data = tmp_path_factory.mktemp("demo")
    with (
        django_db_blocker.unblock(),  # type: ignore[attr-defined]
        override_settings(DATA_DIR=data, MEDIA_ROOT=data / "media", EMAIL_FILE_PATH=str(data / "mail")),
        transaction.atomic(),
        clock.travel(WEDNESDAY),
    ):
        report = loading.load(FOLDER)
        logins.make()
        yield report
        transaction.set_rollback(True)
    shutil.rmtree(data)


@pytest.fixture
def told(story: loading.Report, db: None) -> Iterator[loading.Report]:
    """The story, at the moment of its telling."""
    with clock.travel(WEDNESDAY):
        yield story
