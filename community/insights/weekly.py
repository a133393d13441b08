"""Each Monday a department gets its figures of the week: its mailbox does, and those of its staff who want them."""

from __future__ import annotations

import logging
from datetime import date, timedelta
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import formats, translation
from django.utils.translation import gettext as _

from community.accounts.models import Department, User
from community.core import brand as brands
from community.core import clock, outbox
from community.core.models import Delivery
from community.escalation.clock import zone
from community.events.log import is_replaying
from community.notifications.delivery import stop_token
from community.notifications.kinds import KINDS
from community.notifications.models import Preference

from . import report
from .daily import month_of
from .metrics import DEFINITIONS, midnight
from .models import Month

logger = logging.getLogger(__name__)
KIND = "weekly_figures"
HOUR = 7  # on Monday, in the department's zone: before the first case of the week
FIGURES = [name for name, said in DEFINITIONS.items() if said.by_department]


def run() -> int:
    """Queue the mails that are due; returns how many departments had theirs. Twice, or by two at once, is once."""
    if is_replaying():
        return 0
    done = 0
    for department in Department.objects.filter(archived_at__isnull=True).order_by("pk"):
        try:
            done += send(department)
        except Exception:
            logger.exception("The weekly figures of %s could not be written and are tried again", department.slug)
    return done


def send(department: Department) -> bool:
    """Queue the mails about the week before, from Monday morning to Tuesday night. The key makes each once.

    The days that count are UTC; the morning is the department's. East of us it comes before the week is over in UTC:
    the mail waits until all of Sunday is counted.
    """
    here = clock.now().astimezone(zone(department.time_zone))
    if here.weekday() > 1 or (here.weekday() == 0 and here.hour < HOUR):
        return False
    first, last = report.week_before(here.date())
    if not Month.objects.filter(first=month_of(last), counted_at__gte=midnight(last + timedelta(days=1))).exists():
        return False
    readers = _readers(department, first)
    if not readers:
        return False
    scope = report.Scope(department=department.pk)
    now = report.totals(scope, first, last)
    before = report.totals(scope, first - timedelta(days=7), last - timedelta(days=7))
    if now or before:
        outbox.queue_many(_mail(department, reader, first, last, now, before) for reader in readers)
    return bool(now or before)


def _key(department: Department, first: date, reader: User | str) -> str:
    return f"figures:{department.pk}:{first.isoformat()}:{reader.pk if isinstance(reader, User) else 'mailbox'}"


def _readers(department: Department, first: date) -> list[User | str]:
    """Who has not had theirs: the mailbox, and the staff that did not say no."""
    staff = department.staff.filter(is_active=True, standing="staff").exclude(email=None)
    no = Preference.objects.filter(kind=KIND, mail=False).values("user")
    found: list[User | str] = [department.mailbox] if department.mailbox else []
    found += list(staff.exclude(pk__in=no).order_by("pk"))
    keys = {_key(department, first, reader): reader for reader in found}
    for known in Delivery.objects.filter(key__in=keys).values_list("key", flat=True):
        del keys[known]
    return list(keys.values())


def _mail(
    department: Department, reader: User | str, first: date, last: date, now: dict[str, Any], before: dict[str, Any]
) -> Delivery:
    """One mail in the reader's language; a mailbox reads that of the department's lead."""
    person = reader if isinstance(reader, User) else department.lead
    language = (person.language if person else "") or settings.LANGUAGE_CODE
    with translation.override(language):
        page = f"{reverse('insights:figures')}?department={department.slug}"
        context: dict[str, Any] = {
            "department": department,
            "brand": brands.of_request(None),
            "first": first,
            "last": last,
            "lines": report.in_words(now, before, FIGURES),
            "url": settings.BASE_URL + page,
            "why": KINDS[KIND].label,
        }
        headers = {}
        if isinstance(reader, User):
            stop = settings.BASE_URL + reverse("notices:stop", args=[stop_token(reader, KIND)])
            context |= {"stop_url": stop, "preferences_url": settings.BASE_URL + reverse("notices:preferences")}
            headers = {"List-Unsubscribe": f"<{stop}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
        context["subject"] = _("%(department)s: your figures from %(first)s to %(last)s") % {
            "department": str(department),
            "first": formats.date_format(first, "SHORT_DATE_FORMAT"),
            "last": formats.date_format(last, "SHORT_DATE_FORMAT"),
        }
        return outbox.build(
            key=_key(department, first, reader),
            kind=KIND,
            user=reader if isinstance(reader, User) else None,
            address=reader if isinstance(reader, str) else "",
            subject=context["subject"],
            text=render_to_string("emails/weekly_figures.txt", context).strip() + "\n",
            html=render_to_string("emails/weekly_figures.html", context),
            headers=headers,
            data={"department": department.pk},
        )


def still_wanted(delivery: Delivery) -> bool:
    """The outbox asks right before sending: the department is there, its reader in it and still willing."""
    department = Department.objects.filter(pk=delivery.data.get("department"), archived_at__isnull=True).first()
    if department is None:
        return False
    if delivery.user is None:
        return delivery.address == department.mailbox
    if delivery.user.department_id != department.pk or not delivery.user.is_active:
        return False
    return not Preference.objects.filter(user=delivery.user, kind=KIND, mail=False).exists()
