"""What is looked at before others see it: every room asks `screen` when somebody writes, and `keep`s what it said.

    looked = screening.screen(by, kind="answers", words=[body], html=answer.body_html, published=by.answers.…)
    …save the post, as pending when `looked.waits`…
    screening.keep(looked, answer)

Only what is certain is refused: a blocked word, the same text twice. Everything else only puts the post before a
moderator, and its author is told so. What a form noticed at the door (a trap, great haste) comes along by `noticing`.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import sha256
from html import unescape
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils.html import escape
from django.utils.translation import gettext as _

from community.accounts.models import TrustLevel, User
from community.accounts.names import skeleton
from community.core import clock
from community.core.models import Numbers
from community.core.rows import in_line, locked
from community.events.log import is_replaying, record

from . import classifier, words
from .models import Look, Moderated, ModerationRules, Print, WatchedWord

Reason = Look.Reason
COPIED_WORDS = 8  # a text of fewer words is written by many people: "Thank you, that helped."
COPIED_WITHIN = timedelta(days=1)
LINK = re.compile(r'<a [^>]*?href="(https?://[^"]+)"[^>]*>(.*?)</a>', re.DOTALL)
TAGS = re.compile(r"<[^>]*>")
ADDRESS = re.compile(r"^(?:https?://)?((?:[\w-]+\.)+[a-z]{2,})(?:[/?#:]\S*)?$", re.IGNORECASE)
WORDS_KEY = "body"

_noticed: ContextVar[frozenset[str]] = ContextVar("noticed", default=frozenset())
_carried: ContextVar[bool] = ContextVar("carried", default=False)


@contextmanager
def noticing(what: Collection[str]) -> Iterator[None]:
    """What the door saw of whoever sends a form: `Look.Reason` names."""
    token = _noticed.set(frozenset(what))
    try:
        yield
    finally:
        _noticed.reset(token)


@contextmanager
def carried_over() -> Iterator[None]:
    """Words that stand somewhere already and are carried to another place, as those of a review to a thread."""
    token = _carried.set(True)
    try:
        yield
    finally:
        _carried.reset(token)


@dataclass
class Looked:
    """What there is to look at in a text; `waits` says that nobody else may see it before."""

    reasons: set[str] = field(default_factory=set)
    details: dict[str, Any] = field(default_factory=dict)
    flagged: bool = False
    print: Print | None = None

    @property
    def waits(self) -> bool:
        return bool(self.reasons)


def screen(
    by: User,
    *,
    kind: str,
    words_of: Sequence[str],
    html: str,
    published: Sequence[QuerySet[Any]] = (),
    new: bool = True,
) -> Looked:
    """Look at what somebody sends. `kind` is threads, answers, comments, reviews or shared; `published` are earlier
    posts of theirs in that room, none where first ones aren't looked at. `new` is False for a change of a post that
    others may have seen.

    Raises ValidationError at `body` for a blocked word, or the same text within some minutes.
    """
    if is_replaying() or by.speaks_for_brand:
        return Looked()
    rules = ModerationRules.load()
    looked = Looked()
    # What stands between words may hide one: paragraphs are joined by a mark that fits no pattern.
    found = [token for part in words_of for token in [*words.tokens(part), "\n"]]
    _watched(looked, found)
    links = links_in(html)
    hosts = [host for host, _shown in links]
    if new and not _carried.get():
        _same_again(looked, by, rules, found, hosts, words_of)
    if by.trust <= TrustLevel.MEMBER:
        _suspicious(looked, by, rules, found, links, words_of, new=new)
    if new and _is_first(by, rules, kind, published):
        looked.reasons.add(Reason.FIRST)
    return looked


def check_line(by: User, field: str, words_of: str) -> None:
    """Look at words that stand beside a post and are none themselves: nobody could look at them first, so what a rule
    would hold is refused. Raises ValidationError at `field`."""
    if not words_of:
        return
    try:
        looked = screen(by, kind="", words_of=[words_of], html="", new=False)
    except ValidationError as problem:
        raise ValidationError({field: problem.messages}) from None
    if looked.waits or looked.flagged:
        raise ValidationError(
            {field: _("A moderator would have to look at these words first. Please say it in others, without links.")}
        )


def keep(looked: Looked, post: Moderated) -> None:
    """Write down what was said about a post, once it has a row. Runs in the transaction that writes it."""
    if looked.print is not None:
        looked.print.target_type = ContentType.objects.get_for_model(post)
        looked.print.target_id = post.pk
        looked.print.save(force_insert=True)
    if looked.waits:
        ask_for_a_look(post, looked.reasons, looked.details, held=post.visibility == Moderated.Visibility.PENDING)
    elif looked.flagged:
        ask_for_a_look(post, {Reason.WORD}, looked.details, held=False)


def keep_change(looked: Looked, post: Moderated) -> None:
    """The same after a change: what others see stays, and a moderator looks."""
    if looked.waits or looked.flagged:
        reasons = looked.reasons or {Reason.WORD}
        ask_for_a_look(post, reasons, looked.details, held=post.visibility == Moderated.Visibility.PENDING)


def ask_for_a_look(post: Moderated, reasons: Iterable[str], details: dict[str, Any], *, held: bool) -> Look:
    """Put a post before the moderators, or add to what they are to look at."""
    about = {"target_type": ContentType.objects.get_for_model(post), "target_id": post.pk}
    look = Look.objects.filter(**about, decided_at=None).first()
    wanted = sorted(set(map(str, reasons)))
    if look is None:
        look = Look.objects.create(**about, reasons=wanted, details=details, held=held, created_at=clock.now())
        author = getattr(post, "author", None)
        record("look.asked", actor=author, subject=look, reasons=wanted, target_type=_noun(post), target_id=post.pk)
    elif not set(wanted) <= set(look.reasons) or held != look.held:
        look.reasons, look.held = sorted({*look.reasons, *wanted}), held
        look.details = {**look.details, **details}
        look.save(update_fields=["reasons", "held", "details"])
    return look


def may_be_said_again(post: Moderated) -> None:
    """Its author took it away: the same words are no second copy."""
    Print.objects.filter(
        target_type=ContentType.objects.get_for_model(post),
        target_id=post.pk,
        person=post.author,  # type: ignore[attr-defined]
    ).update(digest="")


def decide_look(post: Moderated, by: User | None, *, kept: bool) -> None:
    """What a moderator made of a post that a rule had put before them. Twice is harmless."""
    look = open_look(post)
    if look is None:
        return
    row = locked(look)
    if row.decided_at is not None:
        return
    row.kept, row.decided_at, row.decided_by = kept, clock.now(), by
    row.save(update_fields=["kept", "decided_at", "decided_by"])
    record(
        "look.decided", actor=by, subject=row, kept=kept, reasons=row.reasons, target_type=_noun(post),
        target_id=post.pk,
    )  # fmt: skip


def open_look(post: Moderated) -> Look | None:
    about = {"target_type": ContentType.objects.get_for_model(post), "target_id": post.pk}
    return Look.objects.filter(**about, decided_at=None).first()


def tidy() -> int:
    """Forget how texts looked that were sent a month ago."""
    return Print.objects.filter(at__lt=clock.now() - timedelta(days=Print.KEPT_DAYS)).delete()[0]


# What is looked for ---------------------------------------------------------------------------------------------------


def watched() -> dict[int, WatchedWord]:
    return {word.pk: word for word in WatchedWord.objects.all()}


def words_found(found: Sequence[str], known: dict[int, WatchedWord]) -> list[WatchedWord]:
    """Which of the watched words stand in a text, by `words.tokens`."""
    patterns = tuple((pk, word.pattern) for pk, word in known.items())
    return [known[pk] for pk in sorted(words.matcher(patterns).found(found))]


def _watched(looked: Looked, found: Sequence[str]) -> None:
    hits = words_found(found, watched())
    if blocked := [hit for hit in hits if hit.act == WatchedWord.Act.BLOCK]:
        raise ValidationError(
            {WORDS_KEY: _("This can't be posted here: “%(word)s”.") % {"word": blocked[0].pattern.replace("*", "…")}}
        )
    asking = [hit for hit in hits if hit.act in (WatchedWord.Act.QUEUE, WatchedWord.Act.FLAG)]
    if asking:
        looked.details["words"] = [hit.pk for hit in asking]
        looked.flagged = True
    if any(hit.act == WatchedWord.Act.QUEUE for hit in hits):
        looked.reasons.add(Reason.WORD)


def _same_again(
    looked: Looked, by: User, rules: ModerationRules, found: Sequence[str], hosts: Sequence[str], said: Sequence[str]
) -> None:
    """The same words by the same person within minutes are refused; by another newcomer within a day, looked at."""
    now = clock.now()
    # Signs alone have no words to compare: a heart is not a thumb.
    told = " ".join(found) if any(word != "\n" for word in found) else "\n".join(said)
    digest = sha256(told.encode()).hexdigest()
    same = Print.objects.filter(digest=digest)
    since = now - timedelta(minutes=rules.duplicate_minutes)
    in_line("screening", by.pk)  # two presses of a button at once
    if rules.duplicate_minutes and same.filter(person=by, at__gt=since).exists():
        raise ValidationError({WORDS_KEY: _("You have just sent this very text. It arrived; nothing more is needed.")})
    looked.print = Print(person=by, digest=digest, hosts=sorted(set(hosts)), at=now)
    if by.trust == TrustLevel.NEWCOMER and len(found) >= COPIED_WORDS:
        others = same.filter(at__gt=now - COPIED_WITHIN, person__trust=TrustLevel.NEWCOMER).exclude(person=by)
        if others.exists():
            looked.reasons.add(Reason.COPIES)


def _suspicious(
    looked: Looked,
    by: User,
    rules: ModerationRules,
    found: Sequence[str],
    links: Sequence[tuple[str, str]],
    said: Sequence[str],
    *,
    new: bool,
) -> None:
    seen = _noticed.get() if new else frozenset()
    newcomer = by.trust == TrustLevel.NEWCOMER
    if Reason.TRAP in seen:
        looked.reasons.add(Reason.TRAP)
    if Reason.QUICK in seen and newcomer:
        looked.reasons.add(Reason.QUICK)
    if any(is_masked(host, shown) for host, shown in links):
        looked.reasons.add(Reason.MASKED)
    if words.mixed_alphabets(word for part in said for word in re.findall(r"\w+", part)):
        looked.reasons.add(Reason.LETTERS)
    if newcomer and rules.links_to_one_host and links:
        _many_links(looked, by, rules, [host for host, _shown in links])
    if rules.spam_filter:
        score, limit = classifier.judge("\n".join(said))
        if score >= limit:
            looked.reasons.add(Reason.PROGRAM)
            looked.details["score"] = round(score, 3)


def _many_links(looked: Looked, by: User, rules: ModerationRules, hosts: Sequence[str]) -> None:
    """Links of a newcomer to one place: of this post, and one for each earlier post that had any."""
    earlier = Print.objects.filter(person=by).order_by("-at").values_list("hosts", flat=True)[:50]
    before = [host for each in earlier for host in each]
    many = [host for host in set(hosts) if hosts.count(host) + before.count(host) >= rules.links_to_one_host]
    if many:
        looked.reasons.add(Reason.LINKS)
        looked.details["hosts"] = sorted(many)


def _is_first(by: User, rules: ModerationRules, kind: str, published: Sequence[QuerySet[Any]]) -> bool:
    if not published or by.trust > rules.first_posts_trust or not getattr(rules, f"first_{kind}"):
        return False
    if not Numbers.load().review_first_posts:
        return False
    shown = (rows.filter(published_at__isnull=False)[: rules.first_posts].count() for rows in published)
    return sum(shown) < rules.first_posts


def links_in(html: str) -> list[tuple[str, str]]:
    """Links that lead elsewhere, of safe HTML: host, and what one reads of it."""
    ours = host_of(settings.BASE_URL)
    found = [
        (host_of(unescape(address)), unescape(TAGS.sub("", shown)).strip()) for address, shown in LINK.findall(html)
    ]
    return [(host, shown) for host, shown in found if host and host != ours]


def host_of(address: str) -> str:
    try:
        return (urlsplit(address).hostname or "").removeprefix("www.")
    except ValueError:
        return ""


def is_masked(host: str, shown: str) -> bool:
    """Whether a link reads as another address than it leads to, or its host could be taken for ours."""
    if named := ADDRESS.match(shown):
        said = named[1].lower().removeprefix("www.")
        if said != host and not host.endswith(f".{said}") and not said.endswith(f".{host}"):
            return True
    ours = host_of(settings.BASE_URL)
    try:
        looks = host.encode().decode("idna") if "xn--" in host else host
    except UnicodeError:
        return True
    return looks != ours and skeleton(looks) == skeleton(ours)


def linked(html: str) -> str:
    """Safe HTML in which watched words that are links by rule are links, the first time each is said."""
    for word in WatchedWord.objects.filter(act=WatchedWord.Act.LINK):
        html = _link(html, word)
    return html


def _link(html: str, word: WatchedWord) -> str:
    """Only words between tags, outside of links and code; the pattern's letters as they stand, no stars."""
    pattern = re.compile(rf"(?<!\w){re.escape(escape(word.pattern))}(?!\w)", re.IGNORECASE)
    inside = 0
    pieces = re.split(r"(<[^>]*>)", html)
    for at, piece in enumerate(pieces):
        if piece.startswith("<"):
            tag = re.match(r"</?(a|code|pre|h[1-6])\b", piece)
            inside += 0 if not tag else -1 if piece.startswith("</") else 1
        elif not inside and (hit := pattern.search(piece)):
            link = f'<a href="{escape(word.address)}">{hit[0]}</a>'
            pieces[at] = piece[: hit.start()] + link + piece[hit.end() :]
            return "".join(pieces)
    return html


def _noun(post: Moderated) -> str:
    return str(post._meta.model_name)
