"""Judging a trial: who is asked, their verdict, a third where two differ."""

from collections.abc import Iterable, Mapping
from datetime import timedelta

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Count, Q
from django.utils.translation import gettext as _

from community.accounts.models import User
from community.core import clock, text
from community.core.errors import Conflict, require
from community.core.rows import locked, retried
from community.events.log import record
from community.questions.models import Answer

from ..models import AdvocateMembership, Application, Judge, Judgement, TrialItem
from .ground import State, move
from .verdicts import JUDGES, differing

PATIENCE = timedelta(days=7)  # a judge who has not judged by then is replaced


def possible_judges(application: Application) -> list[AdvocateMembership]:
    """Advocates who could judge: here, not the applicant, with no answer of their own among the trial's questions.

    Those who know the products first, then whoever judges least now.
    """
    threads = application.trial.values("thread")
    products = [row.product_id for row in application.products.all()]
    return list(
        AdvocateMembership.objects.here()
        .exclude(user=application.person_id)
        .exclude(user__in=application.judges.values("person"))
        .exclude(user__in=Answer._base_manager.filter(thread__in=threads).values("author"))
        .annotate(
            knows=Count("expertise", filter=Q(expertise__product__in=products), distinct=True),
            busy=Count(
                "user__judged_trials",
                filter=Q(user__judged_trials__done_at=None, user__judged_trials__application__state=State.JUDGING),
                distinct=True,
            ),
        )
        .select_related("user")
        .order_by("-knows", "busy", "pk")
    )


def ask_judges(application: Application, most: int = JUDGES, but: Iterable[int] = ()) -> list[Judge]:
    """Fill the free places up to `most`; fewer when there are not enough advocates: the sweep tries again."""
    left_out = set(but)
    taken = set(application.judges.values_list("place", flat=True))
    free = [place for place in range(1, most + 1) if place not in taken]
    asked = []
    people = [member for member in (possible_judges(application) if free else []) if member.user_id not in left_out]
    for place, member in zip(free, people, strict=False):
        judge = Judge.objects.create(application=application, person=member.user, place=place, asked_at=clock.now())
        record("advocate.judge_asked", actor=None, subject=judge, person=member.user_id)
        asked.append(judge)
    return asked


def items_for(judge: Judge) -> list[TrialItem]:
    """What a judge judges: all of it; the third only where the first two differ."""
    items = list(judge.application.trial.select_related("thread", "thread__leading_solution", "thread__product").all())
    if judge.place < 3:
        return items
    return [item for item in items if item.pk in differing(judge.application)]


@retried
def judge(application: Application, by: User, verdicts: Mapping[int, tuple[bool, str]]) -> Application:
    """Judge a trial: whether each answer would help its asker, with a line. Once; it can't be taken back.

    Nobody sees another's judgement before their own is done. Raises ValidationError by field when one is missing.
    """
    row = locked(application)
    seat = row.judges.filter(person=by).first()
    require("" if seat is not None else _("You are not asked to judge this."))
    assert seat is not None  # noqa: S101 - for the type checker; `require` has raised
    current = AdvocateMembership.objects.current().filter(user=by, user__standing="advocate")
    require("" if current.exists() else _("Only advocates judge trials."))
    if seat.done_at is not None:
        raise Conflict(_("You have judged this already."))
    if row.state != State.JUDGING:
        raise Conflict(_("This was decided meanwhile."))
    items = items_for(seat)
    missing = [item for item in items if item.pk not in verdicts]
    if missing:
        raise ValidationError({f"helps-{item.pk}": _("Say whether it would help.") for item in missing})
    Judgement.objects.bulk_create(
        [
            Judgement(
                judge=seat, item=item, helps=verdicts[item.pk][0], at=clock.now(),
                note=text.clean_line(verdicts[item.pk][1])[:500],
            )
            for item in items
        ]
    )  # fmt: skip
    seat.done_at = clock.now()
    seat.save(update_fields=["done_at"])
    record("advocate.trial_judged", actor=by, subject=row, place=seat.place)
    _go_on(row)
    application.state = row.state
    return row


def _go_on(application: Application) -> None:
    """After a judgement: a third judge where two differ, or on to the decision."""
    done = application.judges.filter(done_at__isnull=False).count()
    if done < JUDGES:
        return
    if done == JUDGES and differing(application):
        ask_judges(application, JUDGES + 1)
        return
    move(application, State.JUDGED, judged_at=clock.now())


def keep_judging() -> int:
    """Free places of judges are filled; who did not judge within a week is replaced. Returns how many were asked."""
    asked = 0
    for pk in Application.objects.filter(state=State.JUDGING).order_by("pk").values_list("pk", flat=True):
        with transaction.atomic():
            application = Application.objects.select_for_update(of=("self",)).get(pk=pk)
            if application.state != State.JUDGING:
                continue
            late = application.judges.filter(done_at=None, asked_at__lt=clock.now() - PATIENCE)
            slow = list(late.values_list("person", flat=True))
            if slow and possible_judges(application):
                late.delete()
            done = application.judges.filter(done_at__isnull=False).count()
            third = done >= JUDGES and bool(differing(application))
            asked += len(ask_judges(application, JUDGES + 1 if third else JUDGES, but=slow))
    return asked
