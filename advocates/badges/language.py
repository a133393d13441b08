"""What a rule may say, and what is wrong with one that can't be judged."""

from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from community.events.kinds import KINDS

from ..models import Badge
from .sources import SOURCES, people_paths, sums_of

BY_HAND = "badge.given_by_hand"
MOST_BY_HAND, SHORTEST_REASON = 50, 20
LONGEST_WINDOW = 3650  # days; with more of them a date may be before all calendars
OPERATORS = ("is", "is not", ">=", ">", "<=", "<")


def check_award(award: Any, *, awarded: str, per: str, by_hand: bool = False) -> None:
    """Raise ValidationError at `award` when a rule says something that can't be judged."""
    problems: list[str] = []
    if not isinstance(award, dict):
        raise ValidationError({"award": _("A rule is an object with event, to, count, when and threshold.")})
    kind = award.get("event")
    if kind not in KINDS:
        problems.append(_("There is no event “%(kind)s”.") % {"kind": kind})
    if award.get("to") not in ("author", "actor"):
        problems.append(_("“to” is author or actor."))
    if award.get("count") not in ("things", "people", "events"):
        problems.append(_("“count” is things, people or events."))
    threshold = award.get("threshold")
    if not isinstance(threshold, int) or isinstance(threshold, bool) or threshold < 1:
        problems.append(_("“threshold” is a whole number from 1."))
    window = award.get("window_days")
    if window is not None and (
        not isinstance(window, int) or isinstance(window, bool) or not 1 <= window <= LONGEST_WINDOW
    ):
        problems.append(_("“window_days” is a number of days, or null."))
    if unknown := set(award) - {"event", "to", "count", "when", "threshold", "window_days", "people"}:
        problems.append(_("Unknown: %(words)s.") % {"words": ", ".join(sorted(map(str, unknown)))})
    source = SOURCES.get(str(kind))
    conditions = award.get("when", [])
    if not isinstance(conditions, list):
        conditions = []
        problems.append(_("“when” is a list."))
    for condition in conditions:
        if not isinstance(condition, list) or len(condition) != 3 or condition[1] not in OPERATORS:
            problems.append(
                _("A condition is [field, operator, value]; operators: %(all)s.") % {"all": ", ".join(OPERATORS)}
            )
        elif source is not None and condition[0] not in source.fields and condition[0] not in sums_of(source):
            problems.append(
                _("“%(field)s” is not known of %(kind)s. There is: %(all)s.")
                % {
                    "field": condition[0],
                    "kind": kind,
                    "all": ", ".join(sorted({*source.fields, *sums_of(source)})),
                }
            )
    if awarded == Badge.Awarded.MANY and not by_hand and source is not None and per not in source.per:
        problems.append(_("For each what? %(all)s.") % {"all": ", ".join(sorted(source.per)) or "-"})
    people = award.get("people")
    if people is not None and (source is None or people not in people_paths(source)):
        problems.append(_("“people” is not known of %(kind)s.") % {"kind": kind})
    if problems:
        raise ValidationError({"award": problems})


def signature(badge: Badge) -> tuple[Any, ...]:
    """Badges that count the same share one query: five, twenty-five and a hundred answers."""
    rule = badge.award
    return (
        rule["event"],
        rule["to"],
        rule["count"],
        repr(rule.get("when", [])),
        rule.get("window_days"),
        rule.get("people"),
        badge.per if badge.awarded == Badge.Awarded.MANY else "",
    )
