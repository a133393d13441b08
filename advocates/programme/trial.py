"""The trial: real questions that were solved a while ago, answered once more."""

import random
from collections.abc import Sequence
from datetime import timedelta

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from community.accounts.models import User
from community.core import clock, text
from community.core.errors import Conflict
from community.core.rows import locked, retried
from community.events.log import record
from community.questions.models import Answer, Kind, Thread
from products.models import Product

from ..models import AdvocateMembership, Application, TrialItem
from .ground import State, move
from .judging import ask_judges
from .verdicts import JUDGES

QUESTIONS = 3  # of a trial on one product; on more products two of each
OLD = timedelta(days=30)  # a trial's questions were solved so long ago
SHORTEST_ANSWER, LONGEST_ANSWER = 40, 8_000


def _questions_for(user: User, product: Product, count: int, dice: random.Random, judges: set[int]) -> list[int]:
    """Real questions, solved a while ago, in which the applicant had no part and which stand by themselves.

    A product with too few borrows from its family; one with none has no trial. Judges of `judges` who answered one
    chosen are taken out of it: see `_with_judges`.
    """
    rows = (
        Thread.objects.visible()
        .filter(
            product__isnull=False, kind__in=(Kind.QUESTION, Kind.PROBLEM), solved_at__lt=clock.now() - OLD,
            leading_solution__visibility="visible", duplicate_of=None,
        )
        .exclude(author=user)
        .exclude(pk__in=Answer._base_manager.filter(author=user).values("thread"))
        .order_by("-solved_at", "pk")
        .values_list("pk", flat=True)
    )  # fmt: skip
    found = list(rows.filter(product=product)[:200])
    chosen = _with_judges(dice.sample(found, len(found)), count, judges)
    if found and len(chosen) < count:  # few on this one: the like, from its family
        alike = [pk for pk in rows.filter(product__family=product.family_id)[:200] if pk not in chosen]
        chosen += _with_judges(dice.sample(alike, len(alike)), count - len(chosen), judges)
    return chosen


def _with_judges(found: list[int], count: int, judges: set[int]) -> list[int]:
    """`count` of these threads, in their order, such that three judges stay who answered none of them.

    Who answered a question doesn't judge it, so three questions that everybody answered would be judged by nobody.
    Where that can't be had, those that leave the most. One query.
    """
    answered: dict[int, set[int]] = {pk: set() for pk in found}
    rows = Answer._base_manager.filter(thread__in=found, author__in=judges)
    for thread, author in rows.values_list("thread", "author"):
        answered[thread].add(author)
    chosen: list[int] = []
    waiting = list(found)
    while waiting and len(chosen) < count:
        left = {pk: len(judges - answered[pk]) for pk in waiting}
        best = max(left.values())
        pick = next(pk for pk in waiting if left[pk] >= min(best, JUDGES + 1))
        chosen.append(pick)
        waiting.remove(pick)
        judges -= answered[pick]
    return chosen


def set_trial(application: Application, products: Sequence[Product]) -> bool:
    """Draw the questions: the same for the n-th application of somebody, wherever it is told. False when there are none
    at all."""
    each = QUESTIONS if len(products) == 1 else 2
    before = Application.objects.filter(person=application.person_id, pk__lt=application.pk).count()
    dice = random.Random(f"trial {application.person.username} {before}")  # noqa: S311 - fair, not secret
    here = AdvocateMembership.objects.here().exclude(user=application.person_id)
    judges = set(here.values_list("user", flat=True))
    rows = [
        TrialItem(application=application, thread_id=thread, product=product)
        for product in products
        for thread in _questions_for(application.person, product, each, dice, judges)
    ]
    TrialItem.objects.bulk_create(rows, ignore_conflicts=True)  # two of one family may borrow the same
    return bool(rows)


@retried
def answer_trial(user: User, item_id: int, answer: str) -> TrialItem:
    """Keep an answer to one of the trial's questions; it can be changed until all are sent."""
    item = TrialItem.objects.select_related("application").filter(pk=item_id, application__person=user).first()
    if item is None:
        raise Conflict(_("This question is not part of your trial."))
    application = locked(item.application)
    if application.state != State.TRIAL:
        raise Conflict(_("Your answers are with the judges already."))
    answer = text.clean_source(answer).strip()
    if len(answer) > LONGEST_ANSWER:
        raise ValidationError({f"answer-{item_id}": _("At most %(n)d characters.") % {"n": LONGEST_ANSWER}})
    if answer != item.answer:
        item.answer = answer
        item.answer_html = text.render_markdown(answer, known_users=set(), limit=None).html
        item.answered_at = clock.now()
        item.save(update_fields=["answer", "answer_html", "answered_at"])
    return item


@retried
def send_trial(user: User) -> Application:
    """Hand the answers to two judges. Raises ValidationError, by field, for what is too short to be judged."""
    application = Application.objects.select_for_update(of=("self",)).open().filter(person=user).first()
    if application is None or application.state != State.TRIAL:
        raise Conflict(_("There is no trial to send."))
    short = [item for item in application.trial.all() if len(item.answer) < SHORTEST_ANSWER]
    if short:
        line = ngettext("Write at least %(n)d character.", "Write at least %(n)d characters.", SHORTEST_ANSWER)
        raise ValidationError({f"answer-{item.pk}": line % {"n": SHORTEST_ANSWER} for item in short})
    move(application, State.JUDGING, answered_at=clock.now())
    record("advocate.trial_answered", actor=user, subject=application)
    ask_judges(application)
    return application
