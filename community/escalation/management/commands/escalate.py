"""Fires what is due in all cases, as the worker does every minute."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from community.escalation import sweep
from community.escalation.models import StepKind


class Command(BaseCommand):
    help = "Escalates every case whose time has come. Running it twice, or twice at once, is harmless."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="say what would be done, and do nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        fired = sweep.preview() if options["dry_run"] else sweep.sweep()
        failed = fired.pop("failed", 0)
        verb = "due" if options["dry_run"] else "fired"
        if not fired:
            self.stdout.write("Nothing is due.")
        for kind in StepKind:
            if fired[kind]:
                self.stdout.write(f"{fired[kind]:>6}  {kind.label}")
        if fired:
            self.stdout.write(f"{sum(fired.values())} {verb}.")
        if failed:
            raise CommandError(f"{failed} cases failed and are tried again; the log says why.")
