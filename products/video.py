"""Films on a product page: one's own file, or a provider that is asked for nothing before somebody clicks."""

import re
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

# Provider's name, what its addresses look like, how its player is framed, and the host the policy must let in.
_PROVIDERS = (
    (
        "YouTube",
        re.compile(
            r"^https://(?:www\.|m\.)?(?:youtube\.com/watch\?(?:[^#]*&)?v=|youtu\.be/|youtube\.com/shorts/)([\w-]{6,20})"
        ),
        "https://www.youtube-nocookie.com/embed/{}?autoplay=1",
        "https://www.youtube-nocookie.com",
    ),
    (
        "Vimeo",
        re.compile(r"^https://(?:www\.)?vimeo\.com/(?:video/)?(\d{5,14})"),
        "https://player.vimeo.com/video/{}?autoplay=1&dnt=1",
        "https://player.vimeo.com",
    ),
)


def _begins(file: Any, count: int) -> bytes:
    file.open()
    file.seek(0)
    first: bytes = file.read(count)
    file.seek(0)
    return first


def is_film(file: Any) -> None:
    """Raises ValidationError unless the content is that of an MP4 or a WebM, whatever its name says."""
    first = _begins(file, 12)
    if first[4:8] != b"ftyp" and first[:4] != b"\x1a\x45\xdf\xa3":
        raise ValidationError(_("This is not an MP4 or WebM film."), code="not_a_film")


def is_captions(file: Any) -> None:
    """Raises ValidationError unless the content is WebVTT."""
    if not _begins(file, 16).removeprefix(b"\xef\xbb\xbf").startswith(b"WEBVTT"):
        raise ValidationError(_("This is not a WebVTT file: its first line says WEBVTT."), code="not_captions")


@dataclass(frozen=True)
class Film:
    provider: str
    embed_url: str
    host: str


def film_of(url: str) -> Film | None:
    """How a provider's film is framed; None for an address of nobody we know."""
    for provider, pattern, embed, host in _PROVIDERS:
        if found := pattern.match(url):
            return Film(provider, embed.format(found[1]), host)
    return None
