from django.apps import AppConfig
from django.db.models import QuerySet


class SharingConfig(AppConfig):
    name = "community.sharing"
    label = "sharing"

    def ready(self) -> None:
        from community.core import addresses, pictures
        from community.core import panels as registry
        from community.core.models import CommunityImage

        from . import (
            listeners,  # noqa: F401  (they register themselves)
            panels,
            personal,  # noqa: F401
        )
        from .models import Recipe, Tip

        def in_recipes() -> QuerySet[CommunityImage]:
            return CommunityImage.objects.filter(pk__in=Recipe.objects.visible().values("picture"))

        pictures.show("recipes", in_recipes, "fill-720x560|format-webp", "fill-1040x1040|format-webp")
        addresses.register("recipes:recipe", lambda pk, **_: Recipe.objects.visible().filter(pk=pk).exists())
        addresses.register("tips:tip", lambda pk, **_: Tip.objects.visible().filter(pk=pk).exists())

        registry.register("product.recipes", panels.ProductRecipes())
        registry.register("product.tips", panels.ProductTips())
        registry.register("home.recipe", panels.HomeRecipe())
        registry.register("home.tip", panels.HomeTip())
        registry.register("person.work", panels.PersonSharing())
