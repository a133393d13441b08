from django.apps import AppConfig


class SearchConfig(AppConfig):
    name = "community.search"
    label = "search"

    def ready(self) -> None:
        from community.core import panels, schedule

        from . import documents, listeners  # noqa: F401
        from .panels import SimilarThreads

        panels.register("thread.rail", SimilarThreads())
        schedule.every(10, "search.index")(documents.index_changes)
        schedule.every(24 * 60 * 60, "search.forget_words")(documents.forget_words)
