"""Leaving: somebody asks, has two weeks to think again, and then nothing here names them any more.

What each room does about it stands in its `personal.py` (`core.personal`, decision 0186). What they wrote stays
without a name, or goes along as far as nobody else's words hang on it. One transaction: either all of it or nothing.
"""

import logging
import re
from datetime import datetime, timedelta
from typing import Any

from django.apps import apps
from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import Q
from django.urls import reverse
from django.utils import translation
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from community.accounts import services as accounts
from community.accounts.models import FormerUsername, Standing, User
from community.core import clock, outbox, personal, text
from community.core.errors import Conflict, require
from community.core.models import Body
from community.core.rows import locked, retried
from community.events.log import record
from community.posts import gates
from community.posts.models import Revision
from community.questions.models import Answer, EditSuggestion, Thread, quote_head

from .models import Departure

logger = logging.getLogger(__name__)

GRACE = timedelta(days=14)
SHORTEST_REASON = 20


def why_not_leave(user: User) -> str:
    """Why somebody's account can't be erased as they stand."""
    if user.is_erased:
        return _("This account was erased.")
    if user.standing == Standing.STAFF or user.is_superuser:
        return _("You work here. Hand your cases over and have your role taken off first.")
    return ""


def planned(user: User) -> Departure | None:
    return Departure.objects.filter(person=user).first()


@transaction.atomic
def ask_to_leave(user: User, *, words_go: bool) -> Departure:
    """Begin the two weeks, or change what becomes of the words. They are told by mail. Raises NotAllowed."""
    row = locked(user)
    require(why_not_leave(row))
    now = clock.now()
    departure, new = Departure.objects.get_or_create(
        person=row, defaults={"asked_at": now, "due_at": now + GRACE, "words_go": words_go}
    )
    if not new and departure.words_go != words_go:
        departure.words_go = words_go
        departure.save(update_fields=["words_go"])
    if new and row.email:
        _tell(row, departure.due_at)
    return departure


@transaction.atomic
def stay(user: User) -> None:
    """Think again: nothing happens. Twice is harmless. Waits for an erasure that has begun, and comes too late then."""
    locked(user)
    Departure.objects.filter(person=user).delete()


# For somebody who asked by letter or on the telephone (decision 0230)


def why_not_ask_for(by: Any) -> str:
    if by is not None and by.is_authenticated and by.has_perm("accounts.change_user"):
        return ""
    return _("Only community managers erase accounts for others.")


def why_not_theirs(person: User) -> str:
    """Why this account can't be erased for whoever asked by letter."""
    if person.is_erased:
        return _("This account was erased.")
    if person.standing == Standing.STAFF or person.is_superuser:
        return _("This account belongs to somebody of the staff. Take the role off first.")
    return ""


@transaction.atomic
def ask_for(person: User, by: User, *, words_go: bool, reason: str) -> Departure:
    """Begin the two weeks for somebody who asked elsewhere, or change what becomes of the words.

    As if they had asked here: they are told by mail, and can keep the account until the day. Who did it and why stands
    in the log. Raises NotAllowed, Conflict for an account that can't go, ValidationError at `reason`.
    """
    require(why_not_ask_for(by))
    row = locked(person)
    if objection := why_not_theirs(row):
        raise Conflict(objection)
    reason = check_reason(reason)
    now = clock.now()
    departure, new = Departure.objects.get_or_create(
        person=row, defaults={"asked_at": now, "due_at": now + GRACE, "words_go": words_go}
    )
    if not new and departure.words_go == words_go:
        return departure
    if not new:
        departure.words_go = words_go
        departure.save(update_fields=["words_go"])
    elif row.email:
        _tell(row, departure.due_at, by_post=True)
    record("person.leaving", actor=by, subject=row, note=reason, words="go" if words_go else "stay")
    return departure


@transaction.atomic
def call_off(person: User, by: User, *, reason: str) -> None:
    """They thought again and said so elsewhere, or it was not they who asked. Twice is harmless. Raises NotAllowed,
    ValidationError at `reason`."""
    require(why_not_ask_for(by))
    row = locked(person)
    reason = check_reason(reason)
    if Departure.objects.filter(person=row).delete()[0]:
        record("person.staying", actor=by, subject=row, note=reason)


def check_reason(reason: str) -> str:
    """The reason without its edges. Raises ValidationError when it says too little."""
    reason = reason.strip()
    if len(reason) < SHORTEST_REASON:
        raise ValidationError(
            {"reason": _("Say how they asked and how you know who it was, in 20 characters or more.")}
        )
    return reason


def _tell(person: User, due_at: datetime, *, by_post: bool = False) -> None:
    with translation.override(person.language or settings.LANGUAGE_CODE):
        if by_post:
            said = _(
                "We were asked, in your name, to erase your account. We will do it on %(day)s.\n\n"
                "If that was not you, or you think again, sign in until then and press “Keep my account”: %(url)s\n\n"
                "If you can't sign in, tell us the way you asked us."
            )
        else:
            said = _(
                "You asked us to erase your account. We will do it on %(day)s.\n\n"
                "If that was not you, or you think again, sign in until then and press “Keep my account”: %(url)s"
            )
        url = settings.BASE_URL.rstrip("/") + reverse("portability:data")
        outbox.queue(
            kind=outbox.TRANSACTIONAL,
            user=person,
            subject=_("Your account will be erased"),
            text=said % {"day": date_format(due_at, "DATE_FORMAT"), "url": url},
        )


def leave_due() -> int:
    """Sweep: erase whose two weeks are over. Returns how many. Twice is harmless.

    Each alone and as they are now: somebody may have thought again, or become staff, and one who can't be erased
    keeps nobody else.
    """
    erased = 0
    for pk in list(Departure.objects.filter(due_at__lte=clock.now()).order_by("due_at").values_list("pk", flat=True)):
        try:
            erased += _leave(pk)
        except Exception:
            logger.exception("Person %s could not be erased", pk)
    return erased


@retried
def _leave(pk: int) -> bool:
    row = locked(User(pk=pk))
    departure = Departure.objects.select_for_update().filter(pk=pk, due_at__lte=clock.now()).first()
    return departure is not None and not why_not_leave(row) and erase(row, words_go=departure.words_go)


@retried
def erase(person: User, *, words_go: bool) -> bool:
    """Take a person out of everything. False when that was done before.

    The caller has made sure that they, or the law, want it; there is no way back.
    """
    row = locked(person)
    if row.is_erased:
        return False
    names = [row.username, *FormerUsername.objects.filter(user=row).values_list("username", flat=True)]
    name = row.name or row.username
    leaving = personal.Leaving(row, words_go)
    personal.run("before_leaving", leaving)
    accounts.anonymise(row, words="go" if words_go else "stay")
    personal.let_go(row)
    personal.run("after_leaving", leaving)
    _out_of_others_words(row, names, name)
    person.refresh_from_db()
    return True


# The words of others


def _out_of_others_words(person: User, usernames: list[str], name: str) -> None:
    """Mentions and the heads of quotations name people in what others wrote, earlier versions included.

    A name is not one person's: heads are looked for only in threads where this one wrote.
    """
    heads = _heads(name)
    mentioned, headed = Q(), Q()
    for username in usernames:
        mentioned |= Q(body_source__icontains=f"@{username}")
    for head in heads:
        headed |= Q(body_source__contains=head)
    theirs = Thread._base_manager.filter(
        Q(author=person) | Q(pk__in=Answer._base_manager.filter(author=person).values("thread"))
    ).values("pk")
    answers = Answer._base_manager.filter(thread__in=theirs).values("pk")
    quoting: dict[type[Any], Any] = {Thread: theirs, Answer: answers}
    for model in _bodies():
        rows = model._base_manager
        where = rows.filter(headed, pk__in=quoting[model]) if model in quoting else rows.none()
        inside = set(where.values_list("pk", flat=True))
        changed = []
        for pk in sorted(inside | set(rows.filter(mentioned).values_list("pk", flat=True))):
            post = rows.select_for_update(of=("self",), no_key=True).filter(pk=pk).first()  # as it is now
            if post is None:
                continue
            words = _without(post.body_source, usernames, heads if pk in inside else {})
            if words == post.body_source:
                continue
            known = User.objects.active().filter(username__in=text.find_mentions(words)[:200])
            gates.write_again(
                post, words, post.source_format, base_url=getattr(post, "source_url", ""),
                known_users=known.values_list("username", flat=True),
            )  # fmt: skip
            post.save(update_fields=["body_source", "body_html", "body_text", "pipeline"])
            changed.append(pk)
        if changed:
            personal.run("after_rewording", personal.Reworded(model, changed))
    quoted = Q()
    for model, ids in quoting.items():
        quoted |= Q(target_type=ContentType.objects.get_for_model(model), target_id__in=ids)
    versions = Revision.objects
    _reword(versions.filter(headed & quoted), usernames, heads)
    _reword(versions.filter(mentioned), usernames, {})
    suggested = EditSuggestion.objects
    in_threads = Q(answer=None, thread__in=theirs) | Q(answer__in=answers)
    _reword(suggested.filter(headed & in_threads), usernames, heads)
    _reword(suggested.filter(mentioned), usernames, {})


def _reword(rows: models.QuerySet[Any], usernames: list[str], heads: dict[str, str]) -> None:
    for pk, source in rows.values_list("pk", "body_source"):
        rows.model.objects.filter(pk=pk).update(body_source=_without(source, usernames, heads))


def _bodies() -> list[type[Any]]:
    return [model for model in apps.get_models() if issubclass(model, Body) and not model._meta.proxy]


def _heads(name: str) -> dict[str, str]:
    """“Alice wrote:” in each language, and what stands there instead."""
    someone, nobody = User(name=name), User(standing=Standing.ERASED)
    heads = {}
    for code, _label in settings.LANGUAGES:
        with translation.override(code):
            heads[quote_head(someone)] = quote_head(nobody)
    return heads


def _without(words: str, usernames: list[str], heads: dict[str, str]) -> str:
    for username in usernames:
        words = text.mention_of(username).sub(_("a former member"), words)
    for head, other in heads.items():
        # Only as a line of its own, in a quotation or before one: “Sal wrote:” also ends what Rosal wrote.
        line = re.compile(rf"^((?:>[ \t]?)*[*_]{{0,2}}){re.escape(head)}([*_]{{0,2}}[ \t]*)$", re.MULTILINE)
        words = line.sub(lambda found, other=other: f"{found[1]}{other}{found[2]}", words)
    return words


def rows_of(person: User) -> dict[str, int]:
    """How many rows each tie has; for the page that says what there is, and for tests."""
    return {one.label: one.rows(person).count() for one in personal.ties() if issubclass(one.model, models.Model)}
