from django.apps import AppConfig


class SearchConfig(AppConfig):
    name = "community.search"
    label = "search"

    def ready(self) -> None:
        from community.core import health, panels, schedule
        from community.questions import likes

        from . import alike, documents, listeners, personal  # noqa: F401
        from .panels import AlikeAtTheDesk, Matches, SimilarThreads, threads_like

        panels.register("thread.rail", SimilarThreads())
        panels.register("ask.matches", Matches())
        panels.register("case.alike", AlikeAtTheDesk())
        likes.find_with(threads_like)
        health.watch("index", documents.oldest_change, documents.LATE)
        schedule.every(10, "search.index")(documents.index_changes)
        schedule.every(24 * 60 * 60, "search.forget_words")(documents.forget_words)
        schedule.every(24 * 60 * 60, "search.tidy_spellings")(alike.tidy)
