"""Editors' pictures in the Wagtail admin: nobody uploads one without saying what it shows."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from wagtail.images.forms import BaseImageForm


class ImageForm(BaseImageForm):
    """For every way in: one picture, many at once, and from a page's chooser. Many at once wait until they are told."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["alt"].required = True
        self.fields["alt"].help_text = _("What the picture shows, in a sentence, for those who cannot see it.")
