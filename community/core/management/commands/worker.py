from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from community.core.workers import Worker, install_signals


class Command(BaseCommand):
    help = "Runs the background work: queued tasks, and the sweeps that repeat. Stops cleanly on Ctrl-C or SIGTERM."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--once", action="store_true", help="do what is waiting and due, then end")
        parser.add_argument("--interval", type=float, default=0.5, help="seconds between two looks at the queue")
        parser.add_argument("--parent", type=int, help="end when this process is no longer the parent")

    def handle(self, *args: Any, **options: Any) -> None:
        worker = Worker(interval=options["interval"], parent=options["parent"])
        if options["once"]:
            self.stdout.write(f"{worker.run_batch()} tasks and sweeps run")
            return
        install_signals(worker)
        worker.run()
