from typing import Any

from django.core.management.base import BaseCommand
from tqdm import tqdm

from community.search import documents


class Command(BaseCommand):
    help = "Make every search document again from what is public now. Search goes on working meanwhile."

    def handle(self, *args: Any, **options: Any) -> None:
        total = sum(model._base_manager.count() for model in documents.indexed_models())
        with tqdm(total=total, unit="", disable=options["verbosity"] == 0) as bar:
            made, gone = documents.rebuild(bar.update)
        self.stdout.write(f"{made} documents, {gone} dropped.")
