"""Atom feeds of what is asked: what the public sees, nothing else."""

import hashlib
from datetime import datetime
from typing import Any

from django.contrib.syndication.views import Feed
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.cache import get_conditional_response
from django.utils.feedgenerator import Atom1Feed
from django.utils.html import format_html
from django.utils.http import http_date
from django.utils.safestring import mark_safe
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from community.core import ties
from community.posts import tagging
from community.posts.models import Tag
from products.models import Product

from . import structured
from .models import Kind, Thread
from .querysets import ThreadQuerySet
from .views.listing import SHOWS, Show

ENTRIES = 30


class Questions(Feed):
    """The newest threads of all products. Sent again only when an entry came, changed or went."""

    feed_type = Atom1Feed

    def __call__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        told = ("active_at", "pk", "edited_at", "title", "author__ties")  # whatever changes makes it another feed
        rows = list(self.items(self.get_object(request, *args, **kwargs)).values_list(*told))
        newest = max((row[0] for row in rows), default=None)
        words = f"{get_language()} {request.get_host()} {request.path} {rows}"
        answer = get_conditional_response(
            request,
            etag=(tag := f'"{hashlib.blake2b(words.encode(), digest_size=12).hexdigest()}"'),
            last_modified=(moment := int(newest.timestamp()) if newest else None),
        )
        response = answer or super().__call__(request, *args, **kwargs)
        response["ETag"] = tag
        if moment is not None:
            response["Last-Modified"] = http_date(moment)
        return response

    def title(self, about: Any) -> str:
        return _("Questions: %(about)s") % {"about": about} if about else _("Questions")

    def subtitle(self, about: Any) -> str:
        return _("What owners ask, and how it was settled.")

    def link(self, about: Any) -> str:
        return reverse("questions:list")

    def get_object(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        return None

    def items(self, about: Any) -> ThreadQuerySet:
        rows = Thread.objects.visible().select_related("author", "product").prefetch_related("tags")
        return self.of(rows, about).order_by("-created_at", "-id")[:ENTRIES]

    def of(self, threads: ThreadQuerySet, about: Any) -> ThreadQuerySet:
        return threads

    def item_title(self, item: Thread) -> str:
        return item.title

    def item_guid(self, item: Thread) -> str:
        """The short address: it stays when the title, and with it the long one, changes."""
        return structured.absolute(reverse("questions:short", args=[item.pk]))

    def item_description(self, item: Thread) -> str:
        """The words, and below them what tied the author to the brand when they wrote them."""
        tied = ties.in_a_line(item.author, item.created_at)
        if not tied:
            return item.body_html
        words = mark_safe(item.body_html)  # noqa: S308 - made by our own pipeline
        return format_html("{}<p><small>{}: {}</small></p>", words, item.author, tied)

    def item_author_name(self, item: Thread) -> str:
        return _("Former member") if item.author.is_erased else str(item.author)

    def item_pubdate(self, item: Thread) -> datetime:
        return item.created_at

    def item_updateddate(self, item: Thread) -> datetime:
        return item.active_at

    def item_categories(self, item: Thread) -> list[str]:
        return [str(item.get_kind_display()), *(tag.name for tag in item.tags.all())]


class Ideas(Questions):
    """What owners propose."""

    def title(self, about: Any) -> str:
        return _("Ideas")

    def subtitle(self, about: Any) -> str:
        return _("What owners propose, and what becomes of it.")

    def link(self, about: Any) -> str:
        return reverse("questions:ideas")

    def of(self, threads: ThreadQuerySet, about: Any) -> ThreadQuerySet:
        return threads.filter(kind=Kind.IDEA)


class ListedQuestions(Questions):
    """One of the named lists: unanswered, needs attention, solved, official."""

    def get_object(self, request: HttpRequest, show: str) -> Show:
        found = next((listed for listed in SHOWS if listed.key == show), None)
        if found is None:
            raise Http404
        return found

    def title(self, about: Show) -> str:
        return _("Questions: %(about)s") % {"about": about.word}

    def link(self, about: Show) -> str:
        return f"{reverse('questions:list')}?show={about.key}"

    def of(self, threads: ThreadQuerySet, about: Show) -> ThreadQuerySet:
        return threads.filter(about.condition)


class ProductQuestions(Questions):
    def get_object(self, request: HttpRequest, slug: str) -> Product:
        return get_object_or_404(Product, slug=slug)

    def link(self, about: Product) -> str:
        return f"{reverse('questions:list')}?product={about.slug}"

    def of(self, threads: ThreadQuerySet, about: Product) -> ThreadQuerySet:
        return threads.filter(product=about)


class TagQuestions(Questions):
    def get_object(self, request: HttpRequest, slug: str) -> Tag:
        if (tag := tagging.find(slug)) is None:
            raise Http404
        return tag

    def link(self, about: Tag) -> str:
        return f"{reverse('questions:list')}?tag={about.slug}"

    def of(self, threads: ThreadQuerySet, about: Tag) -> ThreadQuerySet:
        return threads.filter(tags=about)
