"""How rules are said at the desk: kinds of events and fields in words, and what a value may be."""

import math
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from community.moderation.models import Flag
from community.questions.models import FollowUp, IdeaStatus, Kind
from products.models import Product

from .sources import SOURCES, sums_of

EVENTS: dict[str, str | Promise] = {
    "thread.voted": _lazy("Votes on questions, problems and ideas"),
    "thread.me_too": _lazy("“I have this too”"),
    "thread.solved": _lazy("Threads that were solved"),
    "idea.status_changed": _lazy("Ideas and what became of them"),
    "answer.voted": _lazy("Votes on answers"),
    "answer.accepted": _lazy("Accepted answers"),
    "follow_up.answered": _lazy("Fixes asked about after three days"),
    "answer.works_for_mine": _lazy("“Works for mine”"),
    "review.found_helpful": _lazy("Reviews that were found helpful"),
    "review.chapter_added": _lazy("Further chapters of reviews"),
    "recipe.made": _lazy("Recipes that were made"),
    "tip.worked": _lazy("Tips that worked"),
    "flag.upheld": _lazy("Flags that were confirmed"),
    "edit.accepted": _lazy("Suggested edits that were taken over"),
    "share.credited": _lazy("People who came by a shared link"),
    "help_article.published": _lazy("Help articles that grew from answers"),
    "incident.opened": _lazy("Known issues that were first reported in a thread"),
}
TEXT, NUMBER, YES_NO, PERSON = "text", "number", "yes or no", "person"
FIELDS: dict[str, tuple[str | Promise, str]] = {
    "vote.value": (_lazy("vote (1 up, -1 down)"), NUMBER),
    "thread.kind": (_lazy("kind of thread (question, problem, idea, praise)"), TEXT),
    "thread.score": (_lazy("score of the thread"), NUMBER),
    "thread.me_too_count": (_lazy("people who have it, too"), NUMBER),
    "thread.product": (_lazy("product of the thread (its slug)"), TEXT),
    "thread.needs_info_count": (_lazy("times more details were asked for"), NUMBER),
    "status": (_lazy("status of the idea"), TEXT),
    "answer.score": (_lazy("score of the answer"), NUMBER),
    "answer.accepted": (_lazy("the answer is accepted"), YES_NO),
    "thread.is_first_of_author": (_lazy("first thread of who asked"), YES_NO),
    "asker": (_lazy("who asked"), PERSON),
    "accepted_by": (_lazy("accepted by (asker or staff)"), TEXT),
    "thread.age_days_at_answer": (_lazy("days the thread had waited"), NUMBER),
    "thread.reopened_count": (_lazy("times the thread was reopened"), NUMBER),
    "answer.posted_after_reopening": (_lazy("posted after it was reopened"), YES_NO),
    "distinct_askers": (_lazy("different people who asked"), NUMBER),
    "follow_up.answer": (_lazy("what was said (yes, worked_at_first, no)"), TEXT),
    "failed_share": (_lazy("share of fixes that failed (0 to 1)"), NUMBER),
    "works": (_lazy("it works"), YES_NO),
    "owns_product": (_lazy("said by an owner"), YES_NO),
    "answer.corrected_after_recheck": (_lazy("corrected after it was doubted"), YES_NO),
    "helpful": (_lazy("found helpful"), YES_NO),
    "helpful_share": (_lazy("share who found it helpful (0 to 1)"), NUMBER),
    "review.has_good_and_better": (_lazy("says what is good and what could be better"), YES_NO),
    "review.helpful_count": (_lazy("people who found the review helpful"), NUMBER),
    "chapter.months_owned": (_lazy("months owned at that chapter"), NUMBER),
    "recipe.mean_stars": (_lazy("stars of the recipe on average"), NUMBER),
    "recipe.is_remix": (_lazy("a remix of another recipe"), YES_NO),
    "stars": (_lazy("stars given"), NUMBER),
    "note.length": (_lazy("characters written about it"), NUMBER),
    "worked": (_lazy("it worked"), YES_NO),
    "worked_share": (_lazy("share for whom it worked (0 to 1)"), NUMBER),
    "reason": (_lazy("reason of the flag"), TEXT),
    "edit.by_other_than_post_author": (_lazy("suggested by somebody other than the author"), YES_NO),
    "outcome": (_lazy("what came of it (joined, posted)"), TEXT),
    "help_article.from_answer": (_lazy("grew from an answer"), YES_NO),
    "thread.is_first_report": (_lazy("the first report"), YES_NO),
}
IN_THE_LOG = {"help_article.published": ["help_article.from_answer"], "incident.opened": ["thread.is_first_report"]}


def fields_of(event: str) -> list[str]:
    """What a rule about an event can ask."""
    source = SOURCES.get(event)
    return IN_THE_LOG.get(event, []) if source is None else [*source.fields, *sorted(sums_of(source))]


def _choices(field: str) -> list[str]:
    """What a field of words may be, where that is a closed list: a word that is misspelt would give a badge to nobody,
    without a sign."""
    if field == "thread.product":
        return sorted(Product.objects.values_list("slug", flat=True))
    return {
        "thread.kind": list(Kind.values),
        "status": list(IdeaStatus.values),
        "accepted_by": ["asker", "staff"],
        "follow_up.answer": list(FollowUp.Outcome.values),
        "outcome": ["joined", "posted"],
        "reason": list(Flag.Reason.values),
    }.get(field, [])


def read_value(field: str, said: str) -> Any:
    """What somebody typed, as the rule wants it. Raises ValidationError."""
    kind = FIELDS[field][1]
    word = said.strip()
    if kind == YES_NO:
        if word.lower() in ("yes", "true", "1", _("yes").lower()):
            return True
        if word.lower() in ("no", "false", "0", _("no").lower()):
            return False
        raise ValidationError(_("Say yes or no."))
    if kind == NUMBER:
        try:
            number = float(word.replace(",", "."))
        except ValueError:
            raise ValidationError(_("Say a number.")) from None
        if not math.isfinite(number) or abs(number) > 1_000_000_000:
            raise ValidationError(_("Say a number."))
        return int(number) if number == int(number) else number
    if kind == PERSON and word not in ("author", "actor"):
        raise ValidationError(_("A person is compared with “author” or “actor”."))
    if not word:
        raise ValidationError(_("Say what it has to be."))
    if (known := _choices(field)) and word.lower() not in known:
        raise ValidationError(
            _("“%(word)s” would never be met. It can be: %(known)s.") % {"word": word, "known": ", ".join(known)}
        )
    if known:
        return word.lower()
    return word


def write_value(value: Any) -> str:
    return {True: "yes", False: "no"}.get(value, "") if isinstance(value, bool) else str(value)
