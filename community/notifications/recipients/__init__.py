"""Who hears of an event, and as what kind of notice. Nobody hears of what they did themselves.

A module for each subject; each registers who hears of its events.
"""

from community.accounts.models import User
from community.events.acts import is_staff
from community.events.models import Event

from ..kinds import KINDS
from . import cases, moderation, products, programme, threads  # noqa: F401 each registers its own
from .ground import Heard, finders, thread_of

__all__ = ["announced_kinds", "recipients", "thread_of"]

AT_ONCE = 5000  # ids in one query; SQLite takes some thirty thousand


def announced_kinds() -> list[str]:
    return list(finders)


def recipients(event: Event) -> Heard:
    """Ids of the people who hear of this event with the kind of notice, without its actor and the inactive."""
    heard = finders[event.kind](event)
    # A badge is earned by one's own doing, and given by nobody; and an agent owns what others own, too.
    if event.kind not in ("badge.awarded", "alert.issued", "alert.widened"):
        heard.pop(event.actor_id, None)  # type: ignore[arg-type]
    ids, active, staff = sorted(heard), set(), set()
    for start in range(0, len(ids), AT_ONCE):
        asked = ids[start : start + AT_ONCE]
        for person in User.objects.active().filter(pk__in=asked).only("standing", "is_superuser"):
            active.add(person.pk)
            if is_staff(person):
                staff.add(person.pk)
    return {
        person: kind for person, kind in heard.items() if person in (staff if KINDS[kind].staff else active)
    }  # fmt: skip
