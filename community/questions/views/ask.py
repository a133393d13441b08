"""Asking: title first, with what looks alike. A visitor writes first and signs up after; nothing is lost between."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from allauth.account.signals import user_logged_in
from django.contrib import messages
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.db.models import Count
from django.dispatch import receiver
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render, resolve_url
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from community.accounts.models import User
from community.core import limits, text
from community.core.errors import Conflict
from community.core.rows import retried
from community.moderation.permissions import why_not_write
from community.posts import credit, kept, tagging
from community.posts import services as posts
from community.posts.doors import long_open, send
from community.posts.models import Tag, Upload
from community.posts.photos import AskersPhotos, adopt, discard, with_pictures
from products.models import Ownership, Product

from .. import services
from ..forms import BODY_LABELS, AskForm
from ..models import Kind, Thread

logger = logging.getLogger(__name__)

UNSENT = "unsent"  # among what is kept: only pictures were sent so far
KEPT = "kept_question"  # in the session: the token of what a visitor wrote before signing in
REFUSED = "kept_refused"  # in the session: why it could not be posted, by field
POSTED = "kept_posted"  # in the session: the thread that it became
DRAFT = "ask"
DRAFTED = ("kind", "product", "other_product", "model_version", "title", "body", "tags")
SHORTEST_LOOK = 10  # characters of a title from which others like it are shown (FEATURES E)
MOST_OFFERED = 60  # tags in the list that a browser completes from
ON_SHELF = 6  # products of one's own that stand above the list of all


@dataclass(frozen=True)
class Wanted:
    """What somebody is about to ask; rooms above show what looks like it (slot `ask.matches`)."""

    title: str
    product: str


def way_back() -> str:
    """Where signing in leads to when a question waits for it."""
    return f"{reverse('questions:ask')}?kept=1"


@require_http_methods(["GET", "HEAD", "POST"])
@ensure_csrf_cookie
def ask(request: HttpRequest) -> HttpResponse:
    if request.method != "POST":
        return _open(request)
    if "afresh" in request.POST:
        return _begin_afresh(request)
    form = AskForm(request.POST, user=request.user)
    photos, limited = _photos(request, form), None
    try:
        photos.take(request)
    except limits.Limited as error:
        limited = error
    if limited is None and ("look" in request.POST or "preview" in request.POST):
        return _look(request, form, photos)
    for said in dict.fromkeys(photos.errors):
        form.add_error(None, said)
    if limited is not None:
        return _too_often(request, form, photos, limited)
    if not form.is_valid():
        return _show(request, form, photos, status=422)
    if not request.user.is_authenticated:
        return _keep_for_later(request, form, photos)
    thread, status = send(form, "post", request.user, lambda: _post(request.user, form, photos.uploads))
    if thread is None:
        return _show(request, form, photos, status=status)
    credit.first_post(request)
    posts.drop_draft(request.user, DRAFT)
    _forget_kept(request)
    _say_posted(request, thread)
    return redirect(thread)


def _photos(request: HttpRequest, form: AskForm | None = None) -> AskersPhotos:
    """The pictures of the form, for members and visitors alike. With the first of a visitor's, what is written so far
    is kept, too: not sent yet, so that no sign-in posts it."""

    def begin() -> str:
        written = form.as_written() if form is not None else {}
        request.session[KEPT] = token = kept.keep({**written, UNSENT: "1"}, _token(request))
        return token

    return AskersPhotos(request, _token(request), begin, lambda pk: reverse("questions:kept_picture", args=[pk]))


@require_safe
def kept_picture(request: HttpRequest, pk: int) -> HttpResponse:
    """A picture that waits with what a visitor wrote, for the session that sent it and nobody else."""
    content = kept.picture(_token(request), pk)
    if not content:
        raise Http404
    headers = {
        "Cache-Control": "private, no-store",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; sandbox",
    }
    return HttpResponse(content, content_type="image/webp", headers=headers)


def _too_often(request: HttpRequest, form: AskForm, photos: AskersPhotos, error: limits.Limited) -> HttpResponse:
    form.add_error(None, error.reason)
    form.retry_after = error.wait  # type: ignore[attr-defined]
    return _show(request, form, photos, status=429)


def _begin_afresh(request: HttpRequest) -> HttpResponse:
    """Away with what was kept and drafted; the page in the browser forgets its own copy."""
    _forget_kept(request)
    if request.user.is_authenticated:
        posts.drop_draft(request.user, DRAFT)
    return redirect("questions:ask")


@require_POST
@limits.limited("suggest")
def suggest_tags(request: HttpRequest) -> HttpResponse:
    """Tags that a text speaks of, to be ticked: a piece of the form. Chosen ones stay."""
    return render(request, "questions/_suggested_tags.html", {"suggested": _suggested(request.POST)})


def _post(by: User, form: AskForm, pictures: Iterable[Upload] = ()) -> Thread:
    given = form.cleaned_data
    thread = services.post_thread_once(
        by,
        kind=given["kind"],
        title=given["title"],
        body=with_pictures(given["body"], pictures) if pictures else given["body"],
        product=given["product"],
        model_version=given["model_version"],
        tags=given["tags"],
        private=form.private() if given["kind"] in (Kind.QUESTION, Kind.PROBLEM) else None,
        language=get_language() or "en",
    )
    if not given["follow"]:
        posts.unfollow(thread, by)
    return thread


def _say_posted(request: HttpRequest, thread: Thread) -> None:
    said = _("Posted. You hear of every answer.")
    if not thread.is_visible:
        said = _("Sent. A moderator looks at it before others see it.")
    messages.success(request, said, extra_tags=f"forget:{DRAFT}")


# A visitor's question


def _token(request: HttpRequest) -> str:
    found = request.session.get(KEPT) if request.session.session_key else ""
    return found if isinstance(found, str) else ""


def _forget_kept(request: HttpRequest) -> None:
    if token := _token(request):
        kept.forget(token)
        del request.session[KEPT]
        request.session.pop(REFUSED, None)


def _keep_for_later(request: HttpRequest, form: AskForm, photos: AskersPhotos) -> HttpResponse:
    """Sign up now; the question is kept meanwhile, and posted as soon as that is done."""
    try:
        limits.spend_for("write_first", request)
    except limits.Limited as error:
        return _too_often(request, form, photos, error)
    request.session[KEPT] = kept.keep(form.as_written(), photos.token)
    request.session.pop(REFUSED, None)
    return redirect(f"{resolve_url('account_signup')}?{urlencode({'next': way_back()})}")


@receiver(user_logged_in)
def post_what_was_kept(request: HttpRequest, response: HttpResponse, user: User, **_more: Any) -> None:
    """Signing in was the last step of asking: the question is posted, and its page comes next.

    Only where the sign-in was asked for by the form itself, in the session that wrote it, and by the request that
    confirmed it: a page that is merely opened posts nothing (decision 0090). What can't be posted stays kept, and the
    form shows it with the reason; whatever happens here, the person is signed in.
    """
    if response.get("Location") != way_back():
        return
    token = _token(request)
    written = kept.kept(token)
    if not written or written.get(UNSENT):
        return
    form = AskForm({**written, "started": long_open()}, user=user)
    thread = None
    if form.is_valid():
        try:
            thread, _status = send(form, "post", user, lambda: _post_kept(user, form, token))
        except Exception:
            logger.exception("A question written before signing up could not be posted")
            form.add_error(None, _("That did not work. Nothing you typed is lost; please try again."))
    if thread is None:
        request.session[REFUSED] = {name: [str(one) for one in said] for name, said in form.errors.items()}
        return
    request.session.pop(KEPT, None)
    request.session.pop(REFUSED, None)
    request.session[POSTED] = thread.pk
    _say_posted(request, thread)
    response["Location"] = thread.get_absolute_url()


@retried
def _post_kept(by: User, form: AskForm, token: str) -> Thread:
    pictures = adopt(token, by)
    try:
        if not kept.take(token):
            raise Conflict(_("This was posted a moment ago."))
        return _post(by, form, pictures)
    except Exception:
        discard(pictures)
        raise


# The page


def _open(request: HttpRequest) -> HttpResponse:
    """The form as it opens: what was written before, else what the address brings along."""
    if written := kept.kept(_token(request)):
        refused = request.session.get(REFUSED)
        if refused and request.user.is_authenticated:
            return _show(request, _refused(written, refused, request.user), origin="refused")
        return _show(request, AskForm(initial={**written, "started": long_open()}, user=request.user), origin="kept")
    if "kept" in request.GET and request.session.session_key and (pk := request.session.get(POSTED)):
        thread = Thread.objects.visible_to(request.user).filter(pk=pk).first()
        if thread is not None:
            return redirect(thread)
    came_with = {
        name: request.GET[name][:200]
        for name in ("title", "product", "kind", "tags", "body")
        if request.GET.get(name, "").strip()
    }
    if came_with.get("kind") not in Kind.values:
        came_with.pop("kind", None)
    if not came_with.get("title"):
        drafted = posts.draft_of(request.user, DRAFT)
        if drafted.get("title") or drafted.get("body"):
            initial = {name: drafted[name] for name in DRAFTED if name in drafted}
            return _show(request, AskForm(initial={**initial, **came_with}, user=request.user), origin="draft")
    return _show(request, AskForm(initial=came_with, user=request.user))


def _refused(written: dict[str, str], refused: dict[str, list[str]], user: User) -> AskForm:
    """What was kept, with what was said against it when it was to be posted."""
    form = AskForm({**written, "started": long_open()}, user=user)
    for name, said in refused.items():
        for words in said:
            if words not in form.errors.get(name, []):
                form.add_error(name if name in form.fields else None, words)
    return form


def _look(request: HttpRequest, form: AskForm, photos: AskersPhotos) -> HttpResponse:
    """Without JavaScript: what looks alike, and the preview. Nothing is checked yet, and nothing is lost."""
    shown = AskForm(initial=form.as_written(), user=request.user)
    preview = ""
    if "preview" in request.POST:
        try:
            limits.spend_for("preview", request)
            preview = text.render_markdown(request.POST.get("body", "")).html
        except limits.Limited as error:
            preview = text.render_plain(error.reason).html
        except ValidationError as error:
            preview = text.render_plain(" ".join(error.messages)).html
    return _show(request, shown, photos, preview=preview)


def _show(
    request: HttpRequest,
    form: AskForm,
    photos: AskersPhotos | None = None,
    *,
    origin: str = "",
    status: int = 200,
    preview: str = "",
) -> HttpResponse:
    user = request.user
    rows = _shelf(user)
    value = form["product"].value() or form["other_product"].value()
    if value is None and len(rows) == 1 and not form.is_bound:
        value = rows[0].product.slug  # who owns one thing asks about that one
    banner = ("known_issues", "recall_title", "recall_affects", "recall_note", "recall_news", "translations")
    products = list(Product.objects.order_by("position", "name").only("slug", "name", "short_name", *banner))
    chosen = next((product for product in products if product.slug == value), None)
    versions = {row.product.slug: row.version.name for row in rows if row.version}
    serials = {row.product.slug: row.serial for row in rows if row.serial}
    shelf = [row.product for row in rows]
    near = shelf if chosen is None or chosen in shelf else [chosen, *shelf]
    version = form["model_version"].value()
    if not version and not form.is_bound and chosen is not None:
        version = versions.get(chosen.slug, "")
    if not form.is_bound and chosen is not None and not form.initial.get("serial"):
        # The box for staff's eyes is open then: whoever asks sees what goes along.
        form.initial["serial"] = serials.get(chosen.slug, "")
    title = str(form["title"].value() or "").strip()
    context = {
        "form": form,
        "photos": photos or _photos(request),
        "origin": origin,
        "draft_url": f"{reverse('posts:draft')}?key={DRAFT}",
        "draft_key": DRAFT,
        "draft_local": f"{DRAFT}@{user.pk}" if user.is_authenticated else DRAFT,
        "body_labels": [(kind.value, label) for kind, label in BODY_LABELS.items()],
        "kinds": [(kind, form["kind"].value() == kind.value) for kind in Kind],
        "kind": form["kind"].value() or Kind.QUESTION.value,
        "shelf": [(product, versions.get(product.slug, ""), serials.get(product.slug, "")) for product in near],
        "owned": bool(shelf),
        "others": [product for product in products if product not in near],
        "product_value": chosen.slug if chosen else "",
        "chosen": chosen,
        "version": version or "",
        "closed": why_not_write(user) if user.is_authenticated else "",
        "private_open": any(form[name].value() or form[name].errors for name in AskForm.PRIVATE),
        "suggested": _suggested(form.data if form.is_bound else form.initial),
        "known_tags": _offered_tags(),
        "wanted": Wanted(title, chosen.slug if chosen else "") if len(title) >= SHORTEST_LOOK else None,
        "preview": preview,
        "signup_url": f"{resolve_url('account_signup')}?{urlencode({'next': way_back()})}",
    }
    response = render(request, "questions/ask.html", context, status=status)
    response["Cache-Control"] = "private, no-store"  # what somebody wrote, private details among it
    if wait := getattr(form, "retry_after", 0):
        response["Retry-After"] = str(wait)
    return response


def _shelf(user: Any) -> list[Ownership]:
    if not user.is_authenticated:
        return []
    return list(user.shelf.select_related("product", "version").order_by("added_at")[:ON_SHELF])


def _suggested(data: Any) -> list[tuple[tagging.Known, bool]]:
    """Tags to offer beside a text, each with whether it is ticked; what is typed already is not offered."""
    ticked = data.getlist("suggested") if hasattr(data, "getlist") else data.get("suggested") or []
    typed = set(tagging.named(str(data.get("tags") or "").replace(";", ",").split(",")))
    known = {tag.slug: tag for tag in tagging.vocabulary()}
    chosen = [known[slug] for slug in dict.fromkeys(ticked) if slug in known]
    found = tagging.suggested(str(data.get("title") or ""), str(data.get("body") or ""))
    room = max(0, tagging.MOST_TAGS - len(chosen))
    more = [tag for tag in found if tag.slug not in typed and tag not in chosen][:room]
    return [(tag, True) for tag in chosen] + [(tag, False) for tag in more]


def _offered_tags() -> list[str]:
    """The tags in use, the most used first, for the browser to complete from; at most a minute old."""

    def read() -> list[str]:
        rows = Tag.objects.annotate(used=Count("threads")).filter(used__gt=0).order_by("-used", "slug")
        return list(rows.values_list("slug", flat=True)[:MOST_OFFERED])

    return cache.get_or_set("questions.offered_tags", read, 60)  # type: ignore[return-value]
