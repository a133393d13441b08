"""What a notice says: a sentence for the list, a subject and a few lines for the mail. Plain and short.

A module for each subject, with a function for each kind of notice (kinds.py).
"""

from django.utils.translation import gettext as _

from community.accounts.models import User
from community.events.models import Event

from ..recipients import thread_of
from . import cases, moderation, products, programme, threads
from .ground import Facts, Sayings, Words

__all__ = ["WORDS", "Words", "words_for"]

WORDS: Sayings = {**threads.WORDS, **products.WORDS, **moderation.WORDS, **programme.WORDS, **cases.WORDS}


def words_for(event: Event, kind: str, reader: User) -> Words:
    """The words for one reader, in the language that is active."""
    subject = event.subject
    thread = thread_of(subject)
    about = (thread.merged_into if thread and thread.merged_into_id else thread) or subject
    who = str(event.actor) if event.actor_id else _("Somebody")
    facts = Facts(event, kind, who, subject, thread, reader)
    made = WORDS[kind](facts)
    made.about = about
    return made
