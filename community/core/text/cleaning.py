"""Source as it is stored: one form of each letter, nothing invisible, not too long."""

import re
import unicodedata

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

MAX_POST_BYTES = 20_000  # of UTF-8; for people, not for imports (RULINGS 19)
MAX_MARKS = 6  # combining marks on one letter: more than any script needs, fewer than it takes to paint a page


class TooLong(ValidationError):
    """The text is longer than people may post."""


_INVISIBLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"  # controls, but tab and line feed
    "\u202a-\u202e\u2066-\u2069"  # overrides and isolates of direction: they reorder their surroundings
    "\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)
_SURROGATE = re.compile("[\ud800-\udfff]")
_ZERO_WIDTH = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b\u200e\u200f\u2060-\u2064\u206a-\u206f\u3164\uffa0]"
)
_JOINER = re.compile("(?<![^\x00-\x7f])[\u200c\u200d]+|[\u200c\u200d]+(?![^\x00-\x7f])")


def clean_source(source: str) -> str:
    """The text as it is stored: NFC, unix line ends, no controls, no direction overrides, few marks a letter."""
    source = source.replace("\r\n", "\n").replace("\r", "\n")
    source = _INVISIBLE.sub("", _SURROGATE.sub("\ufffd", source.replace("\u2028", "\n").replace("\u2029", "\n\n")))
    return source if source.isascii() else unicodedata.normalize("NFC", _few_marks(source))


def clean_line(line: str) -> str:
    """A title or a name: `clean_source`, without anything invisible, on one line with single spaces."""
    line = _ZERO_WIDTH.sub("", clean_source(line))
    return " ".join(_JOINER.sub("", line).split())  # a joiner stays inside emoji and scripts that need it


def _few_marks(source: str) -> str:
    # Before normalising, which is quadratic in the marks on one letter.
    kept, marks = [], 0
    for character in source:
        marks = marks + 1 if unicodedata.category(character) in ("Mn", "Me") else 0
        if marks <= MAX_MARKS:
            kept.append(character)
    return "".join(kept)


def check_length(source: str, limit: int = MAX_POST_BYTES) -> None:
    """Raise TooLong with words for the form when a post has more than `limit` bytes."""
    size = len(source.encode("utf-8", "replace"))
    if size > limit:
        raise TooLong(
            _("This is %(size)d kB long; %(limit)d kB is the most. Could part of it be a post of its own?")
            % {"size": -(-size // 1000), "limit": limit // 1000},
            code="too_long",
        )
