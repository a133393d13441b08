"""What every template may use: icons, states, times, and the small words around people."""

from __future__ import annotations

import json
import math
import zlib
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from django import template
from django.templatetags.static import static
from django.utils import formats, timezone
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, ngettext, pgettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from community.core import clock, text
from community.core.spoken import reading, words_of
from community.core.ties import beside

register = template.Library()

# Class of the sign (a shape and a colour in the style sheet) and its word, by the key that a page holds.
STATES: dict[str, tuple[str, Any]] = {
    "none": ("none", _("No reply")),
    "replied": ("replied", _("Replied")),
    "solved": ("solved", _("Solved")),
    "official": ("official", _("Official")),
    "info": ("info", _("Needs info")),
    "recheck": ("recheck", _("In re-check")),
    "late": ("late", _("Late")),
    "closed": ("closed", _("Closed")),
    "duplicate": ("closed", _("Duplicate")),
    "merged": ("closed", _("Merged")),
    "locked": ("closed", _("Locked")),
    "paused": ("info", _("Paused")),
    "pending": ("info", _("Waiting for review")),
    "hidden": ("closed", _("Hidden")),
    "removed": ("closed", _("Removed")),
    # What becomes of an idea.
    "new": ("none", pgettext_lazy("idea", "New")),
    "under_review": ("replied", pgettext_lazy("idea", "Under review")),
    "planned": ("replied", pgettext_lazy("idea", "Planned")),
    "in_progress": ("replied", pgettext_lazy("idea", "Being built")),
    "shipped": ("solved", pgettext_lazy("idea", "Done")),
    "declined": ("closed", pgettext_lazy("idea", "Not planned")),
}
PLATES = ("clay", "moss", "steel", "straw", "rose")
DRAWINGS = {
    "cold": (150, 300),
    "drip-8": (250, 370),
    "duo": (330, 400),
    "duo-side": (300, 400),
    "flatwhite": (320, 320),
    "gauge": (300, 260),
    "kettle": (310, 250),
    "mill-54": (170, 360),
    "mill-hand": (190, 220),
    "parts": (420, 260),
    "press": (180, 270),
    "scale": (190, 56),
    "tonic": (260, 360),
    "uno": (230, 350),
}

# Hashing storages look the name up on each call; a page has a hundred icons. Resolved on first use.
_sheets: dict[str, str] = {}


def sheet(name: str) -> str:
    if name not in _sheets:
        _sheets[name] = static(f"icons/{name}.svg")
    return _sheets[name]


@register.simple_tag
def icon(name: str, label: str = "", extra: str = "") -> SafeString:
    """A line icon from the sprite. Silent beside words; give a `label` where it stands alone."""
    return _icon(str(name), str(label), str(extra))


@lru_cache(maxsize=2048)  # a page has hundreds, and few that differ
def _icon(name: str, label: str, extra: str) -> SafeString:
    if label:
        return format_html(
            '<svg class="icon {}" viewBox="0 0 24 24" role="img" aria-label="{}"><use href="{}#i-{}"/></svg>',
            extra,
            label,
            sheet("sprite"),
            name,
        )
    return format_html(
        '<svg class="icon{}" viewBox="0 0 24 24" aria-hidden="true" focusable="false"><use href="{}#i-{}"/></svg>',
        f" {extra}" if extra else "",
        sheet("sprite"),
        name,
    )


@register.simple_tag
def rank(person: Any, small: bool = False) -> SafeString:
    """Somebody's rank with its picture, from what is copied onto them; nothing for those who have none.

    The picture is silent, for the name stands beside it; the ladder of ranks gives it its words.
    """
    name, picture = getattr(person, "rank_name", ""), getattr(person, "rank_picture", "")
    return _rank(str(name), picture, bool(small)) if name else SafeString("")


@lru_cache(maxsize=512)
def _rank(name: str, picture: str, small: bool) -> SafeString:
    return format_html('<span class="rank{}">{}{}</span>', " rank--s" if small else "", rank_picture(picture), name)


@register.simple_tag
def rank_picture(picture: str, alt: str = "", extra: str = "") -> SafeString:
    """The picture of a rank: one of our drawings by its name, or a brand's own by its address."""
    if not picture:
        return SafeString("")
    if "/" not in picture:
        return icon(picture, alt, extra)
    return format_html(
        '<img class="rank__img {}" src="{}" alt="{}" width="20" height="20" loading="lazy">', extra, picture, alt
    )


@register.simple_tag
def state_icon(key: str) -> SafeString:
    """The sign of a state alone, for places that say the word themselves."""
    shape = STATES.get(key, STATES["closed"])[0]
    return format_html(
        '<svg viewBox="0 0 24 24" aria-hidden="true" focusable="false"><use href="{}#s-{}"/></svg>',
        sheet("sprite"),
        shape,
    )


@register.simple_tag
def state(key: str, label: str = "", chip: bool = False) -> SafeString:
    """Shape, colour and word of a state; never one without the others."""
    shape, word = STATES.get(key, ("closed", key))
    return format_html(
        '<span class="state state--{}{}">{}{}</span>',
        shape,
        " state--chip" if chip else "",
        state_icon(key),
        label or word,
    )


@register.simple_tag
def art(name: str, label: str = "", width: int = 0) -> SafeString:
    """One of our line drawings, by name; all are drawn to one scale (a unit is a millimetre)."""
    if name not in DRAWINGS:
        return SafeString("")
    across, down = DRAWINGS[name]
    width = width or across
    return format_html(
        '<svg class="art" viewBox="0 0 {} {}" width="{}" height="{}" {} focusable="false">'
        '<use href="{}#art-{}"/></svg>',
        across,
        down,
        width,
        round(down * width / across),
        format_html('role="img" aria-label="{}"', label) if label else SafeString('aria-hidden="true"'),
        sheet("art"),
        name,
    )


@register.filter
def has_art(name: str) -> bool:
    return name in DRAWINGS


@register.filter
def ago(when: datetime | None) -> str:
    """How long ago, in words a person would use; from two months on, the date."""
    if not when:
        return ""
    now = clock.now()
    seconds = (now - when).total_seconds()
    span = abs(seconds)
    if span < 45:
        return str(_("just now")) if seconds >= 0 else str(_("in a moment"))
    minutes, hours = max(1, round(span / 60)), round(span / 3600)
    if span < 3570:
        past, future = (
            ngettext("%(n)d minute ago", "%(n)d minutes ago", minutes),
            ngettext("in %(n)d minute", "in %(n)d minutes", minutes),
        )
        return (past if seconds >= 0 else future) % {"n": minutes}
    if span < 22 * 3600:
        past, future = (
            ngettext("%(n)d hour ago", "%(n)d hours ago", hours),
            ngettext("in %(n)d hour", "in %(n)d hours", hours),
        )
        return (past if seconds >= 0 else future) % {"n": hours}
    days = abs((timezone.localtime(now).date() - timezone.localtime(when).date()).days) or 1
    if days == 1:
        return str(_("yesterday")) if seconds >= 0 else str(_("tomorrow"))
    if days < 14:
        past, future = (
            ngettext("%(n)d day ago", "%(n)d days ago", days),
            ngettext("in %(n)d day", "in %(n)d days", days),
        )
        return (past if seconds >= 0 else future) % {"n": days}
    if days < 61:
        weeks = round(days / 7)
        past, future = (
            ngettext("%(n)d week ago", "%(n)d weeks ago", weeks),
            ngettext("in %(n)d week", "in %(n)d weeks", weeks),
        )
        return (past if seconds >= 0 else future) % {"n": weeks}
    return formats.date_format(timezone.localtime(when), pgettext("format of a date", "j M Y"))


@register.simple_tag
def time_ago(when: datetime | str | None, words: str = "") -> SafeString:
    """`<time>` with words to read, the exact moment on hover, and the machine's form. A text is an ISO moment, as
    JSON keeps it."""
    if not when:
        return SafeString("")
    if isinstance(when, str):
        when = datetime.fromisoformat(when)
    moment = _moment(when, timezone.get_current_timezone_name(), get_language())
    return format_html("{}{}</time>", moment, words or ago(when))


@lru_cache(maxsize=4096)  # posts of a page share their moments, and pages their posts
def _moment(when: datetime, _zone: str, _language: str | None) -> SafeString:
    """How `<time>` begins for a moment, in the zone and the language that are active."""
    local = timezone.localtime(when)
    return format_html(
        '<time datetime="{}" title="{}">',
        local.isoformat(timespec="minutes"),
        formats.date_format(local, pgettext("format of a moment", "j M Y, H:i")),
    )


@register.filter
def lasted(span: timedelta | None) -> str:
    """A length of time in its two largest units: "5 hours 12 minutes"."""
    if span is None:
        return ""
    minutes = max(1, int(span.total_seconds() // 60))
    days, rest = divmod(minutes, 1440)
    hours, minutes = divmod(rest, 60)
    parts = []
    if days:
        parts.append(ngettext("%(n)d day", "%(n)d days", days) % {"n": days})
    if hours:
        parts.append(ngettext("%(n)d hour", "%(n)d hours", hours) % {"n": hours})
    if minutes and not days:
        parts.append(ngettext("%(n)d minute", "%(n)d minutes", minutes) % {"n": minutes})
    return " ".join(parts)


@register.filter
def formulas(line: str) -> str:
    """A title with its dollar formulas set as in a post; nothing else in it is markup, and money stays money."""
    return mark_safe(text.line_html(line)) if "$" in line else line  # noqa: S308 - through the allow-list


@register.filter
def lang(code: str | None) -> SafeString:
    """The attribute that says in which language a piece of a page is, where that isn't the page's own:
    `<p{{ article.language|lang }}>`. For ears and hyphens (WCAG 3.1.2)."""
    if not code or code.partition("-")[0] == reading().partition("-")[0]:
        return mark_safe("")
    return format_html(' lang="{}"', code)


@register.filter
def said(row: Any, name: str) -> Any:
    """An editor's words on a plain row (core/spoken.py) as the reader's language has them; what is only there in the
    site's own is marked so. Not for attributes and options, which can't be marked: those take `row.said.name`."""
    if not row:
        return ""
    words, code = words_of(row, name)
    marked = lang(code) if isinstance(words, str) and words else ""
    return format_html("<span{}>{}</span>", marked, words) if marked else words


@register.filter
def words(row: Any, name: str) -> Any:
    """The same without a mark, where what is around it has one (`said_in`), or nothing can."""
    return words_of(row, name)[0]


@register.filter
def said_in(row: Any, name: str) -> str:
    """The code of the language in which a row says this, for `lang`."""
    return words_of(row, name)[1]


@register.filter
def initials(user: Any) -> str:
    """Two letters for the plate: of the first and the last word of the name."""
    words = str(getattr(user, "name", "") or getattr(user, "username", "") or "").split()
    if not words:
        return ""
    letters = words[0][0] + (words[-1][0] if len(words) > 1 else "")
    return letters.upper()


@register.simple_tag
def avatar(user: Any, size: str = "") -> SafeString:
    """A person's plate: members' are round, advocates' have a double ring, staff's are square; nobody's is dashed.
    `size`: s, l, xl, or none."""
    if not user or user.standing == "erased":
        return _plate("", "", "", "", size or "")
    picture = getattr(user, "avatar", None)
    address = picture.url if picture else ""
    return _plate(str(user.username), str(user.standing), initials(user), address, size or "")


@lru_cache(maxsize=2048)
def _plate(username: str, standing: str, letters: str, address: str, size: str) -> SafeString:
    tint = PLATES[zlib.crc32(username.encode()) % len(PLATES)] if username else "empty"
    sign = {"advocate": " av--advocate", "staff": " av--staff"}.get(standing, "")
    return format_html(
        '<span class="av av--{}{}{}" aria-hidden="true">{}</span>',
        tint,
        sign,
        f" av--{size}" if size else "",
        format_html('<img src="{}" alt="" width="104" height="104" loading="lazy">', address) if address else letters,
    )


@register.filter
def plate(user: Any) -> str:
    """The tint of somebody's plate: theirs for good, and it says nothing about them."""
    return PLATES[zlib.crc32(str(getattr(user, "username", user)).encode()) % len(PLATES)]


@register.filter
def star_width(value: float | None) -> str:
    """How much of a hundred units of stars is filled."""
    try:
        number = float(value or 0)
    except (TypeError, ValueError):
        return "0"
    if not math.isfinite(number):
        return "0"
    return f"{min(max(number, 0), 5) * 20:.0f}"


@register.filter
def share(part: float | None, whole: float | None) -> str:
    """Per cent of a whole, as the width of a bar."""
    if not whole or not part:
        return "0%"
    return f"{min(part / whole, 1) * 100:.1f}%"


@register.simple_tag(takes_context=True)
def query(context: template.Context, **changes: Any) -> str:
    """The address of this list with some parameters changed: `?{% query page=2 state="solved" %}`."""
    params: Any = context["request"].GET.copy() if "request" in context else {}
    if not params:
        return urlencode({name: value for name, value in changes.items() if value not in (None, "")})
    for name, value in changes.items():
        if value in (None, ""):
            params.pop(name, None)
        else:
            params[name] = value
    return params.urlencode()


@register.filter
def widget_kind(bound_field: Any) -> str:
    """How a field is laid out: text, area, select, check, choices, file or hidden."""
    widget = bound_field.field.widget
    if widget.is_hidden:
        return "hidden"
    kind = getattr(widget, "input_type", "")
    if kind == "checkbox":
        return "choices" if hasattr(widget, "create_option") else "check"
    if kind in ("radio", "file", "select"):
        return {"radio": "choices", "file": "file", "select": "select"}[kind]
    return "area" if type(widget).__name__.endswith("Textarea") else "text"


# A script element ends at the first "</", whatever its type says: nothing in the data may look like that.
_UNSAFE_IN_SCRIPT = {
    ord("<"): "\\u003C",
    ord(">"): "\\u003E",
    ord("&"): "\\u0026",
    0x2028: "\\u2028",
    0x2029: "\\u2029",
}


@register.filter
def signed(number: int) -> str:
    """Points as they stand in a column: + 10, − 2 (a minus, not a hyphen), 0."""
    words = formats.number_format(abs(number), use_l10n=True, force_grouping=True)
    return f"+\u00a0{words}" if number > 0 else f"\u2212\u00a0{words}" if number else words


@register.filter
def json_ld(data: Any) -> SafeString:
    """Structured data for `<script type="application/ld+json">`."""
    written = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return mark_safe(written.translate(_UNSAFE_IN_SCRIPT))  # noqa: S308 - escaped above


@register.simple_tag
def ties(author: Any, at: Any, disclosure: str = "") -> list[str]:
    """What tied somebody to the brand when they wrote something (`core.ties`)."""
    return beside(author, at, disclosure)
