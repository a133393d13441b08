"""Prove that stored stars equal counted ones, or make them so."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from products.models import Product
from reviews import ratings
from reviews.models import Review

SHOWN = 50


class Command(BaseCommand):
    help = (
        "Counts the numbers of every product and review anew, from reviews, chapters and votes, and mends what is "
        "stored where it differs."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="say what differs, change nothing")
        parser.add_argument("--check", action="store_true", help="like --dry-run, and fail when anything differs")

    def handle(self, *args: Any, dry_run: bool, check: bool, **options: Any) -> None:
        if dry_run or check:
            of_reviews = [(f"review {row.pk}", *what) for row, *what in ratings.review_differences()]
            wrong = [*of_reviews, *ratings.differences()]
        else:
            wrong = ratings.rebuild()
        for name, field, stored, counted in wrong[:SHOWN]:
            self.stdout.write(f"{name}: {field} is {stored!r}, counted {counted!r}")
        if len(wrong) > SHOWN:
            self.stdout.write(f"and {len(wrong) - SHOWN} more")
        looked_at = f"{Product.objects.count()} products, {Review.objects.count()} reviews"
        if not wrong:
            self.stdout.write(f"{looked_at}: everything stored equals what was counted anew.")
        elif check:
            raise CommandError(f"{looked_at}; {len(wrong)} stored numbers differ from what was counted.")
        else:
            self.stdout.write(f"{looked_at}; {'would be mended' if dry_run else 'mended'}: {len(wrong)}.")
