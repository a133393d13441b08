from django.apps import AppConfig


class SharingConfig(AppConfig):
    name = "community.sharing"
    label = "sharing"

    def ready(self) -> None:
        from community.core import panels as registry

        from . import (
            listeners,  # noqa: F401  (they register themselves)
            panels,
        )

        registry.register("product.recipes", panels.ProductRecipes())
        registry.register("product.tips", panels.ProductTips())
        registry.register("home.recipe", panels.HomeRecipe())
        registry.register("home.tip", panels.HomeTip())
        registry.register("person.work", panels.PersonSharing())
