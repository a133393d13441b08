"""Sweeps that run again and again: each app names its own in `AppConfig.ready()`, the worker ticks them.

    schedule.every(60, "escalate")(sweep.run)

The truth lives in rows, the queue only nudges: a sweep finds whatever a lost nudge left. When a sweep is due stands in
a Tick row and is claimed by a conditional update, so that however many workers tick, one runs it. A sweep that fails
is logged, keeps nobody else waiting and is tried again at its next time.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Q

from . import clock
from .models import Tick

logger = logging.getLogger(__name__)

Job = Callable[[], object]


@dataclass(frozen=True)
class Sweep:
    name: str
    seconds: float
    job: Job


_sweeps: dict[str, Sweep] = {}


def every(seconds: float, name: str) -> Callable[[Job], Job]:
    """Register a job without arguments; a second job of the same name is a mistake."""
    if seconds <= 0:
        raise ValueError(f"sweep {name}: {seconds} seconds is no interval")

    def register(job: Job) -> Job:
        known = _sweeps.get(name)
        if known is not None and known.job is not job:
            raise ValueError(f"two sweeps are called {name}")
        _sweeps[name] = Sweep(name, seconds, job)
        return job

    return register


def sweeps() -> list[Sweep]:
    return list(_sweeps.values())


def prepare() -> None:
    """A row for each sweep, due at once when it is new."""
    known = set(Tick.objects.values_list("name", flat=True))
    new = [Tick(name=name, next_at=clock.now()) for name in _sweeps if name not in known]
    Tick.objects.bulk_create(new, ignore_conflicts=True)


def claim(sweep: Sweep) -> bool:
    """True for exactly one of all who ask while the sweep is due.

    A time further away than one interval cannot be right (the clock was set back): it counts as due.
    """
    now = clock.now()
    following = now + timedelta(seconds=sweep.seconds)
    due = Tick.objects.filter(Q(next_at__lte=now) | Q(next_at__gt=following), name=sweep.name)
    return due.update(next_at=following, last_started_at=now) == 1


def run(sweep: Sweep) -> bool:
    """Run a claimed sweep and note how it ended; never raises."""
    error = ""
    try:
        sweep.job()
    except Exception as problem:
        logger.exception("Sweep %s failed", sweep.name)
        error = f"{type(problem).__name__}: {problem}"[:300]
    Tick.objects.filter(name=sweep.name).update(last_finished_at=clock.now(), last_error=error)
    return not error


def tick(stopped: Callable[[], bool] = lambda: False) -> int:
    """Run every sweep that is due; between two of them, look whether to stop. Returns how many ran."""
    ran = 0
    for sweep in sweeps():
        if stopped():
            break
        if claim(sweep):
            run(sweep)
            ran += 1
    return ran
