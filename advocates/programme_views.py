"""Pages of the programme: applying, the trial, judging, the queue, one's own place, letters, thanks."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.db.models import F
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.cache import patch_cache_control
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from community.accounts.models import User
from community.core import clock
from community.core.brand import of_request
from community.core.errors import Conflict, NotAllowed
from community.core.limits import limited
from community.moderation.permissions import is_moderator
from community.posts.doors import act, send
from community.questions.models import Answer, Thread
from products.models import Product

from . import gratitude, letters, programme, queue, services
from .forms import ApplyForm, AwayForm, ThanksForm, TieForm
from .models import AdvocateMembership, Application, Ask, CodeOfConduct, Interest, Judge, Letter, Thanks

State = Application.State


def _back(name: str, *args: Any) -> HttpResponse:
    return HttpResponseRedirect(reverse(f"advocates:{name}", args=args), status=303)


# The code of conduct


@require_safe
def code(request: HttpRequest, version: int | None = None) -> HttpResponse:
    """What an advocate promises, now or in an earlier version."""
    versions = list(CodeOfConduct.objects.only("version", "published_at", "what_changed"))
    wanted = version or (versions[0].version if versions else 0)
    found = get_object_or_404(CodeOfConduct, version=wanted)
    current = bool(versions) and versions[0].version == found.version
    return render(request, "advocates/code.html", {"code": found, "versions": versions, "current": current})


@act("settings")
def accept_code(request: HttpRequest) -> HttpResponse:
    """An advocate accepts a new version."""
    version = request.POST.get("version", "")
    programme.accept_code(_user(request), int(version) if version.isdecimal() and len(version) < 9 else 0)
    messages.success(request, _("Thank you. It is noted, with the version and the day."))
    return _back("mine")


def _user(request: HttpRequest) -> User:
    return User.objects.get(pk=request.user.pk)


# Applying


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def apply(request: HttpRequest) -> HttpResponse:
    """Apply, say yes to an invitation, or see how far one's application has come."""
    user = _user(request)
    application = programme.open_application(user)
    latest = application or Application.objects.for_listing().filter(person=user).order_by("-pk").first()
    code = programme.current_code()
    why_not = "" if application else programme.why_not_apply(user)
    form = None
    status = 200
    if not why_not and (application is None or application.state == State.INVITED):
        held = AdvocateMembership.objects.current().filter(user=user).values("expertise__product")
        choices = Product.objects.exclude(pk__in=held.exclude(expertise=None)).order_by("name")
        invited_for = [row.product_id for row in application.products.all()] if application else []
        own = list(user.shelf.values_list("product", flat=True))
        initial = {"code": code.version, "products": invited_for or own[: programme.MOST_PRODUCTS]}
        form = ApplyForm(request.POST if request.method == "POST" else None, choices=choices, initial=initial)
        if request.method == "POST":
            status = 422
            if form.is_valid():
                data = form.cleaned_data
                made, status = send(
                    form, "post", user,
                    lambda: programme.apply(
                        user, list(data["products"]), data["motivation"], code_version=data["code"]
                    ),
                )  # fmt: skip
                if made is not None:
                    messages.success(request, _("Your application is noted. The trial begins here."))
                    return _back("trial" if made.state == State.TRIAL else "apply")
            if form.has_error("code") or status == 409:
                form.data = {**form.data.dict(), "products": form.data.getlist("products"), "code": code.version}  # type: ignore[attr-defined]
    elif request.method == "POST":
        return _back("apply")
    decided = latest is not None and latest.state in (State.ACCEPTED, State.DECLINED)
    context = {
        "application": application,
        "latest": latest,
        "judged": programme.told_to_applicant(latest) if latest is not None and decided else [],
        "form": form,
        "code": code,
        "why_not": why_not,
        "further": user.is_advocate,
    }
    return render(request, "advocates/apply.html", context, status=status)


@act("settings")
def withdraw(request: HttpRequest) -> HttpResponse:
    programme.withdraw(_user(request))
    messages.success(request, _("Noted. Thank you for having thought about it; you can come back at any time."))
    return _back("apply")


@login_required
@limited("settings")
@require_http_methods(["GET", "HEAD", "POST"])
def trial(request: HttpRequest) -> HttpResponse:
    """The trial: real questions without their answers. Kept as one goes, sent when one is ready."""
    user = _user(request)
    application = programme.open_application(user)
    if application is None or application.state != State.TRIAL:
        return _back("apply")
    items = list(application.trial.select_related("thread", "product"))
    errors: dict[str, str] = {}
    status = 200
    if request.method == "POST":
        typed = [item for item in items if f"answer-{item.pk}" in request.POST]
        for item in typed:
            item.answer = request.POST[f"answer-{item.pk}"]  # stays on the page, whatever happens
        try:
            for item in typed:
                errors |= _problems(lambda item=item: programme.answer_trial(user, item.pk, item.answer))
            if "send" in request.POST and not errors:
                errors = _problems(lambda: programme.send_trial(user))
            if not errors and "send" in request.POST:
                messages.success(request, _("Your answers are with two judges, without your name."))
                return _back("apply")
            if not errors:
                messages.success(request, _("Kept. You can go on whenever you like."))
                return _back("trial")
            status = 422
        except Conflict as error:
            errors, status = {"": error.reason}, 409
    rows = [(item, errors.get(f"answer-{item.pk}", "")) for item in items]
    context = {
        "application": application,
        "rows": rows,
        "errors": errors,
        "problem": errors.get("", ""),
        "shortest": programme.SHORTEST_ANSWER,
        "longest": programme.LONGEST_ANSWER,
    }
    return render(request, "advocates/trial.html", context, status=status)


def _problems(service: Callable[[], Any]) -> dict[str, str]:
    """What a service objects to, by field."""
    try:
        service()
    except ValidationError as error:
        return {name: " ".join(said) for name, said in error.message_dict.items()}
    return {}


# Judging


@login_required
@require_safe
def judging(request: HttpRequest) -> HttpResponse:
    """The trials one was asked to judge. No name of an applicant stands here."""
    seats = list(
        Judge.objects.filter(person=request.user)
        .select_related("application")
        .order_by(F("done_at").desc(nulls_first=True), "-asked_at")[:50]
    )
    waiting = [seat for seat in seats if seat.done_at is None and seat.application.state == State.JUDGING]
    done = [seat for seat in seats if seat.done_at is not None]
    return render(request, "advocates/judging.html", {"waiting": waiting, "done": done})


@login_required
@limited("settings")
@require_http_methods(["GET", "HEAD", "POST"])
def judge(request: HttpRequest, pk: int) -> HttpResponse:
    """One trial to judge: question, the applicant's answer, and what settled it then."""
    seat = Judge.objects.filter(person=request.user, application=pk).select_related("application").first()
    if seat is None:
        raise Http404
    items = programme.items_for(seat)
    errors: dict[str, str] = {}
    typed: dict[int, tuple[bool | None, str]] = {}
    status = 200
    if request.method == "POST":
        for item in items:
            said = request.POST.get(f"helps-{item.pk}", "")
            typed[item.pk] = ({"yes": True, "no": False}.get(said), request.POST.get(f"note-{item.pk}", ""))
        verdicts = {item: (helps, note) for item, (helps, note) in typed.items() if helps is not None}
        try:
            programme.judge(seat.application, _user(request), verdicts)
            messages.success(request, _("Thank you. Your judgement is noted."))
            return _back("judge", pk)
        except ValidationError as error:
            errors, status = {name: " ".join(said) for name, said in error.message_dict.items()}, 422
        except Conflict as error:
            errors, status = {"": error.reason}, 409
    both_done = seat.application.state != State.JUDGING
    verdicts_by_item = programme.verdicts_of(seat.application) if seat.done_at is not None else {}
    rows = []
    for item in items:
        said_by = verdicts_by_item.get(item.pk, {})
        mine = said_by.get(seat.place)
        helps, note = typed.get(item.pk, (None, ""))
        rows.append(
            {
                "item": item,
                "error": errors.get(f"helps-{item.pk}", ""),
                "helps": helps,
                "note": note,
                "mine": mine,
                # Nobody sees another's judgement before all of them are done.
                "others": [row for place, row in sorted(said_by.items()) if place != seat.place] if both_done else [],
            }
        )
    agreed = programme.agreement(programme.pairs_of(verdicts_by_item.values())) if both_done and seat.done_at else None
    context = {"seat": seat, "rows": rows, "errors": errors, "problem": errors.get("", ""), "agreement": agreed}
    return render(request, "advocates/judge.html", context, status=status)


# The queue


def _member_or_403(request: HttpRequest) -> Any:
    member = queue.member_of(request.user)
    if member is None:
        raise NotAllowed(_("The queue is for advocates. Everybody can see the open questions."))
    return member


@login_required
@require_safe
def my_queue(request: HttpRequest) -> HttpResponse:
    """Open questions for this advocate, the best fit first, with why."""
    member = _member_or_403(request)
    context = {
        "queue": queue.for_advocate(member),
        "member": member,
        "reasons": Ask.Why.choices,
        "resting": bool(member.resting_until and member.resting_until > clock.now()),
    }
    return render(request, "advocates/queue.html", context)


def _thread(pk: int) -> Thread:
    return get_object_or_404(Thread.objects.visible(), pk=pk)


@act("settings")
def take(request: HttpRequest, pk: int) -> HttpResponse:
    thread = _thread(pk)
    queue.take(thread, _user(request))
    messages.success(request, _("It is yours for ten minutes. Nobody else in the queue begins an answer meanwhile."))
    return HttpResponseRedirect(f"{thread.get_absolute_url()}#answer", status=303)


@act("settings")
def let_go(request: HttpRequest, pk: int) -> HttpResponse:
    queue.let_go(_thread(pk), _user(request))
    messages.success(request, _("Somebody else may take it now."))
    return _back("queue")


@act("settings")
def pass_on(request: HttpRequest, pk: int) -> HttpResponse:
    ask = queue.pass_on(_thread(pk), _user(request), request.POST.get("why", ""))
    said = {
        Ask.Why.NOT_MY_PRODUCT: _("Noted. You will be asked less about this product; an answer on it undoes that."),
        Ask.Why.DONT_KNOW: _("Noted. You will be asked less about this topic; an answer on it undoes that."),
        Ask.Why.NO_TIME: _("Noted. Nobody asks you for three days."),
    }
    messages.success(request, said.get(Ask.Why(ask.why), "") if ask.why else _("This is settled already."))
    return _back("queue")


@act("settings")
def time_again(request: HttpRequest) -> HttpResponse:
    queue.rest_no_longer(_user(request))
    messages.success(request, _("Welcome back. You are asked as before."))
    return _back("queue")


# One's own place


def _forms(user: User) -> dict[str, forms.Form]:
    return {"away_form": AwayForm(user=user, auto_id="away_%s"), "tie_form": TieForm(auto_id="tie_%s")}


def _mine(request: HttpRequest, user: User, status: int = 200, **more: Any) -> HttpResponse:
    member = (
        AdvocateMembership.objects.select_related("stand_in").prefetch_related("expertise__product").filter(user=user)
    ).first()
    here = member is not None and member.is_current
    accepted = programme.acceptance_of(user)
    code = programme.current_code()
    context = {
        "member": member,
        "here": here,
        "reason": services.reason_of_removal(user) if member is not None and member.removed else "",
        "accepted": accepted,
        "code": code,
        "code_changed": here and (accepted is None or accepted.code_id != code.pk),
        "ties": list(user.interests.order_by("-since", "-pk")),
        "letters": list(Letter.objects.filter(person=user)[:24]),
        "thanks": list(
            Thanks.objects.visible()
            .filter(answer__author=user, answer__visibility="visible", answer__thread__visibility="visible")
            .select_related("author", "answer", "answer__thread")
            .order_by("-pk")[:20]
        ),
        "judging": Judge.objects.filter(person=user, done_at=None, application__state=State.JUDGING).count(),
        "celebration": gratitude.celebration(user),
        "brand": of_request(request),
        **_forms(user),
        **more,
    }
    return render(request, "advocates/mine.html", context, status=status)


@login_required
@require_safe
def mine(request: HttpRequest) -> HttpResponse:
    """One's place in the programme: code, ties, absence, letters, thanks, leaving."""
    return _mine(request, _user(request))


@login_required
@require_POST
def away(request: HttpRequest) -> HttpResponse:
    """Away, with a stand-in, or back."""
    user = _user(request)
    if "back" in request.POST:
        try:
            services.set_away(user, user, on=False)
        except Conflict as error:
            messages.error(request, error.reason)
        else:
            messages.success(request, _("Welcome back."))
        return _back("mine")
    form = AwayForm(request.POST, user=user, auto_id="away_%s")
    status = 422
    if form.is_valid():
        made, status = send(form, "settings", user, lambda: services.set_away(user, user, **form.cleaned_data))
        if made is not None:
            messages.success(request, _("Noted. Nobody asks you until you are back."))
            return _back("mine")
    return _mine(request, user, status, away_form=form, opened="away")


@login_required
@require_POST
def tie(request: HttpRequest) -> HttpResponse:
    """Declare a tie, or say that it has ended."""
    user = _user(request)
    if "end" in request.POST:
        pk = request.POST["end"]
        found = get_object_or_404(Interest, pk=int(pk) if pk.isdecimal() and len(pk) < 12 else 0, person=user)
        try:
            services.end_interest(found, user, clock.now().date())
        except ValidationError as error:
            messages.error(request, " ".join(error.messages))
        else:
            messages.success(request, _("Noted. What you wrote until today keeps the line."))
        return _back("mine")
    form = TieForm(request.POST, auto_id="tie_%s")
    status = 422
    if form.is_valid():
        made, status = send(form, "settings", user, lambda: services.declare_interest(user, user, **form.cleaned_data))
        if made is not None:
            messages.success(request, _("Thank you. It stands beside what you write, and wrote, in that time."))
            return _back("mine")
    return _mine(request, user, status, tie_form=form, opened="tie")


@act("settings")
def leave(request: HttpRequest) -> HttpResponse:
    user = _user(request)
    if request.POST.get("sure") != "yes":
        raise ValidationError(_("Tick that you are sure."))
    services.leave(user, user, reason=request.POST.get("reason", "")[:300])
    messages.success(request, _("Thank you for all you gave. You stay with us as a former advocate."))
    return _back("mine")


# Letters


@require_safe
def letter(request: HttpRequest, token: str) -> HttpResponse:
    """A letter, for whoever has its address: the signature in it says that it is genuine."""
    found = letters.of_token(token)
    if found is None:
        raise Http404
    address = reverse("advocates:letter", args=[token])
    context = {
        "letter": found,
        "figures": letters.lines(found),
        "month": letters.month_name(found),
        "assumption": letters.assumption(found),
        "own": request.user.is_authenticated and request.user.pk == found.person_id,
        "address": request.build_absolute_uri(address),
        "picture_url": reverse("advocates:letter_picture", args=[token]),
        "picture_absolute": request.build_absolute_uri(reverse("advocates:letter_picture", args=[token])),
    }
    return render(request, "advocates/letter.html", context)


@require_safe
def letter_picture(request: HttpRequest, token: str) -> HttpResponse:
    """The letter as a picture to share."""
    found = letters.of_token(token)
    if found is None:
        raise Http404
    brand = of_request(request)
    drawn = letters.picture(found, brand.community_name, brand.accent, get_language() or "en")
    response = HttpResponse(drawn, content_type="image/png")
    patch_cache_control(response, public=True, max_age=24 * 3600)
    return response


# Thanks


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def thanks(request: HttpRequest, answer: int) -> HttpResponse:
    """Whoever asked says thank you; both say whether others may read it."""
    user = _user(request)
    found = get_object_or_404(Answer.objects.visible().select_related("thread", "author"), pk=answer)
    known = Thanks.objects.visible_to(user).filter(answer=found).select_related("author").first()
    concerned = user.pk in (found.author_id, found.thread.author_id)
    why_not = gratitude.why_not_thank(user, found)
    looks_after = is_moderator(user) and known is not None  # the queue leads here
    if not concerned and not looks_after and (known is None or not (known.asker_shows and known.answerer_shows)):
        raise Http404
    form = None
    status = 200
    if known is None and not why_not:
        form = ThanksForm(request.POST if request.method == "POST" else None)
        if request.method == "POST":
            status = 422
            if form.is_valid():
                data = form.cleaned_data
                made, status = send(
                    form, "comment", user, lambda: gratitude.thank(found, user, data["words"], show=data["show"])
                )
                if made is not None:
                    messages.success(request, _("%(name)s will read it. Thank you.") % {"name": found.author})
                    return _back("thanks", found.pk)
    elif request.method == "POST":
        if known is not None and concerned:
            gratitude.show_thanks(known, user, request.POST.get("show") == "yes")
            messages.success(request, _("Saved."))
        return _back("thanks", found.pk)
    if known is None and form is None and user.pk != found.author_id:
        raise NotAllowed(why_not)
    context = {
        "answer": found,
        "thanks": known,
        "form": form,
        "mine": known is not None and known.author_id == user.pk,
        "theirs": found.author_id == user.pk,
    }
    return render(request, "advocates/thanks.html", context, status=status)
