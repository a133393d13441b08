from django.apps import AppConfig


class ReviewsConfig(AppConfig):
    name = "reviews"

    def ready(self) -> None:
        from community.core import panels

        from . import listeners  # noqa: F401  (they register themselves)
        from .panels import PersonReviews, ProductReviews

        panels.register("product.reviews", ProductReviews())
        panels.register("person.work", PersonReviews())
