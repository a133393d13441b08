"""Take over what figures were before there was a community."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from community.events.log import record_run
from community.insights import baseline


class Command(BaseCommand):
    help = "Imports a baseline from a CSV with the columns figure, period, value, source; all rows or none."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--dry-run", action="store_true", help="read and check, change nothing")

    def handle(self, *args: Any, file: Path, dry_run: bool, **options: Any) -> None:
        try:
            lines = baseline.read(file)
        except (OSError, baseline.BadRow) as problem:
            raise CommandError(f"{file}: {problem}") from problem
        if dry_run:
            self.stdout.write(f"{len(lines)} rows can be read; nothing was changed.")
            return
        new, changed = baseline.take_over(lines)
        if new or changed:
            record_run("import_baseline", rows=len(lines), new=new, changed=changed)
        self.stdout.write(f"{len(lines)} rows: {new} new, {changed} changed, {len(lines) - new - changed} as before.")
