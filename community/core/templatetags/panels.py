"""`{% panels "slot" thing %}` and `{% panels_for "slot" batch %}`: see community/core/panels.py."""

from collections.abc import Iterable
from typing import Any

from django import template
from django.template import Context
from django.utils.safestring import SafeString

from community.core import panels as registry

register = template.Library()


@register.simple_tag(takes_context=True)
def panels(context: Context, slot: str, thing: Any = None) -> SafeString:
    """What the apps above show for this thing; without a thing, for the page itself."""
    return registry.piece(slot, _request(context), thing)


@register.simple_tag(takes_context=True)
def panels_for(context: Context, slot: str, batch: Iterable[Any]) -> str:
    """Prepare a slot for all things of the page at once; prints nothing."""
    request = _request(context)
    if request is not None:
        registry.prepare(slot, request, batch)
    return ""


def _request(context: Context) -> Any:
    # Fragments included with `only` lose the variable `request`, but not the context's own.
    return getattr(context, "request", None) or context.get("request")
