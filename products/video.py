"""Films on a product page: one's own file, or a provider that is asked for nothing before somebody clicks."""

import re
from dataclasses import dataclass

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
