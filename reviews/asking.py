"""Asking owners what they think: by mail, some weeks after the purchase, everybody alike.

FEATURES C, after what Bazaarvoice and Yotpo found to work, says when and how often; the numbers stand in Settings →
Numbers. "Requests go to all buyers" (the demo's review policy): nobody is left out for being unhappy, and nothing
about a person but the purchase decides. Members alone are asked, because of a stranger we keep no address and have no
consent (decision 0147).

A row for each purchase says when to look next (`due_at`, indexed): a sweep costs what is due. Whoever looks holds the
person's row, so two sweeps at once ask once. What to say and to whom a mail goes is up to the rooms above: they hear
`review.requested`, and register what a person has chosen not to get (`only_if`).
"""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from allauth.account.models import EmailAddress
from django.core import signing
from django.db.models import Min, Q

from community.accounts.models import User
from community.core import clock
from community.core.models import Numbers
from community.core.rows import retried
from community.events.log import record
from products.models import Ownership, Product

from . import permissions
from .models import RequestMail, Review, ReviewRequest

SALT = "reviews.asked"
HOUR = time(8, tzinfo=UTC)  # of the day on which somebody may be asked first: in the morning
SPAN = timedelta(days=30)  # in which the number of mails is limited
REST = timedelta(days=7)  # until we look again at who can't be asked now
AT_ONCE = 200  # people in one run of the sweep; the rest is due at the next
Gate = Callable[[User], bool]
_gates: list[Gate] = []


def only_if(gate: Gate) -> Gate:
    """Register what must be true of a person whom we ask; rooms above know what people chose to hear of."""
    if gate not in _gates:
        _gates.append(gate)
    return gate


def plan(person: User, product: Product) -> None:
    """Bring the row of a purchase in line with the shelf: made, moved, or gone before anybody was asked.

    Without a day of purchase nobody is asked: we would not know when. Twice is harmless.
    """
    bought_on = Ownership.objects.filter(owner=person, product=product).values_list("bought_on", flat=True).first()
    row = ReviewRequest.objects.filter(person=person, product=product).first()
    if row is not None and row.asked_in_id is not None:
        if bought_on is None:
            ReviewRequest.objects.filter(pk=row.pk).update(due_at=None)  # no reminder about what is gone
        return
    if bought_on is None:
        if row is not None:
            row.delete()
        return
    due_at = first_due(bought_on, Numbers.load())
    if row is None:
        ReviewRequest.objects.get_or_create(
            person=person, product=product, defaults={"bought_on": bought_on, "due_at": due_at}
        )
    elif row.bought_on != bought_on and row.reviewed_at is None:
        ReviewRequest.objects.filter(pk=row.pk).update(bought_on=bought_on, due_at=due_at)


def first_due(bought_on: date, numbers: Numbers) -> datetime | None:
    """The morning of the first day somebody may be asked: 14 days after the purchase [C]. None when it is too late:
    180 days after it [C]."""
    if (clock.now().date() - bought_on).days > numbers.review_request_end_days:
        return None
    return datetime.combine(bought_on + timedelta(days=numbers.review_request_after_days), HOUR)


def note_review(review: Review) -> None:
    """A review was written: whether we asked or not, there is nothing to ask any more."""
    rows = ReviewRequest.objects.filter(person=review.author_id, product=review.product_id, reviewed_at=None)
    rows.update(reviewed_at=clock.now(), due_at=None)


# The sweep --------------------------------------------------------------------------------------------------


def sweep(limit: int = AT_ONCE) -> int:
    """Ask whoever is due, the longest waiting first. Safe with any number of workers; returns how many were asked."""
    numbers = Numbers.load()
    if not numbers.review_requests:
        return 0
    due = ReviewRequest.objects.filter(due_at__lte=clock.now()).values("person").annotate(first=Min("due_at"))
    people = list(due.order_by("first", "person").values_list("person", flat=True)[:limit])
    return sum(ask(person, numbers) is not None for person in people)


@retried
def ask(person_id: int, numbers: Numbers) -> RequestMail | None:
    """Ask one person about what is due, in one go; None when there is nothing to ask now. Each row is settled: asked,
    put off, or closed for good.

    The rules, all of FEATURES C [B, Y]: at most 5 products a mail, one reminder after 7 days, at most 5 mails in 30
    days, none after 180 days. A purchase waits up to its 21st day for a younger one that is nearly ripe, so that both
    go into one mail.
    """
    now = clock.now()
    person = User.objects.select_for_update(no_key=True).filter(pk=person_id).first()
    if person is None:
        return None
    due = _still_open(person, numbers, now)
    if not due:
        return None
    if _why_not(person):
        _put_off(due, now + REST)
        return None
    if (free_at := _next_free(person, numbers, now)) is not None:
        _put_off(due, free_at)
        return None
    due = _without_waiting(person, due, numbers, now)
    chosen, rest = due[: numbers.review_request_products], due[numbers.review_request_products :]
    if not chosen:
        return None
    _put_off(rest, now + timedelta(days=1))
    mail = RequestMail.objects.create(person=person, at=now)
    remind_at = now + timedelta(days=numbers.review_request_reminder_days)
    first = [row.pk for row in chosen if row.asked_in_id is None]
    again = [row.pk for row in chosen if row.asked_in_id is not None]
    ReviewRequest.objects.filter(pk__in=first).update(asked_in=mail, due_at=remind_at)
    ReviewRequest.objects.filter(pk__in=again).update(reminded_in=mail, due_at=None)
    record(
        "review.requested", actor=None, subject=mail, products=[row.product_id for row in chosen], reminder=not first
    )
    return mail


def _still_open(person: User, numbers: Numbers, now: datetime) -> list[ReviewRequest]:
    """What is due and still to be asked, the oldest purchase first; what isn't is closed."""
    rows = list(
        ReviewRequest.objects.filter(person=person, due_at__lte=now)
        .select_related("product")
        .order_by("bought_on", "pk")
    )
    products = [row.product_id for row in rows]
    written = Review.objects.filter(author=person, product__in=products, source="").exclude(visibility="deleted")
    reviewed = set(written.values_list("product", flat=True))
    owned = set(Ownership.objects.filter(owner=person, product__in=products).values_list("product", flat=True))
    still: list[ReviewRequest] = []
    closed: list[ReviewRequest] = []
    for row in rows:
        too_old = (now.date() - row.bought_on).days > numbers.review_request_end_days
        is_open = row.product_id in owned - reviewed and not too_old
        (still if is_open else closed).append(row)
    ReviewRequest.objects.filter(pk__in=[row.pk for row in closed]).update(due_at=None)
    return still


def _why_not(person: User) -> str:
    """Why somebody isn't asked now: suspended, erased, silenced, of the staff, without a confirmed address, or because
    they chose so."""
    if reason := permissions.why_not_review(person):
        return reason
    if person.is_erased or not EmailAddress.objects.filter(user=person, email=person.email, verified=True).exists():
        return "no confirmed address"
    return "" if all(gate(person) for gate in _gates) else "chose not to be asked"


def _next_free(person: User, numbers: Numbers, now: datetime) -> datetime | None:
    """When the next mail may go, where the 30 days have had theirs already."""
    sent = RequestMail.objects.filter(person=person, at__gt=now - SPAN).order_by("-at").values_list("at", flat=True)
    counted = list(sent[: numbers.review_request_mails])
    if len(counted) < numbers.review_request_mails:
        return None
    return (counted[-1] if counted else now) + SPAN


def _without_waiting(person: User, due: list[ReviewRequest], numbers: Numbers, now: datetime) -> list[ReviewRequest]:
    """Without the first requests that wait for a younger purchase: until it is ripe, and no longer than to the 21st
    day of the oldest."""
    first = [row for row in due if row.asked_in_id is None]
    if not first:
        return due
    latest = datetime.combine(first[0].bought_on + timedelta(days=numbers.review_request_latest_days), HOUR)
    soon = ReviewRequest.objects.filter(person=person, asked_in=None, due_at__gt=now, due_at__lte=latest)
    joined = soon.aggregate(at=Min("due_at"))["at"]
    if joined is None or len(first) >= numbers.review_request_products:
        return due
    _put_off(first, joined)
    return [row for row in due if row.asked_in_id is not None]


def _put_off(rows: list[ReviewRequest], until: datetime) -> None:
    ReviewRequest.objects.filter(pk__in=[row.pk for row in rows]).update(due_at=until)


# The link in the mail ---------------------------------------------------------------------------------------


def asked_about(mail: RequestMail) -> list[ReviewRequest]:
    """What a mail asks about, without what was reviewed or taken off the shelf since."""
    rows = ReviewRequest.objects.filter(Q(asked_in=mail) | Q(reminded_in=mail), reviewed_at=None)
    owned = Ownership.objects.filter(owner=mail.person_id).values("product")
    return list(rows.filter(product__in=owned).select_related("product").order_by("bought_on", "pk"))


def token_for(row: ReviewRequest) -> str:
    """Opens the form of one product and nothing else; it needs no secret of the person, and tells nothing of them."""
    return signing.dumps(row.pk, salt=SALT)


def by_token(token: str) -> ReviewRequest | None:
    try:
        pk: Any = signing.loads(token, salt=SALT)
    except signing.BadSignature:
        return None
    return ReviewRequest.objects.select_related("product__family").filter(pk=pk).first()


def note_opened(row: ReviewRequest, stars: int | None) -> None:
    """The form was opened from the mail, by a browser that runs scripts: mail programs that only look count for
    nothing. The first time is kept. Twice is harmless."""
    ReviewRequest.objects.filter(pk=row.pk, opened_at=None).update(opened_at=clock.now(), opened_stars=stars)


def weeks_since(row: ReviewRequest) -> int:
    return max(1, (clock.now().date() - row.bought_on).days // 7)
