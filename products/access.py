"""Which of Wagtail's view restrictions stand before a page, in one query where Wagtail takes two."""

from django.db.models import Q, QuerySet
from wagtail.models import Page, PageViewRestriction


class OneQueryRestrictions:
    """Mix into a page type. An alias is as open as its source, as with Wagtail's own way."""

    def get_view_restrictions(self) -> "QuerySet[PageViewRestriction]":
        path = self.path  # type: ignore[attr-defined]
        paths = [path[:end] for end in range(Page.steplen, len(path) + 1, Page.steplen)]
        return PageViewRestriction.objects.filter(Q(page__path__in=paths) | Q(page__aliases__path__in=paths)).distinct()
