"""What a notice says of what moderators did, and of a queue that waits for them."""

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from advocates.models import VoteFinding
from community.accounts.models import User
from community.moderation.models import Appeal, Flag, Look, PenaltyAppeal

from ..recipients import thread_of
from .ground import Facts, Sayings, Words


def _place_of_flag(flag: Flag, reader: User) -> str:
    """Where the flagged post stands, or stood, as far as who flagged it may look there."""
    target = flag.target
    for thing in (target, thread_of(target) if target is not None else None):
        if thing is not None and type(thing).objects.visible_to(reader).filter(pk=thing.pk).exists():
            return str(thing.get_absolute_url())
    return ""


def _about_a_look(f: Facts, note: str) -> Words:
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


def _queue_late(f: Facts) -> Words:
    each = ("pending", "flagged", "pointed_out", "appeals", "penalty_appeals", "profiles")
    total = sum(f.event.data.get(name, 0) for name in each)
    sentence = ngettext(
        "%(n)d post in the moderators' queue waits too long",
        "%(n)d posts in the moderators' queue wait too long",
        total,
    ) % {"n": total}
    return Words(sentence, sentence, reverse("moderation:queue"), _("Open the queue"), [sentence + "."], "")


def _moderation(f: Facts) -> Words:
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
    if f.event.kind == "profile.report_settled":
        told = {"name": str(f.subject)}
        sentence = (
            _("A moderator agreed with your report of the page of %(name)s. Thank you.") % told
            if f.event.data["upheld"]
            else _("A moderator looked at the page of %(name)s and left it as it is.") % told
        )
        return Words(sentence, sentence, f.subject.get_absolute_url(), _("See the page"), [sentence], "")
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


def _put_in_order(f: Facts, reason: str) -> Words:
    """To the author: what a moderator did to a post that nobody hid, with the reason."""
    if f.event.kind == "thread.moved":
        made = f.say(
            _("A moderator changed the title, product or tags of “%(title)s”"), _("Put in order: %(title)s"),
            _("See it"), _("Your words are as you wrote them."),
        )  # fmt: skip
    elif f.event.kind == "thread.locked" and not f.event.data.get("on", True):
        made = f.say(
            _("A moderator unlocked “%(title)s”"), _("Unlocked: %(title)s"), _("See it"),
            _("You and everybody else can write there again."),
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


WORDS: Sayings = {
    "moderation": _moderation,
    "queue_late": _queue_late,
}
