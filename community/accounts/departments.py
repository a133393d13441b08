"""Departments as the community manager keeps them: hours that add up, holidays that exist, none ever deleted."""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from community.core import clock
from community.core.errors import Conflict, require
from community.core.rows import locked

from .models import Department, User

TIME = re.compile(r"^([01]\d|2[0-3]):[0-5]\d$|^24:00$")
Hours = Mapping[str, Sequence[Sequence[str]]]


def why_not_keep(user: Any) -> str:
    if user and user.is_authenticated and user.has_perm("accounts.change_department"):
        return ""
    return _("Only community managers change departments.")


def check_hours(hours: Hours) -> None:
    """Raise ValidationError unless each day holds spans in order, which begin before they end."""
    for day, spans in hours.items():
        if day not in {str(number) for number in range(7)}:
            raise ValidationError({"hours": _("Weekdays are 0 (Monday) to 6.")})
        before = ""
        for span in spans:
            if len(span) != 2 or not all(isinstance(time, str) and TIME.match(time) for time in span):
                raise ValidationError({"hours": _("Write hours as 08:00-18:00.")})
            opens, closes = span
            if not before <= opens < closes:
                raise ValidationError({"hours": _("Hours of a day follow each other, and end after they begin.")})
            before = closes


def check_holidays(holidays: Sequence[str]) -> None:
    """Raise ValidationError unless each is a day of every year (12-25) or of one (2026-04-03)."""
    for day in holidays:
        try:
            date.fromisoformat(day if len(day) > 5 else f"2024-{day}")  # a leap year: 02-29 exists
        except ValueError:
            raise ValidationError(
                {"holidays": _("“%(day)s” is no day; write 12-25, or 2026-04-03 for one year.") % {"day": day}}
            ) from None


@transaction.atomic
def save_department(department: Department, by: User | None) -> Department:
    """Make or change a department. `by` is None for a loader. Raises NotAllowed, ValidationError by field."""
    if by is not None:
        require(why_not_keep(by))
    try:
        ZoneInfo(department.time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValidationError({"time_zone": _("This zone is not known; write Europe/Berlin.")}) from None
    check_hours(department.hours)
    check_holidays(department.holidays)
    for field in ("acknowledge_hours", "resolve_hours"):
        if getattr(department, field) <= 0:
            raise ValidationError({field: _("A number of hours above 0.")})
    department.save()
    return department


@transaction.atomic
def archive_department(department: Department, by: User, *, on: bool = True) -> None:
    """A department ends: what it said stays under its name, nothing new goes to it (RULINGS 16). Twice is harmless."""
    require(why_not_keep(by))
    row = locked(department)
    if on == (row.archived_at is not None):
        return
    if on and not Department.objects.current().exclude(pk=row.pk).exists():
        raise Conflict(_("It is the only department: somebody has to answer."))
    row.archived_at = clock.now() if on else None
    row.save(update_fields=["archived_at"])
    department.archived_at = row.archived_at
