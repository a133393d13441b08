import hashlib
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.management import call_command, get_commands
from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError, connection
from django.db.migrations.executor import MigrationExecutor

from community.core import clock
from community.core.models import Tick

LOADED = "demo.loaded"


class Command(BaseCommand):
    help = "Brings database, cache table and static files to this release; does only what is still to be done."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--demo", action="store_true", help="also load the demo community, later what is new in it")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["demo"] and not settings.DEMO_ALLOWED:
            raise CommandError("The demo community has known passwords: it is not for production settings.")
        self.migrate()
        if any("DatabaseCache" in one["BACKEND"] for one in settings.CACHES.values()):
            call_command("createcachetable", verbosity=0)
        if hasattr(staticfiles_storage, "manifest_name"):
            self.stdout.write("Collecting static files")
            call_command("collectstatic", interactive=False, verbosity=0)
        if options["demo"]:
            self.load_demo()

    def migrate(self) -> None:
        try:
            executor = MigrationExecutor(connection)
        except OperationalError as error:
            reason = str(error).strip().splitlines()[0]
            raise CommandError(f"The database does not answer: {reason}") from None
        plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
        if plan:
            self.stdout.write(f"Preparing the database: {len(plan)} migrations")
            self.stdout.flush()
            call_command("migrate", interactive=False, verbosity=0)

    def load_demo(self) -> None:
        """Once per database, and what is new in it after an update.

        A load that was cut short left no mark and simply runs again.
        """
        if "load_demo" not in get_commands():
            return
        mark = f"{LOADED} {digest_of(settings.ROOT / 'demo')}"
        if Tick.objects.filter(name=mark).exists():
            return
        lived_on = Tick.objects.filter(name__startswith=LOADED).exists()
        if lived_on:
            self.stdout.write("Telling what is new in the demo community")
        else:
            self.stdout.write("Loading the demo community (once; about a minute)")
        self.stdout.flush()
        call_command("load_demo", going_on=lived_on, stdout=self.stdout)
        Tick.objects.filter(name__startswith=LOADED).delete()
        Tick.objects.get_or_create(name=mark, defaults={"next_at": clock.now()})


def digest_of(folder: Path) -> str:
    """Of the story's words: its pictures only come with them."""
    told = hashlib.sha256()
    for file in sorted(file for file in folder.rglob("*") if file.suffix in {".yaml", ".md"}):
        told.update(f"{file.relative_to(folder)}:{file.stat().st_size}\n".encode() + file.read_bytes())
    return told.hexdigest()[:20]
