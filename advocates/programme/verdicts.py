"""What the judges said: of each answer, how far they agree, what it means for the products applied for."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.utils.translation import gettext as _

from ..models import Application, Judgement, TrialItem

JUDGES = 2


def verdicts_of(application: Application) -> dict[int, dict[int, Judgement]]:
    """Of each item, by the judge's place. One query."""
    found: dict[int, dict[int, Judgement]] = {}
    for row in Judgement.objects.filter(judge__application=application).select_related("judge", "judge__person"):
        found.setdefault(row.item_id, {})[row.judge.place] = row
    return found


def differing(application: Application) -> set[int]:
    """Ids of the items on which the first two judges differ."""
    return {
        item
        for item, by_place in verdicts_of(application).items()
        if 1 in by_place and 2 in by_place and by_place[1].helps != by_place[2].helps
    }


def helps(by_place: Mapping[int, Judgement]) -> bool | None:
    """What the judges say of one answer: what two of them agree on; None as long as that is open."""
    said = [row.helps for row in by_place.values()]
    if said.count(True) >= JUDGES:
        return True
    return False if said.count(False) >= JUDGES else None


@dataclass(frozen=True)
class Agreement:
    """How far two judges agree: in percent, and beyond what chance would give (Cohen's kappa)."""

    items: int
    same: int
    kappa: float | None  # None where both always said the same one thing: chance alone would agree, too

    @property
    def percent(self) -> int | None:
        return round(100 * self.same / self.items) if self.items else None

    @property
    def in_words(self) -> str:
        """After Landis and Koch, 1977."""
        if self.kappa is None:
            return ""
        if self.kappa < 0:
            return _("less than chance")
        steps = (
            (0.2, _("slight")), (0.4, _("fair")), (0.6, _("moderate")),
            (0.8, _("substantial")),
        )  # fmt: skip
        return next((word for most, word in steps if self.kappa <= most), _("almost perfect"))


def agreement(pairs: Iterable[tuple[bool, bool]]) -> Agreement:
    """kappa = (observed - expected) / (1 - expected), expected from how often each says yes."""
    rows = list(pairs)
    n = len(rows)
    same = sum(first == second for first, second in rows)
    if not n:
        return Agreement(0, 0, None)
    yes = [sum(pair[side] for pair in rows) / n for side in (0, 1)]
    expected = yes[0] * yes[1] + (1 - yes[0]) * (1 - yes[1])
    return Agreement(n, same, None if expected == 1 else round((same / n - expected) / (1 - expected), 2))


def pairs_of(verdicts: Iterable[Mapping[int, Judgement]]) -> list[tuple[bool, bool]]:
    return [(row[1].helps, row[2].helps) for row in verdicts if 1 in row and 2 in row]


def agreement_of_all() -> Agreement:
    """Over all trials. One query."""
    found: dict[int, dict[int, Judgement]] = {}
    for row in Judgement.objects.filter(judge__place__lte=JUDGES).select_related("judge"):
        found.setdefault(row.item_id, {})[row.judge.place] = row
    return agreement(pairs_of(found.values()))


def told_to_applicant(application: Application) -> list[tuple[TrialItem, bool | None, list[str]]]:
    """What an applicant reads once it is decided: of each answer what the judges say, and their lines; no names."""
    verdicts = verdicts_of(application)
    return [
        (item, helps(said := verdicts.get(item.pk, {})), [row.note for _place, row in sorted(said.items()) if row.note])
        for item in application.trial.select_related("thread")
    ]


def passed_products(application: Application) -> dict[int, bool | None]:
    """Of each product applied for: whether more than half of its answers would help; None where none was asked."""
    verdicts = verdicts_of(application)
    found: dict[int, bool | None] = {}
    for row in application.products.all():
        said = [
            helps(verdicts.get(item.pk, {})) for item in application.trial.all() if item.product_id == row.product_id
        ]
        found[row.product_id] = 2 * said.count(True) > len(said) if said else None
    return found
