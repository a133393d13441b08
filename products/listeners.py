"""Wagtail tells of pages going online and offline; the event log is told in the same transaction (RULINGS 6)."""

from typing import Any

from django.db import transaction
from django.dispatch import receiver
from wagtail.signals import page_published, page_unpublished

from community.core import pictures
from community.events.log import record

from .pages import ProductPage


@receiver(page_published, dispatch_uid="products.published")
def published(sender: type, instance: Any, revision: Any = None, **kwargs: Any) -> None:
    if isinstance(instance, ProductPage):
        _record("product.published", instance, revision)
    pictures.nudge()  # whichever page: what it shows is there before anybody looks


@receiver(page_unpublished, dispatch_uid="products.withdrawn")
def withdrawn(sender: type, instance: Any, **kwargs: Any) -> None:
    if issubclass(sender, ProductPage):
        _record("product.withdrawn", instance.specific)


def _record(kind: str, page: ProductPage, revision: Any = None) -> None:
    with transaction.atomic():
        record(kind, actor=revision.user if revision else None, subject=page, product=page.product_id)
