"""Words for tags: which ones a text speaks of, which there are, and what stands near one that isn't there."""

import difflib
import re
from collections.abc import Iterable
from typing import Any, NamedTuple

from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from community.accounts.models import User
from community.core import text
from community.events.log import is_replaying
from community.moderation.permissions import is_moderator

from .models import Tag, TagSynonym

MOST_TAGS = 5
NEW_TAG_REPUTATION = 750  # FEATURES F, Privileges
NEAR = 3
LONGEST_PHRASE = 3  # words in a tag or in a synonym
READ = 4000  # characters of a text that are looked at; who hasn't named the matter by then won't
VOCABULARY, VOCABULARY_SECONDS = "posts.vocabulary", 60  # in the cache
WORD = re.compile(r"[^\W_]+", re.UNICODE)
ENDINGS = ("ing", "ed", "er", "es", "en", "s", "e", "n")


class Known(NamedTuple):
    """A tag as words: `phrases` are its name and its synonyms, each a tuple of word stems."""

    slug: str
    name: str
    phrases: tuple[tuple[str, ...], ...]


def vocabulary() -> list[Known]:
    """All tags; at most a minute old."""
    return cache.get_or_set(VOCABULARY, _read_vocabulary, VOCABULARY_SECONDS)  # type: ignore[return-value]


def _read_vocabulary() -> list[Known]:
    known = []
    for tag in Tag.objects.order_by("slug").prefetch_related("synonyms"):
        words = (tag.slug.replace("-", " "), tag.name, *(other.name for other in tag.synonyms.all()))
        phrases = {tuple(stems(phrase)) for phrase in words}
        known.append(Known(tag.slug, tag.name, tuple(sorted(phrase for phrase in phrases if phrase))))
    return known


def find(slug: str) -> Tag | None:
    """The tag of this slug, or the one that it is another word for."""
    return Tag.objects.filter(slug=slug).first() or Tag.objects.filter(synonyms__slug=slug).first()


def main_words(wanted: dict[str, str]) -> dict[str, str]:
    """Tags by slug and name, with the main tag in place of each other word for it."""
    rows = TagSynonym.objects.filter(slug__in=wanted).values_list("slug", "tag__slug", "tag__name") if wanted else ()
    main = {slug: (tag, name) for slug, tag, name in rows}
    return dict(main.get(slug, (slug, name)) for slug, name in wanted.items())


def stems(words: str) -> list[str]:
    return [stem(word) for word in WORD.findall(words.casefold())]


def stem(word: str) -> str:
    """A word without its endings, as far as four letters are left: descale, descaled and descaling are one."""
    for ending in ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 4:
            return stem(word.removesuffix(ending))
    return word


def suggested(title: str, body: str = "", *, most: int = MOST_TAGS) -> list[Known]:
    """The tags whose name or synonym a text uses, best first: in the title before in the text, long before short.

    Of tags that are one word in other forms (pump, pumpe) the one that is written as in the text is offered.
    """
    title, body = title[:READ].casefold(), body[:READ].casefold()
    in_title, in_body = _phrases(title), _phrases(body)
    words = f" {' '.join(WORD.findall(f'{title} {body}'))} "
    best: dict[tuple[str, ...], tuple[int, Known]] = {}
    for known in vocabulary():
        said = [phrase for phrase in known.phrases if phrase in in_title or phrase in in_body]
        if not said:
            continue
        phrase = max(said, key=lambda one: (one in in_title, len(one)))
        literal = f" {known.slug.replace('-', ' ')} " in words
        score = 2 * len(phrase) + 6 * (phrase in in_title) + literal
        if phrase not in best or score > best[phrase][0]:
            best[phrase] = (score, known)
    return [known for _score, known in sorted(best.values(), key=lambda row: (-row[0], row[1].slug))][:most]


def _phrases(words: str) -> set[tuple[str, ...]]:
    found = stems(words)
    return {
        tuple(found[start : start + length])
        for length in range(1, LONGEST_PHRASE + 1)
        for start in range(len(found) - length + 1)
    }


def near(name: str) -> list[str]:
    """Slugs of tags that somebody may have meant: one whose synonym it is, then those written much alike."""
    wanted = tuple(stems(name))
    known = vocabulary()
    same = [tag.slug for tag in known if wanted in tag.phrases]
    alike = difflib.get_close_matches(name, [tag.slug for tag in known], n=NEAR, cutoff=0.75)
    return list(dict.fromkeys([*same, *alike]))[:NEAR]


def named(names: Iterable[str]) -> dict[str, str]:
    """Tags as they were typed, slug to name, each once."""
    wanted: dict[str, str] = {}
    for typed in names:
        name, slug = tag_and_slug(typed)
        if slug:
            wanted.setdefault(slug, name)
    return wanted


def tag_and_slug(name: str) -> tuple[str, str]:
    """A tag as it is written, and as it stands in addresses; both empty when nothing is left of it."""
    name = text.clean_line(name).lower().strip("# ")[:50]
    return name, "-".join(name.replace("_", "-").split())


def check_tags(names: Iterable[str], by: Any) -> None:
    """Raise ValidationError at `tags` for too many, or for a new one by somebody who can't make it; `by` may be a
    visitor. Says what stands near."""
    if is_replaying():
        return
    wanted = main_words(named(names))
    if len(wanted) > MOST_TAGS:
        raise ValidationError({"tags": _("Choose at most %(most)d tags.") % {"most": MOST_TAGS}})
    if not wanted or may_make_tags(by):
        return
    known = set(Tag.objects.filter(slug__in=wanted).values_list("slug", flat=True))
    missing = next((slug for slug in wanted if slug not in known), None)
    if missing is None:
        return
    said = [_("There is no tag “%(tag)s” yet.") % {"tag": wanted[missing]}]
    if close := near(missing):
        said.append(_("Near it: %(tags)s.") % {"tags": ", ".join(close)})
    said.append(too_few_to_make(by))
    raise ValidationError({"tags": " ".join(said)})


def too_few_to_make(by: Any) -> str:
    """How many points a new tag takes, and how many somebody has; nothing for who may make one."""
    if may_make_tags(by):
        return ""
    if not by.is_authenticated:
        return _("Making new ones takes %(points)d points.") % {"points": NEW_TAG_REPUTATION}
    return _("Making new ones takes %(points)d points; you have %(have)d.") % {
        "points": NEW_TAG_REPUTATION,
        "have": by.reputation,
    }


def may_make_tags(by: Any) -> bool:
    return isinstance(by, User) and (by.reputation >= NEW_TAG_REPUTATION or by.speaks_for_brand or is_moderator(by))
