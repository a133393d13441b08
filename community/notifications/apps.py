from django.apps import AppConfig


class NotificationsConfig(AppConfig):
    name = "community.notifications"
    label = "notices"

    def ready(self) -> None:
        from community.core import health, outbox, schedule
        from reviews import asking

        from . import delivery, listeners, personal, services  # noqa: F401

        asking.only_if(services.wants_to_be_asked)
        outbox.register_checker(delivery.NOTICE, delivery.still_wanted)
        health.watch("notices", delivery.oldest_waiting, delivery.LATE)
        schedule.every(30, "notices.announce")(delivery.announce_due)
