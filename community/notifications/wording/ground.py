"""What every sentence of a notice is made of: the facts it may name, and the words that come out."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.db import models
from django.utils.translation import gettext as _

from community.accounts.models import Department, User
from community.core import ties
from community.core.text import excerpt
from community.events.models import Event
from community.posts.models import Comment, Revision
from community.questions.models import Answer, EditSuggestion, Thread


@dataclass
class Words:
    """`sentence` stands in the list, the rest in the mail; `about` groups notices of one thing."""

    sentence: str
    subject: str
    url: str
    action: str
    lines: list[str] = field(default_factory=list)
    quote: str = ""
    tied: str = ""  # what ties whoever is quoted to the brand: it stands below their words
    about: models.Model | None = None
    quotes: list[tuple[str, str]] = field(default_factory=list)  # who said what
    choices: list[tuple[str, str]] = field(default_factory=list)  # a word and its address, in place of the one action
    rated: list[tuple[str, list[tuple[int, str]]]] = field(default_factory=list)  # a thing, with a link for each star
    more: list[tuple[str, str]] = field(default_factory=list)  # further links, in plain words


@dataclass
class Facts:
    event: Event
    kind: str
    who: str
    subject: Any
    thread: Thread | None
    reader: User

    @property
    def title(self) -> str:
        if self.thread is not None:
            return self.thread.title
        return str(getattr(self.subject, "title", "") or self.subject)

    @property
    def url(self) -> str:
        if isinstance(self.subject, Comment):
            return f"{self.subject.target.get_absolute_url()}"
        place = self.subject.target if isinstance(self.subject, Revision) else self.subject
        own = isinstance(place, (Answer, EditSuggestion))
        return str((place if own else self.thread or place).get_absolute_url())

    @property
    def quote(self) -> str:
        return excerpt(getattr(self.subject, "body_text", ""), 400)

    @property
    def tied(self) -> str:
        """What tied the author of the quoted words to the brand when they wrote them."""
        pk = getattr(self.subject, "author_id", None)
        if pk is None or not hasattr(self.subject, "created_at"):
            return ""
        author = self.event.actor if self.event.actor_id == pk else self.subject.author
        own = self.subject.disclosure if isinstance(self.subject, Answer) else ""
        return ties.in_a_line(author, self.subject.created_at, own)

    @property
    def department(self) -> str:
        pk = self.event.data.get("department")
        found = Department.objects.filter(pk=pk).first() if pk else getattr(self.event.actor, "department", None)
        return found.name if found else _("the team")

    def say(self, sentence: str, subject: str, action: str, *lines: str, quote: bool = False) -> Words:
        told = {"who": self.who, "title": self.title, "department": self.department}
        return Words(
            sentence % told, subject % told, self.url, action, [line % told for line in lines],
            self.quote if quote else "", self.tied if quote else "",
        )  # fmt: skip


def plain(f: Facts, sentence: str, subject: str, action: str, url: str, *lines: str) -> Words:
    """A notice that is about no thread."""
    made = f.say(sentence, subject, action, *lines)
    made.url = url
    return made


def escaped(words: str) -> str:
    """Names go in before the title does."""
    return words.replace("%", "%%")


Sayings = dict[str, Callable[[Facts], Words]]  # by the kind of notice
