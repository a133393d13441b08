"""Making a text safe once, when it is written."""

from collections.abc import Iterable

from . import text
from .models import Body

BODY_FIELDS = ["body_source", "source_format", "body_html", "body_text", "pipeline"]


def write_body(
    thing: Body,
    source: str,
    source_format: str = Body.Format.MARKDOWN,
    *,
    known_users: Iterable[str] = (),
    limit: int | None = text.MAX_POST_BYTES,
    base_url: str = "",
) -> None:
    """Set the source of a text and what is shown of it. Does not save.

    `limit` in bytes is for people; imports pass None (RULINGS 19). Raises ValidationError beyond it.
    `base_url` is where the relative links of an imported page point.
    """
    known = set(known_users)
    source = text.clean_source(source)  # no NUL, which PostgreSQL refuses, and nothing that reorders a page
    if source_format == Body.Format.HTML:
        rendered = text.render_html(source, base_url=base_url)
    elif source_format == Body.Format.PLAIN:
        rendered = text.render_plain(source, known_users=known, limit=limit)
    else:
        rendered = text.render_markdown(source, known_users=known, limit=limit)
    thing.body_source, thing.source_format = source, source_format
    thing.body_html, thing.body_text, thing.pipeline = rendered.html, rendered.text, text.PIPELINE_VERSION


def is_same_text(row: Body, body: str) -> bool:
    """Whether a form sent the text back as it was: with the line ends of a browser, without the space around it."""
    return text.clean_source(body).strip() == row.body_source.strip()
