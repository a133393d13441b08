"""Make reputation, boards and badges anew from the event log."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from advocates import rebuild


class Command(BaseCommand):
    help = "Replays the event log through the rules of reputation and mends what differs from it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="say what differs, change nothing")
        parser.add_argument("--check", action="store_true", help="like --dry-run, and fail when anything differs")

    def handle(self, *args: Any, dry_run: bool, check: bool, verbosity: int, **options: Any) -> None:
        with tqdm(unit=" events", disable=verbosity == 0 or None, file=self.stderr) as bar:

            def progress(done: int, everything: int) -> None:
                bar.total = everything
                bar.update(done - bar.n)

            report = rebuild.rebuild(write=not (dry_run or check), progress=progress)
        for line in report.differences:
            self.stdout.write(line)
        found = ", ".join(f"{name} {count}" for name, count in report.counts.items() if count)
        if report.is_clean:
            self.stdout.write(f"{report.events} events: everything equals the log.")
        elif check:
            raise CommandError(f"{report.events} events; what is live differs from the log: {found}.")
        else:
            done = "would be mended" if dry_run else "mended"
            self.stdout.write(f"{report.events} events; {done}: {found}.")
