"""What a notice says: a sentence for the list, a subject and a few lines for the mail. Plain and short."""

from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import models
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from advocates import letters
from advocates.models import Badge, VoteFinding
from community.accounts.models import Department, User
from community.bridges import releases
from community.bridges.models import ReleaseNote
from community.core import ties
from community.core.brand import of_request
from community.core.text import excerpt
from community.escalation.models import Escalation, Incident
from community.events.models import Event
from community.moderation.models import Appeal, Flag, Look, PenaltyAppeal
from community.posts.models import Comment, Revision
from community.questions import asking_back
from community.questions.ideas import DONE
from community.questions.models import Answer, EditSuggestion, IdeaStatus, IdeaStep, Thread
from products.models import OwnerAlert, Ownership
from reviews import asking

from .recipients import thread_of


@dataclass
class Words:
    """`sentence` stands in the list, the rest in the mail; `about` groups notices of one thing."""

    sentence: str
    subject: str
    url: str
    action: str
    lines: list[str] = field(default_factory=list)
    quote: str = ""
    tied: str = ""  # what ties whoever is quoted to the brand: it stands below their words
    about: models.Model | None = None
    quotes: list[tuple[str, str]] = field(default_factory=list)  # who said what
    choices: list[tuple[str, str]] = field(default_factory=list)  # a word and its address, in place of the one action
    rated: list[tuple[str, list[tuple[int, str]]]] = field(default_factory=list)  # a thing, with a link for each star
    more: list[tuple[str, str]] = field(default_factory=list)  # further links, in plain words


def words_for(event: Event, kind: str, reader: User) -> Words:
    """The words for one reader, in the language that is active."""
    subject = event.subject
    thread = thread_of(subject)
    about = (thread.merged_into if thread and thread.merged_into_id else thread) or subject
    who = str(event.actor) if event.actor_id else _("Somebody")
    facts = _Facts(event, kind, who, subject, thread, reader)
    made = WORDS[kind](facts)
    made.about = about
    return made


@dataclass
class _Facts:
    event: Event
    kind: str
    who: str
    subject: Any
    thread: Thread | None
    reader: User

    @property
    def title(self) -> str:
        if self.thread is not None:
            return self.thread.title
        return str(getattr(self.subject, "title", "") or self.subject)

    @property
    def url(self) -> str:
        if isinstance(self.subject, Comment):
            return f"{self.subject.target.get_absolute_url()}"
        place = self.subject.target if isinstance(self.subject, Revision) else self.subject
        own = isinstance(place, (Answer, EditSuggestion))
        return str((place if own else self.thread or place).get_absolute_url())

    @property
    def quote(self) -> str:
        return excerpt(getattr(self.subject, "body_text", ""), 400)

    @property
    def tied(self) -> str:
        """What tied the author of the quoted words to the brand when they wrote them."""
        pk = getattr(self.subject, "author_id", None)
        if pk is None or not hasattr(self.subject, "created_at"):
            return ""
        author = self.event.actor if self.event.actor_id == pk else self.subject.author
        own = self.subject.disclosure if isinstance(self.subject, Answer) else ""
        return ties.in_a_line(author, self.subject.created_at, own)

    @property
    def department(self) -> str:
        pk = self.event.data.get("department")
        found = Department.objects.filter(pk=pk).first() if pk else getattr(self.event.actor, "department", None)
        return found.name if found else _("the team")

    def say(self, sentence: str, subject: str, action: str, *lines: str, quote: bool = False) -> Words:
        told = {"who": self.who, "title": self.title, "department": self.department}
        return Words(
            sentence % told, subject % told, self.url, action, [line % told for line in lines],
            self.quote if quote else "", self.tied if quote else "",
        )  # fmt: skip


def _said_by(answer: Answer) -> str:
    """Whose words are quoted, with what ties them to the brand."""
    tied = ties.in_a_line(answer.author, answer.created_at, answer.disclosure)
    return f"{answer.author} ({tied.rstrip('.')})" if tied else str(answer.author)


def _new_answer(f: _Facts) -> Words:
    own = f.thread is not None and f.thread.author_id == f.reader.pk
    return f.say(
        _("%(who)s answered “%(title)s”"), _("%(who)s answered: %(title)s"), _("Read and reply"),
        _("%(who)s answered your question:") if own else _("%(who)s answered a thread you follow:"),
        *([_("If that settles it, please accept the answer. It helps the next person.")] if own else []),
        quote=True,
    )  # fmt: skip


def _new_comment(f: _Facts) -> Words:
    return f.say(
        _("%(who)s commented on “%(title)s”"), _("%(who)s commented: %(title)s"), _("Open it"),
        _("%(who)s wrote:"), quote=True,
    )  # fmt: skip


def _mention(f: _Facts) -> Words:
    return f.say(
        _("%(who)s mentioned you in “%(title)s”"), _("%(who)s mentioned you in: %(title)s"), _("Open the thread"),
        _("%(who)s wrote to you:"), _("You needn't answer."), quote=True,
    )  # fmt: skip


def _answer_accepted(f: _Facts) -> Words:
    return f.say(
        _("%(who)s accepted your answer to “%(title)s”"), _("Your answer solved it: %(title)s"), _("See the thread"),
        _("%(who)s accepted your answer. Thank you for taking the time."),
    )  # fmt: skip


def _official_answer(f: _Facts) -> Words:
    return f.say(
        _("%(department)s answered “%(title)s” officially"), _("%(department)s answered officially: %(title)s"),
        _("Read it in full"), _("%(who)s answered for %(department)s:"),
        _("If this doesn't fit what you see, say so in the thread: an official answer can be wrong."),
        quote=True,
    )  # fmt: skip


def _solved(f: _Facts) -> Words:
    return f.say(
        _("“%(title)s” is solved"), _("Solved: %(title)s"), _("See the answer"),
        _("A thread you follow has an accepted answer:"), quote=True,
    )  # fmt: skip


def _acknowledged(f: _Facts) -> Words:
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


def _needs_info(f: _Facts) -> Words:
    made = f.say(
        _("%(who)s needs to know more about “%(title)s”"), _("One thing we need to know: %(title)s"), _("Reply"),
        _("%(who)s asks:"),
        _("The clock stands still until you reply. Order numbers belong in the private details, for staff only."),
    )  # fmt: skip
    made.quote = f.thread.needs_info_note if f.thread else ""
    return made


def _thread_state(f: _Facts) -> Words:
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


def _new_thread(f: _Facts) -> Words:
    return f.say(_("%(who)s asked “%(title)s”"), _("New: %(title)s"), _("Read it"), _("%(who)s wrote:"), quote=True)


def _reminder(f: _Facts) -> Words:
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


def _accepted_for_you(f: _Facts) -> Words:
    return f.say(
        _("%(who)s accepted an answer to “%(title)s” for you"), _("Accepted for you: %(title)s"), _("See the answer"),
        _("You have not written for a while, so %(who)s of the staff accepted this answer for you:"),
        _("If it did not solve it, open the thread and take the acceptance back. That is all it takes."),
        quote=True,
    )  # fmt: skip


def _follow_up(f: _Facts) -> Words:
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


def _reconcile(f: _Facts) -> Words:
    made = f.say(
        _("You reconcile the answers to “%(title)s”"), _("Two answers disagree: %(title)s"), _("Read both"),
        _("%(who)s says that the accepted and the official answer disagree, and named you to settle it:"),
        _("The thread shows your name until you say which one holds."),
    )  # fmt: skip
    made.quote = f.thread.disagree_note if f.thread else ""
    return made


def _idea_status(f: _Facts) -> Words:
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


def _who_asked(f: _Facts) -> releases.Asked | None:
    """How the reader asked for the change: one look for all who hear."""
    if not hasattr(f.event, "asked"):
        f.event.asked = releases.who_asked(f.subject)  # type: ignore[attr-defined]
    return f.event.asked.get(f.reader.pk)  # type: ignore[attr-defined]


def _you_asked(asked: releases.Asked | None) -> str:
    told = {"title": asked.title if asked else ""}
    if asked is None:
        return _("You asked for this.")
    return {
        "idea": _("Your idea was: “%(title)s”"),
        "thread": _("You wrote: “%(title)s”"),
        "review": _("You wrote in your review: “%(title)s”"),
        "voted": _("You voted for: “%(title)s”"),
        "me_too": _("You have the same as: “%(title)s”"),
    }[asked.how] % told


def _release(f: _Facts) -> Words:
    """In person: what they asked, and what changed."""
    note: ReleaseNote = f.subject
    told = {"title": note.title, "product": note.product.label, "did": note.we_did, "version": note.version}
    lines = [_you_asked(_who_asked(f)), _("What we did: %(did)s") % told]
    if note.version:
        lines.append(_("It is in: %(version)s.") % told)
    lines.append(_("Thank you for saying so. In sixty days we ask you once whether it helped."))
    return Words(
        sentence=_("You said, we did: %(title)s") % told,
        subject=_("You said, we did: %(title)s") % told,
        url=f.url,
        action=_("Read what changed"),
        lines=lines,
    )


def _release_helped(f: _Facts) -> Words:
    note: ReleaseNote = f.subject
    told = {"title": note.title, "did": note.we_did}
    return Words(
        sentence=_("Did it help? %(title)s") % told,
        subject=_("Did it help? %(title)s") % told,
        url=f"{f.url}#helped",
        action=_("Say whether it helped"),
        lines=[
            _you_asked(_who_asked(f)),
            _("What we did: %(did)s") % told,
            _("That was sixty days ago. One press says whether it helped. In public the answers are numbers."),
        ],
    )


def _review(f: _Facts) -> Words:
    sentence, subject, action = {
        "review.published": (
            _("Your review “%(title)s” is online"), _("Your review is online: %(title)s"), _("See it"),
        ),
        "review.refused": (
            _("Your review “%(title)s” needs a change"), _("Your review needs one change: %(title)s"),
            _("Edit and send again"),
        ),
        "review.answered": (
            _("%(department)s answered your review “%(title)s”"), _("%(department)s answered your review: %(title)s"),
            _("Read it"),
        ),
        "bridge.offered": (
            _("May we open a thread for your review “%(title)s”?"), _("May we open a thread? %(title)s"),
            _("See the offer"),
        ),
    }[f.event.kind]  # fmt: skip
    lines = [sentence if sentence.endswith("?") else sentence + "."]
    if f.event.kind == "bridge.offered":
        lines.append(
            _("Somebody would deal with the problem in a thread of its own. Nothing happens unless you agree.")
        )
    if f.event.data.get("code") == "delivery_or_service":
        lines.append(_("If you like, it becomes a problem thread, so that somebody deals with it: one click."))
    if f.event.kind == "review.refused":
        lines.append(_("The reason and the passage stand on its page. Your stars were not the reason and stay."))
    return f.say(sentence, subject, action, *lines)


def _review_request(f: _Facts) -> Words:
    """As the house asks (demo/pages.yaml, mails): good or bad, everybody alike, and trouble first where there is."""
    rows = asking.asked_about(f.subject)
    names = ", ".join(row.product.label for row in rows)
    if len(rows) == 1:
        weeks = asking.weeks_since(rows[0])
        told = {"product": rows[0].product.name, "weeks": weeks}
        subject = (
            ngettext(
                "How is the %(product)s, after %(weeks)d week?", "How is the %(product)s, after %(weeks)d weeks?", weeks
            )
            % told
        )
        had = (
            ngettext(
                "You have had your %(product)s for %(weeks)d week. People who are thinking about one would like to "
                "know what you think.",
                "You have had your %(product)s for %(weeks)d weeks. People who are thinking about one would like to "
                "know what you think.",
                weeks,
            )
            % told
        )
    else:
        subject = _("How do you like them? %(products)s") % {"products": names}
        had = _(
            "You have had these for some weeks. People who are thinking about one would like to know what you think."
        )
    if f.event.data.get("reminder"):
        subject = _("Once more, and then no more: how do you like it? %(products)s") % {"products": names}
    first = rows[0].product.slug if rows else ""
    return Words(
        sentence=_("How do you like it? %(products)s") % {"products": names},
        subject=subject,
        url=reverse("reviews:write", args=[first]) if len(rows) == 1 else reverse("shelf:shelf"),
        action=_("Write a review"),
        lines=[
            had,
            _("Please tell them what is good and what is not. We can't change a star, and we ask everybody, not only "
              "those who are happy."),
            _("Choose a star to begin. Nothing is published before you have written it and sent it off."),
        ],
        rated=[
            (row.product.name, [(n, f"{reverse('reviews:asked', args=[asking.token_for(row)])}?stars={n}")
                                for n in range(1, 6)])
            for row in rows
        ],
        more=[(_("Is something wrong with it? Tell us first, and it will be looked after"),
               f"{reverse('questions:ask')}?kind=problem" + (f"&product={first}" if len(rows) == 1 else ""))],
    )  # fmt: skip


def _recall(f: _Facts) -> Words:
    alert: OwnerAlert = f.subject
    title, steps = alert.told
    told = {"product": alert.product.name, "title": title}
    return Words(
        sentence=_("Please stop using your %(product)s: %(title)s") % told,
        subject=_("Please stop using your %(product)s: %(title)s") % told,
        url=alert.get_absolute_url(),
        action=_("What to do"),
        lines=[
            *steps,
            *_whose(alert, f.reader),
            _("You get this because a %(product)s is on your shelf. What you can do now, and what we do for you, is on "
              "the page below.") % told,
            _("If you gave it to somebody else, please pass this on."),
        ],
    )  # fmt: skip


def _known_issue(f: _Facts) -> Words:
    alert: OwnerAlert = f.subject
    title, text = alert.told
    told = {"product": alert.product.name, "title": title}
    if f.event.kind == "alert.ended":
        sentence = _("Solved, for your %(product)s: %(title)s") % told
        lines = [_("We told you of a known issue of your %(product)s. It is solved.") % told]
    else:
        sentence = _("Known issue with your %(product)s: %(title)s") % told
        lines = [*text, _("You get this because a %(product)s is on your shelf.") % told]
    return Words(sentence, sentence, alert.get_absolute_url(), _("What to do"), lines)


def _whose(alert: OwnerAlert, reader: User) -> list[str]:
    """For owners who have not said which version is theirs."""
    names = [version.said.name for version in alert.versions.all()]
    if not names or Ownership.objects.filter(owner=reader, product=alert.product_id, version=None).first() is None:
        return []
    return [_("It concerns: %(versions)s. You have not said which one yours is, so please look.") % {
        "versions": ", ".join(names)
    }]  # fmt: skip


def _shared(f: _Facts) -> Words:
    sentence = _("%(who)s made “%(title)s”") if f.event.kind == "recipe.made" else _("“%(title)s” worked for %(who)s")
    return f.say(sentence, sentence, _("See it"), sentence + ".")


def _badge(f: _Facts) -> Words:
    badge = Badge.objects.filter(slug=f.event.data.get("badge", "")).first()
    told = {"badge": badge.label if badge else f.event.data.get("badge", "")}
    gone = f.event.kind == "badge.revoked"
    sentence = (_("A badge of yours was taken back: %(badge)s") if gone else _("You earned a badge: %(badge)s")) % told
    made = Words(
        sentence=sentence,
        subject=sentence,
        url=reverse("badges:badge", args=[badge.slug]) if badge else f.reader.get_absolute_url(),
        action=_("See the badge"),
        lines=[badge.sentence] if badge else [],
    )
    note = getattr(f.event, "note", None)
    made.quote = note.text if note else ""
    return made


def _place_of_flag(flag: Flag, reader: User) -> str:
    """Where the flagged post stands, or stood, as far as who flagged it may look there."""
    target = flag.target
    for thing in (target, thread_of(target) if target is not None else None):
        if thing is not None and type(thing).objects.visible_to(reader).filter(pk=thing.pk).exists():
            return str(thing.get_absolute_url())
    return ""


def _about_a_look(f: _Facts, note: str) -> Words:
    """A post that waited is online, or an appeal was not granted."""
    target = f.subject.target
    thread = thread_of(target) if target is not None else None
    told = {"title": thread.title if thread is not None else str(target)}
    if isinstance(f.subject, Look):
        sentence, subject = _("Your post in “%(title)s” is online"), _("Online: %(title)s")
        lines = [_("A moderator looked at it. Thank you for waiting.")]
    else:
        sentence, subject = _("Your appeal about “%(title)s” was not granted"), _("Not granted: %(title)s")
        lines = [_("Somebody else than who hid it looked, and it stays hidden.")]
    place = str(target.get_absolute_url()) if hasattr(target, "get_absolute_url") else reverse("notices:list")
    if isinstance(f.subject, Appeal):
        place = reverse("posts:why", args=[f.event.data["target_type"], f.event.data["target_id"]])
    return Words(sentence % told, subject % told, place, _("See it"), lines, note)


def _queue_late(f: _Facts) -> Words:
    each = ("pending", "flagged", "pointed_out", "appeals", "penalty_appeals")
    total = sum(f.event.data.get(name, 0) for name in each)
    sentence = ngettext(
        "%(n)d post in the moderators' queue waits too long",
        "%(n)d posts in the moderators' queue wait too long",
        total,
    ) % {"n": total}
    return Words(sentence, sentence, reverse("moderation:queue"), _("Open the queue"), [sentence + "."], "")


def _moderation(f: _Facts) -> Words:
    note = getattr(f.event, "note", None)
    if isinstance(f.subject, Flag):
        told = {"reason": f.subject.get_reason_display()}
        sentence = (
            _("A moderator agreed with your flag “%(reason)s”. Thank you.") % told
            if f.event.kind == "flag.upheld"
            else _("A moderator looked at your flag “%(reason)s” and left the post as it is.") % told
        )
        place = _place_of_flag(f.subject, f.reader)
        return Words(
            sentence, sentence, place or reverse("notices:list"),
            _("See where it was") if place else _("Your notifications"), [sentence], note.text if note else "",
        )  # fmt: skip
    if isinstance(f.subject, PenaltyAppeal):
        sentence = {
            "warn": _("Your appeal against a warning was not granted"),
            "silence": _("Your appeal against a silence was not granted"),
        }.get(f.event.data["step"], _("Your appeal against a suspension was not granted"))
        lines = [_("Somebody else than who decided first has looked, and it stands.")]
        place = reverse("posts:conduct")
        return Words(sentence, sentence, place, _("See what was decided"), lines, note.text if note else "")
    if isinstance(f.subject, (Look, Appeal)):
        return _about_a_look(f, note.text if note else "")
    if isinstance(f.subject, VoteFinding):
        sentence = (
            _("Some votes between accounts no longer count, yours or for your posts")
            if f.event.kind == "votes.taken_out"
            else _("Some votes between accounts count again, yours or for your posts")
        )
        return Words(
            sentence, sentence, reverse("people:points", args=[f.reader.username]), _("Where my points come from"),
            [
                _("Votes are for posts, not for people. When many go from one account to another, moderators look."),
                _("Points and badges follow. Nothing else changes, and nobody is blamed. You can ask us about it."),
            ],
        )  # fmt: skip
    if isinstance(f.subject, User):
        sentence = {
            "person.warned": _("A moderator warned you"),
            "person.restored": _("Your account is open again"),
            "penalty.lifted": {
                "warn": _("A moderator took back a warning"),
                "silence": _("A moderator ended a silence before its time"),
            }.get(f.event.data.get("step", ""), _("A moderator took back one of your suspensions")),
        }.get(f.event.kind) or _("You can read but not write for %(hours)s hours") % {
            "hours": f.event.data.get("hours", "")
        }
        lines = [sentence + "."]
        if f.event.kind in ("person.silenced", "person.warned"):
            lines.append(_("If you think this is wrong, say so there: somebody else looks at it, once."))
        return Words(
            sentence, sentence, reverse("posts:conduct"), _("See what was decided"), lines, note.text if note else ""
        )
    if f.event.kind in PUT_IN_ORDER or f.event.kind.endswith(".deleted"):
        return _put_in_order(f, note.text if note else "")
    hidden = f.event.kind.endswith(".hidden")
    made = f.say(
        _("Your post in “%(title)s” was hidden") if hidden else _("Your post in “%(title)s” is visible again"),
        _("Hidden: %(title)s") if hidden else _("Visible again: %(title)s"),
        _("See it"),
        _("You can still see it, with the reason, and edit it.") if hidden
        else _("A moderator looked at it again."),
    )  # fmt: skip
    made.quote = note.text if note else ""
    return made


PUT_IN_ORDER = ("thread.moved", "thread.locked")


def _put_in_order(f: _Facts, reason: str) -> Words:
    """To the author: what a moderator did to a post that nobody hid, with the reason."""
    if f.event.kind == "thread.moved":
        made = f.say(
            _("A moderator changed the title, product or tags of “%(title)s”"), _("Put in order: %(title)s"),
            _("See it"), _("Your words are as you wrote them."),
        )  # fmt: skip
    elif f.event.kind == "thread.locked":
        made = f.say(
            _("A moderator locked “%(title)s”"), _("Locked: %(title)s"), _("See it"),
            _("Nobody can write there any more."),
        )  # fmt: skip
    else:
        made = f.say(
            _("Your post in “%(title)s” was taken away"), _("Taken away: %(title)s"), _("How posts are moderated"),
            _("A moderator took it away for good. Nobody sees it any more."),
        )  # fmt: skip
        made.url = reverse("posts:figures")
    made.quote = reason
    return made


def _edit_suggested(f: _Facts) -> Words:
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


def _edit_reviewed(f: _Facts) -> Words:
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


def _invited(f: _Facts) -> Words:
    return f.say(
        _("%(who)s thinks you can help with “%(title)s”"), _("%(who)s thinks you can help: %(title)s"),
        _("Read the question"), _("%(who)s thinks you know something about this:"),
        _("You need not answer. In your settings you can say that you would rather not be invited."), quote=True,
    )  # fmt: skip


def _asked_to_help(f: _Facts) -> Words:
    if f.event.kind == "advocate.handed_over":
        return _handed_over(f)
    return f.say(
        _("Can you help with “%(title)s”?"), _("Can you help? %(title)s"), _("Read the question"),
        _("A question about something you know well is still open:"),
        _("Nobody sees that you were asked, and you need not answer."), quote=True,
    )  # fmt: skip


def _plain(f: _Facts, sentence: str, subject: str, action: str, url: str, *lines: str) -> Words:
    """A notice that is about no thread."""
    made = f.say(sentence, subject, action, *lines)
    made.url = url
    return made


def _handed_over(f: _Facts) -> Words:
    n = len(f.event.data.get("threads", ()))
    told = {"n": n, "who": str(f.subject)}
    sentence = ngettext(
        "You stand in for %(who)s: %(n)d open question", "You stand in for %(who)s: %(n)d open questions", n
    )
    return _plain(
        f, _escaped(sentence % told), _escaped(sentence % told), _("Open your queue"), reverse("advocates:queue"),
        _escaped(_("%(who)s is away, and named you. What was asked of them is in your queue now.") % told),
        _("You need not answer; you can pass."),
    )  # fmt: skip


def _escaped(words: str) -> str:
    """Names go in before the title does."""
    return words.replace("%", "%%")


def _programme(f: _Facts) -> Words:
    note = getattr(f.event, "note", None)
    kind = f.event.kind
    if kind == "advocate.invited":
        made = _plain(
            f, _("You are invited to become an advocate"), _("Would you like to be an advocate?"),
            _("Read what it means"), reverse("advocates:apply"),
            _("We read what you wrote, and would like to have you among those who help others."),
            _("You say yes or no; saying no costs nothing."),
        )  # fmt: skip
    elif kind == "advocate.removed":
        contact = of_request(None).contact
        lines = [_("Your role as an advocate has ended. What you wrote and earned stays. The reason:")]
        if contact:
            lines.append(_escaped(_("You can have it looked at again: write to %(contact)s.") % {"contact": contact}))
        made = _plain(
            f, _("Your role as an advocate has ended"), _("Your role as an advocate has ended"), _("Read more"),
            reverse("advocates:mine"), *lines,
        )  # fmt: skip
    elif f.event.data.get("accepted"):
        rows = list(f.subject.products.select_related("product")) if f.subject is not None else []
        told = {
            "products": ", ".join(row.product.label for row in rows if row.accepted),
            "others": ", ".join(row.product.label for row in rows if not row.accepted),
        }
        lines = [_("Your trial was judged, and you were accepted. Thank you for the time you give.")]
        if told["products"]:
            lines.append(_escaped(_("Accepted for: %(products)s.") % told))
        if told["others"]:
            lines.append(
                _escaped(_("Not this time: %(others)s. What the judges say stands with your application.") % told)
            )
        made = _plain(
            f, _("You are an advocate now"), _("Welcome among the advocates"), _("Open your place"),
            reverse("advocates:mine"), *lines,
        )  # fmt: skip
    else:
        made = _plain(
            f, _("Your application was not accepted"), _("About your application as an advocate"), _("See your trial"),
            reverse("advocates:apply"), _("Thank you for applying. This time it was not accepted, for this reason:"),
        )  # fmt: skip
    made.quote = note.text if note else ""
    return made


def _judge(f: _Facts) -> Words:
    return _plain(
        f, _("You are asked to judge an applicant's trial"), _("Would you judge a trial?"), _("Read the answers"),
        f.subject.get_absolute_url(),
        _("Somebody would like to become an advocate. Please say of each answer whether it would have helped."),
        _("You don't see who it is, nor what the other judge says. It takes a quarter of an hour."),
    )  # fmt: skip


def _impact_letter(f: _Facts) -> Words:
    letter = f.subject
    told = {"month": letters.month_name(letter)}
    made = _plain(
        f, _escaped(_("What came of your %(month)s") % told), _escaped(_("Your letter: %(month)s") % told),
        _("Read the letter"), letter.get_absolute_url(),
        *[_escaped(f"{number} {words}") for number, words in letters.lines(letter)],
        *([_escaped(letters.assumption(letter))] if letter.contacts_saved else []),
        *([_escaped(_("Thank you. %(who)s") % {"who": letter.signed_by})] if letter.signed_by else [_("Thank you.")]),
    )  # fmt: skip
    return made


def _thanked(f: _Facts) -> Words:
    made = _plain(
        f, _("%(who)s thanks you for an answer"), _("%(who)s says thank you"), _("Read it"),
        f.subject.get_absolute_url(), _("%(who)s wrote:"),
    )  # fmt: skip
    made.quote = f.subject.body_text
    return made


def _case_department(f: _Facts) -> Words:
    return _case(f, _("“%(title)s” has reached %(department)s"), _("For %(department)s: %(title)s"))


def _case_assigned(f: _Facts) -> Words:
    if f.event.kind == "escalation.pause_over":
        return _case(
            f, _("“%(title)s” was paused until today; look what became of it"), _("Look again: %(title)s")
        )  # fmt: skip
    return _case(f, _("“%(title)s” is yours"), _("Yours: %(title)s"))


def _cases_handed(f: _Facts) -> Words:
    """One sentence for all the cases of a hand-over; which they are stands on its page."""
    act, n = f.subject, len(f.event.data.get("cases", ()))
    told = {"who": str(act.giver), "n": n, "note": act.note}
    if act.to_id:
        line = ngettext("%(who)s hands you %(n)d case", "%(who)s hands you %(n)d cases", n)
    else:
        line = ngettext(
            "%(who)s gives %(n)d case back to the department", "%(who)s gives %(n)d cases back to the department", n
        )
    made = Words(line % told, line % told, act.get_absolute_url(), _("See which"), [line % told + "."])
    made.quote = act.note
    return made


def _incident(f: _Facts) -> Words:
    incident: Incident = f.subject
    told = {"product": incident.product.name, "title": incident.title}
    sentence = _("Solved, for your %(product)s: %(title)s") % told
    return Words(
        sentence, sentence, incident.get_absolute_url(), _("What solves it"),
        [_("You asked about this, or said that you have the same."), *incident.solution.splitlines()],
    )  # fmt: skip


def _case_lead(f: _Facts) -> Words:
    if f.event.kind == "escalation.hand_off_failed":
        return _case(
            f, _("“%(title)s” could not be handed over, and that channel is switched off"),
            _("Could not be handed over: %(title)s"),
        )  # fmt: skip
    if f.event.kind == "escalation.outcome_not_posted":
        said = _("What came of “%(title)s” could not be posted there; it stands at the case")
        return _case(f, said, _("Could not be posted: %(title)s"))
    if f.event.kind == "escalation.outcome_awaited":
        return _awaited(f)
    return _case(f, _("“%(title)s” needs your eye"), _("Nobody has settled it yet: %(title)s"))


def _case_late(f: _Facts) -> Words:
    if f.event.kind == "escalation.promise_late":
        return _case(
            f, _("The day of a promise in “%(title)s” has passed; keep it, or name another"),
            _("A promise is late: %(title)s"),
        )  # fmt: skip
    if f.event.kind == "escalation.outcome_awaited":
        return _awaited(f)
    return _case(f, _("“%(title)s” is late"), _("Late: %(title)s"))


def _awaited(f: _Facts) -> Words:
    return _case(
        f, _("“%(title)s” was handed off, and nothing has come of it yet; ask there, and post it"),
        _("What came of it? %(title)s"),
    )  # fmt: skip


def _case(f: _Facts, sentence: str, subject: str) -> Words:
    return f.say(sentence, subject, _("Open the thread"), sentence + ".", quote=True)


WORDS = {
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
    "own_idea": _idea_status,
    "idea_status": _idea_status,
    "release": _release,
    "release_helped": _release_helped,
    "review": _review,
    "review_request": _review_request,
    "recall": _recall,
    "known_issue": _known_issue,
    "incident": _incident,
    "shared": _shared,
    "badge": _badge,
    "moderation": _moderation,
    "edit_suggested": _edit_suggested,
    "edit_reviewed": _edit_reviewed,
    "invited": _invited,
    "asked_to_help": _asked_to_help,
    "programme": _programme,
    "judge": _judge,
    "impact_letter": _impact_letter,
    "thanked": _thanked,
    "case_department": _case_department,
    "case_assigned": _case_assigned,
    "cases_handed": _cases_handed,
    "case_lead": _case_lead,
    "case_late": _case_late,
    "queue_late": _queue_late,
    "reconcile": _reconcile,
}
