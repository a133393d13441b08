from django.apps import AppConfig


class BridgesConfig(AppConfig):
    name = "community.bridges"
    label = "bridges"

    def ready(self) -> None:
        from community.core import addresses, panels, schedule

        from . import listeners, personal, releases  # noqa: F401  (they register themselves)
        from .models import ReleaseNote
        from .panels import AskedFor, ProductChanges, ReviewAskedFor, ReviewOffers, ThreadReviews

        panels.register("review.offers", ReviewOffers())
        panels.register("review.offers", ReviewAskedFor())
        panels.register("thread.rail", ThreadReviews())
        panels.register("thread.rail", AskedFor())
        panels.register("product.ideas", ProductChanges())
        addresses.register("changes:note", lambda pk, **_: ReleaseNote.objects.filter(pk=pk).exists())
        schedule.every(60 * 60, "bridges.ask_whether_it_helped")(releases.ask_whether_it_helped)
