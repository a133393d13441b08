"""Limits that fall away as trust grows (FEATURES F, RULINGS 22). A replay passes all of them."""

import re
from collections.abc import Iterable, Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from community.accounts.models import TrustLevel, User
from community.accounts.permissions import how_one_becomes_a_member
from community.core import text
from community.core.body import write_body
from community.core.models import Body, Numbers
from community.core.numbers import remembered
from community.events.log import is_replaying
from community.moderation import screening
from community.moderation.models import Moderated

LINK = re.compile(r'<a [^>]*href="(?!/people/)', re.IGNORECASE)
IMAGE = re.compile(r"<img\b", re.IGNORECASE)


def is_newcomer(user: User) -> bool:
    return user.trust == TrustLevel.NEWCOMER and not user.speaks_for_brand


def called(source: str, by: User, source_format: str = Body.Format.MARKDOWN) -> dict[str, int]:
    """User names mentioned in a text to the ids of the people who have them, in order, never oneself.

    The HTML of another site calls nobody, and in an import people know only each other: an @alice written there is
    not our Alice.
    """
    if source_format == Body.Format.HTML or "@" not in source:
        return {}
    names = [name.lower() for name in text.find_mentions(source)]
    if not names:
        return {}
    known = User.objects.active().filter(username__in=names[:200]).exclude(pk=by.pk)
    if is_replaying() and by.source:
        known = known.filter(source=by.source)
    return dict(known.values_list("username", "pk"))


def mentioned(source: str, by: User, source_format: str = Body.Format.MARKDOWN) -> dict[str, int]:
    """`called`, for somebody who writes now. Raises ValidationError at `body` when there are more people than somebody
    of this trust may call."""
    people = called(source, by, source_format)
    if people and not is_replaying():
        numbers = Numbers.load()
        most = numbers.newcomer_mentions if is_newcomer(by) else numbers.mentions
        if len(people) > most:
            raise ValidationError(
                {
                    "body": ngettext(
                        "You can mention %(most)d person in a post; yours names %(have)d.",
                        "You can mention %(most)d people in a post; yours names %(have)d.",
                        most,
                    )
                    % {"most": most, "have": len(people)}
                }
            )
    return people


def check_newcomer(body: Body, by: User) -> None:
    """Raise ValidationError at `body` when a newcomer's post holds more links or pictures than newcomers may use."""
    if is_replaying() or not is_newcomer(by):
        return
    numbers = Numbers.load()
    problems = []
    links, images = len(LINK.findall(body.body_html)), len(IMAGE.findall(body.body_html))
    if links > numbers.newcomer_links:
        problems.append(
            ngettext(
                "New members can use %(most)d link in a post; yours has %(have)d.",
                "New members can use %(most)d links in a post; yours has %(have)d.",
                numbers.newcomer_links,
            )
            % {"most": numbers.newcomer_links, "have": links}
        )
    if images > numbers.newcomer_images:
        problems.append(
            ngettext(
                "New members can use %(most)d picture in a post; yours has %(have)d.",
                "New members can use %(most)d pictures in a post; yours has %(have)d.",
                numbers.newcomer_images,
            )
            % {"most": numbers.newcomer_images, "have": images}
        )
    if problems:
        problems.append(how_one_becomes_a_member())
        raise ValidationError({"body": " ".join(str(problem) for problem in problems)})


def limits_of(by: Any) -> str:
    """What a newcomer's post may hold, said beside the box before anything is written; nothing for everybody else."""
    if not by.is_authenticated or not is_newcomer(by):
        return ""
    most = remembered()
    return _(
        "While you are new here, a post can hold: links %(links)d, mentions %(mentions)d, pictures %(images)d."
    ) % {
        "links": most.newcomer_links,
        "mentions": most.newcomer_mentions,
        "images": most.newcomer_images,
    }


def look(post: Any, by: User, kind: str, *more_words: str, published: Sequence[Any] = ()) -> screening.Looked:
    """What a moderator should look at in a new post, whose body is written, with title and other words in `more_words`.

    `kind` is threads, answers, comments, reviews or shared; `published` are earlier posts of theirs, by querysets.
    The post waits when `.waits` says so; `screening.keep` writes it down. Raises ValidationError for what is refused.
    """
    looked = screening.screen(by, kind=kind, words_of=_said(post, more_words), html=_html(post), published=published)
    _link_words(post)
    return looked


def look_again(post: Any, by: User, kind: str, *more_words: str) -> screening.Looked:
    """The same for a change of a post; `screening.keep_change` writes it down."""
    looked = screening.screen(by, kind=kind, words_of=_said(post, more_words), html=_html(post), new=False)
    _link_words(post)
    return looked


def write_again(post: Any, source: str, source_format: str, *, known_users: Iterable[str], base_url: str = "") -> None:
    """Set a text anew that nobody has sent: rendered by another release, or without a name. Does not save."""
    write_body(post, source, source_format, limit=None, known_users=known_users, base_url=base_url)
    if isinstance(post, Moderated):
        _link_words(post)


def _link_words(post: Any) -> None:
    """Words that are links by rule become links in what is shown, not in what was written."""
    if not is_replaying() and (html := _html(post)):
        post.body_html = screening.linked(html)


def _said(post: Any, more_words: tuple[str, ...]) -> list[str]:
    return [words for words in (*more_words, post.body_text) if words]


def _html(post: Any) -> str:
    return getattr(post, "body_html", "")
