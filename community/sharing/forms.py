"""The shape of what people send in: recipes, tips, and how it went. Rows are formsets: they work without a script."""

from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from community.posts.doors import Trap
from products.models import Product

from .models import Difficulty, Recipe, Tip
from .services import LONGEST_MINUTES, LONGEST_TITLE, MOST_INGREDIENTS, MOST_STEPS

MORE_ROWS = 4
STARS = [("", _("No stars")), *((n, str(n)) for n in (5, 4, 3, 2, 1))]


def product_choices() -> list[tuple[str, str]]:
    return [(str(product.pk), product.name) for product in Product.objects.order_by("family__position", "position")]


class IngredientForm(forms.Form):
    amount = forms.CharField(label=_("Amount"), max_length=30, required=False)
    unit = forms.CharField(label=_("Unit"), max_length=30, required=False)
    name = forms.CharField(label=_("Ingredient"), max_length=120)
    note = forms.CharField(label=_("Note"), max_length=200, required=False)
    group = forms.CharField(label=_("Part"), max_length=80, required=False)


class StepForm(forms.Form):
    text = forms.CharField(label=_("Step"), widget=forms.Textarea(attrs={"rows": 2}))
    timer_minutes = forms.IntegerField(
        label=_("Timer, minutes"), min_value=1, max_value=LONGEST_MINUTES, required=False
    )


IngredientRows = forms.formset_factory(
    IngredientForm, extra=0, max_num=MOST_INGREDIENTS, absolute_max=MOST_INGREDIENTS, validate_max=True
)
StepRows = forms.formset_factory(StepForm, extra=0, max_num=MOST_STEPS, absolute_max=MOST_STEPS, validate_max=True)


def rows(kind: Any, prefix: str, data: QueryDict | None, told: list[dict[str, Any]], least: int) -> Any:
    """A formset over what was sent, or what is known, with some empty rows. `<prefix>-more` in the data adds rows."""
    if data is None:
        made = kind(initial=told, prefix=prefix)
        made.extra = max(least - len(told), 1 if told else 0)
        return made
    if f"{prefix}-more" in data:
        data = data.copy()
        total = data.get(f"{prefix}-TOTAL_FORMS", "0")
        data[f"{prefix}-TOTAL_FORMS"] = str(min(int(total) if total.isdecimal() else 0, 99) + MORE_ROWS)
    made = kind(data, prefix=prefix)
    for form in made.forms:
        form.empty_permitted = True  # an empty row is no row
    return made


def told_rows(formset: Any) -> list[dict[str, Any]]:
    """What was filled in, in order."""
    return [dict(form.cleaned_data) for form in formset.forms if form.has_changed() and form.cleaned_data]


class SharedForm(Trap):
    title = forms.CharField(label=_("Title"), max_length=LONGEST_TITLE)
    tags = forms.CharField(
        label=_("Tags"), max_length=200, required=False, help_text=_("Up to five, with commas between them.")
    )

    def clean(self) -> dict[str, Any]:
        self.check_trap()
        return self.cleaned_data

    def clean_tags(self) -> list[str]:
        return [name.strip() for name in self.cleaned_data["tags"].split(",") if name.strip()]

    def told_fields(self) -> dict[str, Any]:
        return {name: value for name, value in self.cleaned_data.items() if name not in ("website", "started")}


class RecipeForm(SharedForm):
    body = forms.CharField(
        label=_("In a few words"),
        widget=forms.Textarea,
        required=False,
        help_text=_("What it is, when you make it, how long it keeps."),
    )
    yield_amount = forms.DecimalField(label=_("Makes"), min_value=0, max_value=1000, max_digits=7, decimal_places=2)
    yield_unit = forms.CharField(label=_("of what"), max_length=40, help_text=_("cups, glasses, slices"))
    prep_minutes = forms.IntegerField(label=_("Minutes of preparation"), min_value=0, max_value=LONGEST_MINUTES)
    cook_minutes = forms.IntegerField(
        label=_("Minutes at the stove or machine"), min_value=0, max_value=LONGEST_MINUTES
    )
    rest_minutes = forms.IntegerField(label=_("Minutes of waiting"), min_value=0, max_value=LONGEST_MINUTES)
    difficulty = forms.ChoiceField(label=_("Difficulty"), choices=Difficulty, widget=forms.RadioSelect)
    products = forms.MultipleChoiceField(
        label=_("Made with"), choices=product_choices, required=False, widget=forms.CheckboxSelectMultiple
    )
    remix_note = forms.CharField(label=_("What you changed"), max_length=300, required=False)

    def __init__(
        self, *args: Any, recipe: Recipe | None = None, remix_of: Recipe | None = None, **options: Any
    ) -> None:
        grown = recipe or remix_of
        defaults = {"prep_minutes": 5, "cook_minutes": 0, "rest_minutes": 0, "yield_amount": 1, "difficulty": "easy"}
        options["initial"] = defaults | (self.told(grown) if grown else {}) | (options.get("initial") or {})
        super().__init__(*args, **options)
        if remix_of is None and (recipe is None or recipe.remix_of_id is None):
            del self.fields["remix_note"]
        elif recipe is None:
            self.fields["remix_note"].required = True

    @staticmethod
    def told(recipe: Recipe) -> dict[str, Any]:
        plain = ("title", "yield_unit", "prep_minutes", "cook_minutes", "rest_minutes", "difficulty", "remix_note")
        return {
            **{name: getattr(recipe, name) for name in plain},
            "yield_amount": recipe.yield_amount.normalize() if recipe.yield_amount % 1 else int(recipe.yield_amount),
            "body": recipe.body_source,
            "tags": ", ".join(tag.name for tag in recipe.tags.all()),
            "products": [str(use.product_id) for use in recipe.uses.all()],
        }

    def clean_products(self) -> list[Product]:
        return list(Product.objects.filter(pk__in=self.cleaned_data["products"]))


class TipForm(SharedForm):
    goal = forms.CharField(
        label=_("What it is good for"), max_length=200, required=False, help_text=_("The problem it solves, in a line.")
    )
    product = forms.ChoiceField(
        label=_("Product"), choices=lambda: [("", _("Any")), *product_choices()], required=False
    )
    model_version = forms.CharField(label=_("Version"), max_length=120, required=False)
    body = forms.CharField(
        label=_("Why it works"),
        widget=forms.Textarea,
        required=False,
        help_text=_("And anything that doesn't fit into a step."),
    )
    safety = forms.CharField(
        label=_("Safety"), max_length=400, required=False, help_text=_("What could hurt somebody, and how not to.")
    )

    def __init__(self, *args: Any, tip: Tip | None = None, **options: Any) -> None:
        if tip is not None:
            options["initial"] = {
                "title": tip.title,
                "goal": tip.goal,
                "product": str(tip.product_id or ""),
                "model_version": tip.model_version,
                "body": tip.body_source,
                "safety": tip.safety,
                "tags": ", ".join(tag.name for tag in tip.tags.all()),
            }
        super().__init__(*args, **options)

    def clean_product(self) -> Product | None:
        return Product.objects.filter(pk=self.cleaned_data["product"] or None).first()


class MadeForm(forms.Form):
    stars = forms.TypedChoiceField(
        label=_("Stars"), choices=STARS, coerce=int, empty_value=None, required=False, widget=forms.RadioSelect
    )
    note = forms.CharField(
        label=_("How it went"), max_length=600, required=False, widget=forms.Textarea(attrs={"rows": 3})
    )
    variation = forms.CharField(label=_("What you changed"), max_length=300, required=False)


class FeatureForm(forms.Form):
    reason = forms.CharField(label=_("Why this one"), max_length=300, required=False)
