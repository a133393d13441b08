from django.apps import AppConfig


class PagesConfig(AppConfig):
    name = "community.pages"
    label = "pages"

    def ready(self) -> None:
        from community.core import pictures, schedule
        from community.core.panels import register

        from . import figures, listeners, panels, personal, searchable  # noqa: F401 - some register themselves

        pictures.show("pages.hero", panels.heroes, *(f"width-{width}|format-webp" for width in (480, 800, 1200)))
        register("product.help", panels.ProductHelp())
        register("home.numbers", panels.HomeNumbers())
        schedule.every(60 * 60, "pages.figures")(figures.recount)
        register("product.acts", panels.FollowProduct())
