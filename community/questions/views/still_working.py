"""Three days later, from a mail: still working? The link opens a page with the answer chosen; one press says it."""

from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from community.accounts.models import User
from community.posts.doors import posted, refuse, send

from .. import asking_back, services
from ..forms import FollowUpForm
from ..models import Answer, FollowUp


@require_http_methods(["GET", "HEAD", "POST"])
def still_working(request: HttpRequest, token: str) -> HttpResponse:
    """The signed link is the proof, so that nobody need sign in; a GET (mail programs open links) writes nothing."""
    try:
        answer_pk, asker_pk = asking_back.read_token(token)
    except signing.SignatureExpired:
        reason = _("This link held for 30 days. You can still say it in the thread, under the answer you accepted.")
        return refuse(request, reason, 410, back="/questions/?show=mine")
    except signing.BadSignature:
        reason = _("This link is not complete. Please open it from the mail again, or copy all of it.")
        return refuse(request, reason, 404, back="/questions/?show=mine")
    asker = User.objects.filter(pk=asker_pk).first()
    answers = Answer.objects.visible_to(asker).select_related("thread", "author", "follow_up") if asker else None
    answer = answers.filter(pk=answer_pk, thread__author=asker_pk).first() if answers is not None else None
    if answer is None or asker is None:
        return refuse(request, _("What this link was about is not shown any more."), 404, back="/")
    said: FollowUp | None = getattr(answer, "follow_up", None)
    form = FollowUpForm(posted(request), initial={"outcome": request.GET.get("said", "")})
    status = 200
    if request.method == "POST" and said is None:
        status = 422
        if form.is_valid():
            given = form.cleaned_data

            def work() -> bool:
                services.answer_follow_up(answer, asker, given["outcome"], given["note"])
                return True

            done, status = send(form, "vote", asker, work)
            if done:
                return redirect(request.path)
    context = {"form": form, "answer": answer, "thread": answer.thread, "said": said}
    response = render(request, "questions/still_working.html", context, status=status)
    response["Cache-Control"] = "no-store"
    response["Referrer-Policy"] = "same-origin"  # with no-referrer a browser's post would name no origin
    return response
