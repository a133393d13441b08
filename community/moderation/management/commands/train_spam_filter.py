"""Teach the spam filter from the moderators' decisions now, not at the end of the week."""

from typing import Any

from django.core.management.base import BaseCommand

from community.moderation import learning


class Command(BaseCommand):
    help = "Teach the spam filter from what moderators decided; its figures are of decisions it was not shown."

    def handle(self, *args: Any, **options: Any) -> None:
        made = learning.learn()
        if made is None:
            self.stdout.write("Nothing learnt: too few decisions yet, or it would not be right often enough.")
            return
        said = ", ".join(f"{name} {value}" for name, value in made.figures.items())
        self.stdout.write(f"In force from now on: {said}")
