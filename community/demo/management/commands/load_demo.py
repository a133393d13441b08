import sys
import time
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from community.core import clock
from community.demo import loading, logins
from community.demo.rows import BadContent
from community.demo.story import Fact

FOLDER = Path(settings.ROOT) / "demo"


class Command(BaseCommand):
    help = "Tells the story of the demo community: what is new in demo/, each fact once, in order of time."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--folder", type=Path, default=FOLDER, help="where the files lie (default: demo/)")
        parser.add_argument("--dry-run", action="store_true", help="check the files and say what would be told")
        parser.add_argument(
            "--going-on", action="store_true", help="leave out what no longer fits a community that has lived on"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEMO_ALLOWED:
            raise CommandError("The demo community shows its mails and codes: it is not for production settings.")
        self.detailed = options["verbosity"] > 1
        folder: Path = options["folder"]
        try:
            if options["dry_run"]:
                self.rehearse(folder)
            else:
                self.tell(folder, going_on=options["going_on"])
        except BadContent as bad:
            lines = "\n".join(f"  {problem}" for problem in bad.problems)
            raise CommandError(f"The demo's files can't be told, and nothing was written:\n{lines}") from None
        except loading.Stumble as stumble:
            raise CommandError(
                f"The demo stopped at {stumble}\nWhat was told before stays; run again to go on."
            ) from stumble

    def rehearse(self, folder: Path) -> None:
        facts, _told, known = loading.untold(folder, clock.now())
        counts = Counter(fact.kind for fact in facts)
        self.stdout.write(f"{len(facts)} facts would be told, {known} are told already. Nothing was written.")
        self.list(counts)

    def tell(self, folder: Path, *, going_on: bool) -> None:
        began = time.monotonic()
        report = loading.load(folder, progress=self.progress, going_on=going_on)
        made = logins.make()
        if report.total:
            self.stdout.write(f"The demo community is told: {report.total} facts in {time.monotonic() - began:.0f} s.")
            self.list(report.told)
        else:
            self.stdout.write(f"Nothing new: all {report.known} facts were told before.")
        if report.left_out:
            self.stdout.write(f"{len(report.left_out)} facts don't fit what has happened here since: left out.")
            for stumble in report.left_out if self.detailed else ():
                self.stdout.write(f"  {stumble}")
        if made:
            self.stdout.write(f"Logins are in {logins.file()}")

    def progress(self, facts: list[Fact]) -> Iterable[Fact]:
        return tqdm(facts, unit=" facts", disable=not (facts and sys.stderr.isatty()), leave=False)

    def list(self, counts: Counter[str]) -> None:
        for kind, count in counts.most_common():
            self.stdout.write(f"  {count:6d}  {kind}")
