"""Offers to deal with what a review says in a thread. Nothing is made of a review without its author's word."""

from __future__ import annotations

import secrets
from contextlib import suppress
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.utils import translation
from django.utils.translation import gettext as _

from community.accounts.models import Department, User
from community.core import clock, text
from community.core.errors import Conflict, require
from community.core.models import Body
from community.core.rows import locked, retried
from community.events.log import is_replaying, record
from community.moderation import screening
from community.moderation.models import Moderated
from community.posts.models import Upload
from community.questions import services as questions
from community.questions.models import Kind, Thread
from community.questions.services.checks import LONGEST_TITLE, SHORTEST_TITLE
from products.models import Product, Responsibility
from reviews import services as reviews
from reviews.models import RefusalCode, Review

from . import outcome, permissions
from .models import Bridge

State = Bridge.State
LONGEST_NOTE = 2000
# Words of a product's responsibilities that stand for what is not about the product.
DELIVERY_WORDS = ("deliver", "order", "service", "shipping", "shop")


def department_for(product: Product) -> Department | None:
    """Who deals with orders and deliveries of a product, by its responsibilities; None leaves it to the routing."""
    rows = Responsibility.objects.filter(product=product, department__archived_at__isnull=True)
    for row in rows.select_related("department").order_by("id"):
        if any(word in row.subject.casefold() for word in DELIVERY_WORDS):
            return row.department
    return None


# Offers ------------------------------------------------------------------------------------------------------


@retried
def propose_thread(
    review: Review, by: User, *, passage: str = "", department: Department | None = None, note: str = ""
) -> Bridge:
    """A moderator asks: this is not about the product, may it become a problem thread?

    The passage says which words are meant and must stand in the review; one that came back already needs none.
    Raises ValidationError at `passage`, NotAllowed, Conflict. Twice changes what was proposed.
    """
    require(permissions.why_not_propose(by, review))
    row = locked(review)
    refused = row.visibility == Moderated.Visibility.HIDDEN and row.refusals.filter(resubmitted_at=None).exists()
    passage = " ".join(passage.split())
    if not refused:
        reviews.check_passage(passage, row)
    return _offer(row, by, Bridge.Kind.DELIVERY, department, note, passage=passage)


@retried
def offer_fix(
    review: Review, by: User, *, department: Department | None, note: str = "", thread: Thread | None = None
) -> Bridge:
    """An agent offers to deal with the problem that a low review tells of; the review stays whatever its author says.

    `thread` is an open one about the same, if there is one. Raises NotAllowed, Conflict. Twice changes the offer.
    """
    require(permissions.why_not_offer_fix(by, review, department))
    if thread is not None and (reason := _why_not_join(thread)):
        raise ValidationError({"thread": reason})
    return _offer(locked(review), by, Bridge.Kind.FIX, department, note, thread=thread)


def offer_with_refusal(review: Review, by: User) -> None:
    """A review just went back for not being about the product: its author is offered a thread with it."""
    if not Bridge.objects.filter(review=review).exclude(state=State.DECLINED).exists():
        _offer(review, by, Bridge.Kind.DELIVERY, None, "", with_refusal=True)


def _offer(
    row: Review,
    by: User,
    kind: str,
    department: Department | None,
    note: str,
    *,
    passage: str = "",
    thread: Thread | None = None,
    with_refusal: bool = False,
) -> Bridge:
    note = text.clean_source(note).strip()
    if len(note) > LONGEST_NOTE:
        raise ValidationError({"note": _("At most %(most)d characters here.") % {"most": LONGEST_NOTE}})
    bridge = Bridge.objects.filter(review=row).exclude(state=State.DECLINED).first()
    if bridge is not None and bridge.state == State.AGREED:
        raise Conflict(_("There is a thread for this review already."))
    if bridge is None:
        if Bridge.objects.filter(review=row, kind=kind, state=State.DECLINED).exists() and not with_refusal:
            raise Conflict(_("Its author said no to this. The review stays as it is."))
        bridge = Bridge(review=row)
    if kind == Bridge.Kind.DELIVERY and department is None:
        department = bridge.department or department_for(row.product)
    wanted = {
        "kind": kind, "department": department, "note": note, "passage": passage or bridge.passage, "thread": thread,
        "offered_by": by,
    }  # fmt: skip
    if bridge.pk is not None and all(getattr(bridge, name) == value for name, value in wanted.items()):
        return bridge
    for name, value in wanted.items():
        setattr(bridge, name, value)
    bridge.offered_at = clock.now()
    bridge.save()
    record(
        "bridge.offered", actor=by, subject=row, kind=kind, department=department.pk if department else None,
        with_refusal=with_refusal,
    )  # fmt: skip
    return bridge


# The author decides ------------------------------------------------------------------------------------------


@retried
def agree(review: Review, by: User, *, show_outcome: bool = False, kind: str = "") -> Thread:
    """The author takes an offer: the thread is made of the review's words, or an open one is joined.

    `kind` is that of the offer the author has read: another one needs another yes. Twice returns the same thread.
    Raises NotAllowed, Conflict, ValidationError when the words can't make a thread.
    """
    require(permissions.why_not_decide(by, review))
    known = Bridge.objects.filter(review=review).exclude(state=State.DECLINED).select_related("thread").first()
    if known is not None and known.thread is not None:
        locked(outcome.where_it_stands(known.thread))  # the thread before the review, as everybody who holds both
    row = locked(review)
    bridge = Bridge.objects.filter(review=row).exclude(state=State.DECLINED).select_related("thread").first()
    if bridge is None:
        raise Conflict(_("Nobody offers this any longer."))
    if bridge.state == State.AGREED:
        return bridge.thread
    if kind and kind != bridge.kind:
        raise Conflict(_("Something else is offered by now. Please look again."))
    return _build(bridge, row, by, show_outcome)


@retried
def start_thread(review: Review, by: User, *, show_outcome: bool = False, thread: Thread | None = None) -> Thread:
    """The author asks that the problem be dealt with; `thread` is an open one about the same. Twice is harmless."""
    if not is_replaying():
        require(permissions.why_not_start(by, review))
    if thread is not None:
        thread = locked(thread)
        if reason := _why_not_join(thread):
            raise ValidationError({"thread": reason})
    row = locked(review)
    bridge = Bridge.objects.filter(review=row).exclude(state=State.DECLINED).select_related("thread").first()
    if bridge is not None and bridge.state == State.AGREED:
        return bridge.thread
    if bridge is not None and bridge.kind != Bridge.Kind.FIX:
        raise Conflict(_("Something else is offered by now. Please look again."))
    if bridge is None:
        bridge = Bridge(review=row, kind=Bridge.Kind.FIX, offered_at=clock.now())
    if thread is not None:
        bridge.thread = thread
    return _build(bridge, row, by, show_outcome)


@retried
def decline(review: Review, by: User) -> None:
    """The author does not want a thread. The review stays as it is and where it is. Twice is harmless."""
    require(permissions.why_not_decide(by, review))
    row = locked(review)
    said = Bridge.objects.filter(review=row, state=State.OFFERED).update(state=State.DECLINED, decided_at=clock.now())
    if said:
        record("bridge.declined", actor=by, subject=row)
    elif Bridge.objects.filter(review=row, state=State.AGREED).exists():
        raise Conflict(_("There is a thread for this review already."))


@retried
def set_outcome(review: Review, by: User, on: bool) -> None:
    """The author lets the review say what came of the problem, or no longer. Twice is harmless."""
    bridge = Bridge.objects.filter(review=review, state=State.AGREED).select_related("thread", "review").first()
    if bridge is None:
        raise Conflict(_("There is no thread for this review."))
    require(permissions.why_not_show_outcome(by, bridge))
    locked(bridge.thread)
    row = locked(review)
    bridge = Bridge.objects.select_related("thread__merged_into", "thread__duplicate_of").get(pk=bridge.pk)
    if bridge.show_outcome == on:
        return
    bridge.show_outcome = on
    bridge.save(update_fields=["show_outcome"])
    outcome.tell_review(bridge)
    review.outcome = outcome.told(bridge)
    record("bridge.outcome", actor=by, subject=row, on=on)


# Within ------------------------------------------------------------------------------------------------------


def _why_not_join(thread: Thread) -> str:
    if thread.kind != Kind.PROBLEM or not thread.is_visible:
        return _("That is no problem thread that everybody can read.")
    if thread.closed_at or thread.locked_at:
        return _("That thread is closed.")
    return ""


def _build(bridge: Bridge, row: Review, by: User, show_outcome: bool) -> Thread:
    """Make the thread, or join it, and tie both. The caller holds the review, and the thread if there is one."""
    if row.visibility == Moderated.Visibility.DELETED:
        raise Conflict(_("This review has been deleted."))
    _check_offer_holds(bridge, row)
    # What was offered may have been merged, or asked before, since.
    thread = outcome.where_it_stands(bridge.thread) if bridge.thread is not None else None
    if thread is not None and (reason := _why_not_join(thread)):
        raise Conflict(reason)
    if thread is None:
        with screening.carried_over():
            thread = questions.post_thread(
                by, kind=Kind.PROBLEM, product=row.product, language=row.language, department=bridge.department,
                **_words(row, by),
            )  # fmt: skip
    else:
        bridge.joined = thread.author_id != by.pk
        if bridge.joined:
            questions.set_me_too(thread, by, True)
    Thread.objects.filter(pk=thread.pk).update(has_ties=True)
    bridge.thread, bridge.state, bridge.decided_at = thread, State.AGREED, clock.now()
    bridge.show_outcome = show_outcome
    bridge.save()
    outcome.tell_review(bridge)
    offered = bridge.offered_by_id is not None or bridge.department_id is not None
    told: dict[str, Any] = {"thread": thread.pk, "kind": bridge.kind, "joined": bridge.joined, "offered": offered}
    record("bridge.agreed", actor=by, subject=row, **told)
    if bridge.kind == Bridge.Kind.DELIVERY and bridge.offered_by is not None:
        reviews.set_aside(row, bridge.offered_by, code=RefusalCode.DELIVERY, passage=bridge.passage, note=bridge.note)
    return thread


def _check_offer_holds(bridge: Bridge, row: Review) -> None:
    """Nothing that was taken down comes back as a thread, unless it was taken down for being about delivery; and a
    review that has been mended since isn't taken down for what no longer stands in it. Raises Conflict."""
    if row.visibility == Moderated.Visibility.HIDDEN:
        refusal = row.refusals.filter(resubmitted_at=None).last()
        if bridge.kind != Bridge.Kind.DELIVERY or refusal is None or refusal.code != RefusalCode.DELIVERY:
            raise Conflict(_("This review was taken down meanwhile; its words can't become a thread."))
    elif bridge.kind == Bridge.Kind.DELIVERY and not is_replaying():
        try:
            reviews.check_passage(bridge.passage, row)
        except ValidationError:
            raise Conflict(_("The review has changed since; this offer no longer holds.")) from None


def _words(review: Review, by: User) -> dict[str, Any]:
    """Title and text of the thread: all that the review says, with its pictures."""
    with translation.override(review.language):
        title = review.title
        if len(title) < SHORTEST_TITLE:
            title = _("%(title)s: a problem with the %(product)s") % {"title": title, "product": review.product.name}
        if review.source_format == Body.Format.MARKDOWN:
            source_format, words = Body.Format.MARKDOWN, review.body_source
        else:
            source_format, words = Body.Format.PLAIN, review.body_text
        parts = [words]
        for chapter in review.chapters.all():
            told = chapter.body_source if source_format == Body.Format.MARKDOWN else chapter.body_text
            parts.append(f"{chapter.age}: {told}")
        if review.did_well:
            parts.append(_("Went well: %(words)s") % {"words": review.did_well})
        if review.could_be_better:
            parts.append(_("Could be better: %(words)s") % {"words": review.could_be_better})
    if source_format == Body.Format.MARKDOWN:
        parts = _with_pictures(parts, review, by)
    return {"title": title[:LONGEST_TITLE].rstrip(), "body": "\n\n".join(parts), "source_format": source_format}


def _with_pictures(parts: list[str], review: Review, by: User) -> list[str]:
    """The review's pictures once more, as the thread's own: each is as visible as the post that it belongs to."""
    of_review = ContentType.objects.get_for_model(review)
    for photo in Upload.objects.filter(target_type=of_review, target_id=review.pk):
        with suppress(OSError):  # a file that has gone takes nothing else with it
            copy = Upload(owner=by, alt=photo.alt, caption=photo.caption, created_at=clock.now())
            name = f"{secrets.token_urlsafe(16)}.webp"
            with photo.file.storage.open(photo.file.name) as file:
                copy.file.save(name, ContentFile(file.read(), name=name), save=False)
            copy.save()
            old, new = photo.file.url, copy.file.url
            if any(old in part for part in parts):
                parts = [part.replace(old, new) for part in parts]
            else:
                alt = photo.alt.replace("[", "(").replace("]", ")")
                parts.append(f"![{alt}]({new})")
    return parts
