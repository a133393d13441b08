"""Threads like one, to choose from. Which they are a room above knows (docs/decisions/0259)."""

from collections.abc import Callable, Iterable
from typing import Any

from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from .models import Thread
from .services.merging import ALIKE

Finder = Callable[[Thread, Any], Iterable[Thread]]
_finders: list[Finder] = []
MOST = 6


def find_with(finder: Finder) -> None:
    """`finder(thread, user)` gives threads that everybody sees, the most alike first."""
    if finder not in _finders:
        _finders.append(finder)


def of(thread: Thread, user: Any) -> list[Thread]:
    """Threads that may be about the same matter: of a kind that fits, and not led here or elsewhere already."""
    found = [one for finder in _finders for one in finder(thread, user)]
    kinds = set().union(*(kinds for kinds in ALIKE if thread.kind in kinds))
    return [
        one for one in found
        if one.kind in kinds and one.pk != thread.pk and one.duplicate_of_id is None and one.merged_into_id is None
    ][:MOST]  # fmt: skip


def choices(threads: Iterable[Thread]) -> list[tuple[str, SafeString | str]]:
    """For radio buttons: each with a link to look at it, and last that it is none of them."""
    rows: list[tuple[str, SafeString | str]] = [
        (
            str(one.pk),
            format_html(
                '{} <span class="soft s">{}</span> <a class="s" href="{}" target="_blank" aria-label="{}">{}</a>',
                one.title,
                " · ".join(filter(None, [one.state_words, one.product.label if one.product else ""])),
                one.get_absolute_url(),
                _("Look at “%(title)s” in a new tab") % {"title": one.title},
                _("Look"),
            ),
        )
        for one in threads
    ]
    return [*rows, ("", _("Another one, named below"))]
