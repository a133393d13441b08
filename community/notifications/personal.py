"""Notices are their reader's; those that others have name nobody when the one they are about has left."""

from django.contrib.contenttypes.models import ContentType

from community.core.personal import GONE, MOVES, Leaving, before_leaving, tie

from .models import Notification

tie("notices.Notification.recipient", left=GONE, joined=MOVES, copy="kind verb description unread timestamp")
tie("notices.Preference.user", left=GONE, joined=MOVES, copy="kind in_app mail changed_at")


@before_leaving
def nobody_is_told_of_them(leaving: Leaving) -> None:
    """A notice holds its sentence, and with it a name: those about what they did go."""
    me = ContentType.objects.get_for_model(leaving.person)
    Notification.objects.filter(actor_content_type=me, actor_object_id=str(leaving.person.pk)).delete()
