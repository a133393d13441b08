from django.apps import AppConfig


class PortabilityConfig(AppConfig):
    name = "community.portability"
    label = "portability"

    def ready(self) -> None:
        from community.core import panels

        from .panels import ProductSource

        panels.register("product.source", ProductSource())
