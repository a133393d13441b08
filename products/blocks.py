"""The pieces an editor's text is made of: what product pages, help articles and plain pages share."""

from typing import Any

from django.core.exceptions import ValidationError
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _
from wagtail import blocks
from wagtail.contrib.typed_table_block.blocks import TypedTableBlock
from wagtail.documents.blocks import DocumentChooserBlock
from wagtail.images.blocks import ImageChooserBlock

from .gtin import check_gtin, digits_of

IN_A_LINE = ["bold", "italic", "link", "code"]
IN_A_TEXT = [*IN_A_LINE, "ol", "ul", "h3", "h4", "document-link"]


class HeadingBlock(blocks.CharBlock):
    """A heading of a section; it can be linked to, and a long page lists it at the top."""

    class Meta:
        icon = "title"
        label = _("Heading")
        template = "blocks/heading.html"

    def get_context(self, value: str, parent_context: dict[str, Any] | None = None) -> dict[str, Any]:
        return {**super().get_context(value, parent_context), "anchor": anchor_of(value)}


class WarningBlock(blocks.StructBlock):
    """What somebody must read before they go on."""

    title = blocks.CharBlock(max_length=80, help_text=_("One or two words, such as “Warning” or “If it leaks”."))
    text = blocks.RichTextBlock(features=[*IN_A_LINE, "ol", "ul"])

    class Meta:
        icon = "warning"
        label = _("Warning")
        template = "blocks/warning.html"


class PictureBlock(blocks.StructBlock):
    """A picture in the text. It is described either here or in the picture's own record."""

    image = ImageChooserBlock()
    alt = blocks.CharBlock(
        required=False, max_length=300, label=_("alt text"), help_text=_("Empty: the text kept with the picture.")
    )
    caption = blocks.CharBlock(required=False, max_length=300)

    class Meta:
        icon = "image"
        label = _("Picture")
        template = "blocks/picture.html"

    def clean(self, value: Any) -> Any:
        cleaned = super().clean(value)
        if not (cleaned.get("alt") or cleaned["image"].alt):
            raise blocks.StructBlockValidationError(
                {"alt": ValidationError(_("Say what the picture shows, for those who cannot see it."))}
            )
        return cleaned


class ProseBlock(blocks.StreamBlock):
    """A text with sections: headings, paragraphs, tables, warnings, pictures."""

    heading = HeadingBlock()
    text = blocks.RichTextBlock(features=IN_A_TEXT, icon="pilcrow", label=_("Text"), template="blocks/text.html")
    table = TypedTableBlock(
        [("text", blocks.RichTextBlock(features=IN_A_LINE, label=_("Text")))],
        label=_("Table"),
        icon="table",
        template="blocks/table.html",
    )
    warning = WarningBlock()
    picture = PictureBlock()


class SpecificationRow(blocks.StructBlock):
    name = blocks.CharBlock(max_length=120)
    value = blocks.CharBlock(max_length=200)
    on_top = blocks.BooleanBlock(
        required=False, label=_("show at the top"), help_text=_("Up to four rows stand beside the pictures.")
    )


class SpecificationGroup(blocks.StructBlock):
    heading = blocks.CharBlock(max_length=120)
    rows = blocks.ListBlock(SpecificationRow())

    class Meta:
        icon = "list-ul"
        label = _("Group")


class Variant(blocks.StructBlock):
    name = blocks.CharBlock(max_length=80)
    sku = blocks.CharBlock(max_length=40, required=False, label=_("article number"))
    gtin = blocks.CharBlock(
        max_length=24,
        required=False,
        label=_("GTIN"),
        validators=[check_gtin],
        help_text=_("The digits under its bar code, for search engines."),
    )
    note = blocks.CharBlock(max_length=200, required=False)
    ended = blocks.BooleanBlock(required=False, label=_("no longer made"))

    class Meta:
        icon = "tag"
        label = _("Variant")

    def clean(self, value: Any) -> Any:
        cleaned = super().clean(value)
        cleaned["gtin"] = digits_of(cleaned["gtin"] or "")
        return cleaned


class Paper(blocks.StructBlock):
    """A manual, a drawing, a declaration."""

    title = blocks.CharBlock(max_length=160)
    file = DocumentChooserBlock(required=False, label=_("file"), help_text=_("It is downloaded, never opened here."))
    url = blocks.CharBlock(
        max_length=500,
        required=False,
        label=_("address"),
        help_text=_("Where it can be read, when it is no file. Neither: the page offers to send it on request."),
    )

    class Meta:
        icon = "doc-full"
        label = _("Document")

    def clean(self, value: Any) -> Any:
        cleaned = super().clean(value)
        if cleaned["url"] and not cleaned["url"].startswith(("/", "https://")):
            raise blocks.StructBlockValidationError(
                {"url": ValidationError(_("An address begins with https:// or /."))}
            )
        return cleaned


class SparePart(blocks.StructBlock):
    number = blocks.CharBlock(max_length=40, required=False)
    name = blocks.CharBlock(max_length=160)
    wears = blocks.CharBlock(max_length=120, required=False, help_text=_("After how long it wears out."))
    price_band = blocks.CharBlock(max_length=8, required=False, label=_("price"))
    minutes = blocks.IntegerBlock(required=False, min_value=0, help_text=_("How long it takes to change."))
    tools = blocks.CharBlock(max_length=160, required=False)

    class Meta:
        icon = "cogs"
        label = _("Spare part")


def anchor_of(heading: str) -> str:
    return slugify(heading, allow_unicode=True) or "section"
