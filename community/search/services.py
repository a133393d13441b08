from django.db import transaction

from community.core import clock, text
from community.questions.models import Thread

from .models import Deflection


@transaction.atomic
def record_deflection(thread: Thread, typed: str) -> Deflection:
    """Somebody found the answer while asking. Keeps what was typed for 30 days, and never who it was."""
    return Deflection.objects.create(thread=thread, typed=text.clean_line(typed)[:200], at=clock.now())
