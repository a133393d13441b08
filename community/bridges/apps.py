from django.apps import AppConfig


class BridgesConfig(AppConfig):
    name = "community.bridges"
    label = "bridges"

    def ready(self) -> None:
        from community.core import panels

        from . import listeners, personal  # noqa: F401  (they register themselves)
        from .panels import ReviewOffers, ThreadReviews

        panels.register("review.offers", ReviewOffers())
        panels.register("thread.rail", ThreadReviews())
