"""Help for those who moderate: copies, bursts, one device for several authors, texts that read as a machine's.

A review that changed is marked, and a sweep of the worker looks it over; nobody waits for it. What it finds are hints
with a reason, shown to moderators. Nothing is ever refused, hidden or held back for one (docs/decisions/0133).
"""

from datetime import timedelta
from typing import Any

from django.db import transaction
from django.http import HttpRequest
from django.utils.crypto import salted_hmac
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from community.accounts.models import User
from community.core import clock
from community.core.errors import require
from community.core.limits import client_ip
from community.core.rows import locked
from community.events.log import is_replaying
from community.moderation.permissions import why_not_moderate

from . import signs
from .models import DeviceTrace, Hint, Review, TextMark

KEPT = timedelta(days=30)  # device traces
BURST_HOURS, BURST_LEAST, BURST_TIMES, USUAL_DAYS = 24, 5, 4, 90
MOST_ALIKE = 20  # candidates compared word by word
MOST_DEVICES = 10
CHUNK = 500
Kind = Hint.Kind


def ask(review: Review) -> None:
    """Have a review looked over by the next sweep."""
    if review.looked_over_at is not None:
        review.looked_over_at = None
        Review.objects.filter(pk=review.pk).update(looked_over_at=None)


def remember_device(review: Review, request: HttpRequest) -> None:
    """Note, without keeping either, from which browser at which address a review was sent."""
    if is_replaying():
        return
    told = (
        f"{client_ip(request)}\n{request.headers.get('User-Agent', '')}\n{request.headers.get('Accept-Language', '')}"
    )
    digest = salted_hmac("reviews.device", told, algorithm="sha256").hexdigest()[:32]
    DeviceTrace.objects.update_or_create(review=review, defaults={"digest": digest, "at": clock.now()})


def sweep() -> int:
    """Look over what changed; forget old devices. Twice at once is harmless. Returns how many were looked over."""
    DeviceTrace.objects.filter(at__lt=clock.now() - KEPT).delete()
    done = 0
    for pk in list(Review.objects.filter(looked_over_at=None).order_by("pk").values_list("pk", flat=True)[:CHUNK]):
        with transaction.atomic():
            review = locked(Review(pk=pk))
            if review.looked_over_at is None:
                look_over(review)
                Review.objects.filter(pk=pk).update(looked_over_at=clock.now())
                done += 1
    return done


def look_over(review: Review) -> None:
    """Find what there is to say about a review, and write down what is new. Runs in a transaction."""
    found: dict[str, dict[str, Any]] = {}
    _mark(review)  # imported ones, too: they may be copied
    if not review.source and review.visibility in ("visible", "pending"):
        found |= _copies(review)
        found |= _burst(review)
        found |= _device(review)
        found |= _machine(review)
    Hint.objects.filter(review=review, settled_at=None).exclude(kind__in=found).delete()
    for kind, data in found.items():
        hint, new = Hint.objects.get_or_create(review=review, kind=kind, defaults={"data": data, "at": clock.now()})
        if not new and hint.settled_at is None and hint.data != data:
            hint.data = data
            hint.save(update_fields=["data"])


@transaction.atomic
def settle(hint: Hint, by: User) -> None:
    """A moderator has looked, and there is nothing in it. Twice is harmless; it does not come back."""
    require(why_not_moderate(by))
    Hint.objects.filter(pk=hint.pk, settled_at=None).update(settled_at=clock.now(), settled_by=by)


def open_hints() -> Any:
    """What nobody has looked at, oldest first."""
    return Hint.objects.filter(settled_at=None, review__visibility__in=("visible", "pending")).select_related(
        "review__author", "review__product"
    )


def reason(hint: Hint) -> str:
    """Why, in words."""
    data = hint.data
    if hint.kind in (Kind.COPIED, Kind.REPEATED):
        return _("%(percent)d %% of its phrases stand in another review, too.") % {"percent": data["percent"]}
    if hint.kind == Kind.BURST:
        return _(
            "There were %(count)d reviews of this product within %(hours)d hours; on a usual day there are %(usual)s."
        ) % {
            "count": data["count"],
            "hours": BURST_HOURS,
            "usual": number_format(data["usual"]),
        }
    if hint.kind == Kind.DEVICE:
        return ngettext(
            "Another author reviewed from the same browser and address within 30 days.",
            "%(count)d other authors reviewed from the same browser and address within 30 days.",
            data["authors"],
        ) % {"count": data["authors"]}
    why = " ".join(str(signs.REASONS[name]) for name in data["signs"] if name in signs.REASONS)
    return _("It scores %(score)s of 1. %(why)s") % {"score": number_format(data["score"]), "why": why}


def _text(review: Review) -> str:
    return "\n".join([review.body_text, review.did_well, review.could_be_better]).strip()


def _mark(review: Review) -> None:
    TextMark.objects.filter(review=review).delete()
    TextMark.objects.bulk_create([TextMark(review=review, mark=mark) for mark in signs.marks(_text(review))])


def _copies(review: Review) -> dict[str, dict[str, Any]]:
    text = _text(review)
    marks = list(TextMark.objects.filter(review=review).values_list("mark", flat=True))
    shared = TextMark.objects.filter(mark__in=marks).exclude(review=review).order_by("-review_id")
    ids = list(dict.fromkeys(shared.values_list("review_id", flat=True)[: MOST_ALIKE * signs.MARKS]))[:MOST_ALIKE]
    best: dict[str, dict[str, Any]] = {}
    # Only what stood there before: who is copied from has done nothing.
    earlier = Review.objects.filter(pk__in=ids, created_at__lte=review.created_at, pk__lt=review.pk)
    for other in earlier.exclude(visibility__in=("deleted", "draft")):
        share = signs.likeness(text, _text(other))
        kind = Kind.REPEATED if other.author_id == review.author_id else Kind.COPIED
        if share >= signs.ALIKE and share * 100 > best.get(kind, {"percent": 0})["percent"]:
            best[kind] = {"percent": round(share * 100), "review": other.pk}
    return best


def _burst(review: Review) -> dict[str, dict[str, Any]]:
    of_product = Review.objects.filter(product=review.product_id, source="").exclude(visibility="draft")
    since = review.created_at - timedelta(hours=BURST_HOURS)
    count = of_product.filter(created_at__gt=since, created_at__lte=review.created_at).count()
    before = of_product.filter(created_at__gt=since - timedelta(days=USUAL_DAYS), created_at__lte=since).count()
    usual = before / USUAL_DAYS
    if count < BURST_LEAST or count < BURST_TIMES * usual:
        return {}
    return {Kind.BURST: {"count": count, "usual": round(usual, 1)}}


def _device(review: Review) -> dict[str, dict[str, Any]]:
    trace = DeviceTrace.objects.filter(review=review).first()
    if trace is None:
        return {}
    others = DeviceTrace.objects.filter(digest=trace.digest, at__gt=clock.now() - KEPT).exclude(
        review__author=review.author_id
    )
    ids = list(others.order_by("-at").values_list("review_id", "review__author_id")[:MOST_DEVICES])
    if not ids:
        return {}
    return {Kind.DEVICE: {"authors": len({author for _pk, author in ids}), "review": ids[0][0]}}


def _machine(review: Review) -> dict[str, dict[str, Any]]:
    if not review.language.startswith("en"):
        return {}
    score, why = signs.machine_likeness(review.body_text)
    return {Kind.MACHINE: {"score": round(score, 2), "signs": why}} if score >= signs.MACHINE else {}
