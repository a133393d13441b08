"""What a notice says of threads, answers, comments, ideas and edits."""

from zoneinfo import ZoneInfo

from django.conf import settings
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from community.core import ties
from community.core.text import excerpt
from community.escalation.models import Escalation
from community.questions import asking_back
from community.questions.ideas import DONE
from community.questions.models import Answer, IdeaStatus, IdeaStep, Thread

from .ground import Facts, Sayings, Words


def _said_by(answer: Answer) -> str:
    """Whose words are quoted, with what ties them to the brand."""
    tied = ties.in_a_line(answer.author, answer.created_at, answer.disclosure)
    return f"{answer.author} ({tied.rstrip('.')})" if tied else str(answer.author)


def _new_answer(f: Facts) -> Words:
    own = f.thread is not None and f.thread.author_id == f.reader.pk
    return f.say(
        _("%(who)s answered “%(title)s”"), _("%(who)s answered: %(title)s"), _("Read and reply"),
        _("%(who)s answered your question:") if own else _("%(who)s answered a thread you follow:"),
        *([_("If that settles it, please accept the answer. It helps the next person.")] if own else []),
        quote=True,
    )  # fmt: skip


def _new_comment(f: Facts) -> Words:
    return f.say(
        _("%(who)s commented on “%(title)s”"), _("%(who)s commented: %(title)s"), _("Open it"),
        _("%(who)s wrote:"), quote=True,
    )  # fmt: skip


def _mention(f: Facts) -> Words:
    return f.say(
        _("%(who)s mentioned you in “%(title)s”"), _("%(who)s mentioned you in: %(title)s"), _("Open the thread"),
        _("%(who)s wrote to you:"), _("You needn't answer."), quote=True,
    )  # fmt: skip


def _answer_accepted(f: Facts) -> Words:
    return f.say(
        _("%(who)s accepted your answer to “%(title)s”"), _("Your answer solved it: %(title)s"), _("See the thread"),
        _("%(who)s accepted your answer. Thank you for taking the time."),
    )  # fmt: skip


def _official_answer(f: Facts) -> Words:
    return f.say(
        _("%(department)s answered “%(title)s” officially"), _("%(department)s answered officially: %(title)s"),
        _("Read it in full"), _("%(who)s answered for %(department)s:"),
        _("If this doesn't fit what you see, say so in the thread: an official answer can be wrong."),
        quote=True,
    )  # fmt: skip


def _solved(f: Facts) -> Words:
    return f.say(
        _("“%(title)s” is solved"), _("Solved: %(title)s"), _("See the answer"),
        _("A thread you follow has an accepted answer:"), quote=True,
    )  # fmt: skip


def _acknowledged(f: Facts) -> Words:
    case = Escalation.objects.filter(thread=f.thread).select_related("department").first()
    due = case.resolve_due_at if case else None
    lines = [_("%(who)s from %(department)s has read your question and is looking after it.")]
    if due is not None:
        zone = ZoneInfo(f.reader.time_zone or (case.department.time_zone if case and case.department else "UTC"))
        moment = date_format(due.astimezone(zone), pgettext("format of a weekday, a day and a time", "D j N, H:i"))
        moment += f" ({zone.key.split('/')[-1].replace('_', ' ')})"
        lines.append(
            _(
                "You will hear from us by %(due)s. If we are late, it goes to the lead without your doing anything."
            ).replace("%(due)s", moment)
        )
    lines.append(_("This is not the answer yet. We would rather be right than first."))
    return f.say(
        _("%(who)s from %(department)s looks after “%(title)s”"), _("%(who)s has your question: %(title)s"),
        _("See where it stands"), *lines,
    )  # fmt: skip


def _needs_info(f: Facts) -> Words:
    made = f.say(
        _("%(who)s needs to know more about “%(title)s”"), _("One thing we need to know: %(title)s"), _("Reply"),
        _("%(who)s asks:"),
        _("The clock stands still until you reply. Order numbers belong in the private details, for staff only."),
    )  # fmt: skip
    made.quote = f.thread.needs_info_note if f.thread else ""
    return made


def _taken_for_settled(f: Facts) -> Words:
    """Staff ended the case by hand: how, and what to do when it is not so. Their note is for staff."""
    sentence = _("%(who)s took “%(title)s” for settled")
    made = f.say(sentence, _("Taken for settled: %(title)s"), _("Open the thread"), sentence + ".")
    made.lines.append(_("How it ended: %(cause)s.") % {"cause": Escalation.Cause(f.event.data["cause"]).label})
    made.lines.append(_("If something is still wrong, write it under the thread: then it is open again at once."))
    return made


def _thread_state(f: Facts) -> Words:
    if f.event.kind == "escalation.resolved":
        return _taken_for_settled(f)
    sentence = {
        "thread.reopened": _("“%(title)s” is open again"),
        "thread.closed": _("“%(title)s” was closed"),
        "thread.marked_duplicate": _("“%(title)s” was asked before"),
        "thread.recheck_opened": _("A solution of “%(title)s” is being checked again"),
        "thread.merged": _("“%(title)s” goes on in another thread"),
        "thread.split": _("A part of “%(title)s” goes on in a thread of its own"),
        "thread.posts_moved": _("A part of “%(title)s” goes on in another thread"),
        "thread.recheck_settled": _("A solution of “%(title)s” was checked again: it holds"),
    }[f.event.kind]
    subject = {
        "thread.reopened": _("Open again: %(title)s"),
        "thread.closed": _("Closed: %(title)s"),
        "thread.marked_duplicate": _("Asked before: %(title)s"),
        "thread.recheck_opened": _("Being checked again: %(title)s"),
        "thread.merged": _("Goes on elsewhere: %(title)s"),
        "thread.split": _("A part goes on by itself: %(title)s"),
        "thread.posts_moved": _("A part goes on elsewhere: %(title)s"),
        "thread.recheck_settled": _("Checked again: %(title)s"),
    }[f.event.kind]
    note = getattr(f.event, "note", None)
    made = f.say(sentence, subject, _("Open the thread"), sentence + ".")
    if f.event.kind == "thread.merged" and f.thread and f.thread.merged_into:
        told = {"title": f.thread.merged_into.title}
        made.lines.append(_("It was merged with “%(title)s”: answers, votes and followers are there.") % told)
        made.url = f.thread.merged_into.get_absolute_url()
    apart = f.event.kind in ("thread.split", "thread.posts_moved")
    if apart and (began := Thread.objects.visible().filter(pk=f.event.data["into"]).first()):
        told = {"title": began.title}
        made.lines.append(_("It is called “%(title)s”; what was moved is there, with its votes and comments.") % told)
        made.url = began.get_absolute_url()
    made.quote = note.text if note else ""
    return made


def _new_thread(f: Facts) -> Words:
    return f.say(_("%(who)s asked “%(title)s”"), _("New: %(title)s"), _("Read it"), _("%(who)s wrote:"), quote=True)


def _reminder(f: Facts) -> Words:
    if f.event.data.get("info"):
        made = f.say(
            _("“%(title)s” waits for one thing from you"), _("One thing we still need to know: %(title)s"), _("Reply"),
            _("We asked you for something, and have not heard from you yet."),
            _("Nobody goes on until you reply. If it is settled, say so in a comment."),
        )  # fmt: skip
        made.quote = f.thread.needs_info_note if f.thread else ""
        return made
    made = f.say(
        _("Did an answer to “%(title)s” settle it?"), _("Did that settle it? %(title)s"), _("Say whether it did"),
        _("You have an answer, and we don't know yet whether it helped."),
        _("If it did, accept the answer: it helps the next person. If it didn't, say so in a comment."),
    )  # fmt: skip
    made.url += "#answers"
    answers = Answer.objects.visible_to(f.reader).filter(pk__in=f.event.data.get("answers", ()))
    made.quotes = [
        (_said_by(answer), excerpt(answer.body_text, 200))
        for answer in answers.select_related("author").order_by("-created_at", "-pk")
    ]
    return made


def _accepted_for_you(f: Facts) -> Words:
    return f.say(
        _("%(who)s accepted an answer to “%(title)s” for you"), _("Accepted for you: %(title)s"), _("See the answer"),
        _("You have not written for a while, so %(who)s of the staff accepted this answer for you:"),
        _("If it did not solve it, open the thread and take the acceptance back. That is all it takes."),
        quote=True,
    )  # fmt: skip


def _follow_up(f: Facts) -> Words:
    made = f.say(
        _("Does it still work? “%(title)s”"), _("Does it still work? %(title)s"), _("Say whether it does"),
        _("Three days ago this answer solved it:"),
        _("Does it still work? One click says it, and you need not sign in."),
        quote=True,
    )  # fmt: skip
    address = reverse("questions:still_working", args=[asking_back.token_for(f.subject, f.reader)])
    made.choices = [
        (_("Yes, it still works"), f"{address}?said=yes"),
        (_("It worked at first"), f"{address}?said=worked_at_first"),
        (_("No"), f"{address}?said=no"),
    ]
    return made


def _reconcile(f: Facts) -> Words:
    made = f.say(
        _("You reconcile the answers to “%(title)s”"), _("Two answers disagree: %(title)s"), _("Read both"),
        _("The accepted and the official answer disagree. Who was to settle it can't any more, so it comes to you:")
        if f.event.kind == "thread.reconciler_changed"
        else _("%(who)s says that the accepted and the official answer disagree, and named you to settle it:"),
        _("The thread shows your name until you say which one holds."),
    )  # fmt: skip
    made.quote = f.thread.disagree_note if f.thread else ""
    return made


def _idea_status(f: Facts) -> Words:
    """Told as the step was: a second one may have been taken before the worker came to the first."""
    if not hasattr(f.event, "idea_step"):  # one query for all who hear
        f.event.idea_step = IdeaStep.objects.filter(pk=f.event.data.get("step")).first()  # type: ignore[attr-defined]
    step: IdeaStep | None = f.event.idea_step  # type: ignore[attr-defined]
    status = step.status if step else f.event.data.get("status", "")
    told = {"title": f.title, "status": IdeaStatus(status).label if status else "", "who": f.who}
    own = f.kind == "own_idea"
    lines = [
        _("%(who)s gave your idea a new status: %(status)s.") % told if own
        else _("%(who)s gave an idea you wanted a new status: %(status)s.") % told
    ]  # fmt: skip
    if step and step.link:
        address = settings.BASE_URL + step.link if step.link.startswith("/") else step.link
        lines.append(_("Where to find it: %(address)s") % {"address": address})
    if status in DONE and not own:
        lines.append(_("If you voted for it, that vote is yours again, and stays counted here."))
    return Words(
        sentence=_("“%(title)s” is now: %(status)s") % told,
        subject=_("%(status)s: %(title)s") % told,
        url=f.url,
        action=_("See the idea"),
        lines=lines,
        quote=step.reason if step else "",
    )


def _edit_suggested(f: Facts) -> Words:
    if f.event.kind == "edit.accepted":
        return f.say(
            _("%(who)s took over an edit to your post in “%(title)s”"), _("Your post was edited: %(title)s"),
            _("See what changed"), _("Somebody suggested an edit to your post, and %(who)s took it over."),
        )  # fmt: skip
    made = f.say(
        _("%(who)s suggests an edit to your post in “%(title)s”"), _("An edit is suggested: %(title)s"),
        _("Look at it"), _("%(who)s suggests an edit to what you wrote. You decide, or somebody with the points does:"),
    )  # fmt: skip
    made.quote = f.subject.summary
    return made


def _edit_reviewed(f: Facts) -> Words:
    if f.event.kind == "edit.accepted":
        return f.say(
            _("Your edit to “%(title)s” was taken over"), _("Your edit was taken over: %(title)s"),
            _("See the post"), _("%(who)s took over the edit you suggested. Thank you."),
        )  # fmt: skip
    note = getattr(f.event, "note", None)
    made = f.say(
        _("Your edit to “%(title)s” was not taken over"), _("Your edit was not taken over: %(title)s"),
        _("See why"), _("%(who)s left the post as it is:"),
    )  # fmt: skip
    made.quote = note.text if note else ""
    return made


def _invited(f: Facts) -> Words:
    return f.say(
        _("%(who)s thinks you can help with “%(title)s”"), _("%(who)s thinks you can help: %(title)s"),
        _("Read the question"), _("%(who)s thinks you know something about this:"),
        _("You need not answer. In your settings you can say that you would rather not be invited."), quote=True,
    )  # fmt: skip


WORDS: Sayings = {
    "own_idea": _idea_status,
    "new_answer": _new_answer,
    "new_comment": _new_comment,
    "mention": _mention,
    "answer_accepted": _answer_accepted,
    "official_answer": _official_answer,
    "solved": _solved,
    "acknowledged": _acknowledged,
    "needs_info": _needs_info,
    "thread_state": _thread_state,
    "reminder": _reminder,
    "accepted_for_you": _accepted_for_you,
    "follow_up": _follow_up,
    "new_thread": _new_thread,
    "idea_status": _idea_status,
    "edit_suggested": _edit_suggested,
    "edit_reviewed": _edit_reviewed,
    "invited": _invited,
    "reconcile": _reconcile,
}
