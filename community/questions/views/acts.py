"""What one can press in a thread: each a POST, one service, and the piece of page that changed (or the way back)."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import Resolver404, resolve, reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods

from community.accounts import together
from community.core import limits
from community.core.errors import require
from community.moderation.permissions import is_moderator
from community.posts import credit
from community.posts import services as posts
from community.posts.doors import act, merged_meanwhile, posted, refuse, send, to_login
from community.posts.models import Follow

from .. import facts, likes, permissions, services
from ..forms import (
    AnswerForm,
    DisagreeForm,
    DuplicateForm,
    FollowUpForm,
    IdeaForm,
    MoveForm,
    NoteForm,
    OfficialForm,
    PrivateForm,
    ReasonForm,
    RecheckForm,
    ReconcileForm,
)
from ..ideas import purse_of
from ..models import Answer, Kind, PrivateDetails, Thread
from . import ideas
from .thread import KEPT_ANSWERS, find_thread, kept_under, show_thread, show_works, speaks_for, went_meanwhile

MOST_KEPT = 5  # answers of one visitor that wait for a sign-in


def get_thread(request: HttpRequest, pk: int) -> Thread:
    """The thread somebody acts on, or the one that stands when it was merged: fine for a vote, a follow, a me-too.

    Whoever changes or judges the thread itself refuses the other one with `merged_meanwhile`.
    """
    rows = Thread.objects.visible_to(request.user).select_related("author", "product", "duplicate_of")
    return rows.filter(pk=pk).first() or get_object_or_404(rows, merged_threads=pk)


def entered(request: HttpRequest, pk: int, why_not: Callable[[Any], str]) -> Thread | HttpResponse:
    """The thread that somebody is about to take apart or lead elsewhere; else what they get instead: to sign in, why
    they may not, or where it was merged into meanwhile."""
    if not request.user.is_authenticated:
        return to_login(request, request.path)
    thread = get_thread(request, pk)
    if reason := why_not(request.user):
        return refuse(request, reason, 403, back=thread.get_absolute_url())
    return merged_meanwhile(request, thread, pk) or thread


def get_answer(request: HttpRequest, pk: int) -> Answer:
    rows = Answer.objects.visible_to(request.user).select_related("thread__author", "author", "official_for")
    return get_object_or_404(rows, pk=pk)


def back(request: HttpRequest, place: Any, said: str = "") -> HttpResponse:
    """To the thread again, where it says what was done; an answer's address leads to the answer."""
    address = place if isinstance(place, str) else place.get_absolute_url()
    if said:
        anchor = address.partition("#")[2]
        messages.success(request, said, extra_tags=f"goto:{anchor}" if anchor else "")
    response = redirect(address)
    response.status_code = 303
    return response


def came_from(request: HttpRequest) -> str:
    """The page of ours that `next` names, for who came from elsewhere than the thread; empty for others."""
    place = request.POST.get("next") or request.GET.get("next", "")
    ours = url_has_allowed_host_and_scheme(place, {request.get_host()}, require_https=request.is_secure())
    return place if ours else ""


def value_of(request: HttpRequest, name: str, choices: dict[str, Any]) -> Any:
    try:
        return choices[request.POST.get(name, "")]
    except KeyError:
        raise ValidationError(_("This button sent something unknown. Please load the page again.")) from None


# Judging


VOTES = {"1": 1, "-1": -1, "0": 0}
SWITCH = {"on": True, "off": False}


@act("vote")
def vote(request: HttpRequest, pk: int) -> HttpResponse:
    thread = get_thread(request, pk)
    value = value_of(request, "value", VOTES)
    if value:
        require(together.why_not_vote_for(request, thread))
    try:
        services.vote_thread(thread, request.user, value)
    except services.NoVotesLeft:
        return ideas.refuse_vote(request, thread)
    if thread.is_idea:
        return _voted_idea(request, thread, value)
    if request.htmx:
        thread.my_vote = value  # type: ignore[attr-defined]
        thread.why_not_down = permissions.too_new_to_vote_down(request.user)  # type: ignore[attr-defined]
        said, near = _voted(value), _votes_near(request, thread)
        context = {"post": thread, "kind": "thread", "said": f"{said} {near}".strip(), "near": near}
        return render(request, "questions/_vote.html", context)
    return back(request, thread, _votes_near(request, thread))


def _voted_idea(request: HttpRequest, thread: Thread, value: int) -> HttpResponse:
    if not request.htmx:
        return back(request, came_from(request) or thread, _voted(value))
    thread.my_vote = value  # type: ignore[attr-defined]
    context = {"thread": thread, "why": "", "purse": purse_of(request.user), "said": _voted(value), "moved": True}
    return render(request, "questions/_vote_idea.html", context)


@act("vote")
def vote_answer(request: HttpRequest, pk: int) -> HttpResponse:
    answer = get_answer(request, pk)
    value = value_of(request, "value", VOTES)
    if value:
        require(together.why_not_vote_for(request, answer))
    services.vote_answer(answer, request.user, value)
    if request.htmx:
        answer.my_vote = value  # type: ignore[attr-defined]
        answer.why_not_down = permissions.too_new_to_vote_down(request.user)  # type: ignore[attr-defined]
        label = _("Vote on %(name)s's answer") % {"name": answer.author}
        said, near = _voted(value), _votes_near(request, answer)
        context = {"post": answer, "kind": "answer", "label": label, "said": f"{said} {near}".strip(), "near": near}
        return render(request, "questions/_vote.html", context)
    return back(request, answer, _votes_near(request, answer))


def _votes_near(request: HttpRequest, post: Thread | Answer) -> str:
    """How many votes are left today, once they are few."""
    if isinstance(post, Thread) and post.is_idea:
        return ""
    left = services.votes_left(request.user)
    if left > services.NEAR:
        return ""
    return ngettext("%(left)d vote left today.", "%(left)d votes left today.", left) % {"left": left}


def _voted(value: int) -> str:
    return {1: _("Your vote is counted."), -1: _("Your vote is counted."), 0: _("Your vote is taken back.")}[value]


@act("vote")
def me_too(request: HttpRequest, pk: int) -> HttpResponse:
    thread = get_thread(request, pk)
    on = value_of(request, "me_too", SWITCH)
    services.set_me_too(thread, request.user, on)
    if request.htmx:
        thread.my_me_too = on  # type: ignore[attr-defined]
        return render(request, "questions/_me_too.html", {"thread": thread})
    return back(request, thread)


@act("follow")
def follow(request: HttpRequest, pk: int) -> HttpResponse:
    thread = get_thread(request, pk)
    on = value_of(request, "follow", SWITCH)
    if on:
        posts.follow(thread, request.user, Follow.Level.WATCHING)
    else:
        posts.unfollow(thread, request.user)
    if request.htmx:
        thread.my_follow = on  # type: ignore[attr-defined]
        return render(request, "questions/_follow.html", {"thread": thread})
    return back(request, thread)


@act("vote")
def works(request: HttpRequest, pk: int) -> HttpResponse:
    """Works for mine: yes, no, or taken back."""
    answer = get_answer(request, pk)
    value = value_of(request, "works", {"yes": True, "no": False, "none": None})
    if value is not None:
        require(together.why_not_vote_for(request, answer))
    services.say_works_for_mine(answer, request.user, value)
    if request.htmx:
        answer.my_works = value  # type: ignore[attr-defined]
        show_works(answer)
        context = {"answer": answer, "owns": True, "signed_in": True}
        return render(request, "questions/_works.html", context)
    return back(request, answer)


# Answering


def answer(request: HttpRequest, pk: int) -> HttpResponse:
    """Post an answer. A visitor's text waits in the session until they have signed in."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    found = find_thread(request, pk)
    if isinstance(found, HttpResponse) and (moved := Thread.objects.filter(merged_threads=pk).first()):
        # The text of a page that was open meanwhile: it is an answer to the thread that stands.
        pk = moved.pk
        found = find_thread(request, pk)
    if isinstance(found, HttpResponse):
        return went_meanwhile(request, found)
    form = AnswerForm(request.POST, departments=speaks_for(request.user))
    if not request.user.is_authenticated:
        return _keep_for_later(request, found)
    if not form.is_valid():
        return show_thread(request, found, answer_form=form, status=422)
    given = form.cleaned_data
    more: dict[str, Any] = {}
    if given.get("official_for"):
        more = {
            "official_for": given["official_for"],
            "sources": given["sources"].splitlines(),
            "recheck_on": given["recheck_on"],
        }
    new, status = send(
        form,
        "post",
        request.user,
        lambda: services.post_answer(
            found,
            request.user,
            body=given["body"],
            disclosure=given["disclosure"],
            model_version=given["model_version"],
            **more,
        ),
    )
    if new is None:
        # The thread may have changed meanwhile: show it as it is now, with the text.
        fresh = find_thread(request, pk)
        if isinstance(fresh, HttpResponse):
            return went_meanwhile(request, fresh)
        return show_thread(request, fresh, answer_form=form, status=status)
    credit.first_post(request)
    posts.drop_draft(request.user, f"answer:{pk}")
    _forget(request, found)
    if new.is_visible:
        return back(request, new, _("Answer posted."))
    return back(request, new, _("Your answer is with a moderator. It shows here once somebody has read it."))


def _keep_for_later(request: HttpRequest, thread: Thread) -> HttpResponse:
    """Writing before signing up: the text waits in the session."""
    place = f"{thread.get_absolute_url()}#answer"
    try:
        limits.spend_for("write_first", request)
    except limits.Limited as error:
        response = refuse(request, error.reason, 429, kept=request.POST.get("body", ""), back=place)
        response["Retry-After"] = str(error.wait)
        return response
    kept = dict(request.session.get(KEPT_ANSWERS, {}))
    kept.pop(str(thread.pk), None)
    kept[str(thread.pk)] = request.POST.get("body", "")[:20_000]
    request.session[KEPT_ANSWERS] = dict(list(kept.items())[-MOST_KEPT:])
    return to_login(request, place)


def _forget(request: HttpRequest, thread: Thread) -> None:
    if key := kept_under(request, thread):
        kept = dict(request.session[KEPT_ANSWERS])
        del kept[key]
        request.session[KEPT_ANSWERS] = kept


# Settling


@act("vote")
def accept(request: HttpRequest, pk: int) -> HttpResponse:
    answer = get_answer(request, pk)
    leading = True if request.POST.get("leading") else None
    services.accept_answer(answer, request.user, leading=leading)
    if leading:
        return back(request, answer, _("This answer leads now."))
    return back(request, answer, _("Solved, thank you. We ask again in three days whether it held."))


@act("vote")
def unaccept(request: HttpRequest, pk: int) -> HttpResponse:
    answer = get_answer(request, pk)
    services.withdraw_acceptance(answer, request.user)
    return back(request, answer, _("The acceptance is taken back."))


@act("vote")
def no_longer_works(request: HttpRequest, pk: int) -> HttpResponse:
    answer = get_answer(request, pk)
    services.say_no_longer_works(answer, request.user, request.POST.get("note", "")[:300])
    return back(request, answer, _("Thank you. Somebody looks at it again."))


@act("vote")
def follow_up(request: HttpRequest, pk: int) -> HttpResponse:
    """Three days later: still working?"""
    answer = get_answer(request, pk)
    form = FollowUpForm(request.POST)
    if not form.is_valid():
        raise ValidationError(_("Say yes, no, or that it worked at first."))
    services.answer_follow_up(answer, request.user, form.cleaned_data["outcome"], form.cleaned_data["note"])
    return back(request, answer, _("Thank you for coming back to say so."))


@act("vote")
def unofficial(request: HttpRequest, pk: int) -> HttpResponse:
    answer = get_answer(request, pk)
    services.withdraw_official(answer, request.user, request.POST.get("reason", ""))
    return back(request, answer, _("It is official no longer."))


@require_http_methods(["GET", "POST"])
def official(request: HttpRequest, pk: int) -> HttpResponse:
    """An agent puts a department's name to an answer, or takes it back."""
    if not request.user.is_authenticated:
        return to_login(request, request.path)
    answer = get_answer(request, pk)
    if reason := permissions.why_not_official(request.user, answer.thread):
        return refuse(request, reason, 403, back=answer.get_absolute_url())
    departments = permissions.departments_of(request.user)
    form = OfficialForm(posted(request), departments=departments, initial={"department": request.user.department_id})
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            given = form.cleaned_data

            def work() -> bool:
                services.make_official(
                    answer,
                    request.user,
                    given["department"],
                    sources=given["sources"].splitlines(),
                    recheck_on=given["recheck_on"],
                )
                return True

            done, status = send(form, "vote", request.user, work)
            if done:
                return back(request, answer, _("Official now."))
    context = {"form": form, "answer": answer, "thread": answer.thread, "back": answer.get_absolute_url()}
    return render(request, "questions/official.html", context, status=status)


# Private details


def private(request: HttpRequest, pk: int) -> HttpResponse:
    """Staff look at the private details (each look is kept); the asker changes them."""
    # They stay with the thread they were given to, also when that was merged: its asker's, and never another's.
    merged = Thread.objects.filter(pk=pk, merged_into__isnull=False).first()
    thread = merged or get_thread(request, pk)
    if request.method != "POST" or thread.author_id != request.user.pk:
        return _look(request, thread)
    form, status = PrivateForm(request.POST), 422
    place = reverse("questions:merged", args=[pk]) if merged else thread.get_absolute_url()
    if form.is_valid():
        given, status = send(
            form, "vote", request.user,
            lambda: services.give_private_details(thread, request.user, **form.cleaned_data),
        )  # fmt: skip
        if given:
            return back(request, place, _("Saved. Only staff see it."))
    context = {"form": form, "thread": thread, "back": place}
    response = render(request, "questions/private_again.html", context, status=status)
    response["Cache-Control"] = "no-store"
    if wait := getattr(form, "retry_after", 0):
        response["Retry-After"] = str(wait)
    return response


@act("vote")
def _look(request: HttpRequest, thread: Thread) -> HttpResponse:
    details: PrivateDetails | None = services.view_private_details(thread, request.user)
    template = "questions/_private_details.html" if request.htmx else "questions/private.html"
    response = render(request, template, {"details": details, "thread": thread})
    response["Cache-Control"] = "no-store"
    return response


# Steps: what else this person can do with the thread, each form on one page


class Step:
    """One thing that can be done with a thread: who may, when it fits, the form, the service, what is said after."""

    def __init__(
        self, key: str, title: Any, word: Any, form: type[forms.Form] | None, said: Any, hint: Any = ""
    ) -> None:
        self.key, self.title, self.word, self.form, self.said, self.hint = key, title, word, form, said, hint


STEPS = {
    step.key: step
    for step in (
        Step("solve", gettext_lazy("Solved another way"), gettext_lazy("It is solved"), NoteForm,
             gettext_lazy("Solved, and the next person can read how."),
             gettext_lazy("You found it elsewhere, or it went away. Say in a line how.")),
        Step("reopen", gettext_lazy("Open it again"), gettext_lazy("Open again"), ReasonForm,
             gettext_lazy("Open again.")),
        Step("info", gettext_lazy("Ask for information"), gettext_lazy("Ask, and wait"), NoteForm,
             gettext_lazy("Asked. The clock stands until the reply."),
             gettext_lazy("The asker gets a mail; the clock stands until the reply.")),
        Step("status", gettext_lazy("Status of the idea"), gettext_lazy("Set the status"), IdeaForm,
             gettext_lazy("The status is set, and everybody who voted is told.")),
        Step("disagree", gettext_lazy("These two disagree"), gettext_lazy("Name it"), DisagreeForm,
             gettext_lazy("The thread says so now, and who settles it."),
             gettext_lazy("The accepted and the official answer both stay until somebody by name settles it.")),
        Step("reconcile", gettext_lazy("Reconcile the two answers"), gettext_lazy("Settle it"), ReconcileForm,
             gettext_lazy("Settled, and readers see which one holds."),
             gettext_lazy("Both stay; the line above them says which one to go by.")),
        Step("recheck", gettext_lazy("End the re-check"), gettext_lazy("Save"), RecheckForm,
             gettext_lazy("The re-check has ended.")),
        Step("duplicate", gettext_lazy("Asked before"), gettext_lazy("Link to the original"), DuplicateForm,
             gettext_lazy("Linked. Readers are led to the original."),
             gettext_lazy("Page and votes stay; a banner leads to the thread that asked first.")),
        Step("move", gettext_lazy("Title, product, tags"), gettext_lazy("Save"), MoveForm,
             gettext_lazy("Changed."), gettext_lazy("The words of the post are its author's; they are never changed.")),
        Step("close", gettext_lazy("Close"), gettext_lazy("Close the thread"), ReasonForm,
             gettext_lazy("Closed."), gettext_lazy("No more answers or comments. The reason is shown.")),
        Step("lock", gettext_lazy("Lock"), gettext_lazy("Lock the thread"), ReasonForm,
             gettext_lazy("Locked."), gettext_lazy("No more words and no votes. The reason is shown.")),
        Step("unlock", gettext_lazy("Unlock"), gettext_lazy("Unlock the thread"), ReasonForm,
             gettext_lazy("Unlocked.")),
    )
}  # fmt: skip


def steps_for(user: Any, thread: Thread) -> list[str]:
    """The steps that are open to somebody, as the services would allow them."""
    own, agent, moderator = thread.author_id == user.pk, permissions.is_agent(user), is_moderator(user)
    staff = agent or moderator
    open_, settled = not thread.closed_at, thread.solved_at is not None
    solvable = thread.kind in permissions.SOLVABLE
    fits = {
        "solve": solvable and (own or agent) and not settled and open_ and not thread.duplicate_of_id,
        "reopen": (own and settled and open_ and not thread.locked_at)
        or (staff and bool(settled or thread.closed_at or thread.duplicate_of_id)),
        "info": thread.kind != Kind.PRAISE
        and not permissions.why_not_ask_for_info(user, thread)
        and open_
        and not settled
        and not own,
        "status": staff and thread.is_idea and open_,
        "disagree": agent and settled and open_ and thread.official_at is not None and thread.disagree_since is None,
        "reconcile": agent and thread.disagree_since is not None,
        "recheck": staff and thread.recheck_at is not None and thread.disagree_since is None,
        "duplicate": staff and open_,
        "move": moderator,
        "close": staff and open_,
        "lock": moderator and not thread.locked_at,
        "unlock": moderator and thread.locked_at is not None,
    }
    return [key for key in STEPS if fits[key]]


@require_http_methods(["GET", "POST"])
def manage(request: HttpRequest, pk: int) -> HttpResponse:
    """All steps open to this person; `step` names the one that is taken."""
    if not request.user.is_authenticated:
        return to_login(request, request.path)
    thread = get_thread(request, pk)
    if moved := merged_meanwhile(request, thread, pk):
        return moved
    keys = steps_for(request.user, thread)
    if not keys:
        reason = _("Nothing more can be done with this thread from here by you.")
        return refuse(request, reason, 403, back=thread.get_absolute_url())
    taken, taken_form, status = None, None, 200
    if request.method == "POST":
        step = STEPS.get(request.POST.get("step", ""))
        if step is None:
            return refuse(request, _("This step does not exist."), 422, back=request.path)
        taken, status = step.key, 422
        taken_form = _form_of(step, thread, request.user, request.POST)
        if taken_form.is_valid():
            done, status = send(taken_form, "vote", request.user, lambda: _take(step.key, thread, request, taken_form))
            if done:
                return back(request, came_from(request) or thread, str(step.said))
        if step.key not in keys:
            if status != 409:
                reason = " ".join(taken_form.non_field_errors()) or _("This step is not open to you.")
                return refuse(request, reason, status if status != 422 else 403, back=thread.get_absolute_url())
            keys = [step.key, *keys]  # somebody was faster: the reason stands above, and the words are kept
    shown = []
    for key in keys:
        step = STEPS[key]
        form = taken_form if key == taken else (_form_of(step, thread, request.user) if step.form else None)
        if form is not None:
            form.auto_id = f"{key}_%s"
        shown.append((step, form))
    can_merge = not (permissions.why_not_moderate_thread(request.user) or facts.why_not_now(thread, "merge"))
    context = {
        "thread": thread, "steps": shown, "taken": taken, "taken_form": taken_form, "can_merge": can_merge,
        "can_split": not (permissions.why_not_split(request.user) or services.why_not_split(thread)),
        "came_from": came_from(request),
    }  # fmt: skip
    return render(request, "questions/manage.html", context, status=status)


def _form_of(step: Step, thread: Thread, by: Any, given: Any = None) -> Any:
    if step.form is IdeaForm:
        return IdeaForm(given, thread=thread)
    if step.form is DuplicateForm:
        return DuplicateForm(given, likes=likes.of(thread, by))
    form = (step.form or forms.Form)(given, initial=_initial(step.key, thread))
    if isinstance(form, MoveForm):
        form.leave_alone(title=thread.title)
    return form


def _initial(key: str, thread: Thread) -> dict[str, Any]:
    if key == "move":
        tags = ", ".join(tag.name for tag in thread.tags.all())
        return {"title": thread.title, "product": thread.product, "tags": tags}
    return {}


def _take(key: str, thread: Thread, request: HttpRequest, form: forms.Form) -> bool:
    by, given = request.user, form.cleaned_data
    if key == "solve":
        services.solve_another_way(thread, by, given["note"])
    elif key == "reopen":
        services.reopen_thread(thread, by, given["reason"])
    elif key == "info":
        services.ask_for_info(thread, by, given["note"])
    elif key == "status":
        services.set_idea_status(thread, by, given["status"], given["reason"], given["link"])
    elif key == "disagree":
        services.say_they_disagree(thread, by, given["note"], reconciler=given["reconciler"])
    elif key == "reconcile":
        services.reconcile(thread, by, given["outcome"], given["line"])
    elif key == "recheck":
        services.settle_recheck(thread, by, holds=given["holds"] == "yes", note=given["note"])
    elif key == "duplicate":
        services.mark_duplicate(thread, by, named_thread(request, given["of"]))
    elif key == "move":
        services.move_thread(
            thread, by, title=given["title"], tags=given["tags"], product=given["product"], reason=given["reason"]
        )
    elif key == "close":
        services.close_thread(thread, by, given["reason"])
    elif key == "lock":
        services.lock_thread(thread, by, on=True, reason=given["reason"])
    else:
        services.lock_thread(thread, by, on=False, reason=given["reason"])
    return True


def named_thread(request: HttpRequest, words: str) -> Thread:
    """The thread that somebody means by a number or an address of ours. Raises ValidationError at `of`."""
    number = words.strip().lstrip("#")[:500]
    if not number.isdecimal():
        number = _number_in(request, number)
    found = None
    if number and len(number) < 18:
        found = Thread.objects.visible_to(request.user).filter(pk=int(number)).first()
    if found is None:
        raise ValidationError({"of": _("There is no such thread. Its number stands in its address.")})
    return found


def _number_in(request: HttpRequest, address: str) -> str:
    """The number in the address of a thread, which is a path or begins with our own host; empty for any other."""
    try:
        parts = urlsplit(address if address.startswith("/") or "//" in address else f"//{address}")
        found = resolve(parts.path)
    except (ValueError, Resolver404):
        return ""
    ours = parts.netloc in ("", request.get_host(), urlsplit(settings.BASE_URL).netloc)
    return str(found.kwargs["pk"]) if ours and found.view_name in ("questions:thread", "questions:short") else ""
