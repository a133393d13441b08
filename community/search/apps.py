from django.apps import AppConfig


class SearchConfig(AppConfig):
    name = "community.search"
    label = "search"

    def ready(self) -> None:
        from community.core import schedule

        from . import documents, listeners  # noqa: F401

        schedule.every(10, "search.index")(documents.index_changes)
        schedule.every(24 * 60 * 60, "search.forget_words")(documents.forget_words)
