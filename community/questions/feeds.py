"""Atom feeds of what is asked: what the public sees, nothing else."""

from datetime import datetime
from typing import Any

from django.contrib.syndication.views import Feed
from django.http import Http404, HttpRequest
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.feedgenerator import Atom1Feed
from django.utils.translation import gettext as _

from community.posts.models import Tag
from products.models import Product

from .models import Thread
from .querysets import ThreadQuerySet
from .views.listing import SHOWS, Show

ENTRIES = 30


class Questions(Feed):
    """The newest threads of all products."""

    feed_type = Atom1Feed

    def title(self, about: Any) -> str:
        return _("Questions: %(about)s") % {"about": about} if about else _("Questions")

    def subtitle(self, about: Any) -> str:
        return _("What owners ask, and how it was settled.")

    def link(self, about: Any) -> str:
        return reverse("questions:list")

    def items(self, about: Any) -> ThreadQuerySet:
        rows = Thread.objects.visible().select_related("author", "product").prefetch_related("tags")
        return self.of(rows, about).order_by("-created_at", "-id")[:ENTRIES]

    def of(self, threads: ThreadQuerySet, about: Any) -> ThreadQuerySet:
        return threads

    def item_title(self, item: Thread) -> str:
        return item.title

    def item_description(self, item: Thread) -> str:
        return item.body_html

    def item_author_name(self, item: Thread) -> str:
        return _("Former member") if item.author.is_erased else str(item.author)

    def item_pubdate(self, item: Thread) -> datetime:
        return item.created_at

    def item_updateddate(self, item: Thread) -> datetime:
        return item.active_at

    def item_categories(self, item: Thread) -> list[str]:
        return [str(item.get_kind_display()), *(tag.name for tag in item.tags.all())]


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
        return get_object_or_404(Tag, slug=slug)

    def link(self, about: Tag) -> str:
        return f"{reverse('questions:list')}?tag={about.slug}"

    def of(self, threads: ThreadQuerySet, about: Tag) -> ThreadQuerySet:
        return threads.filter(tags=about)
