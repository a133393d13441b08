"""Takes a Stack Exchange dump over: questions, answers, comments, votes, history and the people who wrote them."""

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from community.accounts.models import Department
from community.events.log import record_run
from community.portability.errors import ImportProblem
from community.portability.stackexchange.importing import Options, run
from products.models import Product


def _ids(value: str) -> frozenset[int]:
    try:
        return frozenset(int(part) for part in value.split(",") if part.strip())
    except ValueError:
        raise argparse.ArgumentTypeError(f"ids by commas, like 5,76; not {value!r}") from None


def _batch(value: str) -> int:
    if not value.isdigit() or not 1 <= int(value) <= 1000:
        raise argparse.ArgumentTypeError(f"a number from 1 to 1000; not {value!r}")
    return int(value)


class Command(BaseCommand):
    help = (
        "Imports a Stack Exchange dump (*.xml or *.xml.gz). Importing a newer state of the same site adds, changes and "
        "withdraws; importing the same again changes nothing. What was changed here stays."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path, help="folder with Posts.xml, Users.xml, …")
        parser.add_argument("--product", required=True, metavar="SLUG", help="what new questions are about")
        parser.add_argument(
            "--site", default="", metavar="HOST", help="where it comes from, if neither folder nor links say so"
        )
        parser.add_argument(
            "--official-users", type=_ids, default=frozenset(), metavar="IDS",
            help="ids there, by commas, of people who spoke for the brand; their answers become official",
        )  # fmt: skip
        parser.add_argument("--department", default="", metavar="SLUG", help="the department they spoke for")
        parser.add_argument("--dry-run", action="store_true", help="do it, say what it did, and undo it")
        parser.add_argument("--batch", type=_batch, default=25, metavar="N", help="questions in one transaction (25)")
        parser.add_argument(
            "--allow-many-withdrawals", action="store_true", help="even when most of what is here is not in the dump"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        product = Product.objects.filter(slug=options["product"]).first()
        if product is None:
            known = ", ".join(Product.objects.order_by("slug").values_list("slug", flat=True)[:20])
            raise CommandError(f"--product: there is no product “{options['product']}”. There is: {known or 'none'}.")
        department = None
        if bool(options["official_users"]) != bool(options["department"]):
            raise CommandError("--official-users and --department go together.")
        if options["department"]:
            department = Department.objects.filter(slug=options["department"]).first()
            if department is None:
                known = ", ".join(Department.objects.order_by("slug").values_list("slug", flat=True)[:20])
                raise CommandError(
                    f"--department: there is no department “{options['department']}”. There is: {known or 'none'}."
                )
        wanted = Options(
            folder=options["folder"], product=product, site=options["site"], official_users=options["official_users"],
            department=department, dry_run=options["dry_run"], batch=options["batch"],
            allow_many_withdrawals=options["allow_many_withdrawals"],
        )  # fmt: skip
        quiet = options["verbosity"] == 0 or not sys.stderr.isatty()

        def watch(items: Iterable[Any], label: str, total: int | None) -> Iterable[Any]:
            return tqdm(items, desc=f"{label:<18}", total=total, disable=quiet, unit="", mininterval=0.3)

        try:
            tally = run(wanted, watch)
        except ImportProblem as problem:
            raise CommandError(str(problem)) from None
        if not wanted.dry_run and (changed := tally.counts()):
            record_run("import_stackexchange", product=product.pk, **changed)
        if options["verbosity"]:
            self.stdout.write(f"{wanted.site}, about {product}:")
            for line in tally.table():
                self.stdout.write(line)
        self.stdout.write(f"{'Nothing was written. It would be: ' if wanted.dry_run else ''}{tally.verdict()}.")
