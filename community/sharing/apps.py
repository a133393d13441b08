from django.apps import AppConfig


class SharingConfig(AppConfig):
    name = "community.sharing"
    label = "sharing"

    def ready(self) -> None:
        from community.core import addresses
        from community.core import panels as registry

        from . import (
            listeners,  # noqa: F401  (they register themselves)
            panels,
        )
        from .models import Recipe, Tip

        addresses.register("recipes:recipe", lambda pk, **_: Recipe.objects.visible().filter(pk=pk).exists())
        addresses.register("tips:tip", lambda pk, **_: Tip.objects.visible().filter(pk=pk).exists())

        registry.register("product.recipes", panels.ProductRecipes())
        registry.register("product.tips", panels.ProductTips())
        registry.register("home.recipe", panels.HomeRecipe())
        registry.register("home.tip", panels.HomeTip())
        registry.register("person.work", panels.PersonSharing())
