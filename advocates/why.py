"""Why somebody stands where they stand on a board: their points by what gave them, and the posts that gave most.

Everybody may read it, so it says what others found of somebody's posts and never whom they voted down themselves: what
takes points is one line. The lines add up to the points of the board, with what the daily limit cut off as a line of
its own. Costs the same at a million people: the entries of one person in one period.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db.models import Case, IntegerField, QuerySet, Sum, Value, When
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from community.accounts.models import User
from community.questions.models import Answer

from . import boards
from .models import BoardScore, Period, Reason, ReputationEntry
from .reputation import JUDGED

POSTS = 5

# What so many judgements of a kind are called.
CALLED: dict[str, Callable[[int], str]] = {
    Reason.ACCEPTED: lambda n: ngettext("%(n)d accepted answer", "%(n)d accepted answers", n) % {"n": n},
    Reason.ANSWER_UP: lambda n: ngettext("%(n)d vote for their answers", "%(n)d votes for their answers", n) % {"n": n},
    Reason.THREAD_UP: lambda n: (
        ngettext("%(n)d vote for their questions", "%(n)d votes for their questions", n) % {"n": n}
    ),
    Reason.HELD: lambda n: (
        ngettext("%(n)d fix that still worked after three days", "%(n)d fixes that still worked after three days", n)
        % {"n": n}
    ),
    Reason.ACCEPTING: lambda n: (
        ngettext("accepted %(n)d answer of somebody else", "accepted %(n)d answers of others", n) % {"n": n}
    ),
    Reason.HELPFUL: lambda n: (
        ngettext("%(n)d reader found their review helpful", "%(n)d readers found their reviews helpful", n) % {"n": n}
    ),
    Reason.MADE: lambda n: ngettext("%(n)d person made their recipe", "%(n)d people made their recipes", n) % {"n": n},
    Reason.WORKED: lambda n: (
        ngettext("their tips worked for %(n)d person", "their tips worked for %(n)d people", n) % {"n": n}
    ),
    Reason.EDIT: lambda n: (
        ngettext("%(n)d suggested edit taken over", "%(n)d suggested edits taken over", n) % {"n": n}
    ),
}  # fmt: skip


@dataclass
class Why:
    """`lines`: (what, points), the most first; `posts`: (post, its title, points, what it is)."""

    row: Any  # a BoardScore with its place
    lines: list[tuple[str, int]]
    posts: list[tuple[Any, str, int, str]]
    above: BoardScore | None
    below: BoardScore | None

    @property
    def ahead(self) -> int:
        return self.row.points - self.below.points if self.below else 0

    @property
    def behind(self) -> int:
        return self.above.points - self.row.points if self.above else 0


def _entries(score: BoardScore) -> QuerySet[ReputationEntry]:
    """The lines of the ledger that a score adds up, what was taken back among them."""
    rows = ReputationEntry.objects.filter(person=score.person_id).exclude(reason=Reason.OWNER).order_by()
    if score.period != Period.ALL:
        rows = rows.filter(day__gte=score.start)
    kind, _colon, key = score.board.partition(":")
    if kind == "help":
        return rows.filter(reason__in=[reason for reason, of in boards.HELP_OF.items() if of == key])
    return rows.filter(**{kind: key}) if key else rows


def why(person: User, period: str, board: str = boards.EVERYTHING) -> Why | None:
    """Why somebody stands there; None for who does not stand on this board. One query for the lines, one for the
    posts and one for each kind of them, besides those for the place."""
    near = boards.around(person, period, board, reach=1)
    mine = next((row for row in near if row.person_id == person.pk), None)
    if mine is None:
        return None
    place = near.index(mine)
    above = near[place - 1] if place else None
    below = near[place + 1] if place + 1 < len(near) else None
    return Why(mine, lines(mine), _posts(_entries(mine)), above, below)


def lines(score: BoardScore) -> list[tuple[str, int]]:
    """What the points of a score came from, the most first. One query."""
    once = Case(When(takes_back=True, then=Value(-1)), default=Value(1), output_field=IntegerField())
    sums = list(_entries(score).values("reason").annotate(sum=Sum("points"), n=Sum(once)))
    found = [(CALLED[row["reason"]](row["n"]), row["sum"]) for row in sums if row["reason"] in CALLED and row["sum"]]
    found.sort(key=lambda line: -line[1])
    if lost := sum(row["sum"] for row in sums if row["reason"] not in CALLED):
        found.append((_("what took points, such as votes against"), lost))
    if over := score.points - sum(row["sum"] for row in sums):
        found.append((_("over the daily limit, and not counted"), over))
    return found


def _posts(rows: QuerySet[ReputationEntry]) -> list[tuple[Any, str, int, str]]:
    """What gave most, of what is still shown."""
    given = rows.filter(reason__in=list(CALLED)).exclude(reason=Reason.ACCEPTING)
    most = (
        given.values_list("target_type", "target_id")
        .annotate(sum=Sum("points"))
        .filter(sum__gt=0)
        .order_by("-sum", "-target_id")[: 2 * POSTS]
    )
    sums = {(type_id, pk): total for type_id, pk, total in most}
    shown: dict[tuple[int, int], Any] = {}
    for type_id in {type_id for type_id, _pk in sums}:
        model: Any = ContentType.objects.get_for_id(type_id).model_class()
        part = {"answer": ["thread"], "review": ["product"]}.get(model._meta.model_name, [])
        if model._meta.model_name in JUDGED:
            wanted = model.objects.visible().filter(pk__in=[pk for of, pk in sums if of == type_id])
            shown |= {(type_id, post.pk): post for post in wanted.select_related(*part)}
    posts = [(shown[key], total) for key, total in sums.items() if key in shown][:POSTS]
    named = {
        "answer": _("Answer"), "thread": _("Question"), "review": _("Review"), "recipe": _("Recipe"), "tip": _("Tip"),
    }  # fmt: skip
    return [
        (post, str(post.thread if isinstance(post, Answer) else post), total, named.get(post._meta.model_name, ""))
        for post, total in posts
    ]
