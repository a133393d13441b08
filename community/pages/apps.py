from django.apps import AppConfig


class PagesConfig(AppConfig):
    name = "community.pages"
    label = "pages"

    def ready(self) -> None:
        from community.core.panels import register

        from . import listeners, panels, searchable  # noqa: F401 - they register themselves

        register("product.help", panels.ProductHelp())
        register("product.acts", panels.FollowProduct())
