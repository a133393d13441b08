from __future__ import annotations

from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.core.paginator import InvalidPage, Paginator
from django.db.models import Q, QuerySet
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from django.views.decorators.http import require_GET, require_http_methods

from community.accounts import together
from community.core.errors import require
from community.moderation.models import Moderated, SpamAct
from community.moderation.permissions import why_not_write
from community.posts import services as posts
from community.posts.doors import act, send, tag_asked_for
from community.posts.models import Tag
from community.posts.photos import Photos, photos_of
from community.posts.views import comment_context, part_of
from products.models import Product

from . import permissions, services
from .amounts import parse, show
from .covers import covered
from .forms import (
    FeatureForm,
    IngredientRows,
    MadeForm,
    RecipeForm,
    StepRows,
    TipForm,
    rows,
    told_rows,
)
from .models import Difficulty, Made, Recipe, Tip, Worked
from .structured import recipe_data, tip_data

PER_PAGE = 12
TIMES = [
    (15, pgettext_lazy("ready within", "15 minutes")),
    (30, pgettext_lazy("ready within", "30 minutes")),
    (60, pgettext_lazy("ready within", "an hour")),
    (1440, pgettext_lazy("ready within", "a day")),
]
RECIPE_SORTS = [("newest", gettext_lazy("Newest")), ("made", gettext_lazy("Most made"))]
TIP_SORTS = [("worked", gettext_lazy("Worked for most")), ("newest", gettext_lazy("Newest"))]
FEWEST_SERVINGS = Decimal("0.01")  # as finely as a yield is kept; 1e-999999 would be a fraction of a million digits
MOST_SERVINGS = 100


def _gone(request: HttpRequest, found: QuerySet, pk: int) -> HttpResponse:
    """Once public and deleted: 410. Anything else that may not be seen: 404 (RULINGS 14)."""
    if any(thing.is_gone for thing in found.filter(pk=pk, visibility="deleted")):
        return render(request, "410.html", status=410)
    raise Http404


def _page(request: HttpRequest, found: QuerySet) -> Any:
    try:
        return Paginator(found, PER_PAGE).page(request.GET.get("page", 1))
    except InvalidPage:
        raise Http404 from None


def _choice(request: HttpRequest, name: str, known: Any, default: str = "") -> str:
    """A parameter of the address that must be one of those we know."""
    given = request.GET.get(name) or default
    if given and given not in {str(one) for one in known}:
        raise Http404
    return given


def _moved(request: HttpRequest, thing: Recipe | Tip, slug: str | None) -> HttpResponse | None:
    """The right address when the words in this one are wrong."""
    if slug == thing.slug:
        return None
    query = request.META.get("QUERY_STRING", "")
    return redirect(thing.get_absolute_url() + (f"?{query}" if query else ""), permanent=True)


def _seen(request: HttpRequest) -> int | None:
    seen = request.POST.get("seen", "")
    return int(seen) if seen.isdecimal() and len(seen) < 9 else None


def _thank(request: HttpRequest, thing: Recipe | Tip) -> None:
    if thing.visibility == Moderated.Visibility.PENDING:
        messages.success(request, _("Thank you. As it is your first, somebody looks at it before it is shown."))
    else:
        messages.success(request, _("Thank you. It is online."))


def _discussion(request: HttpRequest, thing: Recipe | Tip) -> dict[str, Any]:
    """What posts/_comments.html needs."""
    return {
        **comment_context(request, thing, part=part_of(request) if request.GET.get("comments") else None),
        "open": bool(request.GET.get("comments")),
    }


# --- recipes ---------------------------------------------------------------------------------------------------------


@require_GET
def recipe_list(request: HttpRequest) -> HttpResponse:
    """`?product=duo&tag=cold&time=30&difficulty=easy&sort=made&page=2`"""
    sort = _choice(request, "sort", dict(RECIPE_SORTS), "newest")
    time = _choice(request, "time", dict(TIMES))
    difficulty = _choice(request, "difficulty", Difficulty.values)
    found = Recipe.objects.visible().sorted_by(sort)
    product = None
    if isinstance(tag := tag_asked_for(request), HttpResponse):
        return tag
    if slug := request.GET.get("product"):
        product = get_object_or_404(Product, slug=slug)
        found = found.filter(uses__product=product)
    if tag:
        found = found.filter(tags=tag)
    if time:
        found = found.within(int(time))
    if difficulty:
        found = found.filter(difficulty=difficulty)
    page = _page(request, found.for_listing())
    context = {
        "page": page,
        "recipes": covered(page.object_list),
        "sort": sort,
        "sorts": RECIPE_SORTS,
        "time": time,
        "times": [(str(minutes), label) for minutes, label in TIMES],
        "difficulty": difficulty,
        "difficulties": Difficulty.choices,
        "product": product,
        "tag": tag,
        "products": Product.objects.filter(recipe_count__gt=0).order_by("name"),
        "tags": Tag.objects.filter(recipes__visibility="visible").distinct().order_by("name")[:60],
        "filtered": bool(product or tag or time or difficulty),
    }
    return render(request, "sharing/recipe_list.html", context)


@require_GET
def recipe(request: HttpRequest, pk: int, slug: str | None = None) -> HttpResponse:
    one = Recipe.objects.visible_to(request.user).for_page().filter(pk=pk).first()
    if one is None:
        return _gone(request, Recipe.objects.all(), pk)
    if (moved := _moved(request, one, slug)) is not None:
        return moved
    return render(request, "sharing/recipe.html", recipe_context(request, one))


def recipe_context(request: HttpRequest, one: Recipe, **more: Any) -> dict[str, Any]:
    covered([one])
    servings = _servings(request, one)
    factor = Fraction(servings) / Fraction(one.yield_amount)
    mine = None
    if request.user.is_authenticated:
        mine = Made.objects.filter(target=one, voter=request.user).first()
    said = one.made.filter(Q(voter__isnull=False) & ~(Q(note="") & Q(variation="") & Q(stars__isnull=True)))
    spammers = SpamAct.objects.filter(undone_at=None, person__is_active=False)
    said = said.exclude(voter__in=spammers.values("person"))  # their posts are hidden; a line beside a recipe is none
    picture = ""
    if one.picture is not None:
        picture = one.picture.get_rendition("fill-1040x1040|format-webp").url
    elif one.cover is not None:  # type: ignore[attr-defined]
        picture = one.cover.file.url  # type: ignore[attr-defined]
    own = request.user.is_authenticated and one.author_id == request.user.pk
    context = {
        "recipe": one,
        "groups": _groups(one, factor),
        "servings": show(Fraction(servings), broken=False),
        "base": show(Fraction(one.yield_amount), broken=False),
        "fewer": show(max(Fraction(servings) - 1, Fraction(1)), broken=False),
        "more": show(min(Fraction(servings) + 1, Fraction(MOST_SERVINGS)), broken=False),
        "own": own,
        "can_make": request.user.is_authenticated and not permissions.why_not_judge_use(request.user, one),
        "can_feature": permissions.can_feature(request.user),
        "mine": mine,
        "made": said.select_related("voter").order_by("-created_at")[:9],
        "made_form": MadeForm(
            initial={"stars": mine.stars or "", "note": mine.note, "variation": mine.variation} if mine else {}
        ),
        "remixes": Recipe.objects.visible().filter(remix_of=one).select_related("author")[:6],
        "uses": one.uses.all(),
        "data": recipe_data(one, settings.BASE_URL, picture) if one.is_visible else None,
        "discussion": _discussion(request, one),
    }
    return context | more


def _servings(request: HttpRequest, one: Recipe) -> Decimal:
    """How many the reader wants; nonsense shows the recipe as it was written."""
    try:
        wanted = Decimal(request.GET.get("servings", ""))
    except InvalidOperation:
        return one.yield_amount
    return wanted if wanted.is_finite() and FEWEST_SERVINGS <= wanted <= MOST_SERVINGS else one.yield_amount


def _groups(one: Recipe, factor: Fraction) -> list[dict[str, Any]]:
    """The ingredients by part, with amounts for so many."""
    groups: list[dict[str, Any]] = []
    for item in one.ingredients.all():
        if not groups or groups[-1]["name"] != item.group:
            groups.append({"name": item.group, "items": []})
        amount = parse(item.amount)
        groups[-1]["items"].append({"item": item, "amount": amount.times(factor), "parsed": amount})
    return groups


@login_required
@require_http_methods(["GET", "POST"])
def new_recipe(request: HttpRequest) -> HttpResponse:
    require(why_not_write(request.user))
    remix_of = None
    if given := request.GET.get("remix"):
        if not (given.isdecimal() and len(given) < 18):
            raise Http404
        remix_of = get_object_or_404(Recipe.objects.visible().for_page(), pk=given)
    return _recipe_form(request, None, remix_of)


@login_required
@require_http_methods(["GET", "POST"])
def edit_recipe(request: HttpRequest, pk: int) -> HttpResponse:
    one = get_object_or_404(Recipe.objects.visible_to(request.user).for_page(), pk=pk)
    require(permissions.why_not_edit(request.user, one))
    return _recipe_form(request, one, None)


def _recipe_form(request: HttpRequest, one: Recipe | None, remix_of: Recipe | None) -> HttpResponse:
    data = request.POST if request.method == "POST" else None
    grown = one or remix_of
    form = RecipeForm(data, recipe=one, remix_of=remix_of)
    ingredients = rows(
        IngredientRows,
        "ingredients",
        data,
        [
            {"amount": i.amount, "unit": i.unit, "name": i.name, "note": i.note, "group": i.group}
            for i in (grown.ingredients.all() if grown else [])
        ],
        least=5,
    )
    steps = rows(
        StepRows,
        "steps",
        data,
        [{"text": s.text, "timer_minutes": s.timer_minutes} for s in (grown.steps.all() if grown else [])],
        least=3,
    )
    photos = Photos(request.user, one)
    status = 200
    if data is not None:
        uploads, status = photos.take(request), 422
        only_rows = "ingredients-more" in data or "steps-more" in data
        if only_rows:
            status = 200
        elif all([form.is_valid(), ingredients.is_valid(), steps.is_valid(), not photos.errors]):
            fields = form.told_fields() | {
                "ingredients": told_rows(ingredients),
                "steps": _with_products(told_rows(steps), one),
                "photos": uploads,
            }

            def work() -> Recipe:
                if one is not None:
                    return services.edit_recipe(one, request.user, seen_revision=_seen(request), **fields)
                return services.share_recipe(request.user, remix_of=remix_of, **fields)

            saved, status = send(form, "post", request.user, work)
            if saved is not None:
                _thank(request, saved)
                return redirect(saved)
    context = {
        "form": form,
        "ingredients": ingredients,
        "steps": steps,
        "photos": photos,
        "recipe": one,
        "remix_of": remix_of,
        "seen": posts.latest_revision(one) if one else "",
    }
    return render(request, "sharing/recipe_form.html", context, status=status)


def _with_products(steps: list[dict[str, Any]], one: Recipe | None) -> list[dict[str, Any]]:
    """A step that kept its words keeps the product it is done with."""
    known = {step.text: step.product for step in one.steps.all()} if one is not None else {}
    return [{**step, "product": known.get(step["text"].strip())} for step in steps]


@act("vote")
def made(request: HttpRequest, pk: int) -> HttpResponse:
    """`on=0` takes it back; otherwise stars, note and variation, all of them optional."""
    one = get_object_or_404(Recipe.objects.visible_to(request.user).for_page(), pk=pk)
    if request.POST.get("on") == "0":
        services.set_made(one, request.user, on=False)
        messages.success(request, _("Taken back."))
        return redirect(f"{one.get_absolute_url()}#made")
    require(together.why_not_vote_for(request, one))
    form = MadeForm(request.POST)
    if form.is_valid():
        try:
            services.set_made(one, request.user, **form.cleaned_data)
        except ValidationError as problem:
            form.add_error(None, problem.messages)
        else:
            messages.success(request, _("Thank you for telling."))
            return redirect(f"{one.get_absolute_url()}#made")
    return render(request, "sharing/recipe.html", recipe_context(request, one, made_form=form), status=422)


@act("vote")
def feature_recipe(request: HttpRequest, pk: int) -> HttpResponse:
    return _feature(request, get_object_or_404(Recipe.objects.visible_to(request.user), pk=pk))


@act("vote")
def feature_tip(request: HttpRequest, pk: int) -> HttpResponse:
    return _feature(request, get_object_or_404(Tip.objects.visible_to(request.user), pk=pk))


def _feature(request: HttpRequest, thing: Recipe | Tip) -> HttpResponse:
    form: Form = FeatureForm(request.POST)
    reason = form.cleaned_data["reason"] if form.is_valid() else ""
    services.feature(thing, request.user, on=request.POST.get("on") != "0", reason=reason)
    messages.success(request, _("It is in the window.") if thing.featured_at else _("It is out of the window."))
    return redirect(thing)


# --- tips ------------------------------------------------------------------------------------------------------------


@require_GET
def tip_list(request: HttpRequest) -> HttpResponse:
    """`?product=duo&tag=steam&sort=newest&page=2`"""
    sort = _choice(request, "sort", dict(TIP_SORTS), "worked")
    found = Tip.objects.visible().sorted_by(sort)
    product = None
    if isinstance(tag := tag_asked_for(request), HttpResponse):
        return tag
    if slug := request.GET.get("product"):
        product = get_object_or_404(Product, slug=slug)
        found = found.filter(product=product)
    if tag:
        found = found.filter(tags=tag)
    page = _page(request, found.for_listing())
    context = {
        "page": page,
        "tips": page.object_list,
        "sort": sort,
        "sorts": TIP_SORTS,
        "product": product,
        "tag": tag,
        "products": Product.objects.filter(tip_count__gt=0).order_by("name"),
        "filtered": bool(product or tag),
    }
    return render(request, "sharing/tip_list.html", context)


@require_GET
def tip(request: HttpRequest, pk: int, slug: str | None = None) -> HttpResponse:
    one = Tip.objects.visible_to(request.user).for_page().filter(pk=pk).first()
    if one is None:
        return _gone(request, Tip.objects.all(), pk)
    if (moved := _moved(request, one, slug)) is not None:
        return moved
    photos = photos_of([one])[one.pk]
    context = {
        **_worked_context(request, one),
        "own": request.user.is_authenticated and one.author_id == request.user.pk,
        "can_feature": permissions.can_feature(request.user),
        "photos": photos,
        "data": tip_data(one, settings.BASE_URL) if one.is_visible else None,
        "discussion": _discussion(request, one),
        "others": Tip.objects.visible()
        .filter(product=one.product)
        .exclude(pk=one.pk)
        .sorted_by("worked")
        .for_listing()[:5],
    }
    return render(request, "sharing/tip.html", context)


def _worked_context(request: HttpRequest, one: Tip) -> dict[str, Any]:
    mine = None
    if request.user.is_authenticated:
        mine = Worked.objects.filter(target=one, voter=request.user).values_list("worked", flat=True).first()
    can = request.user.is_authenticated and not permissions.why_not_judge_use(request.user, one)
    return {"tip": one, "mine": mine, "can_judge": can}


@login_required
@require_http_methods(["GET", "POST"])
def new_tip(request: HttpRequest) -> HttpResponse:
    require(why_not_write(request.user))
    return _tip_form(request, None)


@login_required
@require_http_methods(["GET", "POST"])
def edit_tip(request: HttpRequest, pk: int) -> HttpResponse:
    one = get_object_or_404(Tip.objects.visible_to(request.user).for_page(), pk=pk)
    require(permissions.why_not_edit(request.user, one))
    return _tip_form(request, one)


def _tip_form(request: HttpRequest, one: Tip | None) -> HttpResponse:
    data = request.POST if request.method == "POST" else None
    initial = {}
    if one is None and (slug := request.GET.get("product")):
        initial["product"] = str(get_object_or_404(Product, slug=slug).pk)
    form = TipForm(data, tip=one, initial=initial)
    told = [{"text": s.text, "timer_minutes": s.timer_minutes} for s in (one.steps.all() if one else [])]
    steps = rows(StepRows, "steps", data, told, least=3)
    photos = Photos(request.user, one)
    status = 200
    if data is not None:
        uploads, status = photos.take(request), 422
        if "steps-more" in data:
            status = 200
        elif all([form.is_valid(), steps.is_valid(), not photos.errors]):
            fields = form.told_fields() | {"steps": told_rows(steps), "photos": uploads}

            def work() -> Tip:
                if one is not None:
                    return services.edit_tip(one, request.user, seen_revision=_seen(request), **fields)
                return services.share_tip(request.user, **fields)

            saved, status = send(form, "post", request.user, work)
            if saved is not None:
                _thank(request, saved)
                return redirect(saved)
    context = {
        "form": form,
        "steps": steps,
        "photos": photos,
        "tip": one,
        "seen": posts.latest_revision(one) if one else "",
    }
    return render(request, "sharing/tip_form.html", context, status=status)


@act("vote")
def worked(request: HttpRequest, pk: int) -> HttpResponse:
    one = get_object_or_404(Tip.objects.visible_to(request.user).for_page(), pk=pk)
    said = {"yes": True, "no": False, "none": None}
    if request.POST.get("worked") not in said:
        raise ValidationError(_("Say whether it worked."))
    if request.POST["worked"] != "none":
        require(together.why_not_vote_for(request, one))
    services.say_worked(one, request.user, said[request.POST["worked"]])
    if request.htmx:  # type: ignore[attr-defined]
        return render(request, "sharing/_worked.html", _worked_context(request, one))
    return redirect(one)
