"""From an event to notices and mails: rows first, so that whatever dies on the way, everybody hears once."""

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.contrib.contenttypes.models import ContentType
from django.core import signing
from django.db import models, transaction
from django.db.models import Max, Min, Q
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation

from community.accounts.models import User
from community.core import brand as brands
from community.core import clock, outbox
from community.core.models import BrandSettings, Delivery
from community.core.rows import locked
from community.events.acts import is_staff
from community.events.models import Event
from community.moderation.models import Moderated
from community.posts.models import Comment, Revision
from community.questions.models import Thread
from products.models import OwnerAlert
from products.shelf import alerts
from reviews import asking
from reviews.models import RequestMail

from .kinds import KINDS
from .models import Announcement, Notification, Preference
from .recipients import recipients, thread_of
from .services import wants_mail
from .wording import Words, words_for

logger = logging.getLogger(__name__)
NOTICE = "notice"  # the kind of its deliveries
STOP_SALT = "notices.stop"
BY_THE_HOUSE = ("review.published", "review.refused")  # which moderator it was is not said
OF_ONES_OWN = ("moderation", "review")  # told whatever its state
BATCH = 200
LATE = timedelta(hours=1)  # a sweep tells within a minute; beyond this something keeps failing
MOST_COUNTED = 30_000  # attempts: what the column holds; it is tried every 17 hours by then


def announce_due(limit: int = 100) -> int:
    """Tell what waits to be told. Safe with any number of workers; returns how many were done."""
    waiting = Announcement.objects.filter(done_at__isnull=True, due_at__lte=clock.now()).order_by("due_at", "pk")
    done = 0
    for announcement in waiting[:limit]:
        try:
            done += announce(announcement)
        except Exception as error:
            logger.exception("Announcement %s failed", announcement.pk)
            attempts = min(announcement.attempts + 1, MOST_COUNTED)
            Announcement.objects.filter(pk=announcement.pk).update(
                attempts=attempts,
                due_at=clock.now() + timedelta(minutes=2 ** min(attempts, 10)),
                last_error=f"{type(error).__name__}: {error}"[:300],
            )
    return done


def oldest_waiting() -> datetime | None:
    """Since when people should have heard of something: the oldest event that waits, or failed. For `/readyz`."""
    waiting = Announcement.objects.filter(Q(due_at__lte=clock.now()) | Q(attempts__gt=0), done_at__isnull=True)
    return waiting.aggregate(oldest=Min("event__recorded_at"))["oldest"]  # type: ignore[no-any-return]


def announce(announcement: Announcement) -> bool:
    """Give everybody their notice and queue their mails, a batch at a time, in the order of their ids.

    A batch is written in words first and then put down in one short transaction, with how far it went: ten thousand
    voters hold nobody up, and a worker that dies leaves the rest to the next, who begins where it ended. False when
    another worker has it.
    """
    row = Announcement.objects.get(pk=announcement.pk)
    event = Event.objects.select_related("actor__department", "note").get(pk=row.event_id)
    heard = recipients(event) if event.subject is not None else {}
    waiting = sorted(person for person in heard if person > row.told_to)
    told_to = row.told_to
    for start in range(0, max(1, len(waiting)), BATCH):
        batch = waiting[start : start + BATCH]
        notices, mails = _write(event, list(User.objects.filter(pk__in=batch)), heard) if batch else ([], [])
        with transaction.atomic():
            row = locked(row)
            if row.done_at is not None or row.told_to != told_to:
                return False
            _put_down(notices, mails)
            row.told_to = told_to = batch[-1] if batch else told_to
            if start + BATCH >= len(waiting):
                row.done_at = clock.now()
            row.save(update_fields=["told_to", "done_at"])
    return True


def remember(events: Iterable[Event], *, unread_since: datetime) -> int:
    """Put notices of what was told in a replay into people's lists, without a mail: the demo looks lived in.

    Those before `unread_since` count as read. Twice is harmless. Returns how many events had somebody to hear them.
    """
    heard_of = 0
    for event in events:
        heard = recipients(event) if event.subject is not None else {}
        people = list(User.objects.filter(pk__in=heard))
        if people:
            unread = event.occurred_at >= unread_since
            _put_down(_write(event, people, heard, mails_too=False, unread=unread)[0], [])
            heard_of += 1
    return heard_of


def _write(
    event: Event, people: list[User], heard: dict[int, str], *, mails_too: bool = True, unread: bool = True
) -> tuple[list[Notification], list[Delivery]]:
    """The notices and mails of some people, unsaved. A few queries, however many they are."""
    chosen = {(choice.user_id, choice.kind): choice for choice in Preference.objects.filter(user__in=people)}
    brand = brands.of_request(None)
    public = event.subject is not None and _may_see(event.subject, AnonymousUser(), "")  # then nobody is asked about
    notices, mails = [], []
    for person in people:
        kind = heard[person.pk]
        if not (public or _may_see(event.subject, person, kind)):
            continue
        choice = chosen.get((person.pk, kind))
        with translation.override(person.language or settings.LANGUAGE_CODE):
            words = words_for(event, kind, person)
            always = KINDS[kind].always
            if always or choice is None or choice.in_app:
                notices.append(_notice(event, person, kind, words, unread=unread))
            if mails_too and (always or (choice.mail if choice else KINDS[kind].mail)) and person.email:
                mails.append(_mail(event, person, kind, words, brand))
    return notices, mails


def _put_down(notices: list[Notification], mails: list[Delivery]) -> None:
    Notification.objects.bulk_create(notices, ignore_conflicts=True)
    outbox.queue_many(mails)


def _notice(event: Event, person: User, kind: str, words: Words, *, unread: bool) -> Notification:
    about = words.about
    actor = event.actor or person
    named = event.actor_id not in (None, person.pk) and event.kind not in BY_THE_HOUSE
    return Notification(
        recipient=person,
        kind=kind,
        dedupe_key=f"event:{event.pk}",
        group_key=f"{about._meta.label_lower}:{about.pk}" if about is not None else "",
        actor_content_type=ContentType.objects.get_for_model(User),
        actor_object_id=str(actor.pk),
        verb=words.sentence[:255],
        target_content_type=ContentType.objects.get_for_model(about) if about is not None else None,
        target_object_id=str(about.pk) if about is not None else None,
        timestamp=event.occurred_at,
        unread=unread,
        public=False,
        data={"url": words.url, "event": event.pk, "by_somebody": named},
    )


def _mail(event: Event, person: User, kind: str, words: Words, brand: BrandSettings) -> Delivery:
    stop = "" if KINDS[kind].always else settings.BASE_URL + reverse("notices:stop", args=[stop_token(person, kind)])
    headers = {"List-Unsubscribe": f"<{stop}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"} if stop else {}
    context = {
        "words": words,
        "person": person,
        "brand": brand,
        "url": settings.BASE_URL + words.url,
        "choices": [(word, settings.BASE_URL + address) for word, address in words.choices],
        "rated": [
            (name, [(stars, settings.BASE_URL + address) for stars, address in links]) for name, links in words.rated
        ],
        "more": [(word, settings.BASE_URL + address) for word, address in words.more],
        "why": KINDS[kind].label,
        "stop_url": stop,
        "preferences_url": settings.BASE_URL + reverse("notices:preferences"),
    }
    return outbox.build(
        key=f"notice:{event.pk}:{person.pk}",
        kind=NOTICE,
        user=person,
        subject=words.subject,
        text=render_to_string("emails/notice.txt", context).strip() + "\n",
        html=render_to_string("emails/notice.html", context),
        headers=headers,
        data={"event": event.pk, "kind": kind},
    )


def stop_token(person: User, kind: str) -> str:
    """Bound to a person and a kind; it stops that kind of mail and opens nothing else (CHECKS 48)."""
    return signing.dumps([person.pk, kind], salt=STOP_SALT)


def read_stop_token(token: str) -> tuple[int, str]:
    """Raises `signing.BadSignature` for anything that isn't one of ours."""
    person, kind = signing.loads(token, salt=STOP_SALT)
    return person, kind


def _may_see(subject: models.Model, person: User | AnonymousUser, kind: str) -> bool:
    """Whether somebody may read what a notice would tell them; asked again when the mail leaves (CHECKS 47)."""
    if kind in OF_ONES_OWN:
        return True
    above = subject.target if isinstance(subject, Comment) else None  # nobody reads a comment on a hidden answer
    if isinstance(subject, Thread) and subject.merged_into is not None:
        subject = subject.merged_into  # what was merged is read where it went
    things = [thing for thing in (subject, above, thread_of(subject)) if isinstance(thing, Moderated)]
    return all(type(thing).objects.visible_to(person).filter(pk=thing.pk).exists() for thing in things)  # type: ignore[attr-defined]


def retitled(threads: Iterable[int], reader: User) -> dict[int, datetime]:
    """When a moderator last took away the title of some threads, but for what the reader asked. One query."""
    kept = Revision.objects.filter(
        target_type=ContentType.objects.get_for_model(Thread), target_id__in=list(threads), retitled=True
    ).exclude(target_id__in=Thread.objects.filter(author=reader).values("pk"))
    return dict(kept.order_by().values_list("target_id").annotate(at=Max("created_at")))


def still_wanted(delivery: Delivery) -> bool:
    """The outbox asks right before sending: still visible to the person, not stopped since, its words still shown."""
    event = Event.objects.filter(pk=delivery.data.get("event")).first()
    kind = delivery.data.get("kind", "")
    if event is None or event.subject is None or kind not in KINDS or delivery.user is None:
        return False
    if not wants_mail(delivery.user, kind) or (KINDS[kind].staff and not is_staff(delivery.user)):
        return False
    if _tells_an_old_title(event, delivery.user):
        return False
    return not _is_moot(event, event.subject, kind, delivery.user) and _may_see(event.subject, delivery.user, kind)


def _tells_an_old_title(event: Event, reader: User) -> bool:
    """Whether a moderator took the title away since: the notice in the house tells the new one."""
    thread = thread_of(event.subject) if event.subject is not None else None
    at = retitled([thread.pk], reader).get(thread.pk) if thread is not None else None
    return at is not None and at > event.occurred_at


def _is_moot(event: Event, subject: models.Model, kind: str, person: User) -> bool:
    """Asked for something that was said meanwhile, or warned of what is over or not theirs any more."""
    if isinstance(subject, RequestMail):
        return not asking.asked_about(subject)
    if isinstance(subject, OwnerAlert):
        over = subject.ended_at is not None and event.kind != "alert.ended"
        return over or not alerts.is_concerned(subject, person)
    thread = thread_of(subject)
    if kind == "reminder" and event.data.get("info"):
        return thread is not None and thread.needs_info_since is None
    if kind == "reminder":
        return thread is not None and (thread.is_settled or not thread.is_open or thread.duplicate_of_id is not None)
    return kind == "follow_up" and hasattr(subject, "follow_up")
