"""The background worker: runs what is queued, ticks the sweeps, and picks up after workers that died.

A task that was running when its worker was killed would stay RUNNING for ever. So each worker keeps a row that says
until when it counts as alive (a Tick, named after it); what runs under a name without such a row goes back into the
queue, and after the third time counts as failed. Tasks are safe to run twice, so the effects still happen once.
"""

import logging
import os
import signal
import threading
from datetime import timedelta
from types import FrameType

from django.contrib.sessions.backends.db import SessionStore
from django.core.management import call_command
from django.db import OperationalError, close_old_connections, connections
from django.utils.crypto import get_random_string
from django_tasks_db.compat import DEFAULT_TASK_BACKEND_ALIAS, TaskResultStatus
from django_tasks_db.management.commands.db_worker import Worker as QueueWorker
from django_tasks_db.models import DBTaskResult
from django_tasks_db.utils import exclusive_transaction, is_locked_database_exception

from . import clock, schedule
from .models import Tick

logger = logging.getLogger(__name__)

BEAT = 20  # seconds between two signs of life
ALIVE = 120  # seconds a sign of life holds: some lost beats are no death
ATTEMPTS = 3
PREFIX = "worker:"


class Worker(QueueWorker):
    """The queue's worker, with an ear for the stop signal, sweeps beside it and a sign of life."""

    def __init__(self, *, interval: float = 0.5, batch: bool = False, parent: int | None = None) -> None:
        super().__init__(
            queue_names=["*"],
            interval=interval,
            batch=batch,
            backend_name=DEFAULT_TASK_BACKEND_ALIAS,
            startup_delay=False,
            max_tasks=None,
            worker_id=get_random_string(20),
            excluded_queue_names=[],
        )
        self.parent = parent
        self.stopping = threading.Event()

    def shutdown(self, signum: int, frame: FrameType | None) -> None:
        """Finish what is running, take nothing new. A second signal ends at once."""
        if self.stopping.is_set():
            self.reset_signals()
            raise SystemExit(1)
        self.stopping.set()

    def run(self) -> None:
        schedule.prepare()
        beat(self.worker_id)
        others = [
            threading.Thread(target=self._repeat, args=(BEAT, lambda: beat(self.worker_id)), daemon=True),
            threading.Thread(target=self._repeat, args=(1, self._tick), daemon=True),
        ]
        for thread in others:
            thread.start()
        try:
            while not self.stopping.is_set() and not self._is_orphan():
                close_old_connections()
                try:
                    busy = self.run_next()
                except OperationalError:
                    # The database is away: the worker outlives that, as the site does.
                    logger.exception("The queue cannot be read")
                    connections.close_all()
                    self.stopping.wait(2)
                    continue
                if not busy:
                    self.stopping.wait(self.interval)
        finally:
            self.stopping.set()
            for thread in others:
                thread.join(timeout=20)
            Tick.objects.filter(name=PREFIX + self.worker_id).delete()
            connections.close_all()

    def run_batch(self) -> int:
        """Everything that is queued, then every sweep that is due; returns how much it was."""
        schedule.prepare()
        done = 0
        while self.run_next():
            done += 1
        return done + schedule.tick()

    def run_next(self) -> bool:
        """Claim one task and run it; False when there was none."""
        ready = DBTaskResult.objects.ready().filter(backend_name=self.backend_name)
        if not ready.exists():  # a read: only who finds something takes the write lock
            return False
        try:
            with exclusive_transaction(ready.db):
                task = ready.get_locked()
                if task is None:
                    return False
                task.claim(self.worker_id)
        except OperationalError as error:
            if is_locked_database_exception(error):
                return False
            raise
        self.run_task(task)
        return True

    def _tick(self) -> None:
        schedule.tick(self.stopping.is_set)

    def _repeat(self, seconds: float, work: schedule.Job) -> None:
        while not self.stopping.wait(seconds):
            close_old_connections()
            try:
                work()
            except Exception:
                logger.exception("The worker's side thread stumbled")
                connections.close_all()
        connections.close_all()

    def _is_orphan(self) -> bool:
        return self.parent is not None and os.getppid() != self.parent


def beat(worker_id: str) -> None:
    """Say that this worker is alive for a while."""
    until = clock.now() + timedelta(seconds=ALIVE)
    Tick.objects.update_or_create(name=PREFIX + worker_id, defaults={"next_at": until})


def alive() -> set[str]:
    """The ids of the workers that gave a sign of life lately."""
    rows = Tick.objects.filter(name__startswith=PREFIX, next_at__gte=clock.now())
    return {name.removeprefix(PREFIX) for name in rows.values_list("name", flat=True)}


def revive() -> int:
    """Back into the queue with what a dead worker was running. Returns how many tasks it was."""
    living, count = alive(), 0
    for task in DBTaskResult.objects.running().only("id", "worker_ids"):
        worker = task.worker_ids[-1] if task.worker_ids else ""
        if worker in living:
            continue
        running = DBTaskResult.objects.filter(pk=task.pk, status=TaskResultStatus.RUNNING)
        if len(task.worker_ids) < ATTEMPTS:
            count += running.update(status=TaskResultStatus.READY, started_at=None)
        else:
            lost = running.update(
                status=TaskResultStatus.FAILED,
                finished_at=clock.now(),
                exception_class_path="builtins.RuntimeError",
                traceback=f"Its worker died while running it, {ATTEMPTS} times.",
            )
            if lost:
                logger.error("Task %s given up: its worker died %s times", task.pk, ATTEMPTS)
            count += lost
    return count


def tidy() -> None:
    """Once a day: away with what nobody will ask for again."""
    call_command("prune_db_task_results", min_age_days=7, failed_min_age_days=30, queue_name="*", verbosity=0)
    SessionStore.clear_expired()
    Tick.objects.filter(name__startswith=PREFIX, next_at__lt=clock.now() - timedelta(days=1)).delete()


def register() -> None:
    """The worker's own sweeps; called when the apps are ready."""
    schedule.every(60, "tasks.revive")(revive)
    schedule.every(24 * 60 * 60, "core.tidy")(tidy)


def install_signals(worker: Worker) -> None:
    for name in ("SIGINT", "SIGTERM", "SIGQUIT"):
        signal.signal(getattr(signal, name), worker.shutdown)
