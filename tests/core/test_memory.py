"""What each process of the server does before its first request."""

import gc
import runpy
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_a_worker_takes_what_is_loaded_out_of_the_collectors_rounds() -> None:
    gc.unfreeze()
    hook = runpy.run_path(str(ROOT / "gunicorn.conf.py"))["post_worker_init"]
    try:
        hook(None)
        loaded = gc.get_freeze_count()
        assert loaded > 10_000
        circle: list[object] = []
        circle.append(circle)
        del circle
        assert gc.collect() >= 1, "what requests leave behind in circles goes as before"
        # Some of it goes of its own accord, when nothing names it any longer.
        assert gc.get_freeze_count() > loaded * 0.9, "and what was loaded stays out"
    finally:
        gc.unfreeze()
