"""What products hear: pages going on- and offline are told to the log (RULINGS 6); confirmed addresses find orders."""

from typing import Any

from allauth.account.models import EmailAddress
from allauth.account.signals import email_confirmed, user_logged_in
from django.db import transaction
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver
from wagtail.models import Page, PageViewRestriction
from wagtail.signals import page_published, page_unpublished, post_page_move

from community.accounts.models import User
from community.core import pictures
from community.core.guarding import guarded_with
from community.events.log import record

from . import tasks
from .pages import ProductPage
from .shelf import orders


@receiver(page_published, dispatch_uid="products.published")
def published(sender: type, instance: Any, revision: Any = None, **kwargs: Any) -> None:
    if isinstance(instance, ProductPage):
        _record("product.published", instance, revision)
        tasks.draw.enqueue()
    pictures.nudge()  # whichever page: what it shows is there before anybody looks


@receiver(page_unpublished, dispatch_uid="products.withdrawn")
def withdrawn(sender: type, instance: Any, **kwargs: Any) -> None:
    if issubclass(sender, ProductPage):
        _record("product.withdrawn", instance.specific)


@receiver([post_save, post_delete], sender=PageViewRestriction, dispatch_uid="products.guarded")
def guarded(sender: type, instance: PageViewRestriction, **kwargs: Any) -> None:
    _tell_guarded(instance.page)


@receiver(post_page_move, dispatch_uid="products.moved")
def moved(sender: type, instance: Page, url_path_before: str, url_path_after: str, **kwargs: Any) -> None:
    """Whoever guards the new section guards the page; in its own section a page only changes places."""
    if url_path_before != url_path_after:
        _tell_guarded(instance)


def _tell_guarded(root: Page) -> None:
    for page in guarded_with(ProductPage.objects.live(), root).values():
        _record("product.guarded", page)


def _record(kind: str, page: ProductPage, revision: Any = None) -> None:
    with transaction.atomic():
        record(kind, actor=revision.user if revision else None, subject=page, product=page.product_id)


@receiver(email_confirmed, dispatch_uid="shelf.confirmed")
def address_confirmed(sender: Any, email_address: EmailAddress, **kwargs: Any) -> None:
    orders.match(email_address.user)


@receiver(user_logged_in, dispatch_uid="shelf.signed_in")
def signed_in(sender: Any, user: User, **kwargs: Any) -> None:
    """Another site that people sign in with may confirm an address, too: nothing tells us of that but this."""
    orders.match(user)
