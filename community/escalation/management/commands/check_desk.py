"""Says what is late and unseen; ends with 1 when anything is."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from community.escalation import check


class Command(BaseCommand):
    help = "Looks for threads that nobody looks after and cases that nothing will wake. Ends with 1 when there are any."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="say what is found; keep nothing, mail nobody")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["dry_run"]:
            total, found = check.look()
        else:
            kept = check.check()
            total, found = kept.count, [check.Finding(**row) for row in kept.findings]
        for finding in found:
            self.stdout.write(f"{finding.why}, since {finding.when:%Y-%m-%d %H:%M} UTC: {check.address(finding)}")
        if total:
            raise CommandError(f"{total} forgotten.")
        self.stdout.write("Nothing is forgotten.")
