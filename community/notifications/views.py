"""Notices: the list, the choices, and the one click that stops a mail."""

from collections import defaultdict
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.contenttypes.models import ContentType
from django.core import signing
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST

from community.accounts.models import User
from community.core.paging import page_of
from community.moderation.models import Moderated
from community.questions.models import Thread

from . import services
from .delivery import OF_ONES_OWN, read_stop_token, retitled
from .kinds import KINDS
from .models import Notification, Preference

A_PAGE = 50


@login_required
def index(request: HttpRequest) -> HttpResponse:
    """Notices grouped by the thing they are about, unread first, newest first."""
    notices = Notification.objects.filter(recipient=request.user).order_by("-unread", "-timestamp", "-pk")
    page = page_of(request, notices, A_PAGE)
    actors = User.objects.select_related("department").in_bulk({int(notice.actor_object_id) for notice in page})
    _tell_less(page, request.user)
    return render(request, "notifications/list.html", {"page": page, "groups": _groups(page, actors)})


def _tell_less(page: Any, user: Any) -> None:
    """What was hidden since is not named here either (RULINGS 30). One query a kind of thing."""
    by_type: dict[int, set[int]] = defaultdict(set)
    told = [notice for notice in page if notice.kind not in OF_ONES_OWN and notice.target_content_type_id]
    for notice in told:
        by_type[notice.target_content_type_id].add(int(notice.target_object_id))
    for type_id, ids in by_type.items():
        model: Any = ContentType.objects.get_for_id(type_id).model_class()
        if model is None or not issubclass(model, Moderated):
            continue
        seen = model.objects.visible_to(user).filter(pk__in=ids).in_bulk()
        renamed = retitled(ids, user) if model is Thread else {}
        for notice in told:
            if notice.target_content_type_id != type_id:
                continue
            pk = int(notice.target_object_id)
            if pk not in seen:
                notice.verb, notice.by = _("What this was about is not shown any more"), None
                notice.data = {**notice.data, "by_somebody": False}
            elif pk in renamed and notice.timestamp < renamed[pk]:
                notice.verb = _("News about “%(title)s”") % {"title": seen[pk].title}


def _groups(page: Any, actors: dict[int, User]) -> list[dict[str, Any]]:
    """Notices of one thing under one head, in the order of the newest of each."""
    order: dict[tuple[bool, str], list[Notification]] = {}
    for notice in page:
        # Which moderator it was is not said, as on the page that says why.
        named = notice.data.get("by_somebody") and notice.kind != "moderation"
        notice.by = actors.get(int(notice.actor_object_id)) if named else None
        order.setdefault((notice.unread, notice.group_key or str(notice.pk)), []).append(notice)
    return [{"unread": unread, "key": key, "notices": notices} for (unread, key), notices in order.items()]


@require_POST
@login_required
def open_notice(request: HttpRequest, pk: int) -> HttpResponse:
    """Go to what a notice is about; that is reading it."""
    notice = get_object_or_404(Notification, pk=pk, recipient=request.user)
    services.mark_read(request.user, group=notice.group_key, notice=None if notice.group_key else notice.pk)
    return redirect(notice.data.get("url") or "notices:list")


@require_POST
@login_required
def read_all(request: HttpRequest) -> HttpResponse:
    services.mark_read(request.user)
    return redirect("notices:list")


@require_http_methods(["GET", "POST"])
@login_required
def preferences(request: HttpRequest) -> HttpResponse:
    """One place for every kind and channel."""
    kinds = services.kinds_for(request.user)
    if request.method == "POST":
        for kind in kinds:
            services.prefer(
                request.user, kind.slug, in_app=f"{kind.slug}-in_app" in request.POST,
                mail=f"{kind.slug}-mail" in request.POST,
            )  # fmt: skip
        messages.success(request, _("Saved."))
        return redirect("notices:preferences")
    chosen = {choice.kind: choice for choice in Preference.objects.filter(user=request.user)}
    rows = [
        {
            "kind": kind,
            "in_app": chosen[kind.slug].in_app if kind.slug in chosen else True,
            "mail": chosen[kind.slug].mail if kind.slug in chosen else kind.mail,
        }
        for kind in kinds
    ]
    return render(request, "notifications/preferences.html", {"rows": rows})


@csrf_exempt  # mail programs press this for people, without a session (RFC 8058); the token is the proof
@require_http_methods(["GET", "POST"])
def stop(request: HttpRequest, token: str) -> HttpResponse:
    """Stop one kind of mail without signing in. GET only shows the page with the button."""
    try:
        person_id, kind = read_stop_token(token)
    except signing.BadSignature:
        raise Http404 from None
    person = get_object_or_404(User, pk=person_id)
    if kind not in KINDS or KINDS[kind].always:
        raise Http404
    if request.method == "POST":
        services.prefer(person, kind, mail=False)
    return render(
        request, "notifications/stop.html", {"kind": KINDS[kind], "done": request.method == "POST", "token": token}
    )
