from django.apps import AppConfig
from django.db.models.signals import post_migrate


class EventsConfig(AppConfig):
    name = "community.events"
    label = "events"

    def ready(self) -> None:
        from . import guard, personal  # noqa: F401  (the latter registers itself)

        post_migrate.connect(guard.after_migrate, sender=self, dispatch_uid="events.guard")
