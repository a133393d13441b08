"""The page of a thread: what was asked, who has it, what settled it, everything said about it, and a box to answer."""

import json
from datetime import datetime
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

from django.contrib import messages
from django.contrib.contenttypes.models import ContentType
from django.db.models import Case, Count, F, IntegerField, Q, Value, When, Window
from django.db.models.functions import RowNumber
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_safe

from community.core import clock, numbers, panels
from community.core.models import Body
from community.moderation.permissions import is_moderator
from community.posts import credit
from community.posts.doors import long_open, refuse
from community.posts.models import Comment
from community.posts.views import paging, part_of

from .. import ordering, permissions, reading, seen, structured
from ..forms import AnswerForm, PrivateForm
from ..ideas import with_purse
from ..models import Answer, Kind, PrivateDetails, Reconciled, Split, Thread
from ..querysets import AnswerQuerySet
from ..services import FOLLOW_UP_AFTER
from . import ideas

PAGE = Answer.PAGE
MOST_MERGED = 20  # titles of merged threads that a page names
SORTS = {
    "settled": gettext_lazy("Settled first"),
    "score": gettext_lazy("Best rated"),
    "newest": gettext_lazy("Newest"),
    "oldest": gettext_lazy("Oldest"),
}
NO_COMMENTS: dict[str, Any] = {"rows": [], "folded": 0}
KEPT_ANSWERS = "kept_answers"  # in the session: what a visitor wrote before signing in


def find_thread(request: HttpRequest, pk: int) -> Thread | HttpResponse:
    """The thread as this person may see it. What was merged leads to where it went (301, with the query), and what
    was public once is 410; all else is 404 (RULINGS 13 and 14)."""
    rows = with_purse(Thread.objects.visible_to(request.user).for_page().seen_by(request.user), request.user)
    rows = rows.annotate(**panels.brought("thread", request.user))
    thread = rows.filter(pk=pk).first()
    if thread is not None:
        return thread
    gone = Thread.objects.filter(pk=pk).select_related("merged_into").first()
    if gone is not None and gone.merged_into is not None:
        return _to_where_it_went(request, gone.merged_into)
    if gone is not None and gone.is_gone:
        return render(request, "410.html", status=410)
    raise Http404


def went_meanwhile(request: HttpRequest, found: HttpResponse) -> HttpResponse:
    """For what `find_thread` returns in place of a thread to who sent a text: it says so and keeps the text."""
    if found.status_code == 301:
        reason, place = _("This thread was merged already."), found["Location"]
    else:
        reason, place = _("This post has been taken down."), "/"
    return refuse(request, reason, 409, kept=request.POST.get("body", ""), back=place)


def _to_where_it_went(request: HttpRequest, thread: Thread) -> HttpResponse:
    """To a thread that is seen; one that was taken away since says so itself, without naming its title."""
    if not Thread.objects.visible_to(request.user).filter(pk=thread.pk).exists():
        if thread.is_gone:
            return render(request, "410.html", status=410)
        raise Http404
    query = request.META.get("QUERY_STRING", "")
    return redirect(thread.get_absolute_url() + (f"?{query}" if query else ""), permanent=True)


@require_safe
def short(request: HttpRequest, pk: int) -> HttpResponse:
    """/questions/17/ leads to the whole address."""
    found = find_thread(request, pk)
    if isinstance(found, HttpResponse):
        return found
    return redirect(found, permanent=True)


@require_safe
@ensure_csrf_cookie
def thread(request: HttpRequest, pk: int, slug: str) -> HttpResponse:
    found = find_thread(request, pk)
    if isinstance(found, HttpResponse):
        return found
    if slug != found.slug:
        query = request.META.get("QUERY_STRING", "")
        return redirect(found.get_absolute_url() + (f"?{query}" if query else ""), permanent=True)
    reading.count(request, found)
    credit.remember(request, found)
    since = seen.visit(found, request.user) if request.method == "GET" else None
    return show_thread(request, found, since=since)


def show_thread(
    request: HttpRequest,
    thread: Thread,
    *,
    answer_form: AnswerForm | None = None,
    since: datetime | None = None,
    status: int = 200,
) -> HttpResponse:
    """The page; with `answer_form` it shows again what could not be posted. `since`: what came later is new."""
    user = request.user
    request.about_product = thread.product  # the competence that bylines show (advocates' panel)
    sort = request.GET.get("sort", "settled")
    number = request.GET.get("page", "1")
    if sort not in SORTS or not number.isdecimal() or len(number) > 5 or int(number) < 1:
        raise Http404
    rows = sorted_answers(Answer.objects.filter(thread=thread).visible_to(user).for_page().seen_by(user), sort, thread)
    if "answer" in request.GET and "page" not in request.GET:
        place = _page_of(request.GET["answer"], sort, thread, user)
        if place is None and (went := _where_it_went(request.GET["answer"], thread, user)):
            return redirect(went, permanent=True)
        number = str(place or 1)
    first = (int(number) - 1) * PAGE
    answers = list(seen.with_new(rows, thread, since, user)[first : first + PAGE + 1])
    if first and not answers:
        raise Http404
    has_next, answers = len(answers) > PAGE, answers[:PAGE]
    settled = [answer for answer in answers if answer.is_accepted or answer.is_official]
    if (first or (sort != "settled" and has_next)) and (thread.solved_at or thread.official_at):
        settled = list(
            sorted_answers(Answer.objects.filter(thread=thread).visible(), "settled", thread).filter(
                Q(accepted_at__isnull=False) | Q(official_for__isnull=False)
            )[:5]
        )
    for answer in {*answers, *settled}:
        answer.thread = thread
    if sort == "settled":
        _say_the_order(answers)
    comments = comments_of(
        user, thread, answers, unfold=request.GET.get("comments", ""), part=part_of(request), since=since
    )
    can = abilities(user, thread)
    thread.why_not_down = permissions.too_new_to_vote_down(user)  # type: ignore[attr-defined]
    can.reconcile = can.official and thread.is_settled and any(
        answer.is_official and answer.pk != thread.leading_solution_id for answer in settled
    )  # fmt: skip
    thread.remarks = comments.get(f"thread-{thread.pk}", NO_COMMENTS)  # type: ignore[attr-defined]
    for answer in answers:
        prepare(answer, user, can)
        answer.remarks = comments.get(f"answer-{answer.pk}", NO_COMMENTS)  # type: ignore[attr-defined]
    for answer in answers:
        answer.is_new = answer.is_news_to(user, since)  # type: ignore[attr-defined]
    initial = _kept_answer(request, thread)
    kept = bool(initial)
    if can.quote and (passage := _quoted(request, thread)):
        initial["body"] = f"{initial.get('body', '').rstrip()}\n\n{passage}".lstrip()
    context = {
        "thread": thread,
        "answers": answers,
        "settled": [answer for answer in settled if answer.is_visible],
        "can": can,
        "sort": sort,
        "sorts": [(key, word, key == sort) for key, word in SORTS.items()],
        "number": int(number),
        "pages": max(1, -(-thread.answer_count // PAGE)),
        "has_next": has_next,
        **_news(thread, answers, comments),
        "also_asked": _also_asked(thread, user, can),
        "split_up": _split_up(thread, user),
        "people": [thread.author, *(answer.author for answer in answers)],
        "answer_form": answer_form or AnswerForm(initial=initial, departments=speaks_for(user)),
        "answer_kept": kept and answer_form is None,
        "private": private_form(thread, user),
        "idea": ideas.of_thread(request, thread),
        "structured": structured.thread_data(thread, answers),
        "crumbs_data": structured.crumbs(thread),
        "canonical": structured.absolute(_canonical(thread, sort, int(number))),
        "draft_url": f"{reverse('posts:draft')}?key=answer:{thread.pk}",
    }
    response = render(request, "questions/thread.html", context, status=status)
    if wait := getattr(answer_form, "retry_after", 0):
        response["Retry-After"] = str(wait)
    if getattr(request, "htmx", False):
        _announce(request, response)
    return response


def _canonical(thread: Thread, sort: str, number: int) -> str:
    """The address that search engines keep: the original's, or each page of answers its own in the settled order."""
    if thread.duplicate_of and thread.duplicate_of.is_visible:
        return thread.duplicate_of.get_absolute_url()
    page = f"?page={number}" if number > 1 and sort == "settled" else ""
    return thread.get_absolute_url() + page


def _news(thread: Thread, answers: list[Answer], comments: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """How many answers and comments are new in the whole thread, and where the first of each stands: on this page, or
    on the one that it is found on."""
    remarks = [remark for entry in comments.values() for remark in entry["rows"]]
    row: Any = next(iter(answers or remarks), None)
    if not hasattr(row, "new_count"):
        return {"new": 0, "new_comments": 0}
    first, said = row.first_new, row.first_new_comment
    here = any(answer.pk == first for answer in answers)
    read = any(remark.pk == said for remark in remarks)
    return {
        "new": row.new_count,
        "first_new": ("" if here else f"{thread.get_absolute_url()}?answer={first}") + f"#answer-{first}",
        "new_comments": row.new_comments,
        "first_new_comment": f"#comment-{said}" if read or not said else reverse("posts:comment_place", args=[said]),
    }


def _page_of(wanted: str, sort: str, thread: Thread, user: Any) -> int | None:
    """The page an answer stands on: by the numbers of all of them, in their order; None for one that is away."""
    ids = sorted_answers(Answer.objects.filter(thread=thread).visible_to(user), sort, thread).values_list(
        "pk", flat=True
    )
    place = next((place for place, pk in enumerate(ids) if str(pk) == wanted), None)
    return None if place is None else place // PAGE + 1


def _where_it_went(wanted: str, thread: Thread, user: Any) -> str:
    """The address of an answer that was moved out of a thread, or of the question it became; empty for any other."""
    if not (thread.has_split and wanted.isdecimal() and len(wanted) < 18):  # type: ignore[attr-defined]
        return ""
    seen_threads = Thread.objects.visible_to(user)
    split = Split.objects.filter(answer=wanted, from_thread=thread, thread__in=seen_threads).first()
    if split is not None:
        return split.thread.get_absolute_url()
    moved = Answer.objects.visible_to(user).select_related("thread").filter(pk=wanted).exclude(thread=thread).first()
    return moved.get_absolute_url() if moved is not None else ""


def _split_up(thread: Thread, user: Any) -> list[Split]:
    """What a moderator made threads of, and what this one was made of; for who may see them. `came` says which, and
    `other` is the thread to name: one that was merged since goes by where it stands now, and not by its own title."""
    if not thread.has_split:  # type: ignore[attr-defined]
        return []
    rows = Split.objects.filter(Q(from_thread=thread) | Q(thread=thread)).select_related(
        "thread__merged_into", "from_thread__merged_into"
    )
    found = []
    for split in rows.order_by("pk")[:MOST_MERGED]:
        split.came = split.thread_id == thread.pk  # type: ignore[attr-defined]
        other = split.from_thread if split.came else split.thread  # type: ignore[attr-defined]
        split.other = other.merged_into or other  # type: ignore[attr-defined]
        back = split.other.pk == thread.pk  # type: ignore[attr-defined]  # it came back, and stands on this very page
        if not back and (split.other.is_visible or is_moderator(user)):  # type: ignore[attr-defined]
            found.append(split)
    return found


def _also_asked(thread: Thread, user: Any, can: SimpleNamespace) -> list[Thread]:
    """What was merged into it, by title: whoever asked finds it again. A title that a moderator took away is read by
    its asker and staff; these have `opens`, too, the page of what was merged."""
    if not thread.has_merged:  # type: ignore[attr-defined]
        return []
    rows = thread.merged_threads.select_related("author").order_by("created_at", "pk")
    staff = can.moderate or permissions.can_see_private(user, thread) and not can.own
    if not staff:
        rows = rows.filter(Q(title_hidden=False) | Q(author=user if user.is_authenticated else None))
    found = list(rows[:MOST_MERGED])
    for row in found:
        row.opens = staff or (user.is_authenticated and row.author_id == user.pk)  # type: ignore[attr-defined]
    return found


def sorted_answers(answers: AnswerQuerySet, sort: str, thread: Thread) -> AnswerQuerySet:
    if sort == "newest":
        return answers.order_by("-created_at", "-id")
    if sort == "oldest":
        return answers.order_by("created_at", "id")
    if sort == "score":
        return answers.order_by("-score", "created_at", "id")
    first = When(pk=thread.leading_solution_id, then=Value(0))
    if thread.reconciled_outcome == Reconciled.OFFICIAL:  # what staff found to hold stands above what it corrects
        first = When(official_for__isnull=False, then=Value(0))
    leads = Case(first, default=Value(1), output_field=IntegerField())
    return answers.annotate(worth=ordering.worth(thread)).order_by(
        leads,
        F("accepted_at").asc(nulls_last=True),
        F("official_at").asc(nulls_last=True),
        "-worth",
        "-score",
        "created_at",
        "id",
    )


def _say_the_order(answers: list[Answer]) -> None:
    """Where an answer stands above one with more votes for what its author is known to know, by how many votes."""
    for answer, below in pairwise(answers):
        settled = answer.is_accepted or answer.is_official or below.is_accepted or below.is_official
        ahead = getattr(answer, "worth", answer.score) - answer.score
        if ahead > 0 and not settled and answer.score < below.score:
            answer.ahead_by = ahead  # type: ignore[attr-defined]


def comments_of(
    user: Any,
    thread: Thread,
    answers: list[Answer],
    unfold: str = "",
    part: int = 1,
    since: datetime | None = None,
) -> dict[str, dict[str, Any]]:
    """The comments of a whole page in one query, by "thread-1" and "answer-2": the first ten of each, and how many
    stay folded. `unfold` names the one of whose comments a hundred are shown, and `part` which hundred; what came
    after `since` is marked as new."""
    of_thread, of_answer = (ContentType.objects.get_for_model(model) for model in (Thread, Answer))
    kinds = {of_thread.pk: "thread", of_answer.pk: "answer"}
    kind, _dash, pk = unfold.rpartition("-")
    unfolded = Q(pk__in=[])
    if kind in kinds.values() and pk.isdecimal() and len(pk) < 18:
        unfolded = Q(target_type=of_thread if kind == "thread" else of_answer, target_id=int(pk))
    place = [F("target_type_id"), F("target_id")]
    all_of_them = Comment.objects.filter(
        Q(target_type=of_thread, target_id=thread.pk)
        | Q(target_type=of_answer, target_id__in=[answer.pk for answer in answers])
    ).visible_to(user)
    if not answers:
        all_of_them = seen.with_new(all_of_them, thread, since, user)
    rows = (
        all_of_them.annotate(
            nth=Window(RowNumber(), partition_by=place, order_by=[F("created_at").asc(), F("id").asc()]),
            among=Window(Count("pk"), partition_by=place),
        )
        .filter(
            (unfolded & Q(nth__gt=(part - 1) * Comment.PAGE, nth__lte=part * Comment.PAGE))
            | (~unfolded & Q(nth__lte=Comment.SHOWN))
        )
        .for_listing()
        .order_by("created_at", "id")
    )
    found: dict[str, dict[str, Any]] = {}
    for row in rows:
        row.is_new = row.is_news_to(user, since)  # type: ignore[attr-defined]
        entry = found.setdefault(f"{kinds[row.target_type_id]}-{row.target_id}", {"rows": [], "all": row.among})
        entry["rows"].append(row)
    for name, entry in found.items():
        whole = name == unfold
        entry["folded"] = 0 if whole else entry["all"] - len(entry["rows"])
        entry["place"] = paging(entry["all"], part) if whole else None
        entry["since"] = int(since.timestamp()) if since else None
    return found


def abilities(user: Any, thread: Thread) -> SimpleNamespace:
    """What somebody may do here: asked of the same predicates as the services, once for the page."""
    own = user.is_authenticated and user.pk == thread.author_id
    agent = permissions.is_agent(user)
    moderator = is_moderator(user)
    solvable = thread.kind in permissions.SOLVABLE
    return SimpleNamespace(
        own=own,
        official=agent,
        moderate=moderator,
        manage=agent or moderator or own or bool(user.is_authenticated and user.is_advocate),
        answer=permissions.why_not_answer(user, thread) if user.is_authenticated else thread.why_closed_to_words(),
        again=_why_not_again(thread),
        vote=permissions.why_not_vote(user, thread) if user.is_authenticated else "",
        edit=user.is_authenticated and permissions.can_edit(user, thread),
        suggest=user.is_authenticated and not permissions.why_not_suggest(user, thread),
        shut=_shut(user, thread),
        review=own or permissions.reviews_edits(user),
        invite=user.is_authenticated and not permissions.why_not_invite(user, thread),
        accept=solvable and thread.answer_count > 0 and not (thread.closed_at or thread.duplicate_of_id)
        and (own or (agent and not thread.solved_at)) and permissions.can_accept(user, thread),
        withdraw=own or agent,
        reopen=own and bool(thread.solved_at) and not (thread.locked_at or thread.closed_at),
        works=solvable and thread.product_id is not None,
        quote=not (thread.why_closed_to_words() or _why_not_again(thread))
        and not (user.is_authenticated and permissions.why_not_answer(user, thread)),
        owns=thread.i_own,
        accept_leads=solvable and own and thread.is_settled,
        reconcile=False,  # the page knows when it has seen the answers
        solvable=solvable,
        me_too=solvable,
        see_private=thread.has_private and not own and permissions.can_see_private(user, thread),
    )  # fmt: skip


def _shut(user: Any, post: Thread | Answer) -> list[str]:
    """What only points are missing for: said in the menu, where the way in would stand."""
    if not user.is_authenticated:
        return []
    doors = [(permissions.why_not_suggest(user, post), permissions.too_few_to_suggest(user))]
    if isinstance(post, Thread) and post.kind != Kind.PRAISE:
        doors.append((permissions.why_not_invite(user, post), permissions.too_few_to_invite(user)))
    return [reason for reason, too_few in doors if reason and reason == too_few]


def speaks_for(user: Any) -> Any:
    """The departments to choose from in the box, or None; no query until they are shown."""
    return permissions.departments_of(user) if permissions.is_agent(user) else None


def _why_not_again(thread: Thread) -> int | None:
    """The answer somebody gave already, where one is enough."""
    if thread.my_answer and numbers.remembered().one_answer_per_person:
        return thread.my_answer
    return None


def prepare(answer: Answer, user: Any, can: SimpleNamespace) -> None:
    """What the template asks of one answer."""
    answer.own = user.is_authenticated and answer.author_id == user.pk  # type: ignore[attr-defined]
    answer.why_not_vote = (  # type: ignore[attr-defined]
        permissions.why_not_vote(user, answer) if user.is_authenticated else ""
    )
    answer.why_not_down = permissions.too_new_to_vote_down(user)  # type: ignore[attr-defined]
    answer.shut = _shut(user, answer)  # type: ignore[attr-defined]
    answer.editable = user.is_authenticated and permissions.can_edit(user, answer)  # type: ignore[attr-defined]
    answer.leads = answer.stands and answer.thread.leading_solution_id == answer.pk  # type: ignore[attr-defined]
    answer.overruled = _overruled(answer)  # type: ignore[attr-defined]
    show_works(answer)
    answer.suggestible = (  # type: ignore[attr-defined]
        user.is_authenticated and not answer.editable and not permissions.why_not_suggest(user, answer)  # type: ignore[attr-defined]
    )
    answer.asks_follow_up = (  # type: ignore[attr-defined]
        can.own
        and answer.leads  # type: ignore[attr-defined]
        and not hasattr(answer, "follow_up")
        and clock.now() >= answer.accepted_at + FOLLOW_UP_AFTER
    )


def _overruled(answer: Answer) -> bool:
    """Two disagreed, and staff found that the other one holds."""
    outcome = answer.thread.reconciled_outcome
    if outcome == Reconciled.OFFICIAL:
        return answer.is_accepted and not answer.is_official
    return outcome == Reconciled.ACCEPTED and answer.is_official and not answer.is_accepted


def show_works(answer: Answer) -> None:
    """What owners said: the sum, and by version where they named any."""
    answer.said = answer.works_yes + answer.works_no  # type: ignore[attr-defined]
    named = [(version, yes, no) for version, (yes, no) in answer.works_by_version.items() if version]
    unnamed = [("", *answer.works_by_version[""])] if "" in answer.works_by_version else []
    answer.by_version = [*sorted(named), *unnamed] if named else []  # type: ignore[attr-defined]


def kept_under(request: HttpRequest, thread: Thread) -> str:
    """The key of the answer that a visitor wrote here before signing in, also to what was merged here since; else
    nothing. `thread` comes from `find_thread`."""
    kept = request.session.get(KEPT_ANSWERS, {}) if request.session.session_key else {}
    if str(thread.pk) in kept:
        return str(thread.pk)
    if not kept:
        return ""
    merged = thread.merged_threads.filter(pk__in=kept).first() if thread.has_merged else None  # type: ignore[attr-defined]
    return "" if merged is None else str(merged.pk)


def _kept_answer(request: HttpRequest, thread: Thread) -> dict[str, Any]:
    """What this person wrote and did not post yet: before signing in, or in a draft."""
    if key := kept_under(request, thread):
        return {"body": request.session[KEPT_ANSWERS][key], "started": long_open()}
    if request.user.is_authenticated and not thread.my_answer:
        drafted = thread.my_draft or {}
        return {name: drafted[name] for name in ("body", "disclosure", "model_version") if name in drafted}
    return {}


def _quoted(request: HttpRequest, thread: Thread) -> str:
    """What `?quote=answer:12` puts into the answer box, for those without a script: a post as a Markdown quote."""
    kind, _colon, pk = request.GET.get("quote", "").partition(":")
    if not (pk.isdecimal() and len(pk) < 18):
        return ""
    post: Thread | Answer | None = None
    if kind == "thread" and int(pk) == thread.pk:
        post = thread
    elif kind == "answer":
        rows = Answer.objects.filter(thread=thread).visible_to(request.user).select_related("author")
        post = rows.filter(pk=pk).first()
    if post is None:
        return ""
    words = post.body_text if post.source_format == Body.Format.HTML else post.body_source
    lines = "\n".join(f"> {line}".rstrip() for line in words.strip().splitlines())
    return f"{post.quote_head}\n\n{lines}\n\n"


def private_form(thread: Thread, user: Any) -> PrivateForm | None:
    """The asker's own private details, to read and change."""
    if not user.is_authenticated or user.pk != thread.author_id or thread.kind not in (Kind.QUESTION, Kind.PROBLEM):
        return None
    details = PrivateDetails.objects.filter(thread=thread).first() if getattr(thread, "has_private", True) else None
    if details is None:
        return PrivateForm()
    return PrivateForm(initial={name: getattr(details, name) for name in PrivateForm.base_fields})


def _announce(request: HttpRequest, response: HttpResponse) -> None:
    """Messages travel beside a page that htmx takes a part of; `goto:` names the place to show."""
    triggers: dict[str, Any] = {}
    for message in messages.get_messages(request):
        triggers["toast"] = {"message": str(message), "level": message.level_tag}
        for tag in (message.extra_tags or "").split():
            if tag.startswith("goto:"):
                triggers["goto"] = {"id": tag.removeprefix("goto:")}
    if triggers:
        response["HX-Trigger-After-Settle"] = json.dumps(triggers)
