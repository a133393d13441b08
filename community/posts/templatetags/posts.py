"""What a page that takes words needs, where no form object stands behind the box."""

from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from community.posts import gates
from community.posts.doors import opened_now

register = template.Library()


@register.simple_tag
def limits_of(by: Any) -> str:
    """What a newcomer's post may hold; nothing for everybody else."""
    return gates.limits_of(by)


@register.simple_tag
def trap(kind: str, pk: int) -> SafeString:
    """The fields of `doors.Trap`: one that only robots fill in, and when the page was opened."""
    return format_html(
        '<div class="form__trap" aria-hidden="true"><label for="website-{kind}-{pk}">{label}</label>'
        '<input type="text" name="website" id="website-{kind}-{pk}" tabindex="-1" autocomplete="off"></div>'
        '<input type="hidden" name="started" value="{started}">',
        kind=kind, pk=pk, label=_("Leave this empty"), started=opened_now(),
    )  # fmt: skip
