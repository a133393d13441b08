"""Who may see the moderators' pages."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from ..permissions import why_not_moderate

View = Callable[..., HttpResponse]


def for_moderators(view: View) -> View:
    @wraps(view)
    def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if reason := why_not_moderate(request.user):
            return TemplateResponse(request, "moderation/refused.html", {"reason": reason}, status=403)
        return view(request, *args, **kwargs)

    return checked
