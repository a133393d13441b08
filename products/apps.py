from django.apps import AppConfig


class ProductsConfig(AppConfig):
    name = "products"

    def ready(self) -> None:
        from community.core import schedule

        from . import (
            listeners,  # noqa: F401 - they register themselves
            made,
            personal,  # noqa: F401
            pictures,
        )
        from .shelf import orders

        pictures.register()
        made.register()
        schedule.every(24 * 60 * 60, "shelf.erase_orders")(orders.erase_old)
