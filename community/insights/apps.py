from django.apps import AppConfig


class InsightsConfig(AppConfig):
    name = "community.insights"
    label = "insights"

    def ready(self) -> None:
        from community.core import outbox, schedule

        from . import daily, listeners, personal, weekly  # noqa: F401  (some register themselves)

        outbox.register_checker(weekly.KIND, weekly.still_wanted)
        schedule.every(15 * 60, "insights.daily")(daily.run)
        schedule.every(60 * 60, "insights.weekly")(weekly.run)
