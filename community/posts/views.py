"""The small doors that all kinds of posts share. `kind` in an address is the name of the model: thread, answer, tip."""

from datetime import UTC, datetime
from functools import cache
from typing import Any

from django.apps import apps
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.files.storage import default_storage
from django.db.models import Count, Q, Window
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from community.core import clock, limits, text
from community.core.models import Numbers
from community.core.uploads import reencode
from community.moderation import figures as moderation_figures
from community.moderation import permissions
from community.moderation import services as moderation
from community.moderation.doors import of as door_of
from community.moderation.models import Flag, Moderated, ModerationRules

from . import gates, services
from .doors import act, first_words, merged_meanwhile, posted, refuse, send, to_login
from .forms import AppealForm, CommentForm, FlagForm, HideForm, RestoreForm
from .models import Comment, Upload

DRAFTED = 40  # fields of a form that are kept; ours have a dozen
NEVER_DRAFTED = {
    "csrfmiddlewaretoken",
    "website",
    "started",
    "key",
    "order_number",
    "serial",
    "phone",
    "call_when",
    "note",
}


@cache
def _kinds() -> dict[str, type[Moderated]]:
    return {str(model._meta.model_name): model for model in apps.get_models() if issubclass(model, Moderated)}


def find(request: HttpRequest, kind: str, pk: int) -> Any:
    """A post of any kind that this person can see (of what was merged, the one that stands), or 404."""
    model = _kinds().get(kind)
    if model is None:
        raise Http404
    rows = model.objects.visible_to(request.user)  # type: ignore[attr-defined]
    thing = rows.filter(pk=pk).first()
    if thing is None and model.instead_of:
        thing = rows.filter(**{model.instead_of: pk}).first()
    if thing is None:
        raise Http404
    if isinstance(thing, Comment):
        target = thing.target
        if target is None or not type(target).objects.visible_to(request.user).filter(pk=target.pk).exists():
            raise Http404
    return thing


def _under(request: HttpRequest, kind: str, pk: int) -> Any:
    """`find`, for what has comments under it: a comment has none, and is 404."""
    if kind == "comment":
        raise Http404
    return find(request, kind, pk)


def place_of(thing: Any) -> str:
    """The address at which a post is read."""
    if isinstance(thing, Comment):
        page = _with_room(thing.target.get_absolute_url())
        before = Comment.objects.visible().filter(
            Q(created_at__lt=thing.created_at) | Q(created_at=thing.created_at, pk__lt=thing.pk),
            target_type=thing.target_type, target_id=thing.target_id,
        )  # fmt: skip
        number = before.count() // Comment.PAGE + 1
        part = f"&part={number}" if number > 1 else ""
        return f"{page}comments={thing.target_type.model}-{thing.target_id}{part}#comment-{thing.pk}"
    return thing.get_absolute_url()


def _with_room(address: str) -> str:
    """An address without its anchor, ready for one more parameter."""
    page = address.split("#")[0]
    return page + ("&" if "?" in page else "?")


# Writing


@require_http_methods(["POST"])
def preview(request: HttpRequest) -> HttpResponse:
    """What a text will look like, through the very pipeline that will store it. For visitors too, who write first;
    whom a mention calls is a member's to see."""
    body = request.POST.get("body", "")
    try:
        limits.spend_for("preview", request)
        people = gates.mentioned(body, request.user) if request.user.is_authenticated else {}
        rendered = text.render_markdown(body, known_users=people)
    except limits.Limited as error:
        response = refuse(request, error.reason, 429, kept=body)
        response["Retry-After"] = str(error.wait)
        return response
    except ValidationError as error:
        return refuse(request, first_words(error), 422, kept=body)
    return render(request, "posts/_preview.html", {"html": rendered.html})


@require_http_methods(["POST"])
def upload(request: HttpRequest) -> HttpResponse:
    """Take a picture for a text that is being written. Answers in JSON, as the editor asks."""
    if not request.user.is_authenticated:
        return JsonResponse({"error": _("Please sign in first.")}, status=401)
    if reason := permissions.why_not_write(request.user):
        return JsonResponse({"error": reason}, status=403)
    file = request.FILES.get("file")
    if file is None:
        return JsonResponse({"error": _("Choose a picture.")}, status=422)
    try:
        limits.spend("upload", request.user)
        drawn, _width, _height = reencode(file)
    except limits.Limited as error:
        response = JsonResponse({"error": error.reason}, status=429)
        response["Retry-After"] = str(error.wait)
        return response
    except ValidationError as error:
        return JsonResponse({"error": " ".join(error.messages)}, status=422)
    alt = text.clean_line(request.POST.get("alt", ""))[:300]
    made = Upload(owner=request.user, alt=alt, created_at=clock.now())
    made.file.save(drawn.name, drawn, save=True)
    return JsonResponse({"url": made.file.url, "alt": alt, "width": made.width, "height": made.height}, status=201)


def draft(request: HttpRequest) -> HttpResponse:
    """Keep what somebody is writing; `?key=` names the form. Private details are not kept in drafts.

    Who was signed out meanwhile is told so by 401, and the page keeps the text in the browser: a way to the login
    would look to it as if the draft had been saved.
    """
    if request.method == "POST" and not request.user.is_authenticated:
        return HttpResponse(_("Please sign in first."), status=401, content_type="text/plain; charset=utf-8")
    return _draft(request)


@act("draft")
def _draft(request: HttpRequest) -> HttpResponse:
    key = request.GET.get("key", "")
    if not 0 < len(key) <= 120:
        raise Http404
    fields = [name for name in request.POST if name not in NEVER_DRAFTED][:DRAFTED]
    services.save_draft(request.user, key, {name: request.POST[name].replace("\0", "") for name in fields})
    return HttpResponse(status=204)


@require_GET
def picture(request: HttpRequest, name: str) -> HttpResponse:
    """A picture of a post, for whoever may see the post; while it is in none, for its owner alone."""
    made = get_object_or_404(Upload, file=f"uploads/{name}")
    target = getattr(made.target, "seen_with", made.target)
    if target is None:
        seen = request.user.is_authenticated and request.user.pk == made.owner_id
    else:
        seen = type(target).objects.visible_to(request.user).filter(pk=target.pk).exists()
    if not seen or not default_storage.exists(made.file.name):
        raise Http404
    response = FileResponse(default_storage.open(made.file.name), content_type="image/webp")
    response["Cache-Control"] = "private, max-age=300"
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response


# Comments


def part_of(request: HttpRequest) -> int:
    """Which hundred of the comments is asked for, from `part`."""
    part = request.GET.get("part", "")
    return int(part) if part.isdecimal() and 0 < len(part) < 7 and int(part) else 1


def paging(among: int, part: int) -> dict[str, int]:
    """Where one is in a long row of comments: `part` of `parts`, from `first` to `last` of `among`."""
    parts = max(1, -(-among // Comment.PAGE))
    part = min(part, parts)
    first = (part - 1) * Comment.PAGE
    return {"part": part, "parts": parts, "first": first + 1, "last": min(first + Comment.PAGE, among), "among": among}


def comment_context(
    request: HttpRequest, target: Any, *, part: int | None = 1, last: bool = False, **more: Any
) -> dict[str, Any]:
    """What `posts/_comments.html` shows of one target: a hundred of its comments, or the first ten when `part` is
    None. `last` shows where a new one stands."""
    rows = Comment.objects.on(target).visible_to(request.user).for_listing().order_by("created_at", "id")
    if last or (part or 1) > 1:
        among = rows.order_by().count()
        start = paging(among, -(-among // Comment.PAGE) if last else part)["first"] - 1
    else:
        start = 0
    most = Comment.SHOWN if part is None else Comment.PAGE
    shown = list(rows.annotate(among=Window(Count("pk")))[start : start + most])
    among = shown[0].among if shown else 0
    return {
        "target": target,
        "kind": target._meta.model_name,
        "comments": shown,
        "folded": among - len(shown) if part is None else 0,
        "place": None if part is None else paging(among, start // Comment.PAGE + 1),
        "closed": target.why_closed_to_words(),
        "can": {"moderate": permissions.is_moderator(request.user)},
        "user": request.user,
        "request": request,
        **more,
    }


@require_GET
def comments(request: HttpRequest, kind: str, pk: int) -> HttpResponse:
    """The comments under a post, a hundred at once: a piece of its page for htmx, else the page with them unfolded."""
    target, part, since = _under(request, kind, pk), part_of(request), _since(request)
    if not request.htmx:
        page = _with_room(target.get_absolute_url())
        place = f"comments={kind}-{pk}" + (f"&part={part}" if part > 1 else "")
        return HttpResponseRedirect(f"{page}{place}#comments-{kind}-{pk}")
    context = comment_context(request, target, part=part, since=request.GET.get("since") if since else None)
    for row in context["comments"]:
        row.is_new = row.is_news_to(request.user, since)
    return render(request, "posts/_comments.html", context)


def _since(request: HttpRequest) -> datetime | None:
    """The last visit, as the page says it that unfolds its comments: what came later is marked as new."""
    seconds = request.GET.get("since", "")
    return datetime.fromtimestamp(int(seconds), UTC) if seconds.isdecimal() and len(seconds) < 12 else None


@require_GET
def comment_place(request: HttpRequest, pk: int) -> HttpResponse:
    """To a comment where it is read, wherever in a long thread that is; to the question that it became (301)."""
    asked = Comment._base_manager.filter(pk=pk, became__isnull=False).first()
    if asked is not None:
        question = asked.became.thread  # type: ignore[attr-defined]
        return redirect(find(request, question.noun, question.pk), permanent=True)
    return redirect(place_of(find(request, "comment", pk)))


def comment(request: HttpRequest, kind: str, pk: int) -> HttpResponse:
    """Say something short under a post."""
    if request.method != "POST":
        return HttpResponse(status=405, headers={"Allow": "POST"})
    target = _under(request, kind, pk)
    place = target.get_absolute_url()
    if not request.user.is_authenticated:
        return to_login(request, place)
    form = CommentForm(request.POST)
    waited = hasattr(target, "waits_for") and target.waits_for(request.user)
    new, status = None, 422
    if form.is_valid():
        new, status = send(
            form,
            "comment",
            request.user,
            lambda: services.comment(target, request.user, body=form.cleaned_data["body"]),
        )
    if new is None:
        if request.htmx:
            said = [*form.non_field_errors(), *form.errors.get("body", [])]
            return refuse(request, " ".join(said), status)
        context = {"form": form, "target": target, "back": place, "title": _("Your comment")}
        return _again(render(request, "posts/comment_form.html", context, status=status), form)
    if request.htmx and waited:  # what the page says of it all is another now
        messages.success(request, _("Thank you. It goes on from here."))
        return HttpResponse(headers={"HX-Refresh": "true"})
    if request.htmx:
        context = comment_context(request, target, last=True, said=_("Comment posted."))
        return render(request, "posts/_comments.html", context)
    return redirect(place_of(new))


def _again(response: HttpResponse, form: Any) -> HttpResponse:
    if wait := getattr(form, "retry_after", 0):
        response["Retry-After"] = str(wait)
    return response


@require_http_methods(["GET", "POST"])
def comment_edit(request: HttpRequest, pk: int) -> HttpResponse:
    if not request.user.is_authenticated:
        return to_login(request, request.path)
    row = find(request, "comment", pk)
    if row.author_id != request.user.pk:
        return refuse(request, _("Only its author can edit a comment."), 403, back=place_of(row))
    if reason := permissions.why_not_mend(request.user, row):
        return refuse(request, reason, 403, back=place_of(row))
    if request.method == "GET" and row.visibility != Moderated.Visibility.HIDDEN and not row.is_editable:
        reason = _("A comment can be changed for an hour after it was written. You can delete it, or add another.")
        return refuse(request, reason, 409, back=place_of(row))
    form = CommentForm(posted(request), initial={"body": row.body_source})
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            saved, status = send(
                form,
                "post",
                request.user,
                lambda: services.edit_comment(row, request.user, body=form.cleaned_data["body"]),
            )
            if saved is not None:
                messages.success(request, _("Comment changed."))
                return redirect(place_of(row))
    context = {"form": form, "target": row.target, "back": place_of(row), "title": _("Edit your comment"), "row": row}
    return _again(render(request, "posts/comment_form.html", context, status=status), form)


@act()
def comment_delete(request: HttpRequest, pk: int) -> HttpResponse:
    row = find(request, "comment", pk)
    target = row.target
    moderation.delete(row, request.user)
    if request.htmx:
        return render(request, "posts/_comments.html", comment_context(request, target, said=_("Comment deleted.")))
    messages.success(request, _("Comment deleted."))
    return redirect(target.get_absolute_url())


# Minding what others write


@require_GET
def figures(request: HttpRequest) -> HttpResponse:
    """How posts are moderated, and what was taken out of sight, by month and reason."""
    found = moderation_figures.by_month()
    labels = [moderation_figures.label_of(reason) for reason in found["reasons"]]
    reasons = [label for _reason, label in Flag.Reason.choices]
    context = {
        "labels": labels, "rows": found["rows"], "all_reasons": reasons, "numbers": Numbers.load(),
        "rules": ModerationRules.load(),
    }  # fmt: skip
    return render(request, "posts/figures.html", context)


@require_http_methods(["GET", "POST"])
def flag(request: HttpRequest, kind: str, pk: int) -> HttpResponse:
    """Say that a post should be looked at."""
    if not request.user.is_authenticated:
        return to_login(request, request.path)
    thing = find(request, kind, pk)
    if moved := merged_meanwhile(request, thing, pk):
        return moved
    place = place_of(thing)
    if reason := permissions.why_not_flag(request.user, thing):
        return refuse(request, reason, 403, back=place)
    form = FlagForm(posted(request))
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            done, status = send(
                form, "flag", request.user, lambda: moderation.flag(thing, request.user, **form.cleaned_data)
            )
            if done is not None:
                messages.success(request, _("Thank you. A moderator will look at it; nobody sees that it was you."))
                return redirect(place if thing.is_visible else "/")
    context = {"form": form, "thing": thing, "back": place}
    return _again(render(request, "posts/flag.html", context, status=status), form)


@require_http_methods(["GET", "POST"])
def moderate(request: HttpRequest, kind: str, pk: int) -> HttpResponse:
    """Hide a post with a reason that its author reads, or show it again."""
    if not request.user.is_authenticated:
        return to_login(request, request.path)
    thing = find(request, kind, pk)
    if moved := merged_meanwhile(request, thing, pk):
        return moved
    place = place_of(thing)
    if reason := permissions.why_not_moderate(request.user):
        return refuse(request, reason, 403, back=place)
    hidden = thing.visibility == Moderated.Visibility.HIDDEN
    waiting = thing.visibility == Moderated.Visibility.PENDING
    elsewhere = "" if hidden else door_of(thing).hide_at(thing)
    if elsewhere and request.method == "GET" and not waiting:
        return redirect(elsewhere)
    form: Any = HideForm(posted(request))
    if hidden or waiting:
        form = RestoreForm(posted(request), needed=hidden)
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid() and request.POST.get("seen", thing.visibility) != thing.visibility:
            form.add_error(None, _("Somebody else has decided about this meanwhile. Please look again."))
            status = 409  # the form says now what can be done with it as it is
        elif form.is_valid():
            why = form.cleaned_data["reason"]

            def work() -> bool:
                if waiting and "hide" not in request.POST:
                    moderation.approve(thing, request.user)
                elif hidden:
                    moderation.restore(thing, request.user, reason=why)
                else:
                    moderation.hide(thing, request.user, reason=why)
                return True

            done, status = send(form, "vote", request.user, work)
            if done:
                messages.success(request, _("It is hidden.") if not thing.is_visible else _("It is shown again."))
                return redirect(place)
    context = {
        "form": form,
        "thing": thing,
        "back": place,
        "hidden": hidden,
        "waiting": waiting,
        "elsewhere": elsewhere,
    }
    return _again(render(request, "posts/moderate.html", context, status=status), form)


@require_http_methods(["GET", "POST"])
def why(request: HttpRequest, kind: str, pk: int) -> HttpResponse:
    """For the author of a hidden post: why, and what can be done. It can be changed, or appealed."""
    if not request.user.is_authenticated:
        return to_login(request, request.path)
    thing = find(request, kind, pk)
    place = place_of(thing)
    if reason := permissions.why_not_appeal(request.user, thing):
        return refuse(request, reason, 403, back=place)
    known = moderation.appeal_about(thing)
    form, status = AppealForm(posted(request)), 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            made, status = send(
                form, "message", request.user,
                lambda: moderation.appeal(thing, request.user, form.cleaned_data["words"]),
            )  # fmt: skip
            if made is not None:
                messages.success(request, _("Sent. Somebody else looks at it, and you hear of it."))
                return redirect(request.path)
    context = {
        "form": form,
        "thing": thing,
        "back": place,
        "appeal": known,
        "hidden": thing.visibility == Moderated.Visibility.HIDDEN,
        "closed": permissions.why_not_write(request.user) or permissions.why_not_mend(request.user, thing),
    }
    return _again(render(request, "posts/why.html", context, status=status), form)


@require_http_methods(["GET", "POST"])
def delete(request: HttpRequest, kind: str, pk: int) -> HttpResponse:
    """Take a post away: its author, or a moderator. Asks once more."""
    if not request.user.is_authenticated:
        return to_login(request, request.path)
    thing = find(request, kind, pk)
    if moved := merged_meanwhile(request, thing, pk):
        return moved
    place = place_of(thing)
    if reason := permissions.why_not_delete(request.user, thing):
        return refuse(request, reason, 403, back=place)
    form = RestoreForm(posted(request), needed=thing.author_id != request.user.pk)
    status = 422 if request.method == "POST" else 200
    if request.method == "POST" and form.is_valid():
        done, status = send(
            form,
            "vote",
            request.user,
            lambda: moderation.delete(thing, request.user, reason=form.cleaned_data["reason"]) or True,
        )
        if done:
            messages.success(request, _("It is deleted."))
            return redirect(_parent(thing))
    context = {"form": form, "thing": thing, "back": place, "own": thing.author_id == request.user.pk}
    return _again(render(request, "posts/delete.html", context, status=status), form)


def _parent(thing: Any) -> str:
    """Where to go on when the post itself has gone."""
    if isinstance(thing, Comment):
        return thing.target.get_absolute_url()
    parent = getattr(thing, getattr(type(thing).objects.all(), "parent", "") or "-", None) or getattr(
        thing, "product", None
    )
    return parent.get_absolute_url() if parent is not None else "/"
