"""Which pictures the catalogue shows, and in which sizes its templates ask for them."""

from django.contrib.contenttypes.models import ContentType
from django.db.models import QuerySet
from wagtail.models import ReferenceIndex

from community.core import pictures
from community.core.models import CommunityImage

from .pages import GalleryItem, ProductPage

WEBP = "|format-webp"
# Cropped around the focal point that the editor marked; the last one is for looking closer, and shows all of it.
THUMB = f"fill-200x200{WEBP}"
GALLERY = [*(f"fill-{size}{WEBP}" for size in ("480x360", "800x600", "1200x900")), THUMB, f"max-2400x2400{WEBP}"]
FIRST = [f"fill-{size}{WEBP}" for size in ("360x270", "720x540")] + [f"max-200x190{WEBP}"]  # catalogue, front page
POSTER = [f"width-{width}{WEBP}" for width in (800, 1200)]  # the wide one is for machines
IN_TEXT = [f"width-{width}{WEBP}" for width in (480, 960)]


def in_galleries() -> QuerySet[CommunityImage]:
    return CommunityImage.objects.filter(pk__in=GalleryItem.objects.filter(page__live=True).values("image"))


def posters() -> QuerySet[CommunityImage]:
    return CommunityImage.objects.filter(pk__in=ProductPage.objects.live().values("video_poster"))


def in_texts() -> QuerySet[CommunityImage]:
    """Pictures between the words of a page, as Wagtail keeps account of them."""
    of_image = ContentType.objects.get_for_model(CommunityImage)
    ids = ReferenceIndex.objects.filter(to_content_type=of_image, model_path__contains=".item.").values_list(
        "to_object_id", flat=True
    )
    return CommunityImage.objects.filter(pk__in=[int(pk) for pk in ids])


def register() -> None:
    pictures.show("products.gallery", in_galleries, *GALLERY, *FIRST)
    pictures.show("products.poster", posters, *POSTER)
    pictures.show("products.text", in_texts, *IN_TEXT)
