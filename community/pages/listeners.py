"""Wagtail tells of articles going online and offline; the event log is told in the same transaction (RULINGS 6)."""

from typing import Any

from django.db import transaction
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver
from wagtail.models import Page, PageViewRestriction
from wagtail.signals import page_published, page_unpublished, post_page_move

from community.core.guarding import guarded_with
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
    _tell_guarded(instance.page)


@receiver(post_page_move, dispatch_uid="pages.moved")
def moved(sender: type, instance: Page, url_path_before: str, url_path_after: str, **kwargs: Any) -> None:
    """Whoever guards the new section guards the page; in its own section a page only changes places."""
    if url_path_before != url_path_after:
        _tell_guarded(instance)


def _tell_guarded(root: Page) -> None:
    for page in guarded_with(HelpArticlePage.objects.live(), root).values():
        with transaction.atomic():
            record("help_article.guarded", actor=None, subject=page)
