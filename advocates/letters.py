"""The monthly letter to an advocate: what came of a month, signed by a department; and the picture of it to share."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.core.signing import BadSignature, Signer
from django.db import transaction
from django.db.models import Exists, OuterRef, Sum
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from community.accounts.models import Department, Standing, User
from community.core import clock, drawing
from community.core.models import Numbers
from community.events.log import record
from community.questions.models import Answer, FollowUp, Readings

from .models import AdvocateMembership, Letter, Thanks

SIGNER = Signer(salt="advocates.letter")
UNTIL_DAY = 20  # of the next month: a letter that comes later than that is no news
KEPT = 7 * 24 * 3600  # seconds a drawn picture is remembered


def month_before(day: date) -> date:
    return (day.replace(day=1) - timedelta(days=1)).replace(day=1)


def _span(month: date) -> tuple[datetime, datetime]:
    following = (month.replace(day=28) + timedelta(days=4)).replace(day=1)
    return datetime(month.year, month.month, 1, tzinfo=UTC), datetime(following.year, following.month, 1, tzinfo=UTC)


def figures(person: User, month: date) -> dict[str, Any]:
    """What came of somebody's month, counted in UTC from what is visible now.

    answers, accepted: given in the month; of the accepted, by whoever asked.
    fixes: somebody said in the month, days after accepting, that it still works.
    readers: how often threads were read in the month, from the day on which a visible answer of theirs stood there.
    contacts_saved: readers times the assumption of the settings, which the letter prints.
    """
    since, until = _span(month)
    own = Answer.objects.visible().filter(author=person, created_at__lt=until).exclude(thread__author=person)
    given = own.filter(created_at__gte=since)
    by_then = own.filter(thread=OuterRef("thread"), created_at__date__lte=OuterRef("day"))
    read = Readings.objects.filter(Exists(by_then), day__gte=since.date(), day__lt=until.date())
    readers = read.aggregate(n=Sum("times"))["n"] or 0
    rows = list(given.values_list("accepted_at", "thread__topic__department"))
    per_hundred = Numbers.load().contacts_per_hundred_readers
    departments = Counter(department for _accepted, department in rows if department is not None)
    return {
        "answers": len(rows),
        "accepted": own.filter(accepted_at__gte=since, accepted_at__lt=until).count(),
        "fixes": FollowUp.objects.filter(
            answer__in=own, outcome=FollowUp.Outcome.YES, answered_at__gte=since, answered_at__lt=until
        ).count(),
        "thanks": Thanks.objects.visible()
        .filter(answer__author=person, created_at__gte=since, created_at__lt=until)
        .count(),
        "readers": readers,
        "per_hundred": per_hundred,
        "contacts_saved": round(readers * per_hundred / 100),
        "department_id": min(departments, key=lambda pk: (-departments[pk], pk)) if departments else None,
    }


@transaction.atomic
def write_letter(person: User, month: date) -> Letter | None:
    """The letter of a month, once: of two who write at once one does, and tells the advocate.

    None for a month in which nothing came of anything: nobody is reminded that they did not write.
    """
    known = Letter.objects.filter(person=person, month=month).first()
    if known is not None:
        return known
    found = figures(person, month)
    if not any(found[name] for name in ("answers", "accepted", "fixes", "readers", "thanks")):
        return None
    department = _signs(found.pop("department_id"))
    if department is None:
        by = ""
    elif department.lead is not None:
        by = _("%(name)s, %(department)s") % {"name": department.lead.name, "department": str(department)}
    else:
        by = str(department)
    letter, new = Letter.objects.get_or_create(
        person=person, month=month,
        defaults={**found, "department": department, "signed_by": by, "written_at": clock.now()},
    )  # fmt: skip
    if new:
        record("letter.written", actor=None, subject=letter, person=person.pk)
    return letter


def _signs(pk: int | None) -> Department | None:
    """The department that most of the month's answers spared; else one that has a lead."""
    rows = Department.objects.filter(archived_at=None).select_related("lead")
    return (rows.filter(pk=pk).first() if pk else None) or rows.order_by("lead", "pk").exclude(lead=None).first()


def write_all(month: date | None = None) -> int:
    """Sweep: the letters of the last month that are not written yet. Returns how many were; twice is harmless."""
    today = clock.now().astimezone(UTC).date()
    if month is None:
        if today.day > UNTIL_DAY:
            return 0
        month = month_before(today)
    _since, until = _span(month)
    members = (
        AdvocateMembership.objects.current()
        .filter(user__standing=Standing.ADVOCATE, since__lt=until)
        .exclude(user__letters__month=month)
        .select_related("user")
        .order_by("pk")
    )
    return sum(write_letter(member.user, month) is not None for member in members)


# Reading and sharing


def of_token(token: str) -> Letter | None:
    """The letter of a signed address, as long as its advocate is among us."""
    try:
        pk = int(SIGNER.unsign(token))
    except (BadSignature, ValueError):
        return None
    letter = Letter.objects.for_page().filter(pk=pk, person__is_active=True).first()
    return None if letter is None or letter.person.is_erased else letter


def month_name(letter: Letter) -> str:
    return date_format(letter.month, "F Y")


def lines(letter: Letter) -> list[tuple[str, str]]:
    """Its figures, as number and words; what is nothing is left out."""
    told = [
        (letter.answers, ngettext("answer", "answers", letter.answers)),
        (letter.readers, ngettext("reader", "readers", letter.readers)),
        (letter.fixes, ngettext("fix that held", "fixes that held", letter.fixes)),
        (letter.contacts_saved, ngettext("contact saved", "contacts saved", letter.contacts_saved)),
    ]
    return [(number_format(n, use_l10n=True, force_grouping=True), words) for n, words in told if n]


def assumption(letter: Letter) -> str:
    """How the contacts saved were reckoned, in a sentence."""
    return ngettext(
        "Assumed: of a hundred readers of an answer, %(n)d would have written to us.",
        "Assumed: of a hundred readers of an answer, %(n)d would have written to us.",
        letter.per_hundred,
    ) % {"n": letter.per_hundred}


def picture(letter: Letter, brand_name: str, accent: str, language: str) -> bytes:
    """The letter as a picture of 1200 x 630, drawn once and remembered; a new name is drawn anew.

    Its code leads to the letter's page: whoever is shown the picture can check it.
    """
    address = f"{settings.BASE_URL.rstrip('/')}{letter.get_absolute_url()}"
    said = f"{letter.person.name}|{letter.signed_by}|{brand_name}|{accent}|{language}|{address}"
    key = f"letter:{letter.pk}:{sha256(said.encode()).hexdigest()[:16]}"
    drawn: bytes | None = cache.get(key)
    if drawn is None:
        card = drawing.Card(accent)
        card.code(address, _("Scan to check it"))
        card.line(brand_name, size=30, weight=600, fill=accent)
        card.y += 18
        card.line(str(letter.person), files=drawing.SERIF, size=64, weight=560)
        card.line(_("Advocate, %(month)s") % {"month": month_name(letter)}, size=34, fill=drawing.INK_2)
        card.y += 28
        card.figures(lines(letter))
        card.rule()
        if letter.signed_by:
            card.line(_("Signed: %(who)s") % {"who": letter.signed_by}, size=26, weight=600)
        if letter.contacts_saved:
            card.line(assumption(letter), size=22, fill=drawing.INK_2)
        drawn = card.png()
        cache.set(key, drawn, KEPT)
    return drawn
