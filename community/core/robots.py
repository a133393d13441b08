"""Who reads without being a person."""

from django.http import HttpRequest

SIGNS = ("bot", "crawl", "spider", "slurp", "preview", "curl", "wget", "python-")


def is_robot(request: HttpRequest) -> bool:
    """True for what says it is a program, and for what says nothing: neither is counted as a reader."""
    agent = request.META.get("HTTP_USER_AGENT", "").lower()
    return not agent or any(sign in agent for sign in SIGNS)
