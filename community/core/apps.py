from django.apps import AppConfig

from . import wording

wording.register()  # before any form is made


class CoreConfig(AppConfig):
    name = "community.core"
    label = "core"

    def ready(self) -> None:
        from . import brand, cache, limits, numbers, outbox, pictures, workers

        for part in (brand, cache, limits, numbers, outbox, pictures, workers):
            part.register()
