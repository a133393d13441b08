import secrets

from django.db import transaction

from community.core import clock, text
from community.questions.models import Thread

from .models import Deflection


@transaction.atomic
def record_deflection(thread: Thread, typed: str, *, ask: str = "") -> Deflection:
    """Somebody found the answer while asking. Keeps what was typed for 30 days, and never who it was.

    `ask` is the random name of one look at the matches: the same look settled by the same thread counts once.
    """
    ask = text.clean_line(ask)[:32] or secrets.token_urlsafe(16)
    row, _new = Deflection.objects.get_or_create(
        thread=thread, ask=ask, defaults={"typed": text.clean_line(typed)[:200], "at": clock.now()}
    )
    return row
