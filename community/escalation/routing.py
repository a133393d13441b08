"""Which policy and which department a thread falls to; who of the department takes it says rotation.py."""

import re
from collections.abc import Iterable
from typing import Any

from community.accounts.models import Department, Standing, TrustLevel, User
from community.questions.models import Kind, State, Thread
from products.models import Responsibility

from . import stage
from .models import DeskSettings, EscalationPolicy
from .models import EscalationStep as Step

# What a policy may ask of a thread, and how the value must look.
CRITERIA = {
    "kind": "words",
    "product": "words",
    "any_tag": "words",
    "any_phrase": "words",
    "me_too_at_least": "number",
    "language_not": "words",
    "state": "words",
    "weekday": "words",
    "sentiment_at_most": "number",
    "standing": "words",
}
# As whom the author speaks, as bylines have it; a newcomer is a member whom the site doesn't know yet.
NEWCOMER = "newcomer"
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
# Words of a product's responsibilities that a kind of thread stands for.
KIND_WORDS = {Kind.PROBLEM: {"fault", "repair"}, Kind.IDEA: {"idea"}, Kind.PRAISE: {"story", "press"}}


def _words(value: Any) -> list[str]:
    return [str(word) for word in value] if isinstance(value, list) else [str(value)]


def _has_phrase(text: str, phrases: Iterable[str]) -> bool:
    """Whole words only: "burn" is not found in "burnish"."""
    return any(re.search(rf"(?<!\w){re.escape(phrase)}(?!\w)", text, re.IGNORECASE) for phrase in phrases)


def holds(
    match: dict[str, Any], thread: Thread, tags: set[str], *, reopened: bool, sentiment: float | None = None
) -> bool:
    """Whether everything that a policy asks holds for a thread. What we can't judge does not hold."""
    for name, wanted in match.items():
        if name == "kind":
            ok = thread.kind in _words(wanted)
        elif name == "product":
            ok = thread.product is not None and thread.product.slug in _words(wanted)
        elif name == "any_tag":
            ok = bool(tags & {word.casefold() for word in _words(wanted)})
        elif name == "any_phrase":
            # Words of injury count for problems and questions about them, not in praise (RULINGS 39).
            ok = thread.kind == Kind.PROBLEM and _has_phrase(f"{thread.title}\n{thread.body_text}", _words(wanted))
        elif name == "me_too_at_least":
            ok = thread.me_too_count >= int(wanted)
        elif name == "language_not":
            ok = thread.language.split("-")[0] not in _words(wanted)
        elif name == "state":
            state = State.REOPENED if reopened else thread.state
            ok = str(state) in [word.replace(" ", "_") for word in _words(wanted)]
        elif name == "weekday":
            ok = WEEKDAYS[thread.created_at.weekday()] in _words(wanted)
        elif name == "sentiment_at_most":
            ok = sentiment is not None and sentiment <= float(wanted)
        elif name == "standing":
            author = thread.author
            newcomer = author.standing == Standing.MEMBER and author.trust == TrustLevel.NEWCOMER
            ok = author.standing in _words(wanted) or (newcomer and NEWCOMER in _words(wanted))
        else:
            ok = False
        if not ok:
            return False
    return True


def policy_for(
    thread: Thread, *, reopened: bool = False, sentiment: float | None = None
) -> EscalationPolicy | None:  # fmt: skip
    """The first policy in use that matches; None when even the defaults are gone."""
    tags = tag_words(thread)
    played = stage.here()
    policies: Iterable[EscalationPolicy] = (
        EscalationPolicy.objects.filter(active=True).prefetch_related("steps") if played is None else played.policies
    )
    for policy in policies:
        if holds(policy.match, thread, tags, reopened=reopened, sentiment=sentiment):
            return policy
    return None


def tag_words(thread: Thread) -> set[str]:
    """The tags of a thread, with their other words: a policy that names an old one still holds."""
    if (played := stage.here()) is not None:
        found: set[str] = played.remember(("tags", thread.pk), lambda: _tag_words(thread))
        return found
    return _tag_words(thread)


def _tag_words(thread: Thread) -> set[str]:
    tags = thread.tags.prefetch_related("synonyms")
    return {word.casefold() for tag in tags for pair in tag.words() for word in pair}


def _stems(text: str) -> set[str]:
    words = re.findall(r"\w+", text.casefold())
    return {word[:-3] + "y" if word.endswith("ies") else word.removesuffix("s") for word in words} - {"and", "the"}


def department_for(thread: Thread, policy: EscalationPolicy | None = None) -> Department | None:
    """Who answers for it: whom staff named, the policy's word, the product's, the topic's, else the last resort.

    What a policy finds by its words, such as words of injury, goes before whom anybody named.
    """
    played = stage.here()
    if played is None:
        return _department_for(thread, policy)
    key = ("department", thread.pk, policy.slug if policy else "")
    found: Department | None = played.remember(key, lambda: _department_for(thread, policy))
    return found


def _department_for(thread: Thread, policy: EscalationPolicy | None) -> Department | None:
    if named := _current(thread.for_department):
        by_words = policy is not None and "any_phrase" in policy.match
        return (_by_policy(thread, policy) if by_words else None) or named
    return _by_policy(thread, policy) or _by_product(thread) or _by_topic(thread) or last_resort()


def _current(department: Department | None) -> Department | None:
    return department if department is not None and department.archived_at is None else None


def _by_policy(thread: Thread, policy: EscalationPolicy | None) -> Department | None:
    if policy is None:
        return None
    tags = tag_words(thread)
    for tag, slug in policy.route_by_tag.items():
        if tag.casefold() in tags and (found := Department.objects.current().filter(slug=slug).first()):
            return found
    return _current(policy.department)


def _by_product(thread: Thread) -> Department | None:
    """The responsibility whose words the thread's tags, topic and kind name best; an empty subject is the rest."""
    if thread.product_id is None:
        return None
    said = set().union(*(_stems(word) for word in tag_words(thread)), set())
    if thread.topic is not None:
        said |= _stems(thread.topic.name) | _stems(thread.topic.slug)
    kind_words = KIND_WORDS.get(Kind(thread.kind), set())
    best: tuple[float, Department] | None = None
    for row in Responsibility.objects.filter(
        product=thread.product_id, department__archived_at__isnull=True
    ).select_related("department").order_by("id"):  # fmt: skip
        subject = _stems(row.subject)
        # What somebody tagged says more than the kind; anything says more than "all the rest".
        points = len(subject & said) + len(subject & kind_words) / 10 if subject else 0.01
        if points and (best is None or points > best[0]):
            best = (points, row.department)
    return best[1] if best else None


def _by_topic(thread: Thread) -> Department | None:
    return _current(thread.topic.department) if thread.topic is not None else None


def last_resort() -> Department | None:
    """The one that the settings name, else the one called support, else the first there is."""
    if found := _current(DeskSettings.load().default_department):
        return found
    current = Department.objects.current()
    return current.filter(slug="support").first() or current.order_by("id").first()


def is_staffed(department: Department) -> bool:
    """Whether anybody works there who can be told. The sweep has loaded it for all its cases."""
    if (played := stage.here()) is not None:
        key = ("staffed", department.pk)
        return bool(played.remember(key, lambda: department.memberships.filter(user__is_active=True).exists()))
    if "memberships" in getattr(department, "_prefetched_objects_cache", {}):
        return any(one.user.is_active for one in department.memberships.all())
    return department.memberships.filter(user__is_active=True).exists()


def managers() -> list[User]:
    """The community managers, by their group."""
    if (played := stage.here()) is not None:
        return played.managers
    return list(User.objects.active().filter(groups__name="Community managers").order_by("id").distinct())


def last_closer(escalation_id: int) -> set[int]:
    """Who resolved the case before; a reopened one never goes back to them."""
    if stage.here() is not None:
        return set()
    people = Step.objects.filter(escalation=escalation_id, kind="resolved", by__isnull=False).values_list(
        "by", flat=True
    )
    return set(people)
