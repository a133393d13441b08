"""Departments as the community manager keeps them: hours that add up, holidays that exist, none ever deleted."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from community.core import clock
from community.core.errors import Conflict, require
from community.core.rows import locked, retried
from community.events.log import record

from .models import Department, Membership, Standing, User
from .services import role_of, set_role

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


@lru_cache(maxsize=512)
def public_holidays(country: str, region: str, year: int) -> frozenset[date]:
    """The public holidays of a country, and of a part of it, as the `holidays` library has them; none when unknown."""
    if not country:
        return frozenset()
    import holidays

    try:
        return frozenset(holidays.country_holidays(country, subdiv=region or None, years=year))
    except NotImplementedError:
        return frozenset()


def countries() -> dict[str, list[str]]:
    """Codes of the countries whose holidays are known, each with the codes of its parts."""
    import holidays

    return holidays.list_supported_countries(include_aliases=False)


def country_names() -> dict[str, str]:
    """Codes of the countries with the names that the library gives them, in English."""
    from holidays.registry import COUNTRIES

    known = countries()
    return {
        row[1]: re.sub(r"(?<=[a-z])(?=[A-Z])", " ", row[0]) for row in COUNTRIES.values() if row[1] in known
    }  # fmt: skip


def check_country(country: str, region: str) -> None:
    """Raise ValidationError unless the country is known, and the region is a part of it."""
    if not country:
        if region:
            raise ValidationError({"holiday_region": _("Choose the country first.")})
        return
    known = countries()
    if country not in known:
        raise ValidationError({"holiday_country": _("The holidays of this country are not known.")})
    if region and not known[country]:
        raise ValidationError({"holiday_region": _("This country keeps its holidays as a whole. Leave this empty.")})
    if region and region not in known[country]:
        raise ValidationError({"holiday_region": _("No part of this country; known are: %(known)s.") % {
            "known": ", ".join(known[country]),
        }})  # fmt: skip


def check_open(hours: Hours) -> None:
    """Raise ValidationError at `hours` when a department never opens: nothing would ever be due."""
    if not any(hours.values()):
        raise ValidationError({"hours": _("Without business hours nothing would ever be due. Give one day at least.")})


@transaction.atomic
def set_members(department: Department, people: Iterable[User], by: User) -> None:
    """Who works in a department. Everybody works in one: who comes leaves another. The same people change nothing.

    Raises NotAllowed, ValidationError at `members` when nobody would be left, here or where somebody came from.
    """
    require(why_not_keep(by))
    wanted = {person.pk: person for person in people}
    row = locked(department)
    if not wanted and row.archived_at is None:
        raise ValidationError({"members": _("Somebody has to work here, or cases would wait for nobody.")})
    if strangers := [person for person in wanted.values() if person.standing != Standing.STAFF]:
        raise ValidationError({"members": _("%(name)s is not staff.") % {"name": strangers[0]}})
    came_from = set(
        Membership.objects.filter(user__in=wanted).exclude(department=row).values_list("department", flat=True)
    )
    there = {one.user_id: one.user for one in Membership.objects.filter(department=row).select_related("user")}
    for pk in wanted.keys() - there.keys():
        set_role(wanted[pk], by, role_of(wanted[pk]), row)
    for pk in there.keys() - wanted.keys():
        set_role(there[pk], by, role_of(there[pk]), None)
    if empty := Department.objects.current().filter(pk__in=came_from, memberships=None).first():
        raise ValidationError({"members": _("Nobody would be left in %(name)s.") % {"name": empty}})


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
    check_country(department.holiday_country, department.holiday_region)
    for field in ("acknowledge_hours", "resolve_hours"):
        if getattr(department, field) <= 0:
            raise ValidationError({field: _("A number of hours above 0.")})
    department.save()
    return department


@retried
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
    record("department.archived", actor=by, subject=row, on=on)
