from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.views import redirect_to_login
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import ValidationError
from django.core.paginator import InvalidPage, Paginator
from django.db.models import Count, Q, prefetch_related_objects
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from community.accounts import together
from community.accounts.models import Department
from community.core import brand, clock
from community.core.errors import require
from community.core.limits import limited
from community.core.rows import retried
from community.moderation.models import Moderated
from community.moderation.permissions import is_moderator, why_not_moderate
from community.posts import kept
from community.posts import services as posts
from community.posts.doors import act, long_open, send, where_from
from community.posts.models import Revision
from community.posts.photos import Photos, photos_of
from products.models import Ownership, Product

from . import asking, feed, hints, listing, paging, permissions, services
from . import history as told
from .forms import AppealForm, ChapterForm, RefusalForm, ResponseForm, ReviewForm
from .models import BrandResponse, Hint, Refusal, RefusalCode, Review
from .ratings import online_by_stars
from .structured import list_data, review_data

KEPT = "reviews.kept"  # in the session: the token of what a visitor wrote
PER_PAGE = 12
DAYS_A_MONTH = 30.44
FILTERS = [
    ("photos", gettext_lazy("With photos")),
    ("verified", gettext_lazy("Verified owners")),
]


def _gone(request: HttpRequest, pk: int) -> HttpResponse:
    """Once public and deleted: 410. Anything else that may not be seen: 404 (RULINGS 14)."""
    if any(review.is_gone for review in Review.objects.filter(pk=pk, visibility="deleted")):
        return render(request, "410.html", status=410)
    raise Http404


def _open(request: HttpRequest, pk: int) -> Review:
    return get_object_or_404(Review.objects.visible_to(request.user).for_listing(), pk=pk)


@require_GET
def review_list(request: HttpRequest) -> HttpResponse:
    """All reviews, or those of a product: `?product=duo&stars=4&sort=lowest&photos=1&owned=long&after=…`."""
    if page := request.GET.get("page"):  # addresses from when pages had numbers
        if not page.isdecimal() or page.strip("0") == "":
            raise Http404
        return redirect(_address(request), permanent=True)
    product = None
    if slug := request.GET.get("product"):
        product = get_object_or_404(Product.objects.for_listing(), slug=slug)
    sort = request.GET.get("sort", "helpful")
    stars = request.GET.get("stars", "")
    owned = request.GET.get("owned", "")
    spans = {key: (least, below) for key, _label, least, below in listing.OWNED}
    if sort not in dict(listing.SORTS) or stars not in {"", "1", "2", "3", "4", "5"} or (owned and owned not in spans):
        raise Http404
    found = Review.objects.visible()
    if product:
        found = found.filter(product=product)
    if stars:
        found = found.filter(current_stars=int(stars))
    on = {name for name, _label in FILTERS if request.GET.get(name) == "1"}
    if "photos" in on:
        found = found.filter(photo_count__gt=0)
    if "verified" in on:
        found = found.exclude(verified="")
    if owned:
        found = found.owned_for(*spans[owned])
    after, before = request.GET.get("after", ""), request.GET.get("before", "")
    page = paging.page_of(found.with_people(), sort, PER_PAGE, after=after, before=before)
    prefetch_related_objects(page.rows, *found.seen_with())
    context = {
        "product": product,
        "reviews": listing.prepared(page.rows, request.user),
        "previous_url": _address(request, before=page.before) if page.before else "",
        "next_url": _address(request, after=page.after) if page.after else "",
        "first_url": _address(request) if after or before else "",
        "sort": sort,
        "sorts": listing.SORTS,
        "stars": int(stars) if stars else None,
        "on": on,
        "filters": [
            (name, label, name in on, _address(request, **{name: "" if name in on else "1"})) for name, label in FILTERS
        ],
        "spans": [
            (key, label, key == owned, _address(request, owned="" if key == owned else key))
            for key, label, _least, _below in listing.OWNED
        ],
        "all_products": product is None,
        "by_stars": []
        if product
        else [(n, _address(request, stars=str(n))) for n in range(5, 0, -1) if str(n) != stars],
        "all_url": f"?product={product.slug}" if product else "?",
        "filtered": bool(stars or on or owned),
        "paged": bool(after or before),
    }
    if product:
        base = f"?product={product.slug}&"
        context |= {
            "rows": listing.histogram(product, base, int(stars) if stars else None),
            "most": max(count for _n, count in product.histogram) or 1,
            "owners": listing.owners(product),
            "detail": product.in_detail,
            "data": list_data(product, page.rows, settings.BASE_URL),
        }
    return render(request, "reviews/list.html", context)


def _address(request: HttpRequest, **changes: str) -> str:
    """The address of this list from its start, with some choices changed; an empty one is taken off."""
    params = request.GET.copy()
    for name in ("page", "after", "before", *changes):
        params.pop(name, None)
    params.update({name: value for name, value in changes.items() if value})
    return f"{request.path}?{params.urlencode()}" if params else request.path


@require_GET
def review(request: HttpRequest, pk: int) -> HttpResponse:
    found = Review.objects.visible_to(request.user).for_listing().select_related("product__family").filter(pk=pk)
    one = found.first()
    if one is None:
        return _gone(request, pk)
    listing.prepared([one], request.user)
    return render(request, "reviews/review.html", _page(request, one))


def _page(request: HttpRequest, one: Review, **more: Any) -> dict[str, Any]:
    own = request.user.is_authenticated and one.author_id == request.user.pk
    may_judge = permissions.can_judge(request.user, one)
    refusal = None
    if not one.is_visible and (own or may_judge):
        refusal = one.refusals.filter(resubmitted_at=None).last()
    departments = permissions.departments_of(request.user) if one.is_visible else []
    answered = {response.department_id: response.body_source for response in one.responses.all()}
    waits = one.visibility == Moderated.Visibility.PENDING and may_judge
    return {
        "review": one,
        "appealed": one.refusals.filter(appealed_at__isnull=False, granted=None).last() if waits else None,
        "why_no_appeal": permissions.why_not_appeal(request.user, one) if own and refusal is not None else "",
        "ratings": listing.named_ratings(one),
        "own": own,
        "may_judge": may_judge,
        "refusal": refusal,
        "hints": [(hint, hints.reason(hint)) for hint in one.hints.filter(settled_at=None)] if may_judge else [],
        "speaks_for": [(d, answered.get(d.pk, "")) for d in departments],
        "data": review_data(one, settings.BASE_URL) if one.is_visible else [],
        **more,
    }


@login_required
@require_http_methods(["GET", "POST"])
def write(request: HttpRequest, slug: str) -> HttpResponse:
    product = get_object_or_404(Product.objects.for_listing(), slug=slug)
    require(permissions.why_not_review(request.user))
    mine = Review.objects.filter(product=product, author=request.user, source="").exclude(visibility="deleted").first()
    if mine is not None:
        messages.info(request, _("You have reviewed this already. You can change it, or add a second look."))
        return redirect(mine)
    require(permissions.why_not_yet(product))
    photos = Photos(request.user)
    before = _before_sign_in(request, product)
    form = ReviewForm(request.POST or None, product=product, initial={**_from_shelf(request, product), **before})
    status = 200
    photos.find_again(request, _draft_key(product))
    if request.method == "POST":
        uploads, status = photos.take(request), 422
        photos.remember(request, _draft_key(product))
        if form.is_valid() and not photos.errors:

            @retried  # the device with the review: the sweep may look at it the moment it stands there
            def work() -> Review:
                try:
                    new = services.write_review(request.user, product, photos=uploads, **form.told_fields())
                except services.AlreadyReviewed as known:  # the second of two quick presses
                    new = known.review
                hints.remember_device(new, request)
                return new

            new, status = send(form, "post", request.user, work)
            if new is not None:
                posts.drop_draft(request.user, _draft_key(product))
                photos.forget(request, _draft_key(product))
                _forget_kept(request)
                _thank(request, new)
                return redirect(new)
    return _form(request, product, form, photos, status=status)


@login_required
@require_http_methods(["GET", "POST"])
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    one = _open(request, pk)
    require(permissions.why_not_edit(request.user, one))
    photos = Photos(request.user, one)
    form = ReviewForm(request.POST or None, product=one.product, review=one)
    status = 200
    if request.method == "POST":
        uploads, status = photos.take(request), 422
        if form.is_valid() and not photos.errors:
            saved, status = send(
                form,
                "post",
                request.user,
                lambda: services.edit_review(
                    one, request.user, photos=uploads, seen_revision=_seen(request), **form.told_fields()
                ),
            )
            if saved is not None:
                _thank(request, one)
                return redirect(one)
    return _form(request, one.product, form, photos, review=one, status=status)


def _form(
    request: HttpRequest,
    product: Product,
    form: ReviewForm,
    photos: Photos | None,
    review: Review | None = None,
    status: int = 200,
) -> HttpResponse:
    """`photos` is None for a visitor, who sends nothing before signing in."""
    user = request.user
    owned = Ownership.objects.verified().filter(product=product)
    context = {
        "product": product,
        "form": form,
        "photos": photos,
        "review": review,
        "visitor": not user.is_authenticated,
        "opened_url": "" if review else _opened_url(request),
        "verified": user.is_authenticated and owned.filter(owner=user).exists(),
        "draft_url": "" if review or photos is None else f"{reverse('posts:draft')}?key={_draft_key(product)}",
        **({} if review else _kept_in_browser(user, product)),
        "seen": posts.latest_revision(review) if review else "",
        "first_look": review.refusals.filter(resubmitted_at=None).last() if review else None,
    }
    response = render(request, "reviews/write.html", context, status=status)
    response["Cache-Control"] = "private, no-store"
    if wait := getattr(form, "retry_after", 0):
        response["Retry-After"] = str(wait)
    return response


# Asked for by mail


def _stars_of(request: HttpRequest) -> int | None:
    given = request.GET.get("stars", "")
    return int(given) if given in {"1", "2", "3", "4", "5"} else None


@limited("write_first")
@require_http_methods(["GET", "HEAD", "POST"])
def asked(request: HttpRequest, token: str) -> HttpResponse:
    """The form with the star of the mail chosen: `?stars=4`. To see it nobody signs in, to send it everybody does.

    A GET writes nothing: mail programs open links by themselves. What a visitor wrote is kept, sealed, until they have
    signed in, and one press sends it (decision 0148).
    """
    row = asking.by_token(token)
    if row is None:
        raise Http404
    product, stars = row.product, _stars_of(request)
    if request.user.is_authenticated:
        known = urlencode({"asked": token, **({"stars": stars} if stars else {})})
        return redirect(f"{reverse('reviews:write', args=[product.slug])}?{known}")
    if row.reviewed_at is not None and request.method != "POST":  # what they would write here could not be sent
        messages.info(request, _("You have reviewed this already. You can change it, or add a second look."))
        return redirect_to_login(reverse("reviews:write", args=[product.slug]))
    form = ReviewForm(request.POST or None, product=product, initial={"stars": stars})
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            words = {name: value for name, value in request.POST.items() if name in form.fields}
            kept_before = request.session.get(KEPT, "")
            request.session[KEPT] = kept.keep({**words, "product": product.slug}, kept_before)
            return redirect_to_login(reverse("reviews:write", args=[product.slug]))
    return _form(request, product, form, None, status=status)


@csrf_exempt  # the signed token is the proof; all it can do is note that a form was opened
@require_POST
def opened(request: HttpRequest, token: str) -> HttpResponse:
    """Told by the form itself, once a browser shows it."""
    row = asking.by_token(token)
    if row is None:
        raise Http404
    asking.note_opened(row, _stars_of(request))
    return HttpResponse(status=204)


def _opened_url(request: HttpRequest) -> str:
    """Where the form says that it was opened from a mail; empty when it wasn't."""
    match = request.resolver_match
    told = match.kwargs.get("token", "") if match is not None else ""
    token = told or request.GET.get("asked", "")
    if request.method == "POST" or not token or asking.by_token(token) is None:
        return ""
    stars = _stars_of(request)
    return reverse("reviews:opened", args=[token]) + (f"?stars={stars}" if stars else "")


def _before_sign_in(request: HttpRequest, product: Product) -> dict[str, Any]:
    """What was written before signing in, else the star of the mail."""
    words = kept.kept(request.session.get(KEPT, ""))
    if words.get("product") == product.slug:
        return {**{name: value for name, value in words.items() if name != "product"}, "started": long_open()}
    stars = _stars_of(request)
    return {"stars": stars} if stars else {}


def _forget_kept(request: HttpRequest) -> None:
    if token := request.session.pop(KEPT, ""):
        kept.forget(token)


def _draft_key(product: Product) -> str:
    return f"review:{product.slug}"


def _kept_in_browser(user: Any, product: Product) -> dict[str, str]:
    """Where the browser keeps a copy: for visitors, and while the server does not answer. `_thank` lets it forget."""
    key = _draft_key(product)
    return {"draft_also": key, "draft_local": f"{key}@{user.pk}" if user.is_authenticated else key}


def _seen(request: HttpRequest) -> int | None:
    seen = request.POST.get("seen", "")
    return int(seen) if seen.isdecimal() and len(seen) < 9 else None


def _from_shelf(request: HttpRequest, product: Product) -> dict[str, Any]:
    """What the shelf and a kept draft know already."""
    known: dict[str, Any] = {}
    owned = Ownership.objects.filter(owner=request.user, product=product).first()
    if owned is not None and owned.bought_on:
        days = (clock.now().date() - owned.bought_on).days
        known["owned_months"] = max(0, round(days / DAYS_A_MONTH))
    return {**known, **posts.draft_of(request.user, _draft_key(product))}


def _thank(request: HttpRequest, one: Review) -> None:
    said = _("Thank you. Your review is online.")
    if one.visibility == Moderated.Visibility.PENDING:
        said = _("Thank you. Somebody looks at it first; you see here where it is.")
    messages.success(request, said, extra_tags=f"forget:{_draft_key(one.product)}")


@login_required
@require_http_methods(["GET", "POST"])
def chapter(request: HttpRequest, pk: int) -> HttpResponse:
    one = _open(request, pk)
    require(permissions.why_not_edit(request.user, one))
    since = round((clock.now() - one.created_at).days / DAYS_A_MONTH)
    kept_key = f"chapter:{one.pk}"
    by_now = max((one.owned_months or 0) + since, one.owned_last or 0)
    known = {"months_owned": by_now, **posts.draft_of(request.user, kept_key)}
    form = ChapterForm(request.POST or None, initial=known)
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            new, status = send(
                form, "post", request.user, lambda: services.add_chapter(one, request.user, **form.cleaned_data)
            )
            if new is not None:
                posts.drop_draft(request.user, kept_key)
                if one.is_visible:
                    messages.success(request, _("Thank you for the second look. Its stars count from now on."))
                else:
                    _thank(request, one)
                return redirect(one)
    context = {"review": one, "form": form, "draft_url": f"{reverse('posts:draft')}?{urlencode({'key': kept_key})}"}
    response = render(request, "reviews/chapter.html", context, status=status)
    response["Cache-Control"] = "private, no-store"
    if wait := getattr(form, "retry_after", 0):
        response["Retry-After"] = str(wait)
    return response


@act()
def helpful(request: HttpRequest, pk: int) -> HttpResponse:
    one = _open(request, pk)
    said = {"yes": True, "no": False, "none": None}
    if request.POST.get("helpful") not in said:
        raise ValidationError(_("Say whether it helped."))
    if request.POST["helpful"] != "none":
        require(together.why_not_vote_for(request, one))
    services.find_helpful(one, request.user, said[request.POST["helpful"]])
    if request.htmx:  # type: ignore[attr-defined]
        listing.prepared([one], request.user)
        return render(request, "reviews/_helpful.html", {"review": one})
    return redirect(f"{where_from(request)}#review-{one.pk}" if where_from(request) != "/" else one)


@require_POST
@login_required
def respond(request: HttpRequest, pk: int) -> HttpResponse:
    one = _open(request, pk)
    form = ResponseForm(request.POST)
    status = 422
    if form.is_valid():
        department = get_object_or_404(Department.objects.current(), slug=form.cleaned_data["department"])
        require(permissions.why_not_respond(request.user, one, department))
        said, status = send(
            form,
            "post",
            request.user,
            lambda: services.respond(one, request.user, department, form.cleaned_data["body"]),
        )
        if said is not None:
            messages.success(request, _("Your answer stands under the review."))
            return redirect(one)
    listing.prepared([one], request.user)
    return render(request, "reviews/review.html", _page(request, one, response_form=form), status=status)


@act("post")
def publish(request: HttpRequest, pk: int) -> HttpResponse:
    one = _open(request, pk)
    services.publish_review(one, request.user)
    messages.success(request, _("The review is online."))
    return redirect(one)


@login_required
@require_http_methods(["GET", "POST"])
def refuse(request: HttpRequest, pk: int) -> HttpResponse:
    one = _open(request, pk)
    require(permissions.why_not_judge(request.user, one))
    form = RefusalForm(request.POST or None)
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            done, status = send(
                form, "vote", request.user, lambda: services.refuse_review(one, request.user, **form.cleaned_data)
            )
            if done is not None:
                messages.success(request, _("The review is back with its author, with the reason."))
                return redirect(one)
    context = {"review": one, "form": form, "photos": photos_of([one])[one.pk]}
    return render(request, "reviews/refuse.html", context, status=status)


@act("post")
def resubmit(request: HttpRequest, pk: int) -> HttpResponse:
    one = _open(request, pk)
    services.resubmit_review(one, request.user)
    messages.success(request, _("Sent. Somebody looks at it within 72 business hours."))
    return redirect(one)


@require_POST
@login_required
def appeal(request: HttpRequest, pk: int) -> HttpResponse:
    one = _open(request, pk)
    require(permissions.why_not_appeal(request.user, one))
    form = AppealForm(request.POST)
    status = 422
    if form.is_valid():
        words = form.cleaned_data["words"]

        def work() -> bool:
            services.appeal(one, request.user, words)
            return True

        done, status = send(form, "post", request.user, work)
        if done is not None:
            messages.success(request, _("Sent. Somebody else than who refused it decides within 72 business hours."))
            return redirect(one)
    listing.prepared([one], request.user)
    return render(request, "reviews/review.html", _page(request, one, appeal_form=form), status=status)


@require_GET
def history(request: HttpRequest, pk: int) -> HttpResponse:
    """Every version and all that changed; not for everybody, what stood there when a passage had to go."""
    one = Review.objects.visible_to(request.user).select_related("product__family").filter(pk=pk).first()
    if one is None:
        return _gone(request, pk)
    rows = (
        Revision.objects.filter(target_type=ContentType.objects.get_for_model(one), target_id=one.pk)
        .select_related("editor")
        .order_by("-number")
    )
    all_of_it = request.user.is_authenticated and (one.author_id == request.user.pk or is_moderator(request.user))
    refused = None if all_of_it else one.refusals.exclude(granted=True).last()
    if refused is not None:
        rows = rows.filter(created_at__gt=refused.at)
    versions = told.versions(one, rows[: told.MOST])
    return render(
        request, "reviews/history.html", {"review": one, "versions": versions, "kept_back": refused is not None}
    )


@require_GET
def response_history(request: HttpRequest, pk: int, response: int) -> HttpResponse:
    """Every version of what a department said under a review: it is edited in sight."""
    one = Review.objects.visible_to(request.user).select_related("product__family").filter(pk=pk).first()
    if one is None:
        return _gone(request, pk)
    said = get_object_or_404(BrandResponse.objects.select_related("department"), pk=response, review=one)
    rows = (
        Revision.objects.filter(target_type=ContentType.objects.get_for_model(said), target_id=said.pk)
        .select_related("editor")
        .order_by("-number")
    )
    context = {"review": one, "said": said, "versions": told.of_text(rows[: told.MOST])}
    return render(request, "reviews/history.html", context)


@login_required
@require_GET
def hint_list(request: HttpRequest) -> HttpResponse:
    """What a program found worth a moderator's look, oldest first."""
    require(why_not_moderate(request.user))
    try:
        page = Paginator(hints.open_hints(), PER_PAGE).page(request.GET.get("page", 1))
    except InvalidPage:
        raise Http404 from None
    rows = [(hint, hints.reason(hint)) for hint in page.object_list]
    return render(request, "reviews/hints.html", {"page": page, "rows": rows})


@act("post")
def settle_hint(request: HttpRequest, pk: int) -> HttpResponse:
    hint = get_object_or_404(Hint.objects.select_related("review"), pk=pk)
    hints.settle(hint, request.user)
    messages.success(request, _("Noted: there is nothing in it."))
    return redirect("reviews:hints")


@require_GET
@limited("review_feed", methods=("GET",))
def google(request: HttpRequest) -> StreamingHttpResponse:
    """Every review for Google's product ratings, streamed."""
    pieces = feed.written(brand.of_request(request))
    response = StreamingHttpResponse(
        (piece.encode() for piece in pieces), content_type="application/xml; charset=utf-8"
    )
    response["X-Robots-Tag"] = "noindex"
    return response


@require_GET
def policy(request: HttpRequest) -> HttpResponse:
    """The rules, in plain words, with what they came to."""
    return render(request, "reviews/policy.html", {"codes": RefusalCode.choices, **_totals()})


@require_GET
def figures(request: HttpRequest) -> HttpResponse:
    """How many reviews were refused, by stars and by reason: for everybody to see."""
    return render(request, "reviews/figures.html", _totals())


def _totals() -> dict[str, Any]:
    """Counted from indexes that hold refusals alone, and from what products keep: no walk over reviews."""
    counts: dict[tuple[str, int], int] = {
        (code, stars): n
        for code, stars, n in Refusal.objects.order_by().values_list("code", "stars").annotate(n=Count("pk"))
    }
    appealed = Refusal.objects.order_by().filter(appealed_at__isnull=False)
    published = online_by_stars()
    stars = [5, 4, 3, 2, 1]
    table = [
        {"label": label, "counts": [counts.get((code, n), 0) for n in stars]}
        for code, label in RefusalCode.choices
        if any(counts.get((code, n)) for n in stars)
    ]
    for row in table:
        row["sum"] = sum(row["counts"])
    return {
        "stars": stars,
        "table": table,
        "refused": [sum(counts.get((code, n), 0) for code in RefusalCode.values) for n in stars],
        "published": [published[n] for n in stars],
        "refused_all": sum(counts.values()),
        **appealed.aggregate(appeals=Count("pk"), granted=Count("pk", filter=Q(granted=True))),
        "published_all": sum(published.values()),
        "policy_url": reverse("reviews:policy"),
    }
