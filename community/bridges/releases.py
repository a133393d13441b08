"""You said, we did: what changed because of threads and reviews, who is told of it, and whether it helped."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from community.accounts.models import User
from community.core import clock, text
from community.core.body import BODY_FIELDS, write_body
from community.core.errors import Conflict, require
from community.core.rows import in_line, locked, retried
from community.events.log import is_replaying, record
from community.questions import ideas
from community.questions import services as questions
from community.questions.models import IdeaStatus, MeToo, Thread, ThreadVote
from community.questions.permissions import why_not_moderate_thread
from products.models import Product
from reviews.models import Review

from .models import ReleaseHelp, ReleaseNote, ReleaseTie

Said = ReleaseHelp.Said
WORDS = ("title", "version", "you_said", "we_did", "finding")
LONGEST = {"title": 150, "version": 120, "you_said": 300, "we_did": 300, "finding": 300}
NEEDED = ("title", "you_said", "we_did")
MOST_TIES = 50
SAME_PRESS = timedelta(minutes=10)


@retried
def publish_release(
    by: User,
    product: Product,
    *,
    body: str,
    threads: Iterable[Thread] = (),
    reviews: Iterable[Review] = (),
    **words: str,
) -> ReleaseNote:
    """Say what changed, and for whom. `words` are title, version, you_said, we_did, finding.

    Ideas among the threads that are still open are shipped with it; whoever asked, voted, has the same or wrote the
    review is told by the worker, once; the same twice is harmless. Raises NotAllowed, and ValidationError by field.
    """
    if not is_replaying():
        require(why_not_moderate_thread(by))
    threads, reviews = list(dict.fromkeys(threads)), list(dict.fromkeys(reviews))
    note = ReleaseNote(product=product, by=by, published_at=clock.now(), language=get_language() or "")
    errors = _put_words(note, words, body)
    if not threads and not reviews:
        errors["asked"] = _("Name a thread or a review that asked for it; that is whom it is told to.")
    elif len(threads) + len(reviews) > MOST_TIES:
        errors["asked"] = _("At most %(most)d threads and reviews.") % {"most": MOST_TIES}
    if errors:
        raise ValidationError(errors)
    if not is_replaying() and (known := _just_said(note, {*threads, *reviews})) is not None:
        return known
    note.save()
    ReleaseTie.objects.bulk_create(
        [ReleaseTie(note=note, thread=thread) for thread in threads]
        + [ReleaseTie(note=note, review=review) for review in reviews]
    )
    for thread in sorted(threads, key=lambda one: one.pk):
        # A told story gives its ideas their status itself, at its own moment.
        if thread.is_idea and not is_replaying() and not ideas.is_done(locked(thread)):
            questions.set_idea_status(
                thread, by, IdeaStatus.SHIPPED, note.we_did, note.get_absolute_url(), release=note.pk
            )
    record(
        "release.published", actor=by, subject=note, product=product.pk, threads=[thread.pk for thread in threads],
        reviews=[review.pk for review in reviews],
    )  # fmt: skip
    return note


def _just_said(note: ReleaseNote, asked: set[Thread | Review]) -> ReleaseNote | None:
    """The very same note by the same person a moment ago: the second of two presses tells nobody again."""
    in_line("release", note.by_id)
    same = {name: getattr(note, name) for name in ("product", "by", *WORDS, "body_source")}
    before = ReleaseNote.objects.filter(**same, published_at__gt=note.published_at - SAME_PRESS).prefetch_related(
        "ties__thread", "ties__review"
    )
    return next((one for one in before if {tie.thread or tie.review for tie in one.ties.all()} == asked), None)


@retried
def mend_release(note: ReleaseNote, by: User, *, body: str, **words: str) -> None:
    """Change the words of a note. Nobody is told again; the audit keeps how they read before. Raises as above."""
    require(why_not_moderate_thread(by))
    row = locked(note)
    before = {name: getattr(row, name) for name in (*WORDS, "body_source")}
    if errors := _put_words(row, words, body):
        raise ValidationError(errors)
    changes = {name: [old, getattr(row, name)] for name, old in before.items() if old != getattr(row, name)}
    if changes:
        row.save(update_fields=[*WORDS, *BODY_FIELDS])
        record("release.edited", actor=by, subject=row, changes=changes, fields=sorted(changes))


def _put_words(note: ReleaseNote, words: dict[str, str], body: str) -> dict[str, Any]:
    """Set what is said; what is wrong with it, by field."""
    errors: dict[str, Any] = {}
    for name in WORDS:
        said = text.clean_line(words.get(name, getattr(note, name)))
        most = LONGEST[name]
        if name in NEEDED and not said:
            errors[name] = _("Please write something here.")
        elif len(said) > most:
            errors[name] = _("At most %(most)d characters.") % {"most": most}
        setattr(note, name, said)
    try:
        write_body(note, body)
    except ValidationError as problem:
        errors["body"] = problem.messages[0]
    if not body.strip():
        errors["body"] = _("Please write something here.")
    return errors


# Who asked


@dataclass(frozen=True)
class Asked:
    """How somebody asked for a change, and in which thread or review."""

    how: str  # thread, idea, review, voted, me_too
    title: str


# What a tie's thread and review are long by; who asked needs none of it.
TEXTS = [
    f"{row}__body_{form}" for row in ("thread", "thread__merged_into", "review") for form in ("source", "html", "text")
]


def who_asked(note: ReleaseNote, only: int | None = None) -> dict[int, Asked]:
    """Everybody who asked for it, by id: authors of its threads and reviews, voters, and who has the same. Each once,
    the nearest way first. Threads that were merged count where they went; what was taken away doesn't. Four queries.
    With `only`, the voters are looked through for that person alone."""
    ties = note.ties.select_related("thread__merged_into", "review").defer(*TEXTS)
    threads, reviews = {}, []
    for tie in ties:
        if tie.review is not None:
            reviews.append(tie.review)
        else:
            thread = tie.thread.merged_into or tie.thread
            if thread.is_visible:
                threads[thread.pk] = thread
    found: dict[int, Asked] = {}
    for thread in threads.values():
        found.setdefault(thread.author_id, Asked("idea" if thread.is_idea else "thread", thread.title))
    for review in reviews:
        if review.is_visible:
            found.setdefault(review.author_id, Asked("review", review.title))
    whose = {"voter__isnull": False} if only is None else {"voter": only}
    votes = ThreadVote.objects.filter(target__in=threads, value=1, **whose).order_by("pk")
    for rows, how in ((votes, "voted"), (MeToo.objects.filter(target__in=threads, **whose), "me_too")):
        for voter, target in rows.values_list("voter", "target"):
            found.setdefault(voter, Asked(how, threads[target].title))
    return found


# Did it help? Sixty days later everybody who asked is asked once; the share is of those who answer.


def ask_whether_it_helped() -> int:
    """A sweep: notes of sixty days ago ask those who asked, once. Returns how many notes did. Two at once: once."""
    done = 0
    for note in ReleaseNote.objects.due_to_be_asked(clock.now()).order_by("pk")[:50]:
        with transaction.atomic():
            people = User.objects.filter(pk__in=who_asked(note), is_active=True).count()  # who has left can't say
            claimed = ReleaseNote.objects.filter(pk=note.pk, asked_at__isnull=True)
            if claimed.update(asked_at=clock.now(), asked_count=people):
                record("release.help_asked", actor=None, subject=note, people=people)
                done += 1
    return done


def why_not_say(by: Any, note: ReleaseNote) -> str:
    if not by.is_authenticated:
        return _("Sign in to say whether it helped.")
    if note.asked_at is None:
        return _("Whether it helped is asked sixty days after it came.")
    if by.pk not in who_asked(note, only=by.pk):
        return _("Only those who had asked for it are asked.")
    return ""


@retried
def say_whether_it_helped(note: ReleaseNote, by: User, said: str) -> None:
    """One answer a person; another one replaces it, the same twice is harmless. Raises NotAllowed, ValidationError."""
    if said not in Said.values:
        raise ValidationError({"said": _("Choose one of the answers.")})
    require(why_not_say(by, note))
    try:
        with transaction.atomic():
            row, new = ReleaseHelp.objects.get_or_create(
                target=note, voter=by, defaults={"said": said, "created_at": clock.now()}
            )
    except IntegrityError:
        raise Conflict(_("You answered a moment ago. Look again.")) from None
    if not new and row.said != said:
        row.said = said
        row.save(update_fields=["said"])
    elif not new:
        return
    record("release.helped", actor=by, subject=note, said=said)


def tell_help(note: ReleaseNote, at: datetime, asked: int, counts: dict[str, int], *, source: str) -> None:
    """Take over what people said elsewhere: dated rows without a person. Only for loaders; twice is harmless."""
    require("" if is_replaying() else _("Only loaders tell what was said elsewhere."))
    with transaction.atomic():
        ReleaseNote.objects.filter(pk=note.pk).update(asked_at=at, asked_count=asked)
        ReleaseHelp.objects.bulk_create(
            [
                ReleaseHelp(target=note, source=source, external_id=f"{note.pk}-{said}-{n}", said=said, created_at=at)
                for said, count in counts.items()
                for n in range(count)
            ],
            ignore_conflicts=True,
        )


@dataclass(frozen=True)
class Helped:
    """What those who asked said: a share of `n` answers by `asked` people."""

    yes: int
    partly: int
    no: int
    asked: int

    @property
    def n(self) -> int:
        return self.yes + self.partly + self.no

    @property
    def percent(self) -> int:
        return round(100 * self.yes / self.n) if self.n else 0


def helped(note: Any) -> Helped | None:
    """The figure of a note with `yes`, `partly`, `no`; None while the sixty days last."""
    if note.asked_at is None:
        return None
    return Helped(note.yes, note.partly, note.no, max(note.asked_count, note.yes + note.partly + note.no))


def visible_ties(note: ReleaseNote, user: Any) -> list[Thread | Review]:
    """The threads and reviews that asked, as far as this reader may see them; a merged
    thread is shown where it went. Three queries."""
    ties = list(note.ties.select_related("thread__merged_into").only("note", "review", "thread__merged_into"))
    where = {tie.thread_id: tie.thread.merged_into_id or tie.thread_id for tie in ties if tie.thread is not None}
    threads = Thread.objects.visible_to(user).select_related("author")
    found: dict[int, Thread] = {row.pk: row for row in threads.filter(pk__in=where.values())}
    reviews = Review.objects.visible_to(user).select_related("author")
    said: dict[int, Review] = {row.pk: row for row in reviews.filter(pk__in=[tie.review_id for tie in ties])}
    each = [found.get(where[tie.thread_id]) if tie.thread_id else said.get(tie.review_id) for tie in ties]
    return list(dict.fromkeys(one for one in each if one is not None))
