"""Whom one can mention in a thread, and whom one can invite to answer it."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from community.core import limits

from .. import people as around
from .acts import get_thread


@require_safe
def people(request: HttpRequest, pk: int) -> HttpResponse:
    """`?q=al`: whom to offer after an @, those of the thread first. For members only: it isn't a directory."""
    if not request.user.is_authenticated:
        return JsonResponse({"error": _("Please sign in first.")}, status=401)
    thread = get_thread(request, pk)
    try:
        limits.spend("matches", request.user)
    except limits.Limited as error:
        response = JsonResponse({"error": error.reason}, status=429)
        response["Retry-After"] = str(error.wait)
        return response
    words = request.GET.get("q", "")
    found = around.named(words, besides=[request.user.pk], first=around.speakers(thread))
    made = JsonResponse({"people": [{"username": person.username, "name": str(person)} for person in found]})
    made["Cache-Control"] = "private, no-store"
    return made
