from django.apps import AppConfig


class ReviewsConfig(AppConfig):
    name = "reviews"

    def ready(self) -> None:
        from community.core import panels, schedule
        from community.moderation import doors

        from . import asking, hints, listeners, personal  # noqa: F401  (they register themselves)
        from .doors import ReviewDoor
        from .models import Review
        from .panels import OpenHints, PersonReviews, ProductReviews, ReviewInQueue, ShelfReviews

        doors.register(Review, ReviewDoor())
        panels.register("product.reviews", ProductReviews())
        panels.register("person.work", PersonReviews())
        panels.register("shelf.unit", ShelfReviews())
        panels.register("moderation.item", ReviewInQueue())
        panels.register("moderation.top", OpenHints())
        schedule.every(60, "reviews.hints")(hints.sweep)
        schedule.every(10 * 60, "reviews.requests")(asking.sweep)
