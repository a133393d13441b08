from django.apps import AppConfig


class PagesConfig(AppConfig):
    name = "community.pages"
    label = "pages"

    def ready(self) -> None:
        from community.core import schedule
        from community.core.panels import register

        from . import figures, listeners, panels, searchable  # noqa: F401 - some register themselves

        register("product.help", panels.ProductHelp())
        register("home.numbers", panels.HomeNumbers())
        schedule.every(60 * 60, "pages.figures")(figures.recount)
        register("product.acts", panels.FollowProduct())
