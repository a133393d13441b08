"""The programme inside the Wagtail admin: who comes in, who is asked how often, why somebody is first, who decides."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import wraps
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import Count, Max, Q
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import include, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe
from wagtail import hooks
from wagtail.admin import messages
from wagtail.admin.menu import MenuItem

from community.accounts.models import User
from community.core import clock
from community.core.errors import Conflict, NotAllowed
from community.core.models import Numbers
from community.events.log import looked_at
from community.questions.models import Answer, Thread
from products.models import Product

from . import permissions, programme, queue, ranking, services
from .models import AdvocateMembership, Application, Ask, Judge
from .querysets import OPEN_APPLICATIONS

View = Callable[..., HttpResponse]
State = Application.State
LOOKED_BACK = timedelta(days=90)
PER_PAGE = 25
SHOWN_FIRST = 3


def guarded(why_not: Callable[[Any], str]) -> Callable[[View], View]:
    """Say why to who may not come in, instead of leading them away."""

    def decorate(view: View) -> View:
        @wraps(view)
        def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if reason := why_not(request.user):
                return TemplateResponse(request, "advocates/desk/refused.html", {"reason": reason}, status=403)
            return view(request, *args, **kwargs)

        return checked

    return decorate


for_managers = guarded(permissions.why_not_manage)


def _said(error: ValidationError | NotAllowed | Conflict) -> tuple[str, int]:
    if isinstance(error, ValidationError):
        return " ".join(error.messages), 422
    return error.reason, 409 if isinstance(error, Conflict) else 403


# Overview


def _people(since: Any) -> list[dict[str, Any]]:
    """Each advocate with what they were asked, what came of it, and what weighs on them now. Five queries."""
    members = list(
        AdvocateMembership.objects.current()
        .annotate(week=ranking.asked_this_week("user__"))
        .select_related("user", "stand_in")
        .prefetch_related("expertise__product")
        .order_by("state", "user__name")
    )
    ids = [member.user_id for member in members]
    asks = {
        row["person"]: row
        for row in Ask.objects.filter(person__in=ids, at__gte=since, by_choice=False)
        .order_by()
        .values("person")
        .annotate(
            n=Count("pk"), answered=Count("pk", filter=Q(answered_at__isnull=False)),
            passed=Count("pk", filter=Q(passed_at__isnull=False)),
            open=Count("pk", filter=Q(answered_at=None, passed_at=None, handed_to=None, thread__solved_at=None)),
        )
    }  # fmt: skip
    answers = {
        row["author"]: row
        for row in Answer.objects.visible()
        .filter(author__in=ids, created_at__gte=since)
        .order_by()
        .values("author")
        .annotate(n=Count("pk"), accepted=Count("pk", filter=Q(accepted_at__isnull=False)), last=Max("created_at"))
    }
    judging = dict(
        Judge.objects.filter(person__in=ids, done_at=None, application__state=State.JUDGING)
        .order_by()
        .values_list("person")
        .annotate(n=Count("pk"))
    )
    all_asks = sum(row["n"] for row in asks.values())
    nothing = {"n": 0, "answered": 0, "passed": 0, "open": 0, "accepted": 0, "last": None}
    rows = []
    for member in members:
        asked, wrote = asks.get(member.user_id, nothing), answers.get(member.user_id, nothing)
        rows.append(
            {
                "member": member,
                "asked": asked["n"],
                "answered": asked["answered"],
                "answered_percent": round(100 * asked["answered"] / asked["n"]) if asked["n"] else None,
                "passed": asked["passed"],
                "open": asked["open"],
                "share": round(100 * asked["n"] / all_asks) if all_asks else 0,
                "answers": wrote["n"],
                "accepted": wrote["accepted"],
                "last": wrote["last"],
                "judging": judging.get(member.user_id, 0),
            }
        )
    return rows


def _funnel(since: datetime) -> list[tuple[str, int, int | None, list[str]]]:
    """The way in, of all applications begun since then or still open: (step, how many came so far, in percent of those
    who began, where the others are now). One query."""
    came = {
        "begun": Q(),
        "applied": Q(applied_at__isnull=False),
        "tried": Q(answered_at__isnull=False) | Q(judged_at__isnull=False),  # where there are no old questions: at once
        "judged": Q(judged_at__isnull=False),
        "accepted": Q(state=State.ACCEPTED),
    }
    here = {f"at_{state}": Q(state=state) for state in State.values}
    rows = Application.objects.filter(Q(created_at__gte=since) | Q(state__in=OPEN_APPLICATIONS))
    n = rows.aggregate(**{name: Count("pk", filter=which) for name, which in (came | here).items()})

    def said(state: str, words: str) -> list[str]:
        return [words % {"n": n[f"at_{state}"]}] if n[f"at_{state}"] else []

    steps = (
        ("begun", _("Invited or applied"), said("invited", _("not answered yet: %(n)d"))),
        ("applied", _("Applied"), said("trial", _("at the trial: %(n)d"))),
        ("tried", _("Trial done"), said("judging", _("with the judges: %(n)d"))),
        ("judged", _("Judged"), said("judged", _("wait for your decision: %(n)d"))),
        (
            "accepted", _("Accepted"),
            [*said("declined", _("declined: %(n)d")), *said("withdrawn", _("taken back: %(n)d"))],
        ),
    )  # fmt: skip
    share = {name: round(100 * n[name] / n["begun"]) if n["begun"] else None for name in came}
    return [(label, n[name], share[name], others) for name, label, others in steps]


@require_safe
@for_managers
def overview(request: HttpRequest) -> HttpResponse:
    """Funnel, activity, fairness and load on one screen. Ten queries, however many advocates."""
    since = clock.now() - LOOKED_BACK
    people = _people(since)
    most = max(people, key=lambda row: row["share"], default=None)
    context = {
        "funnel": _funnel(since),
        "people": people,
        "limit": Numbers.load().asks_per_advocate_a_week,
        "routing": queue.figures(since),
        "agreement": programme.agreement_of_all(),
        "most": most if most and most["share"] else None,
        "fair_share": round(100 / len(people)) if people else 0,
        "days": LOOKED_BACK.days,
        "tab": "overview",
    }
    return TemplateResponse(request, "advocates/desk/overview.html", context)


# Applications


class InviteForm(forms.Form):
    username = forms.CharField(label=gettext_lazy("User name"), max_length=40)
    product = forms.ModelChoiceField(
        label=gettext_lazy("Product"), queryset=Product.objects.order_by("name"), required=False
    )
    note = forms.CharField(label=gettext_lazy("A line to them"), max_length=300, required=False)


@require_http_methods(["GET", "HEAD", "POST"])
@for_managers
def applications(request: HttpRequest) -> HttpResponse:
    """Those under way, the oldest first, then those decided; a form to invite somebody, and whom one could invite."""
    wanted = request.GET.get("product", "")
    about = Product.objects.filter(pk=int(wanted) if wanted.isdecimal() and len(wanted) < 12 else 0).first()
    initial = {"username": request.GET.get("username", "")[:40], "product": about}
    form = InviteForm(request.POST if request.method == "POST" else None, initial=initial)
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            data = form.cleaned_data
            person = User.objects.filter(username=data["username"].strip().lstrip("@").lower()).first()
            if person is None:
                form.add_error("username", _("There is nobody of this name."))
            else:
                try:
                    made = programme.invite(
                        person, _by(request), [data["product"]] if data["product"] else [], note=data["note"]
                    )
                except (ValidationError, NotAllowed, Conflict) as error:
                    said, status = _said(error)
                    form.add_error("username", said)
                else:
                    messages.success(request, _("%(name)s is invited.") % {"name": person})
                    return HttpResponseRedirect(reverse("programme:application", args=[made.pk]), status=303)
    rows = Application.objects.for_listing().annotate(
        judges_done=Count("judges", filter=Q(judges__done_at__isnull=False), distinct=True),
        questions=Count("trial", distinct=True),
    )
    if request.GET.get("state") == "all":
        rows = rows.order_by("-pk")
    else:
        rows = rows.filter(state__in=OPEN_APPLICATIONS).order_by("created_at", "pk")
    context = {
        "page": Paginator(rows, PER_PAGE).get_page(request.GET.get("p")),
        "all": request.GET.get("state") == "all",
        "form": form,
        "about": about,
        "best": programme.best_owners(about) if about is not None else [],
        "products": Product.objects.order_by("name"),
        "tab": "applications",
    }
    return TemplateResponse(request, "advocates/desk/applications.html", context, status=status)


def _by(request: HttpRequest) -> User:
    return User.objects.get(pk=request.user.pk)


@require_http_methods(["GET", "HEAD", "POST"])
@for_managers
def application(request: HttpRequest, pk: int) -> HttpResponse:
    """One application: the trial, each judgement, how far they agree, and the decision for each product."""
    found = get_object_or_404(Application.objects.for_listing(), pk=pk)
    if request.method == "GET":
        looked_at(found.person, _by(request), "application")
    problem, status, typed = "", 200, ""
    if request.method == "POST":
        chosen = [int(value) for value in request.POST.getlist("products") if value.isdecimal() and len(value) < 12]
        typed = request.POST.get("reason", "")
        try:
            programme.decide(found, _by(request), list(Product.objects.filter(pk__in=chosen)), reason=typed)
        except (ValidationError, NotAllowed, Conflict) as error:
            problem, status = _said(error)
        else:
            messages.success(request, _("Decided. %(name)s is told.") % {"name": found.person})
            return HttpResponseRedirect(request.path, status=303)
    verdicts = programme.verdicts_of(found)
    seats = list(found.judges.select_related("person"))
    items = list(found.trial.select_related("thread", "thread__leading_solution", "product"))
    passed = programme.passed_products(found)
    done = sum(seat.done_at is not None for seat in seats)
    context = {
        "application": found,
        "seats": seats,
        # Where two have judged and it goes on, they differ, and a third is asked.
        "too_few": found.state == State.JUDGING and len(seats) < programme.JUDGES + (done >= programme.JUDGES),
        "items": [
            {
                "item": item,
                "said": [verdicts.get(item.pk, {}).get(seat.place) for seat in seats],
                "helps": programme.helps(verdicts.get(item.pk, {})),
            }
            for item in items
        ],
        "agreement": programme.agreement(programme.pairs_of(verdicts.values())),
        "products": [(row, passed.get(row.product_id)) for row in found.products.all()],
        "accepted_code": programme.acceptance_of(found.person),
        "problem": problem,
        "typed": typed,
        "tab": "applications",
    }
    return TemplateResponse(request, "advocates/desk/application.html", context, status=status)


# Why somebody is first


def _places(threads: list[Thread]) -> dict[int, dict[int, int]]:
    """Who was asked about each thread, and in which place. One query."""
    found: dict[int, dict[int, int]] = {thread.pk: {} for thread in threads}
    asks = Ask.objects.filter(thread__in=threads, place__isnull=False)
    for thread, person, place in asks.values_list("thread", "person", "place"):
        found[thread][person] = place
    return found


def _asked_and_next(
    rows: list[ranking.Candidate], places: dict[int, int]
) -> list[tuple[ranking.Candidate, int | None]]:
    """Those who were asked, in their places, then those who would be, by score."""
    chosen = [(row, places.get(row.member.user_id)) for row in rows if not row.out or row.member.user_id in places]
    return sorted(chosen, key=lambda pair: pair[1] or len(rows) + 1)


@require_safe
@for_managers
def routing(request: HttpRequest) -> HttpResponse:
    """Open questions, each with who would be asked next and every figure that follows from. Twelve queries a page."""
    rows = queue.open_questions().filter(first_reply_at=None).select_related("product", "topic").order_by("created_at")
    page = Paginator(rows, PER_PAGE).get_page(request.GET.get("p"))
    threads = list(page.object_list)
    ranked = ranking.rank(threads)
    places = _places(threads)
    context = {
        "page": page,
        "rows": [
            (thread, _asked_and_next(ranked[thread.pk], places[thread.pk])[:SHOWN_FIRST], len(places[thread.pk]))
            for thread in threads
        ],
        "routing": queue.figures(clock.now() - LOOKED_BACK),
        "days": LOOKED_BACK.days,
        "start": int(ranking.START),
        "tab": "routing",
    }
    return TemplateResponse(request, "advocates/desk/routing.html", context)


OUT_WORDS = {
    ranking.Out.AWAY: gettext_lazy("away"),
    ranking.Out.RESTING: gettext_lazy("said that there is no time now"),
    ranking.Out.OTHER_PRODUCT: gettext_lazy("advocate for other products"),
    ranking.Out.ASKER: gettext_lazy("asked the question"),
    ranking.Out.ANSWERED: gettext_lazy("has answered it"),
    ranking.Out.ASKED: gettext_lazy("was asked already"),
    ranking.Out.FULL: gettext_lazy("was asked as often this week as a week bears"),
}


@require_safe
@for_managers
def why(request: HttpRequest, pk: int) -> HttpResponse:
    """Why somebody is first: everybody for one question, the factors side by side, and why the others are left out."""
    thread = get_object_or_404(Thread.objects.visible().select_related("product", "topic"), pk=pk)
    ranked = ranking.rank([thread])[thread.pk]
    rows = _asked_and_next(ranked, _places([thread])[thread.pk])
    shown = {row.member.pk for row, _place in rows}
    passed = {
        person: Ask.Why(said).label
        for person, said in Ask.objects.filter(thread=thread, passed_at__isnull=False).values_list("person", "why")
    }
    own, others = ranking.compared(rows[0][0], rows[1][0]) if len(rows) > 1 else ([], [])
    context = {
        "thread": thread,
        "rows": [(row, place, passed.get(row.member.user_id, "")) for row, place in rows],
        "second": rows[1][0] if len(rows) > 1 else None,
        "own": own,
        "others": others,
        "left_out": [(row, OUT_WORDS[ranking.Out(row.out)]) for row in ranked if row.member.pk not in shown],
        "first": rows[0][0] if rows else None,
        "was_asked": bool(rows and rows[0][1]),
        "start": int(ranking.START),
        "tab": "routing",
    }
    return TemplateResponse(request, "advocates/desk/why.html", context)


# The end of a role


@require_http_methods(["GET", "HEAD", "POST"])
@for_managers
def ending(request: HttpRequest, pk: int) -> HttpResponse:
    """Thank somebody who leaves, or take the role away with a reason."""
    member = get_object_or_404(AdvocateMembership.objects.select_related("user"), pk=pk)
    problem, status = "", 200
    if request.method == "POST":
        try:
            if "remove" in request.POST:
                services.remove(member.user, _by(request), reason=request.POST.get("reason", ""))
                messages.success(request, _("%(name)s is told, with the reason.") % {"name": member.user})
            elif member.is_current:
                services.leave(member.user, _by(request), farewell=request.POST.get("farewell", ""))
                messages.success(request, _("%(name)s is a former advocate now.") % {"name": member.user})
            else:
                services.thank_at_parting(member.user, _by(request), request.POST.get("farewell", ""))
                messages.success(request, _("Saved."))
            return HttpResponseRedirect(reverse("programme:overview"), status=303)
        except (ValidationError, NotAllowed, Conflict) as error:
            problem, status = _said(error)
    context = {
        "member": member,
        "problem": problem,
        "typed": request.POST.get("reason", ""),
        "shortest": services.SHORTEST_REASON,
        "tab": "overview",
    }
    return TemplateResponse(request, "advocates/desk/ending.html", context, status=status)


# The code of conduct


@require_http_methods(["GET", "HEAD", "POST"])
@guarded(permissions.why_not_edit_code)
def code(request: HttpRequest) -> HttpResponse:
    """Edit the code of conduct: saving makes the next version, the earlier ones stay."""
    current = programme.current_code()
    body, changed, errors, status = current.body_source, "", {}, 200
    if request.method == "POST":
        body, changed = request.POST.get("body_source", ""), request.POST.get("what_changed", "")
        seen = request.POST.get("version", "")
        try:
            made = programme.publish_code(
                _by(request), body, what_changed=changed, seen=int(seen) if seen.isdecimal() and len(seen) < 9 else None
            )
        except ValidationError as error:
            errors, status = {name: " ".join(said) for name, said in error.message_dict.items()}, 422
        else:
            messages.success(request, _("Version %(n)d holds now.") % {"n": made.version})
            return HttpResponseRedirect(request.path, status=303)
    versions = type(current).objects.annotate(people=Count("acceptances")).select_related("published_by")
    context = {
        "code": current,
        "body": body,
        "changed": changed,
        "errors": errors,
        "versions": versions,
        "manager": permissions.can_manage(request.user),
        "tab": "code",
    }
    return TemplateResponse(request, "advocates/desk/code.html", context, status=status)


@hooks.register("register_admin_urls")
def programme_urls() -> list[Any]:
    patterns = [
        path("", overview, name="overview"),
        path("applications/", applications, name="applications"),
        path("applications/<int:pk>/", application, name="application"),
        path("routing/", routing, name="routing"),
        path("routing/<int:pk>/", why, name="why"),
        path("ending/<int:pk>/", ending, name="ending"),
        path("code/", code, name="code"),
    ]
    return [path("programme/", include((patterns, "programme"), namespace="programme"))]


class ProgrammeItem(MenuItem):
    def is_shown(self, request: HttpRequest) -> bool:
        return permissions.can_manage(request.user)


class CodeItem(MenuItem):
    """For editors, who see nothing else of the programme."""

    def is_shown(self, request: HttpRequest) -> bool:
        return not permissions.can_manage(request.user) and not permissions.why_not_edit_code(request.user)


@hooks.register("register_admin_menu_item")
def programme_item() -> MenuItem:
    return ProgrammeItem(
        gettext_lazy("Programme"), reverse("programme:overview"), name="programme", icon_name="group", order=345
    )


@hooks.register("register_admin_menu_item")
def code_item() -> MenuItem:
    return CodeItem(
        gettext_lazy("Code of conduct"), reverse("programme:code"), name="code_of_conduct", icon_name="doc-full",
        order=346,
    )  # fmt: skip
