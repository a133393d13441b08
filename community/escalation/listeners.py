"""What cases hear of their threads, in the same transaction."""

from django.utils.translation import gettext as _

from community.accounts.models import User
from community.events.log import listen
from community.events.models import Event
from community.posts.models import Comment
from community.questions.models import Answer, Thread

from . import cases, incidents, routing, shifts
from .models import Absence, Escalation, Incident
