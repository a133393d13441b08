"""Splitting a thread: which posts move, whose words become the question, and what the new thread is called."""

from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from community.core import text
from community.posts.doors import posted, refuse, send
from community.posts.models import Comment

from .. import likes, permissions, services
from ..forms import MovePostsForm, SplitForm
from ..models import Answer, Split, Thread
from .acts import back, entered, named_thread

MOST = 300  # answers, and comments, to choose from at once: the newest
SHOWN = 160  # letters of each


@require_http_methods(["GET", "POST"])
def split(request: HttpRequest, pk: int) -> HttpResponse:
    """A form of all that was said in it; a POST makes the new thread and leads there."""
    thread = entered(request, pk, permissions.why_not_split)
    if isinstance(thread, HttpResponse):
        return thread
    if made := _made_already(request, thread):
        return made
    posts = _posts(thread)
    initial = {
        "kind": thread.kind, "product": thread.product,
        "tags": ", ".join(tag.name for tag in thread.tags.all()),
    }  # fmt: skip
    form = SplitForm(posted(request), initial=initial, posts=[(name, _words(post)) for name, post in posts.items()])
    status = 200
    if form.is_bound:
        status = 422
        if form.is_valid():
            done, status = send(form, "vote", request.user, lambda: _split(thread, request.user, form, posts))
            if done:
                return back(request, done, _("Split. Old links to what moved lead here."))
    objection = services.why_not_split(thread)
    context = {"thread": thread, "form": form, "objection": objection, "posts": posts}
    return render(request, "questions/split.html", context, status=status)


@require_http_methods(["GET", "POST"])
def move_posts(request: HttpRequest, pk: int) -> HttpResponse:
    """What was said here and belongs to a thread that is there already; a POST moves it and leads there."""
    thread = entered(request, pk, permissions.why_not_split)
    if isinstance(thread, HttpResponse):
        return thread
    posts = _posts(thread)
    form = MovePostsForm(
        posted(request), posts=[(name, _words(post)) for name, post in posts.items()],
        likes=likes.of(thread, request.user),
    )  # fmt: skip
    status = 200
    if form.is_bound:
        status = 422
        done_before = _moved_already(request, thread)
        if done_before is not None:
            return done_before
        if form.is_valid():
            done, status = send(form, "vote", request.user, lambda: _move_posts(request, thread, form, posts))
            if done:
                return back(request, done, _("Moved. Old links to what moved lead here."))
    objection = services.why_not_split(thread)
    context = {"thread": thread, "form": form, "objection": objection, "posts": posts}
    return render(request, "questions/move_posts.html", context, status=status)


def _move_posts(
    request: HttpRequest, thread: Thread, form: MovePostsForm, posts: dict[str, Answer | Comment]
) -> Thread:
    into = named_thread(request, form.cleaned_data["of"])
    chosen = [posts[name] for name in form.cleaned_data["posts"]]
    return services.move_posts(
        thread, into, request.user,  # type: ignore[arg-type]
        answers=[post for post in chosen if isinstance(post, Answer)],
        comments=[post for post in chosen if isinstance(post, Comment)],
        reason=form.cleaned_data["reason"],
    )  # fmt: skip


def _moved_already(request: HttpRequest, thread: Thread) -> HttpResponse | None:
    """A form sent twice leads to where its posts are."""
    names = set(request.POST.getlist("posts"))
    for made in Split.objects.filter(from_thread=thread, answer=None, comment=None).select_related("thread"):
        if names and names == {anchor for anchor, _address in made.places()}:
            return back(request, made.thread, _("Moved. Old links to what moved lead here."))
    return None


def _made_already(request: HttpRequest, thread: Thread) -> HttpResponse | None:
    """A form sent twice leads to what it made; somebody else's reads that another was quicker, with the words kept."""
    noun, _dash, pk = request.POST.get("question", "").partition("-")
    if noun not in ("answer", "comment") or not pk.isdecimal() or len(pk) > 17:
        return None
    found = Split.objects.select_related("thread").filter(**{noun: pk}, from_thread=thread).first()
    if found is None:
        return None
    made, title = found.thread, request.POST.get("title", "")
    if text.clean_line(title) == made.title:
        return back(request, made, _("Split. Old links to what moved lead here."))
    reason = _("Somebody made a thread of this a moment ago.")
    kept = f"{title}\n\n{request.POST.get('reason', '')}"
    return refuse(request, reason, 409, kept=kept, back=made.get_absolute_url())


def _split(thread: Thread, by: Any, form: SplitForm, posts: dict[str, Answer | Comment]) -> Thread:
    given = form.cleaned_data
    along = [posts[name] for name in given["along"]]
    return services.split_thread(
        thread, by, question=posts[given["question"]],
        answers=[post for post in along if isinstance(post, Answer)],
        comments=[post for post in along if isinstance(post, Comment)],
        **{name: given[name] for name in ("title", "kind", "product", "tags", "reason")},
    )  # fmt: skip


def _posts(thread: Thread) -> dict[str, Answer | Comment]:
    """What can move, by "answer-2" and "comment-3": each answer, and the comments on it behind it."""
    of_thread, of_answer = (ContentType.objects.get_for_model(model) for model in (Thread, Answer))
    answers = list(thread.answers.visible().select_related("author").order_by("-created_at", "-pk")[:MOST])
    remarks = Comment.objects.visible().filter(
        Q(target_type=of_thread, target_id=thread.pk)
        | Q(target_type=of_answer, target_id__in=[answer.pk for answer in answers])
    )
    said: dict[tuple[int, int], list[Comment]] = {}
    for remark in sorted(remarks.select_related("author").order_by("-created_at", "-pk")[:MOST], key=_age):
        said.setdefault((remark.target_type_id, remark.target_id), []).append(remark)
    found: list[Answer | Comment] = [*said.get((of_thread.pk, thread.pk), [])]
    for answer in sorted(answers, key=_age):
        found += [answer, *said.get((of_answer.pk, answer.pk), [])]
    return {f"{post.noun}-{post.pk}": post for post in found}


def _age(post: Any) -> tuple[Any, int]:
    return post.created_at, post.pk


def _words(post: Answer | Comment) -> str:
    """Whose it is, what it is, and how it begins."""
    name = _("Former member") if post.author.is_erased else str(post.author)
    words = " ".join(post.body_text.split())
    words = words if len(words) <= SHOWN else f"{words[:SHOWN].rstrip()} …"
    said = _("%(name)s, answer: %(words)s") if isinstance(post, Answer) else _("%(name)s, comment: %(words)s")
    return said % {"name": name, "words": words}
