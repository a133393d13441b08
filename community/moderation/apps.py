from django.apps import AppConfig


class ModerationConfig(AppConfig):
    name = "community.moderation"
    label = "moderation"

    def ready(self) -> None:
        from community.core import schedule

        from . import (
            learning,
            personal,  # noqa: F401  (it registers itself)
            reports,  # noqa: F401  (it listens)
            screening,
            services,
        )

        schedule.every(60 * 60, "moderation.alarm")(services.alarm)
        schedule.every(24 * 60 * 60, "moderation.prints")(screening.tidy)
        schedule.every(7 * 24 * 60 * 60, "moderation.learn")(learning.learn)
