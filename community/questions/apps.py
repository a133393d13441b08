from django.apps import AppConfig


class QuestionsConfig(AppConfig):
    name = "community.questions"
    label = "questions"

    def ready(self) -> None:
        from . import listeners, panels  # noqa: F401

        panels.register()
