from typing import Self

from django.contrib.contenttypes.models import ContentType
from django.db.models import F, OuterRef, Prefetch, Subquery
from django.db.models.functions import JSONObject

from community.core.models import CommunityImage, CommunityRendition
from community.moderation.querysets import ModeratedQuerySet
from community.posts.models import Upload

CARD = "fill-720x560|format-webp"
HERO = "fill-1040x1040|format-webp"


class RecipeQuerySet(ModeratedQuerySet):
    ORDERS = {
        "newest": ("-created_at", "-id"),
        "made": ("-made_count", "-id"),
    }

    def sorted_by(self, order: str) -> Self:
        return self.order_by(*self.ORDERS.get(order, self.ORDERS["newest"]))

    def within(self, minutes: int) -> Self:
        """Ready in so many minutes, waiting included."""
        return self.annotate(all_minutes=F("prep_minutes") + F("cook_minutes") + F("rest_minutes")).filter(
            all_minutes__lte=minutes
        )

    def for_listing(self) -> Self:
        return self.select_related("author", "author__department").prefetch_related(
            "products", Prefetch("picture", CommunityImage.objects.prefetch_renditions(CARD))
        )

    def for_cards(self) -> Self:
        """With all that a card shows, in this one query: `card_made` of the brand's picture, else `card_photo`."""
        made = CommunityRendition.objects.filter(image=OuterRef("picture"), filter_spec=CARD).order_by("-pk")
        own = ContentType.objects.get_for_model(self.model)
        photos = Upload.objects.filter(target_type=own, target_id=OuterRef("pk")).order_by("position", "pk")
        names = ("file", "width", "height")
        return self.select_related("author", "author__department", "picture").annotate(
            card_made=Subquery(
                made.values(row=JSONObject(**{name: name for name in ("filter_spec", "focal_point_key", *names)}))[:1]
            ),
            card_photo=Subquery(photos.values(row=JSONObject(**{name: name for name in ("pk", "alt", *names)}))[:1]),
        )

    def for_page(self) -> Self:
        return self.select_related(
            "author__profile", "author__department", "remix_of", "remix_of__author", "featured_by"
        ).prefetch_related(
            "ingredients",
            "steps__product",
            "uses__product",
            "tags",
            Prefetch("picture", CommunityImage.objects.prefetch_renditions(HERO, CARD)),
        )


class TipQuerySet(ModeratedQuerySet):
    ORDERS = {
        "newest": ("-created_at", "-id"),
        "worked": ("-worked_yes", "worked_no", "-id"),
    }

    def sorted_by(self, order: str) -> Self:
        return self.order_by(*self.ORDERS.get(order, self.ORDERS["newest"]))

    def for_listing(self) -> Self:
        return self.select_related("author", "author__department", "product")

    def for_page(self) -> Self:
        return self.select_related("author", "author__department", "product", "featured_by").prefetch_related(
            "steps", "tags"
        )
