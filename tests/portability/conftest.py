from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.core.management import call_command

from products.models import Product

from . import dumps


@pytest.fixture
def bring(tmp_path: Path, duo: Product) -> Callable[..., str]:
    """Write a dump and import it; returns what the command said. `_args` are more arguments for it."""

    def act(files: dict[str, Any], *more: str, **how: Any) -> str:
        folder = tmp_path / "dump"
        for old in folder.glob("*.xml*"):
            old.unlink()
        return run(dumps.write(folder, **how, **files), *more)

    return act


def run(folder: Path, *more: str, site: str = dumps.SITE) -> str:
    out = StringIO()
    told = ["--site", site] if site else []
    call_command("import_stackexchange", str(folder), "--product", "duo", *told, *more, stdout=out)
    return out.getvalue()


def newest_rows() -> dict[str, tuple[int, Any]]:
    """How many rows each table has, and its newest one."""
    found = {}
    for model in apps.get_models():
        if model._meta.managed:
            rows = model._base_manager.order_by("-pk")
            found[model._meta.label] = (rows.count(), rows.values_list("pk", flat=True).first())
    return found
