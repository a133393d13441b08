"""Which of Wagtail's view restrictions stand before a page, in one query where Wagtail takes two."""

from typing import Any

from django.conf import settings
from django.db.models import Q, QuerySet
from wagtail.models import Page, PageViewRestriction


class OneQueryRestrictions:
    """Mix into a page type. An alias is as open as its source, as with Wagtail's own way.

    A query that found out already (`guarded`) that none stands there spares this one.
    """

    def get_view_restrictions(self) -> "QuerySet[PageViewRestriction]":
        if getattr(self, "guarded", None) is False:
            return PageViewRestriction.objects.none()
        path = self.path  # type: ignore[attr-defined]
        paths = [path[:end] for end in range(Page.steplen, len(path) + 1, Page.steplen)]
        return PageViewRestriction.objects.filter(Q(page__path__in=paths) | Q(page__aliases__path__in=paths)).distinct()


class InItsLanguage:
    """Mix into a page type: its address begins with its language, unless that is the site's own (RULINGS 37)."""

    @property
    def language(self) -> str:
        """Its code; no query for a page that stands in the tree (see below)."""
        if self.url_path and "locale" not in self._state.fields_cache:  # type: ignore[attr-defined]
            for root in self._get_relevant_site_root_paths():  # type: ignore[attr-defined]
                if root.language_code and self.url_path.startswith(root.root_path):  # type: ignore[attr-defined]
                    return str(root.language_code)
        return str(self.locale.language_code)  # type: ignore[attr-defined]

    def get_url_parts(self, request: Any = None) -> tuple[int, str, str] | None:
        parts = super().get_url_parts(request)  # type: ignore[misc]
        if parts is None or parts[2] is None:
            return parts
        site, root, path = parts
        # Wagtail keeps the roots with their languages in the cache: no query for the language of a page.
        roots = self._get_relevant_site_root_paths(request)  # type: ignore[attr-defined]
        code = next((one.language_code for one in roots if self.url_path.startswith(one.root_path)), "")  # type: ignore[attr-defined]
        return parts if code in ("", settings.LANGUAGE_CODE) else (site, root, f"/{code}{path}")
