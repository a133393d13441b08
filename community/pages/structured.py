"""Structured data of editors' pages."""

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import gettext as _
from wagtail.models import Page

from community.core import brand
from products.structured import crumbs

if TYPE_CHECKING:
    from .models import ContentPage, HelpArticlePage, HelpIndexPage, HomePage


def home(request: HttpRequest, page: "HomePage") -> list[dict[str, Any]]:
    address = request.build_absolute_uri("/")
    return [
        {
            "@context": "https://schema.org",
            "@type": "WebSite",
            "name": page.title,
            "url": address,
            "potentialAction": {
                "@type": "SearchAction",
                "target": {"@type": "EntryPoint", "urlTemplate": f"{address}search/?q={{search_term_string}}"},
                "query-input": "required name=search_term_string",
            },
        }
    ]


def help_index(request: HttpRequest, page: "HelpIndexPage") -> list[dict[str, Any]]:
    return [crumbs(request, (_("Home"), "/"), (page.title, page.get_url(request) or "/help/"))]


def help_article(request: HttpRequest, page: "HelpArticlePage") -> list[dict[str, Any]]:
    address = request.build_absolute_uri(page.get_absolute_url())
    data: dict[str, Any] = {
        "@context": "https://schema.org",
        "@type": "Article",
        "headline": page.title,
        "description": page.search_description or page.summary,
        "inLanguage": page.locale.language_code if page.locale_id else settings.LANGUAGE_CODE,
        "mainEntityOfPage": address,
        "url": address,
    }
    if page.first_published_at:
        data["datePublished"] = page.first_published_at.isoformat(timespec="seconds")
    if page.checked_on:
        data["dateModified"] = page.checked_on.isoformat()
    if page.keeper_id:
        data["author"] = {"@type": "Person", "name": page.keeper.name}
    elif page.department_id:
        data["author"] = {"@type": "Organization", "name": str(page.department)}
    elif name := brand.of_request(request).name:
        data["author"] = {"@type": "Organization", "name": name}
    return [data, crumbs(request, (_("Home"), "/"), (_("Help"), "/help/"), (page.title, page.get_absolute_url()))]


def content(request: HttpRequest, page: "ContentPage", parent: Page | None) -> list[dict[str, Any]]:
    steps = [(_("Home"), "/")]
    if parent is not None:
        steps.append((parent.title, parent.get_url(request) or "/"))
    steps.append((page.title, page.get_absolute_url()))
    return [crumbs(request, *steps)]
