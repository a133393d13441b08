from django.apps import AppConfig


class ProductsConfig(AppConfig):
    name = "products"

    def ready(self) -> None:
        from . import (
            listeners,  # noqa: F401 - they register themselves
            pictures,
        )

        pictures.register()
