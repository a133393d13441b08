"""The moderators' queue inside the Wagtail admin: what is flagged, what waits for a look, what is hidden."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from datetime import timedelta
from functools import wraps
from typing import Any

from django import forms
from django.apps import apps
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import ValidationError
from django.db.models import Count, F, Model, Q
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import include, path, reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_GET, require_POST
from wagtail import hooks
from wagtail.admin import messages
from wagtail.admin.menu import MenuItem
from wagtail.admin.ui.components import Component

from community.accounts.models import User
from community.core import clock
from community.core.errors import Conflict, NotAllowed, require
from community.core.rows import retried
from community.core.text import clean_source

from . import doors, penalties, permissions, screening, services, spam, words
from .models import Appeal, Claim, Flag, Look, Moderated, ModerationRules, PenaltyAppeal, SpamAct, WatchedWord
from .permissions import is_moderator, why_not_moderate

AT_ONCE = 50  # things of a kind on one page; the oldest first, so that nothing starves
View = Callable[..., HttpResponse]


def for_moderators(view: View) -> View:
    @wraps(view)
    def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if reason := why_not_moderate(request.user):
            return TemplateResponse(request, "moderation/refused.html", {"reason": reason}, status=403)
        return view(request, *args, **kwargs)

    return checked


def kinds() -> list[type[Model]]:
    """Every model that can be moderated, whichever room it lives in."""
    return [model for model in apps.get_models() if issubclass(model, Moderated)]


class Item:
    """One thing that somebody has to decide about."""

    look: Look | None = None
    appeal: Appeal | None = None
    claim: Claim | None = None

    def __init__(self, target: Any, flags: list[Flag], since: Any, old_after: int | None) -> None:
        self.target, self.flags, self.since = target, flags, since
        self.type = ContentType.objects.get_for_model(target)
        self.noun = target._meta.verbose_name
        self.title = getattr(target, "title", "") or getattr(getattr(target, "thread", None), "title", "")
        self.text = getattr(target, "body_text", "") or ""
        self.reasons = sorted({flag.get_reason_display() for flag in flags})
        self.notes = [flag.note for flag in flags if flag.note]
        # Until when somebody should have looked, where the room promised that.
        self.due = getattr(target, "due_at", None) if target.visibility == Moderated.Visibility.PENDING else None
        self.late = self.due is not None and self.due < clock.now()
        waits_long = bool(since and old_after) and (clock.now() - since).total_seconds() > old_after * 3600
        self.old = self.late or (self.due is None and waits_long)

    @property
    def key(self) -> str:
        """Which post, and how it was when somebody looked."""
        return f"{self.type.pk}-{self.target.pk}-{self.target.visibility}"

    @property
    def why(self) -> list[str]:
        """Why a rule put it here, with what it saw."""
        if self.look is None:
            return []
        details = self.look.details
        said = self.look.labels()
        if found := details.get("said"):
            said.append("“" + "”, “".join(found) + "”")
        if hosts := details.get("hosts"):
            said.append(", ".join(hosts))
        if score := details.get("score"):
            said.append(_("score %(score)s") % {"score": score})
        return said

    @property
    def hide_at(self) -> str:
        """Where its room takes it out of sight; empty when the queue's own button does."""
        return doors.of(self.target).hide_at(self.target)

    @property
    def link(self) -> str:
        return self.target.get_absolute_url() if hasattr(self.target, "get_absolute_url") else ""


def _batch(model: type[Model], condition: dict[str, Any], most: int | None = AT_ONCE) -> list[Any]:
    """Rows of one kind with what an item shows, `most` of them at most; one query."""
    joined = [name for name in ("author", "thread") if any(field.name == name for field in model._meta.fields)]
    due = [F("due_at").asc(nulls_last=True)] if any(field.name == "due_at" for field in model._meta.fields) else []
    return list(model._base_manager.filter(**condition).select_related(*joined).order_by(*due, "pk")[:most])


def flagged() -> list[Item]:
    """Posts with open flags, or pointed out by a rule, the longest waiting first: two queries and one for each kind of
    post."""
    hours = ModerationRules.load().flag_alarm_hours
    groups: dict[tuple[int, int], list[Flag]] = defaultdict(list)
    since: dict[tuple[int, int], Any] = {}
    for flag in Flag.objects.filter(state=Flag.State.OPEN).order_by("created_at", "pk")[: AT_ONCE * 4]:
        groups[flag.target_type_id, flag.target_id].append(flag)
        since.setdefault((flag.target_type_id, flag.target_id), flag.created_at)
    for look in Look.objects.filter(decided_at=None, held=False).order_by("created_at", "pk")[:AT_ONCE]:
        key = (look.target_type_id, look.target_id)
        groups[key]
        since[key] = min(since.get(key, look.created_at), look.created_at)
    targets = _targets(groups)
    oldest = sorted((key for key in groups if key in targets), key=lambda key: (since[key], key))
    return [Item(targets[key], groups[key], since[key], hours) for key in oldest][:AT_ONCE]


def appealed() -> list[Item]:
    """Hidden posts whose author asks for somebody else, the longest waiting first."""
    hours = ModerationRules.load().flag_alarm_hours
    rows = list(Appeal.objects.filter(granted=None).select_related("hidden_by").order_by("created_at", "pk")[:AT_ONCE])
    targets = _targets((row.target_type_id, row.target_id) for row in rows)
    items = []
    for row in rows:
        if target := targets.get((row.target_type_id, row.target_id)):
            item = Item(target, [], row.created_at, hours)
            item.appeal = row
            items.append(item)
    return items


def penalty_appeals(user: Any) -> list[PenaltyAppeal]:
    """What people say against a warning, silence or suspension, the longest waiting first; one query."""
    after = timedelta(hours=ModerationRules.load().flag_alarm_hours)
    rows = PenaltyAppeal.objects.filter(granted=None).select_related("author", "penalty__by")
    found = list(rows.order_by("created_at", "pk")[:AT_ONCE])
    for row in found:
        row.old = row.created_at + after < clock.now()  # type: ignore[attr-defined]
        row.closed = penalties.why_not_decide(user, row)  # type: ignore[attr-defined]
    return found


def _targets(keys: Iterable[tuple[int, int]]) -> dict[tuple[int, int], Any]:
    """Posts by type and id; a query for each kind."""
    by_type: dict[int, list[int]] = defaultdict(list)
    for type_id, target_id in keys:
        by_type[type_id].append(target_id)
    targets = {}
    for type_id, ids in by_type.items():
        model = ContentType.objects.get_for_id(type_id).model_class()
        if model is not None:
            targets |= {(type_id, row.pk): row for row in _batch(model, {"pk__in": ids}, most=None)}
    return targets


def with_more(items: list[Item]) -> list[Item]:
    """What rules said of them, and who is looking at them: two queries, and one for the words."""
    looks, claims = {}, {}
    by_type: dict[int, list[int]] = defaultdict(list)
    for item in items:
        by_type[item.type.pk].append(item.target.pk)
    about = Q(pk__in=[])
    for type_id, ids in by_type.items():
        about |= Q(target_type=type_id, target_id__in=ids)
    for look in Look.objects.filter(about, decided_at=None):
        looks[look.target_type_id, look.target_id] = look
    for claim in Claim.objects.filter(about, until__gt=clock.now()).select_related("by"):
        claims[claim.target_type_id, claim.target_id] = claim
    wanted = {pk for look in looks.values() for pk in look.details.get("words", ())}
    said = dict(WatchedWord.objects.filter(pk__in=wanted).values_list("pk", "pattern")) if wanted else {}
    for item in items:
        key = (item.type.pk, item.target.pk)
        item.look, item.claim = looks.get(key), claims.get(key)
        if item.look is not None:
            item.look.details["said"] = [said[pk] for pk in item.look.details.get("words", ()) if pk in said]
    return items


def in_state(visibility: str) -> list[Item]:
    """What is pending or hidden, of every kind; a query each. Late ones first, then the longest waiting."""
    waits = visibility == Moderated.Visibility.PENDING  # what is hidden, rests
    old_after = ModerationRules.load().pending_alarm_hours if waits else None
    items = [
        Item(row, [], getattr(row, "hidden_at", None) or getattr(row, "created_at", None), old_after)
        for model in kinds()
        for row in _batch(model, {"visibility": visibility})
    ]
    items.sort(key=lambda item: (not item.late, (item.due if item.late else item.since) or clock.now()))
    return items[:AT_ONCE]


def count_waiting() -> int:
    """How many posts wait for a decision."""
    waiting = counts()
    return waiting["flagged"] + waiting["pending"] + waiting["appeals"]


QUEUES = {
    "flagged": gettext_lazy("Flagged"),
    "pending": gettext_lazy("Waits for a look"),
    "appeals": gettext_lazy("Appeals"),
    "hidden": gettext_lazy("Hidden"),
}


class DecideForm(forms.Form):
    """What is done about a post. Hiding needs a reason; its author reads it."""

    act = forms.ChoiceField(
        choices=[
            ("hide", "hide"),
            ("keep", "keep"),
            ("approve", "approve"),
            ("restore", "restore"),
            ("delete", "delete"),
        ]
    )
    reason = forms.CharField(max_length=300, required=False, strip=True)
    seen = forms.CharField(max_length=20, required=False)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("act") in ("hide", "delete") and not data.get("reason"):
            self.add_error("reason", _("Say why; its author will read it."))
        if data.get("act") == "restore" and not data.get("reason"):
            self.add_error("reason", _("Say why it is shown again; it stands in the log."))
        return data


def counts() -> dict[str, int]:
    """How much is in each queue, for its tab: three queries."""
    flags = Flag.objects.filter(state=Flag.State.OPEN).order_by().values("target_type", "target_id")
    pointed_out = Look.objects.filter(decided_at=None, held=False).order_by().values("target_type", "target_id")
    flagged = flags.union(pointed_out).count()
    open_ones = Appeal.objects.filter(granted=None).order_by().values("pk", "author")
    appeals = open_ones.union(PenaltyAppeal.objects.filter(granted=None).order_by().values("pk", "author"), all=True)
    each = [
        model._base_manager.filter(visibility__in=["pending", "hidden"])
        .order_by()
        .values_list("visibility")
        .annotate(n=Count("pk"))
        for model in kinds()
    ]
    states: Counter[str] = Counter()
    for visibility, n in each[0].union(*each[1:], all=True):
        states[visibility] += n
    return {"flagged": flagged, "pending": states["pending"], "appeals": appeals.count(), "hidden": states["hidden"]}


def _page(request: HttpRequest, queue: str, **extra: Any) -> HttpResponse:
    waiting = counts()
    queue = queue or next((name for name in ("flagged", "pending", "appeals") if waiting[name]), "flagged")
    found = flagged() if queue == "flagged" else appealed() if queue == "appeals" else in_state(queue)
    kind, reason = request.GET.get("kind", ""), request.GET.get("reason", "")
    nouns = {item.target.noun: item.noun for item in found}
    items = [item for item in with_more(found) if _fits(item, kind, reason)]
    context = {
        "kinds": sorted(nouns.items()),
        "kind": kind,
        "reasons": [*Flag.Reason.choices, *Look.Reason.choices] if queue in ("flagged", "pending") else [],
        "reason": reason,
        "me": request.user,
        "may_bulk": queue in ("flagged", "pending") and any(not item.hide_at for item in items),
        "queue": queue,
        "tabs": [(name, label, name == queue, waiting[name]) for name, label in QUEUES.items()],
        "items": items,
        "penalty_appeals": penalty_appeals(request.user) if queue == "appeals" and not (kind or reason) else [],
        **extra,
    }
    return TemplateResponse(request, "moderation/queue.html", context, status=422 if extra else 200)


def _fits(item: Item, kind: str, reason: str) -> bool:
    if kind and item.target.noun != kind:
        return False
    reasons = {flag.reason for flag in item.flags} | set(item.look.reasons if item.look else ())
    return not reason or reason in reasons


@require_GET
@for_moderators
def queue(request: HttpRequest) -> HttpResponse:
    """The queue that was asked for, or the first with something in it."""
    name = request.GET.get("queue", "")
    if name and name not in QUEUES:
        raise Http404
    return _page(request, name)


@require_POST
@for_moderators
def decide(request: HttpRequest, type_id: int, pk: int) -> HttpResponse:
    """Settle a post and all open flags on it in one step."""
    target = _post_of(type_id, pk)
    back = request.POST.get("queue", "flagged")
    back = back if back in QUEUES else "flagged"
    form = DecideForm(request.POST)
    if not form.is_valid():
        return _page(request, back, open_item=(type_id, pk), problem=" ".join(sum(form.errors.values(), [])),
                     typed=request.POST.get("reason", ""))  # fmt: skip
    act, reason = form.cleaned_data["act"], form.cleaned_data["reason"]
    try:
        said = settle(target, request.user, act, reason, seen=form.cleaned_data["seen"])
    except (Conflict, NotAllowed) as problem:
        messages.error(request, problem.reason)
    except ValidationError as problem:
        messages.error(request, " ".join(problem.messages))
    else:
        messages.success(request, said)
    return HttpResponseRedirect(f"{reverse('moderation:queue')}?queue={back}", status=303)


@retried
def settle(target: Any, by: Any, act: str, reason: str, *, seen: str = "") -> str:
    """Do it to the post and decide its open flags accordingly. Returns what to tell the moderator.

    `seen` is its state on the page that was decided from: raises Conflict when it is another by now, so that nobody
    undoes what a colleague decided a moment ago.
    """
    row = services.held(target)
    services.require_free(row, by)
    by_flags = row.visibility == Moderated.Visibility.HIDDEN and row.hidden_by_id is None
    if seen and seen != row.visibility and not by_flags:
        raise Conflict(_("Somebody else has decided about this meanwhile. Please look again."))
    if act not in ("hide", "delete"):
        require(permissions.why_not_judge_own(by, row))
    services.release(row, by)
    services.decide_flags(row, by, uphold=act in ("hide", "delete"), note=reason)
    if row.visibility == Moderated.Visibility.DELETED:  # by its author, or a colleague: the flags alone were left
        screening.decide_look(row, by, kept=False)
        return _("It had been taken away already.")
    if act == "hide":
        services.hide(row, by, reason=reason)
        return _("Hidden. Its author reads why.")
    if act == "delete":
        services.delete(row, by, reason=reason)
        return _("Taken away.")
    if act == "approve":
        services.approve(row, by)
        return _("Online now.")
    if row.visibility == Moderated.Visibility.HIDDEN:
        services.restore(row, by, reason=reason)
        return _("Shown again.")
    screening.decide_look(row, by, kept=True)
    return _("It stays.")


def _post_of(type_id: Any, pk: Any) -> Any:
    content_type = get_object_or_404(ContentType, pk=type_id)
    model = content_type.model_class()
    if model is None or not issubclass(model, Moderated):
        raise Http404
    return get_object_or_404(model._base_manager, pk=pk)


def _back(request: HttpRequest, at: str = "") -> HttpResponse:
    queue = request.POST.get("queue", "")
    queue = queue if queue in QUEUES else "flagged"
    return HttpResponseRedirect(f"{reverse('moderation:queue')}?queue={queue}{at}", status=303)


@require_POST
@for_moderators
def take(request: HttpRequest, type_id: int, pk: int) -> HttpResponse:
    """Keep others from deciding about it for some minutes, or leave it to them again."""
    target = _post_of(type_id, pk)
    try:
        if "release" in request.POST:
            services.release(target, request.user)  # type: ignore[arg-type]
        else:
            services.claim(target, request.user)  # type: ignore[arg-type]
    except Conflict as problem:
        messages.error(request, problem.reason)
    return _back(request, f"#item-{type_id}-{pk}")


@require_POST
@for_moderators
def many(request: HttpRequest) -> HttpResponse:
    """The same for several posts: each is decided by itself, and what could not be is said."""
    form = DecideForm(request.POST)
    keys = [key.split("-") for key in request.POST.getlist("item")[:AT_ONCE]]
    keys = [key for key in keys if len(key) in (2, 3) and all(part.isdecimal() and len(part) < 19 for part in key[:2])]
    if not form.is_valid() or not keys:
        problem = " ".join(sum(form.errors.values(), [])) or _("Choose at least one post.")
        return _page(request, request.POST.get("queue", "") if request.POST.get("queue") in QUEUES else "flagged",
                     bulk_problem=problem, typed=request.POST.get("reason", ""))  # fmt: skip
    done = 0
    for type_id, pk, *state in keys:
        try:
            target = _post_of(type_id, pk)
        except Http404:
            messages.error(request, _("This post is gone."))  # the others are decided all the same
            continue
        try:
            settle(target, request.user, form.cleaned_data["act"], form.cleaned_data["reason"], seen="".join(state))
            done += 1
        except (Conflict, NotAllowed) as problem:
            messages.error(request, f"{target}: {problem.reason}")
        except ValidationError as problem:
            messages.error(request, f"{target}: {' '.join(problem.messages)}")
    messages.success(request, ngettext("%(n)d post decided.", "%(n)d posts decided.", done) % {"n": done})
    return _back(request)


@require_POST
@for_moderators
def hear(request: HttpRequest, pk: int) -> HttpResponse:
    """Decide about an appeal: somebody else than who hid the post."""
    row = get_object_or_404(Appeal, pk=pk)
    answer = clean_source(request.POST.get("answer", ""))
    try:
        services.decide_appeal(row, request.user, granted="grant" in request.POST, answer=answer)  # type: ignore[arg-type]
    except (Conflict, NotAllowed) as problem:
        messages.error(request, problem.reason)
    except ValidationError as problem:
        return _page(request, "appeals", open_appeal=pk, problem=" ".join(problem.messages), typed=answer)
    else:
        row.refresh_from_db()
        messages.success(request, _("Shown again.") if row.granted else _("It stays hidden. Its author reads why."))
    return _back(request)


@require_POST
@for_moderators
def hear_penalty(request: HttpRequest, pk: int) -> HttpResponse:
    """Decide about an appeal against a penalty: somebody else than who gave it."""
    row = get_object_or_404(PenaltyAppeal.objects.select_related("author", "penalty"), pk=pk)
    answer = clean_source(request.POST.get("answer", ""))
    granted = "grant" in request.POST
    try:
        penalties.decide_penalty_appeal(row, request.user, granted=granted, answer=answer)  # type: ignore[arg-type]
    except (Conflict, NotAllowed) as problem:
        messages.error(request, problem.reason)
    except ValidationError as problem:
        return _page(request, "appeals", open_penalty=pk, problem=" ".join(problem.messages), typed=answer)
    else:
        row.refresh_from_db()
        messages.success(request, _("It is undone.") if row.granted else _("It stands. They read why."))
    return _back(request)


class SpammerForm(forms.Form):
    reason = forms.CharField(max_length=300, strip=True, widget=forms.Textarea({"rows": 2}))


@for_moderators
def spammer(request: HttpRequest, pk: int) -> HttpResponse:
    """Asks once more, with what would go; then does it, or undoes it."""
    person = get_object_or_404(User, pk=pk)
    act = SpamAct.objects.filter(person=person, undone_at=None).select_related("by").first()
    posts = spam.posts_of(person)
    if act is not None and person.is_active and posts:  # let in since, and wrote again
        act = None
    closed = spam.why_not(request.user, person)  # type: ignore[arg-type]
    form, status = SpammerForm(), 200
    if request.method == "POST":
        form, status = SpammerForm(request.POST), 422
        if form.is_valid():
            reason = form.cleaned_data["reason"]
            try:
                if act is None:
                    spam.delete_spammer(person, request.user, reason=reason)  # type: ignore[arg-type]
                    messages.success(request, _("All of it is hidden, and the account is closed."))
                else:
                    spam.undo(act, request.user, reason=reason)  # type: ignore[arg-type]
                    messages.success(request, _("It is as it was before."))
                return HttpResponseRedirect(request.path, status=303)
            except (Conflict, NotAllowed) as problem:
                form.add_error(None, problem.reason)
                status = 403
    found = Counter(str(post._meta.verbose_name) for post in posts) if act is None else Counter()
    context = {"person": person, "act": act, "closed": closed, "form": form, "found": sorted(found.items())}
    return TemplateResponse(request, "moderation/spammer.html", context, status=status)


# Watched words --------------------------------------------------------------------------------------------------------


class WordForm(forms.ModelForm):
    class Meta:
        model = WatchedWord
        fields = ("pattern", "act", "address", "note")

    def clean_pattern(self) -> str:
        try:
            words.parts(self.cleaned_data["pattern"])
        except ValidationError as problem:
            raise ValidationError(problem.messages) from None
        return " ".join(self.cleaned_data["pattern"].split())

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("act") == WatchedWord.Act.LINK:
            if not data.get("address", "").startswith(("/", "https://")):
                self.add_error("address", _("Say where the link leads: /… here, or https://…"))
            if "*" in data.get("pattern", ""):
                self.add_error("pattern", _("A word that becomes a link has no stars."))
        return data


@for_moderators
def watched_words(request: HttpRequest) -> HttpResponse:
    """The words that are watched; add one, take one away, and try what a text would meet."""
    form, tried, found, status = WordForm(), "", None, 200
    if request.method == "POST" and "try" in request.POST:
        tried = request.POST.get("text", "")[:20_000]
        known = screening.watched()
        found = screening.words_found(words.tokens(tried), known)
    elif request.method == "POST" and "remove" in request.POST:
        pk = request.POST["remove"]
        if not pk.isdecimal() or len(pk) > 18:
            raise Http404
        services.unwatch(get_object_or_404(WatchedWord, pk=pk), request.user)  # type: ignore[arg-type]
        messages.success(request, _("This word is not watched any more."))
        return HttpResponseRedirect(reverse("moderation:words"), status=303)
    elif request.method == "POST":
        form, status = WordForm(request.POST), 422
        if form.is_valid():
            services.watch(request.user, **form.cleaned_data)  # type: ignore[arg-type]
            messages.success(request, _("This word is watched from now on."))
            return HttpResponseRedirect(reverse("moderation:words"), status=303)
    context = {
        "form": form, "rows": WatchedWord.objects.select_related("added_by"), "tried": tried, "found": found,
        "link_act": WatchedWord.Act.LINK,
    }  # fmt: skip
    return TemplateResponse(request, "moderation/words.html", context, status=status)


@hooks.register("register_admin_urls")
def moderation_urls() -> list[Any]:
    patterns = [
        path("", queue, name="queue"),
        path("spammers/<int:pk>/", spammer, name="spammer"),
        path("words/", watched_words, name="words"),
        path("many/", many, name="many"),
        path("appeals/<int:pk>/", hear, name="appeal"),
        path("penalty-appeals/<int:pk>/", hear_penalty, name="penalty_appeal"),
        path("<int:type_id>/<int:pk>/", decide, name="decide"),
        path("<int:type_id>/<int:pk>/claim/", take, name="claim"),
    ]
    return [path("moderation/", include((patterns, "moderation"), namespace="moderation"))]


class ModerationItem(MenuItem):
    def is_shown(self, request: HttpRequest) -> bool:
        return is_moderator(request.user)


@hooks.register("register_admin_menu_item")
def moderation_item() -> MenuItem:
    return ModerationItem(
        gettext_lazy("Moderation"), reverse("moderation:queue"), name="moderation", icon_name="view", order=60
    )


class ModerationPanel(Component):
    name, order = "moderation", 20

    class Media:
        css = {"all": ["css/desk.css"]}

    def render_html(self, parent_context: dict[str, Any]) -> SafeString:
        context = {"waiting": count_waiting(), "request": parent_context["request"]}
        return SafeString(render_to_string("moderation/_home_panel.html", context))


@hooks.register("construct_homepage_panels")
def moderation_panel(request: HttpRequest, panels: list[Component]) -> None:
    if is_moderator(request.user):
        panels.append(ModerationPanel())
