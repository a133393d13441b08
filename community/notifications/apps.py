from django.apps import AppConfig


class NotificationsConfig(AppConfig):
    name = "community.notifications"
    label = "notices"

    def ready(self) -> None:
        from community.core import outbox, schedule

        from . import delivery, listeners  # noqa: F401

        outbox.register_checker(delivery.NOTICE, delivery.still_wanted)
        schedule.every(30, "notices.announce")(delivery.announce_due)
