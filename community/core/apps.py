from django.apps import AppConfig

from . import wording

wording.register()  # before any form is made


class CoreConfig(AppConfig):
    name = "community.core"
    label = "core"

    def ready(self) -> None:
        from . import brand, limits, outbox, workers

        for part in (brand, limits, outbox, workers):
            part.register()
