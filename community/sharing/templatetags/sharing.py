from django import template
from django.utils.translation import gettext as _

from community.sharing.amounts import Amount

register = template.Library()


@register.filter
def in_words(minutes: int) -> str:
    """A length of time as a cook says it: "8 min", "1 h 20 min", "12 h", "2 days"."""
    if minutes < 60:
        return _("%(n)d min") % {"n": minutes}
    if minutes >= 2880 and not minutes % 1440:
        return _("%(n)d days") % {"n": minutes // 1440}
    hours, rest = divmod(minutes, 60)
    if not rest:
        return _("%(n)d h") % {"n": hours}
    return _("%(h)d h %(m)d min") % {"h": hours, "m": rest}


@register.filter
def low(amount: Amount) -> str:
    """What a script multiplies: the amount, or the lower end of a range."""
    return "" if amount.low is None else f"{float(amount.low):g}"


@register.filter
def high(amount: Amount) -> str:
    return "" if amount.high is None else f"{float(amount.high):g}"
