"""What each room keeps of a person: what a copy of it holds, and what becomes of it when they leave, or when two
accounts of one person become one.

A room says so for every foreign key to the user model, in its `personal.py`, which `AppConfig.ready()` imports. A test
walks all models and fails for one that nobody names (tests/portability/test_personal.py).

    tie("posts.Draft.user", left=GONE, joined=MOVES, copy="key data updated_at")
    part("sharing.TipStep.tip__author", copy="number text")

`left`    GONE: the rows go. STAYS: they stay, under a person who has no name any more; the fields of `blank` are
          emptied. CUT: they stay, and name nobody.
`joined`  MOVES: they become the other account's. STAYS, GONE: as above.
`doubled` GONE: where the other account has such a row already, this one goes. STAYS: it stays with the account that
          goes, because events tell of it.
`copy`    the fields that somebody's own copy of their data holds (Django lookups), or nothing: other people's acts,
          staff's work, what is only counted.

A part of somebody's post (a step, an ingredient) belongs to them by that post: `part` says what a copy holds of it.

What rows alone can't say is a step: `before_leaving`, `after_leaving`, `before_joining`, `after_joining`. Before: when
everything is as it was, for services that take votes back or posts away. After: when person and rows have gone, for
what has to be counted anew. `after_rewording`: what others wrote names somebody no more. Rooms run in their order, the
lowest first, all in one transaction.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any

from django.apps import apps
from django.db import IntegrityError, models, transaction


class Fate(Enum):
    GONE = "gone"
    STAYS = "stays"
    CUT = "cut"
    MOVES = "moves"


GONE, STAYS, CUT, MOVES = Fate.GONE, Fate.STAYS, Fate.CUT, Fate.MOVES


@dataclass(frozen=True)
class Tie:
    """A foreign key to a person: `posts.Draft.user`."""

    label: str
    left: Fate
    joined: Fate
    copy: tuple[str, ...] = ()
    blank: tuple[str, ...] = ()
    doubled: Fate = Fate.GONE

    @property
    def field(self) -> str:
        return self.label.rpartition(".")[2]

    @property
    def model(self) -> type[models.Model]:
        return apps.get_model(self.label.rpartition(".")[0])

    def rows(self, person: Any) -> models.QuerySet:
        return self.model._base_manager.filter(**{self.field: person})


@dataclass(frozen=True)
class Part(Tie):
    """What hangs on a post of a person, by way of that post: `sharing.TipStep.tip__author`. Only for copies."""

    left: Fate = Fate.STAYS
    joined: Fate = Fate.STAYS


@dataclass(frozen=True)
class Leaving:
    """Somebody's account is erased. `words_go`: what they wrote goes along, as far as nobody else's hangs on it."""

    person: Any
    words_go: bool


@dataclass(frozen=True)
class Joining:
    """Two accounts of one person become one: `gone` goes into `kept`, by a member of staff."""

    gone: Any
    kept: Any
    by: Any


@dataclass(frozen=True)
class Reworded:
    """Posts of one model, written by others, whose words have changed because they named somebody."""

    model: type[models.Model]
    ids: list[int]


_ties: dict[str, Tie] = {}
_parts: dict[str, Part] = {}
_steps: dict[str, list[Callable[[Any], None]]] = {}


def tie(label: str, *, left: Fate, joined: Fate, copy: str = "", blank: str = "", doubled: Fate = GONE) -> None:
    """Say what becomes of the rows of one foreign key. Again replaces, so that a reload is harmless."""
    if left is MOVES or joined is CUT:
        raise ValueError(f"{label}: rows of somebody who left can't move, and two accounts leave nothing cut.")
    _ties[label] = Tie(label, left, joined, tuple(copy.split()), tuple(blank.split()), doubled)


def ties() -> list[Tie]:
    return list(_ties.values())


def part(label: str, *, copy: str) -> None:
    """Say what a copy holds of the rows that hang on somebody's posts."""
    _parts[label] = Part(label, copy=tuple(copy.split()))


def copied() -> list[Tie]:
    """All that a copy of somebody's data holds something of."""
    return [one for one in (*_ties.values(), *_parts.values()) if one.copy]


def _register(when: str, step: Callable[[Any], None]) -> Any:
    steps = _steps.setdefault(when, [])
    if step not in steps:
        steps.append(step)
    return step


def before_leaving(step: Callable[[Leaving], None]) -> Any:
    return _register("before_leaving", step)


def after_leaving(step: Callable[[Leaving], None]) -> Any:
    return _register("after_leaving", step)


def before_joining(step: Callable[[Joining], None]) -> Any:
    return _register("before_joining", step)


def after_joining(step: Callable[[Joining], None]) -> Any:
    return _register("after_joining", step)


def after_rewording(step: Callable[[Reworded], None]) -> Any:
    return _register("after_rewording", step)


def run(when: str, act: Leaving | Joining | Reworded) -> None:
    for step in _steps.get(when, []):
        step(act)


def let_go(person: Any) -> None:
    """Do to all rows of somebody what `left` says. Files go with the transaction."""
    for one in _ties.values():
        rows = one.rows(person)
        if one.left is GONE:
            _with_files(rows)
            rows.delete()
        elif one.left is CUT:
            rows.update(**{one.field: None})
        elif one.blank:
            rows.update(**dict.fromkeys(one.blank, ""))


def _with_files(rows: models.QuerySet) -> None:
    """The files of rows that go, once it is certain that they do. Held, so that nobody adds one meanwhile."""
    fields = [field for field in rows.model._meta.get_fields() if isinstance(field, models.FileField)]
    for row in list(rows.select_for_update(of=("self",))) if fields else ():
        for field in fields:
            file = getattr(row, field.name)
            if file:
                transaction.on_commit(lambda file=file: file.storage.delete(file.name))


def hand_over(gone: Any, kept: Any) -> None:
    """Do to all rows of an account that goes into another what `joined` says."""
    for one in _ties.values():
        if one.joined is MOVES:
            _move(one, gone, kept)
        elif one.joined is GONE:
            rows = one.rows(gone)
            _with_files(rows)
            rows.delete()


def _move(one: Tie, gone: Any, kept: Any) -> None:
    """All at once; where the other account has such a row already, row by row, and the double goes or stays."""
    rows = one.rows(gone)
    try:
        with transaction.atomic():
            rows.update(**{one.field: kept})
        return
    except IntegrityError:
        pass
    for row in rows.order_by("pk"):
        try:
            with transaction.atomic():
                one.model._base_manager.filter(pk=row.pk).update(**{one.field: kept})
        except IntegrityError:
            if one.doubled is GONE:
                row.delete()


# This room's own, and Wagtail's: work of the staff, who hold no role any more when they leave.

tie("core.Delivery.user", left=GONE, joined=GONE, copy="kind subject body_text created_at sent_at")
tie("core.CommunityImage.uploaded_by_user", left=STAYS, joined=MOVES)
tie("wagtailusers.UserProfile.user", left=GONE, joined=GONE)
tie("wagtaildocs.Document.uploaded_by_user", left=STAYS, joined=MOVES)
tie("wagtailimages.Image.uploaded_by_user", left=STAYS, joined=MOVES)
tie("wagtailadmin.EditingSession.user", left=GONE, joined=GONE)
tie("wagtailadmin.FormState.user", left=GONE, joined=GONE)
tie("wagtailcore.ModelLogEntry.user", left=STAYS, joined=STAYS)
tie("wagtailcore.PageLogEntry.user", left=STAYS, joined=STAYS)
tie("wagtailcore.Revision.user", left=STAYS, joined=MOVES)
tie("wagtailcore.UploadedFile.uploaded_by_user", left=STAYS, joined=MOVES)
tie("wagtailcore.WorkflowState.requested_by", left=STAYS, joined=MOVES)
tie("wagtailcore.TaskState.finished_by", left=STAYS, joined=MOVES)
tie("wagtailcore.Page.owner", left=STAYS, joined=MOVES)
tie("wagtailcore.Page.locked_by", left=CUT, joined=MOVES)
tie("wagtailcore.Comment.user", left=STAYS, joined=MOVES)
tie("wagtailcore.Comment.resolved_by", left=STAYS, joined=MOVES)
tie("wagtailcore.CommentReply.user", left=STAYS, joined=MOVES)
tie("wagtailcore.PageSubscription.user", left=GONE, joined=GONE)
