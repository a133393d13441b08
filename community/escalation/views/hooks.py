"""The door for letters from outside: what came of a hand-off."""

from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from community.core import limits
from community.core.errors import Conflict, NotAllowed

from .. import handoffs
from ..models import Channel


@csrf_exempt
@require_POST
def outcome(request: HttpRequest, slug: str) -> HttpResponse:
    """No session and no cookie count here, only the signature: 403 without a right one, 409 for an id used before,
    422 for what can't be read, 429 for too many, 200 with the reference."""
    try:
        limits.spend_for("outcome", request)
    except limits.Limited as problem:
        response = JsonResponse({"error": problem.reason}, status=429)
        response["Retry-After"] = str(problem.wait)
        return response
    try:
        length = int(request.headers.get("Content-Length") or 0)
    except ValueError:
        length = 0
    if length > handoffs.LONGEST_BODY:
        return JsonResponse({"error": _("This letter is too long.")}, status=413)
    channel = Channel.objects.filter(slug=slug, kind=Channel.Kind.WEBHOOK).first()
    try:
        if channel is None:
            raise NotAllowed(_("The signature is not right, or too old."))
        found = handoffs.receive(
            channel,
            timestamp=request.headers.get("X-Community-Timestamp", ""),
            signed=request.headers.get("X-Community-Signature", ""),
            body=request.body[: handoffs.LONGEST_BODY + 1],
        )
    except NotAllowed as problem:
        return JsonResponse({"error": problem.reason}, status=403)
    except Conflict as problem:
        return JsonResponse({"error": problem.reason}, status=409)
    except ValidationError as problem:
        return JsonResponse({"error": " ".join(problem.messages)}, status=422)
    return JsonResponse({"reference": found.reference, "state": found.state})
