from django.apps import AppConfig


class QuestionsConfig(AppConfig):
    name = "community.questions"
    label = "questions"

    def ready(self) -> None:
        from community.core import addresses, schedule

        from . import asking_back, listeners, panels, personal, reading, seen, services  # noqa: F401
        from .models import Thread

        panels.register()
        schedule.every(24 * 60 * 60, "questions.forget_visits")(seen.sweep)
        schedule.every(24 * 60 * 60, "questions.forget_readings")(reading.tidy)
        addresses.register("questions:thread", lambda pk, **_: Thread.objects.visible().filter(pk=pk).exists())
        schedule.every(5 * 60, "ask_back")(asking_back.run)
        schedule.every(24 * 60 * 60, "questions.erase_private")(services.erase_private_details)
