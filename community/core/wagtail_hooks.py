"""Wagtail's admin in the colours of the house."""

from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString
from wagtail import hooks

from . import csvs


@hooks.register("insert_global_admin_css")
def house_colours() -> SafeString:
    return format_html('<link rel="stylesheet" href="{}">', static("css/admin.css"))


@hooks.register("insert_global_admin_js")
def what_has_to_be_mended() -> SafeString:
    """Where a form of ours was refused, the first field that is wrong has the focus, wherever on the page it stands."""
    return format_html('<script src="{}" defer></script>', static("js/mend.js"))


csvs.mind_wagtails()
