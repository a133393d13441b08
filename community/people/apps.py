from django.apps import AppConfig


class PeopleConfig(AppConfig):
    name = "community.people"
    label = "people"

    def ready(self) -> None:
        from community.core import panels

        from .panels import ReportedPeople

        panels.register("moderation.top", ReportedPeople())
