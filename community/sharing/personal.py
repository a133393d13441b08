"""Recipes, tips, and what people made of them."""

from typing import Any

from community.core.personal import MOVES, STAYS, Joining, Leaving, before_joining, before_leaving, part, tie
from community.posts import personal as posts

from . import services
from .models import Made, Recipe, Tip, Worked

POST = "pk title body_source visibility created_at edited_at"
tie("sharing.Recipe.author", left=STAYS, joined=MOVES, copy=POST)
part("sharing.Ingredient.recipe__author", copy="recipe_id group amount unit name note")
part("sharing.RecipeStep.recipe__author", copy="recipe_id number text timer_minutes product__name")
tie("sharing.Recipe.hidden_by", left=STAYS, joined=STAYS)
tie("sharing.Recipe.featured_by", left=STAYS, joined=MOVES)
tie("sharing.Tip.author", left=STAYS, joined=MOVES, copy=f"{POST} goal product__name")
part("sharing.TipStep.tip__author", copy="tip_id number text timer_minutes")
tie("sharing.Tip.hidden_by", left=STAYS, joined=STAYS)
tie("sharing.Tip.featured_by", left=STAYS, joined=MOVES)
tie("sharing.Made.voter", left=STAYS, joined=MOVES, copy="target_id stars note variation created_at")
tie("sharing.Worked.voter", left=STAYS, joined=MOVES, copy="target_id worked created_at")


@before_leaving
def take_along(leaving: Leaving) -> None:
    if not leaving.words_go:
        return
    for model in (Made, Worked):
        for said in model.objects.filter(voter=leaving.person).select_related("target").order_by("target"):
            services.unsay(said.target, leaving.person)
    posts.take_away(Recipe.objects.filter(author=leaving.person), leaving.person, empty=_without_words)
    posts.take_away(Tip.objects.filter(author=leaving.person), leaving.person, empty=_without_words)


def _without_words(thing: Any) -> None:
    thing.title = posts.taken_along(thing.language)[:150]
    thing.steps.all().delete()
    if isinstance(thing, Recipe):
        thing.ingredients.all().delete()
        thing.remix_note, thing.picture = "", None
    else:
        thing.goal = thing.safety = thing.model_version = ""


@before_joining
def judged_once(joining: Joining) -> None:
    """One judgement a person and thing, and none of one's own."""
    gone, kept, by = joining.gone, joining.kept, joining.by
    for model in (Made, Worked):
        theirs = model.objects.filter(voter=kept).values("target")
        for said in model.objects.filter(voter=gone, target__in=theirs).select_related("target").order_by("target"):
            services.take_judgement_out(said.target, gone, by)
        for voter, author in ((gone, kept), (kept, gone)):
            for said in model.objects.filter(voter=voter, target__author=author).select_related("target"):
                services.take_judgement_out(said.target, voter, by)
