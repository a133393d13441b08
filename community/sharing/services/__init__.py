"""What people do with recipes and tips."""

from .ground import LONGEST_MINUTES, LONGEST_TITLE, MOST_INGREDIENTS, MOST_STEPS
from .judging import (
    add_made_rows,
    add_worked_rows,
    give_judgement_back,
    say_worked,
    set_made,
    take_judgement_out,
    unsay,
)
from .recipes import edit_recipe, share_recipe
from .showing import feature, recount_products
from .tips import edit_tip, share_tip

__all__ = [
    "LONGEST_MINUTES",
    "LONGEST_TITLE",
    "MOST_INGREDIENTS",
    "MOST_STEPS",
    "add_made_rows",
    "add_worked_rows",
    "edit_recipe",
    "edit_tip",
    "feature",
    "give_judgement_back",
    "recount_products",
    "say_worked",
    "set_made",
    "share_recipe",
    "share_tip",
    "take_judgement_out",
    "unsay",
]
