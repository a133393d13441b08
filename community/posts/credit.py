"""Links that members share carry who shared them (`?u=17`): whoever joins or posts for the first time is their credit.

The session alone knows of it, once somebody came by such a link; there is no cookie for it, and robots have none.
"""

from datetime import datetime
from typing import Any

from allauth.account.signals import email_confirmed
from django.contrib.contenttypes.models import ContentType
from django.db import models, transaction
from django.dispatch import receiver
from django.http import HttpRequest

from community.accounts.models import User
from community.core import clock
from community.core.robots import is_robot
from community.events.log import record

from .models import ShareCredit

KEY = "shared_by"


def remember(request: HttpRequest, thing: models.Model) -> None:
    """Keep by whose link somebody came: the first one counts. Robots and one's own links don't."""
    sharer = request.GET.get("u", "")
    if not (sharer.isdecimal() and len(sharer) < 18) or KEY in request.session:
        return
    if is_robot(request):
        return
    if request.user.is_authenticated and request.user.pk == int(sharer):
        return
    kept = {"u": int(sharer), "type": ContentType.objects.get_for_model(thing).pk, "id": thing.pk}
    request.session[KEY] = {**kept, "at": clock.now().isoformat()}


def settle(request: HttpRequest, newcomer: User, outcome: str) -> ShareCredit | None:
    """Credit whoever shared the link that somebody came by; once for each newcomer, never oneself."""
    kept: dict[str, Any] | None = request.session.pop(KEY, None)
    if kept is None or kept["u"] == newcomer.pk:
        return None
    sharer = User.objects.active().filter(pk=kept["u"]).first()
    if sharer is None:
        return None
    with transaction.atomic():
        made, new = ShareCredit.objects.get_or_create(
            newcomer=newcomer,
            defaults={
                "sharer": sharer,
                "outcome": outcome,
                "target_type_id": kept["type"],
                "target_id": kept["id"],
                "created_at": clock.now(),
            },
        )
        if new:
            record("share.credited", actor=newcomer, subject=sharer, outcome=outcome)
    return made if new else None


def first_post(request: HttpRequest) -> None:
    """After somebody posted something: was it their first, and did they come by a shared link?"""
    if KEY not in request.session:
        return
    user = User.objects.get(pk=request.user.pk)
    posts = [*user.threads.values_list("pk")[:2], *user.answers.values_list("pk")[:2]]  # type: ignore[attr-defined]
    if len(posts) == 1:
        settle(request, user, ShareCredit.Outcome.POSTED)


@receiver(email_confirmed)
def joined(request: HttpRequest, email_address: Any, **_signal: Any) -> None:
    """Somebody who joined after they came by a link; a member who confirms another address is none."""
    kept = getattr(request, "session", {}).get(KEY)
    if kept and email_address.user.date_joined >= datetime.fromisoformat(kept["at"]):
        settle(request, email_address.user, ShareCredit.Outcome.JOINED)
