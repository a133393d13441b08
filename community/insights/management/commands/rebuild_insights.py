"""Count all figures anew from the event log."""

from argparse import ArgumentParser
from collections.abc import Iterable
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from community.insights import daily
from community.insights.models import Month

SHOWN = 20


class Command(BaseCommand):
    help = "Counts every day anew from the event log and mends the months that are not frozen."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="say what differs, change nothing")
        parser.add_argument("--check", action="store_true", help="like --dry-run, and fail when anything differs")

    def handle(self, *args: Any, dry_run: bool, check: bool, verbosity: int, **options: Any) -> None:
        def progress(months: list[Month]) -> Iterable[Month]:
            return tqdm(months, unit=" months", disable=verbosity == 0 or None, file=self.stderr)

        report = daily.rebuild(write=not (dry_run or check), progress=progress)
        for line in report.differences[:SHOWN]:
            self.stdout.write(line)
        for line in report.in_frozen[:SHOWN]:
            self.stdout.write(f"frozen, stays as it is: {line}")
        if report.in_frozen:
            self.stdout.write(f"{len(report.in_frozen)} rows of frozen months would be different today.")
        if not report.differences:
            self.stdout.write(f"{report.facts} facts counted: everything equals the log.")
        elif check:
            raise CommandError(f"{len(report.differences)} rows of figures differ from the log.")
        else:
            done = "would be mended" if dry_run else "mended"
            self.stdout.write(f"{report.facts} facts counted; {len(report.differences)} rows {done}.")
