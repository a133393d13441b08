"""Wagtail tells of articles going online and offline; the event log is told in the same transaction (RULINGS 6)."""

from typing import Any

from django.db import transaction
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver
from wagtail.models import PageViewRestriction
from wagtail.signals import page_published, page_unpublished

from community.events.log import record

from .models import HelpArticlePage


@receiver(page_published, dispatch_uid="pages.published")
def published(sender: type, instance: Any, revision: Any = None, **kwargs: Any) -> None:
    if isinstance(instance, HelpArticlePage):
        with transaction.atomic():
            record(
                "help_article.published",
                actor=revision.user if revision else None,
                subject=instance,
                from_answer=instance.from_thread_id is not None,
                thread=instance.from_thread_id,
            )


@receiver(page_unpublished, dispatch_uid="pages.withdrawn")
def withdrawn(sender: type, instance: Any, **kwargs: Any) -> None:
    if issubclass(sender, HelpArticlePage):
        with transaction.atomic():
            record("help_article.withdrawn", actor=None, subject=instance.specific)


@receiver([post_save, post_delete], sender=PageViewRestriction, dispatch_uid="pages.guarded")
def guarded(sender: type, instance: PageViewRestriction, **kwargs: Any) -> None:
    for page in HelpArticlePage.objects.live().descendant_of(instance.page, inclusive=True).iterator():
        with transaction.atomic():
            record("help_article.guarded", actor=None, subject=page)
