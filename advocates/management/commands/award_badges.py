"""Judge badges over the whole history: for a new rule, or after an import."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from advocates import badges


class Command(BaseCommand):
    help = (
        "Gives everybody the badges they have earned and takes those that lost their ground. Goes on where it stopped."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--badge", action="append", default=[], metavar="SLUG", help="only this one; repeatable")
        parser.add_argument("--restart", action="store_true", help="begin anew, even if a sweep was stopped half-way")
        parser.add_argument("--at-once", type=int, default=20_000, help="people in one step (20000)")
        parser.add_argument("--dry-run", action="store_true", help="say what would be given and taken, change nothing")

    def handle(
        self, *args: Any, badge: list[str], restart: bool, at_once: int, dry_run: bool, verbosity: int, **options: Any
    ) -> None:
        if at_once < 1:
            raise CommandError("--at-once: at least one person at a time.")
        try:
            if dry_run:
                found = badges.dry_run(badge)
                self.stdout.write(f"Would give {len(found.give)} badges and take {len(found.take)}; nothing changed.")
                return
            with tqdm(unit=" people", disable=verbosity == 0 or None, file=self.stderr) as bar:

                def progress(done: int, everybody: int) -> None:
                    bar.total = everybody
                    bar.update(done - bar.n)

                step = badges.sweep(badge, at_once=at_once, restart=restart, progress=progress)
        except ValueError as error:
            raise CommandError(f"There is no badge {error}.") from error
        self.stdout.write(f"{step.people} people: {step.given} badges given, {step.taken} taken.")
