"""Words and signs of threads, for their templates."""

import re
from datetime import datetime

from django import template
from django.contrib.humanize.templatetags.humanize import intcomma
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from community.core import clock
from community.core.models import Body
from community.core.templatetags.community import icon, state, time_ago
from community.questions import ideas
from community.questions import signs as _signs
from community.questions.counting import MOST
from community.questions.models import Kind, Thread

register = template.Library()

KIND_ICONS = {
    Kind.QUESTION: "circle-help",
    Kind.PROBLEM: "wrench",
    Kind.IDEA: "lightbulb",
    Kind.PRAISE: "heart",
}


@register.simple_tag
def thread_sign(thread: Thread) -> SafeString:
    """The one sign of a row in a list; praise shows a heart and its name."""
    sign = _signs.main_sign(thread)
    if sign is None:
        return kind_sign(thread.kind)
    return state(sign.key, sign.word)


@register.simple_tag
def idea_sign(thread: Thread) -> SafeString:
    """What became of an idea, whatever else is true of its thread."""
    status = ideas.status_of(thread)
    return state(_signs.IDEA_SHAPES[status], str(status.label))


@register.simple_tag
def thread_signs(thread: Thread) -> SafeString:
    """Every sign that is true now, as chips."""
    return mark_safe("".join(state(sign.key, sign.word, chip=True) for sign in _signs.signs(thread)))  # noqa: S308


@register.simple_tag
def thread_sentence(thread: Thread) -> str:
    return _signs.sentence(thread)


@register.simple_tag
def kind_sign(kind: str) -> SafeString:
    return mark_safe(f'<span class="state">{icon(KIND_ICONS[Kind(kind)])}{Kind(kind).label}</span>')  # noqa: S308


@register.simple_tag
def kind_icon(kind: str) -> SafeString:
    return icon(KIND_ICONS[Kind(kind)])


@register.filter
def up_to(count: int) -> str:
    """A number as it was counted: beyond what is counted, that it is more (`counting.count_up_to`)."""
    return f"{intcomma(MOST)}+" if count == MOST + 1 else str(intcomma(count))


@register.filter
def in_short(body_text: str) -> str:
    """The first sentence of a text, or its first words: for the line that leads to an answer."""
    line = " ".join(body_text.split())
    for end in (". ", "? ", "! "):
        cut = line.find(end)
        if 25 <= cut <= 140:
            return line[: cut + 1]
    return line if len(line) <= 140 else line[:140].rsplit(" ", 1)[0].rstrip(",;: ") + " …"


_FIRST = re.compile(r"<p>(.*?)</p>", re.DOTALL)
_FORMULA = re.compile(r"<math\b.*?</math>", re.DOTALL)
_LINKS = re.compile(r"</?a\b[^>]*>")
SHORT = 24  # words


@register.filter
def said_in_short(post: Body) -> str:
    """How an answer begins, for the line that leads to it; with its formulas set, where it begins with some."""
    line = in_short(post.body_text)
    first = _FIRST.search(post.body_html) if "\\" in line or "<math" in post.body_html[:400] else None
    if first is None or "<math" not in first[1]:
        return line
    before_large = first[1].partition('<math display="block"')[0]
    html = _LINKS.sub("", before_large)  # the line is a link itself
    whole = _FORMULA.findall(html)  # a formula is one word, and never cut
    short = Truncator(_FORMULA.sub("\x00", html)).words(SHORT, " …", html=True)
    if before_large != first[1] and not short.endswith("…"):
        short = f"{short.rstrip()} …"
    parts = short.split("\x00")
    line = "".join(part + (whole[number] if number < len(parts) - 1 else "") for number, part in enumerate(parts))
    return mark_safe(line)  # noqa: S308 - it was made safe when written


@register.simple_tag
def row_age(when: datetime) -> SafeString:
    """How long ago in a word or two, for a narrow column; the exact moment is in the element."""
    minutes = max(0, int((clock.now() - when).total_seconds() // 60))
    hours, days = minutes // 60, minutes // 1440
    if minutes < 1:
        words = _("now")
    elif hours < 1:
        words = _("%(n)d min") % {"n": minutes}
    elif days < 1:
        words = ngettext("%(n)d hour", "%(n)d hours", hours) % {"n": hours}
    elif days < 14:
        words = ngettext("%(n)d day", "%(n)d days", days) % {"n": days}
    elif days < 70:
        words = ngettext("%(n)d week", "%(n)d weeks", days // 7) % {"n": days // 7}
    elif days < 730:
        words = ngettext("%(n)d month", "%(n)d months", days // 30) % {"n": days // 30}
    else:
        words = ngettext("%(n)d year", "%(n)d years", days // 365) % {"n": days // 365}
    return time_ago(when, words)
