"""Editors' pictures in the Wagtail admin: nobody uploads one without saying what it shows, and none as it was sent."""

from pathlib import Path
from typing import Any

from django.core.files.uploadedfile import TemporaryUploadedFile, UploadedFile
from django.utils.translation import gettext_lazy as _
from wagtail.images.fields import WagtailImageField
from wagtail.images.forms import BaseImageForm

from .uploads import reencode

LONGEST_SIDE = 4096  # a hero over the whole of a wide, sharp screen
QUALITY = 90  # sizes for pages are made from it


class PictureField(WagtailImageField):
    """Makes the picture anew before anything else looks at it: sizes that Wagtail makes keep what a JPEG's camera wrote
    into it, and a forged file is refused in words.

    The file is changed in its place: many at once are put aside as they came with the request until they are told.
    """

    def to_python(self, data: Any) -> Any:
        if isinstance(data, UploadedFile):
            made, _width, _height = reencode(data, LONGEST_SIDE, QUALITY)
            data.name = f"{Path(data.name or 'picture').stem}.webp"
            if isinstance(data, TemporaryUploadedFile):  # a large one: its file has a name on the disk, and keeps it
                data.file.seek(0)
                data.file.truncate()
                data.file.write(made.read())
                data.file.flush()
                data.file.seek(0)
            else:
                data.file = made.file
            data.size, data.content_type = made.size, "image/webp"
        return super().to_python(data)


class ImageForm(BaseImageForm):
    """For every way in: one picture, many at once, and from a page's chooser. Many at once wait until they are told."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "file" in self.fields:
            field = self.fields["file"]
            self.fields["file"] = PictureField(label=field.label, required=field.required, widget=field.widget)
        self.fields["alt"].required = True
        self.fields["alt"].help_text = _("What the picture shows, in a sentence, for those who cannot see it.")
