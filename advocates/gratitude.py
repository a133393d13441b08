"""Thanks from whoever asked, and quiet celebrations: a line where one looks anyway, and nothing that counts days."""

from datetime import timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Min
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from community.accounts.models import User
from community.core import clock, text
from community.core.errors import Conflict, require
from community.core.rows import locked, retried
from community.events.log import is_replaying
from community.moderation import screening
from community.moderation import services as moderation
from community.moderation.permissions import why_not_write
from community.posts import gates
from community.questions.models import Answer, FollowUp

from .models import Thanks

LONGEST = 300
CELEBRATED = timedelta(days=7)
FIXES = (10, 25, 50, 100, 250, 500)


def why_not_thank(user: Any, answer: Answer) -> str:
    """Whoever asked may thank whoever answered, once, while both can be read."""
    if reason := why_not_write(user):
        return reason
    if answer.thread.author_id != user.pk:
        return _("A thank you comes from whoever asked.")
    if answer.author_id == user.pk:
        return _("You can't thank yourself.")
    if not (answer.is_visible and answer.thread.is_visible):
        return _("This answer has been taken down.")
    if answer.author.is_erased:
        return _("Whoever wrote this is no longer here.")
    return ""


@retried
def thank(answer: Answer, by: User, words: str, *, show: bool = False) -> Thanks:
    """Thank somebody for an answer. They read it; others do if both like. Again with the same words: harmless.

    Held for a look, as posts are, where a newcomer's first words are looked at. Raises ValidationError, NotAllowed,
    Conflict when one has thanked already.
    """
    if not is_replaying():
        require(why_not_thank(by, answer))
    words = text.clean_line(words)
    if not 2 <= len(words) <= LONGEST:
        raise ValidationError({"words": _("Write a line, of at most %(n)d characters.") % {"n": LONGEST}})
    if "://" in words or "www." in words:
        raise ValidationError({"words": _("A thank you needs no link.")})
    known = Thanks.objects.filter(answer=answer).first()
    if known is not None:
        if known.body_text == words:
            return known
        raise Conflict(_("You have thanked for this answer already."))
    row = Thanks(
        answer=answer, author=by, body_text=words, asker_shows=show, created_at=clock.now(),
        visibility=Thanks.Visibility.DRAFT,
    )  # fmt: skip
    looked = gates.look(row, by, "answers", published=[by.answers])
    if looked.waits:
        row.visibility = Thanks.Visibility.PENDING
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError:
        raise Conflict(_("You have thanked for this answer already.")) from None
    screening.keep(looked, row)
    if not looked.waits:
        moderation.publish(row, by)
    return row


@retried
def show_thanks(thanks: Thanks, by: User, on: bool) -> Thanks:
    """Each of the two says whether others may read it. Twice is harmless."""
    row = locked(thanks)
    if by.pk == row.author_id:
        row.asker_shows = on
    elif by.pk == row.answer.author_id:
        row.answerer_shows = on
    else:
        require(_("This is between the two who wrote."))
    row.save(update_fields=["asker_shows", "answerer_shows"])
    thanks.asker_shows, thanks.answerer_shows = row.asker_shows, row.answerer_shows
    return row


def celebration(person: User) -> str:
    """One line about something that has just become true for the first time, or nothing. Two queries.

    It stands for a week where the person looks anyway. Nothing is counted in days in a row.
    """
    since = clock.now() - CELEBRATED
    held = (
        FollowUp.objects.filter(
            answer__author=person, outcome=FollowUp.Outcome.YES, answer__visibility="visible",
            answer__thread__visibility="visible",
        )
        .exclude(answer__thread__author=person)
        .order_by("answered_at", "pk")
        .values_list("answered_at", flat=True)
    )  # fmt: skip
    times = list(held[: FIXES[-1]])
    for number in reversed(FIXES):
        if len(times) >= number and times[number - 1] is not None and times[number - 1] > since:
            return ngettext("%(n)d of your fixes has held.", "%(n)d of your fixes have held.", number) % {"n": number}
    own = Answer.objects.visible().filter(author=person).exclude(thread__author=person)
    first = own.order_by().aggregate(first=Min("created_at"))["first"]
    return _("Your first answer is out in the world. Thank you for it.") if first and first > since else ""
