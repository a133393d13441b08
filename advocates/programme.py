"""The way into the programme: the code of conduct, applying and inviting, a blind trial, two judges, a decision."""

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Count, Q
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from community.accounts.models import User
from community.core import clock, text
from community.core.body import write_body
from community.core.errors import Conflict, require
from community.core.rows import locked
from community.events.log import is_replaying, record
from community.questions.models import Answer, Kind, Thread
from products.models import Product

from . import competence, permissions, services
from .models import (
    AdvocateMembership,
    Application,
    AppliedProduct,
    CodeAcceptance,
    CodeOfConduct,
    Judge,
    Judgement,
    TrialItem,
)

State = Application.State
MOST_PRODUCTS = 3
QUESTIONS = 3  # of a trial on one product; on more products two of each
OLD = timedelta(days=30)  # a trial's questions were solved so long ago
SHORTEST_ANSWER, LONGEST_ANSWER = 40, 8_000
SHORTEST_MOTIVATION, LONGEST_MOTIVATION = 40, 1_500
JUDGES = 2
PATIENCE = timedelta(days=7)  # a judge who has not judged by then is replaced


# The code of conduct


def current_code() -> CodeOfConduct:
    """The version that holds now; the first one comes with the house."""
    return CodeOfConduct.objects.order_by("-version")[:1].get()


@transaction.atomic
def publish_code(by: User | None, body: str, *, what_changed: str = "", seen: int | None = None) -> CodeOfConduct:
    """Make the next version. The same words again change nothing. Raises ValidationError by field.

    `seen` is the version that was open while it was written: another one meanwhile must be read first.
    """
    if by is not None and not is_replaying():
        require(permissions.why_not_edit_code(by))
    latest = CodeOfConduct.objects.select_for_update().order_by("-version").first()
    if len(body.strip()) < 100:
        raise ValidationError({"body_source": _("Write at least 100 characters: people promise to keep it.")})
    code = CodeOfConduct(
        version=(latest.version if latest else 0) + 1, published_by=by, published_at=clock.now(),
        what_changed=text.clean_line(what_changed)[:300],
    )  # fmt: skip
    write_body(code, body)
    if latest is not None and latest.body_source == code.body_source:
        return latest
    if latest is not None and seen is not None and seen != latest.version:
        raise ValidationError({
            "body_source": _("Version %(n)d came meanwhile; please read it first.") % {"n": latest.version}
        })  # fmt: skip
    if latest is not None and by is not None and not code.what_changed:
        raise ValidationError({"what_changed": _("Say in a line what changed; advocates read it before they accept.")})
    code.save()
    record("advocate.code_published", actor=by, subject=code, version=code.version)
    return code


@transaction.atomic
def accept_code(person: User, version: int) -> CodeAcceptance:
    """Promise to keep a version of the code; it must be the current one. Twice is harmless."""
    code = current_code()
    if code.version != version:
        raise Conflict(_("The code of conduct has a new version. Please read that one."))
    row, new = CodeAcceptance.objects.get_or_create(person=person, code=code, defaults={"at": clock.now()})
    if new:
        record("advocate.code_accepted", actor=person, subject=person, version=version)
    return row


def acceptance_of(person: User) -> CodeAcceptance | None:
    """The newest version somebody accepted, and when."""
    return CodeAcceptance.objects.filter(person=person).select_related("code").order_by("-code__version").first()


# Applying and being invited


def why_not_apply(user: Any) -> str:
    if not user.is_authenticated:
        return _("Please sign in first.")
    if reason := services.why_not_member(user):
        return reason
    if user.silenced_until and user.silenced_until > clock.now():
        return _("You can't apply while you may not write.")
    return ""


def open_application(user: User) -> Application | None:
    return Application.objects.open().for_listing().filter(person=user).first()


@transaction.atomic
def invite(person: User, by: User | None, products: Iterable[Product] = (), *, note: str = "") -> Application:
    """Ask somebody whether they would like to be an advocate. Twice is harmless: the open application stays."""
    services.require_manager(by)
    require(services.why_not_member(person))
    known = open_application(person)
    if known is not None:
        return known
    try:
        with transaction.atomic():
            application = Application.objects.create(
                person=person, state=State.INVITED, invited_by=by, created_at=clock.now(), motivation=""
            )
    except IntegrityError:  # somebody invites them, or they apply, at this very moment
        if (known := open_application(person)) is None:
            raise
        return known
    _set_products(application, list(products)[:MOST_PRODUCTS])
    record("advocate.invited", actor=by, subject=application, note=text.clean_line(note)[:300], person=person.pk)
    return application


def _set_products(application: Application, products: Sequence[Product]) -> None:
    application.products.all().delete()
    AppliedProduct.objects.bulk_create([AppliedProduct(application=application, product=one) for one in products])


@transaction.atomic
def apply(user: User, products: Sequence[Product], motivation: str, *, code_version: int) -> Application:
    """Apply, or say yes to an invitation: products, a few words, the code of conduct. The trial begins at once.

    Raises ValidationError by field, NotAllowed, Conflict when an application is open already.
    """
    if not is_replaying():
        require(why_not_apply(user))
    wanted = list(dict.fromkeys(products))
    motivation = text.clean_source(motivation).strip()
    held = set(AdvocateMembership.objects.current().filter(user=user).values_list("expertise__product", flat=True))
    errors: dict[str, str] = {}
    if not wanted:
        errors["products"] = _("Choose at least one product.")
    elif len(wanted) > MOST_PRODUCTS:
        errors["products"] = _("At most %(n)d products at once; others can follow later.") % {"n": MOST_PRODUCTS}
    elif again := [one for one in wanted if one.pk in held]:
        errors["products"] = _("You are an advocate for %(product)s already.") % {"product": again[0].label}
    if len(motivation) < SHORTEST_MOTIVATION:
        errors["motivation"] = _("Tell us in a sentence or two (40 characters at least).")
    elif len(motivation) > LONGEST_MOTIVATION:
        errors["motivation"] = _("At most %(n)d characters.") % {"n": LONGEST_MOTIVATION}
    if errors:
        raise ValidationError(errors)
    try:
        with transaction.atomic():
            application = Application.objects.select_for_update(of=("self",)).open().filter(person=user).first()
            if application is not None and application.state != State.INVITED:
                raise Conflict(_("Your application is under way already."))
            application = application or Application(person=user, created_at=clock.now())
            application.state, application.motivation = State.TRIAL, motivation
            application.applied_at = clock.now()
            application.save()
    except IntegrityError:
        raise Conflict(_("Your application is under way already.")) from None
    accept_code(user, code_version)
    _set_products(application, wanted)
    record("advocate.applied", actor=user, subject=application, invited=application.invited_by_id is not None)
    if not _set_trial(application, wanted):
        _move(application, State.JUDGED, judged_at=clock.now())
    return application


@transaction.atomic
def withdraw(user: User) -> None:
    """Take one's application back, or say no to an invitation. It costs nothing; twice is harmless. Nobody judges it
    any more."""
    application = Application.objects.select_for_update(of=("self",)).open().filter(person=user).first()
    if application is None:
        return
    _move(application, State.WITHDRAWN, decided_at=clock.now(), decided_by=user)
    application.judges.filter(done_at=None).delete()
    record("advocate.withdrew", actor=user, subject=application)


def _move(application: Application, state: str, **more: Any) -> None:
    application.state = state
    for name, value in more.items():
        setattr(application, name, value)
    application.save(update_fields=["state", *more])


# The trial


def _questions_for(user: User, product: Product, count: int, dice: random.Random) -> list[int]:
    """Real questions, solved a while ago, in which the applicant had no part and which stand by themselves.

    A product with too few borrows from its family; one with none has no trial."""
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
    chosen = dice.sample(found, min(count, len(found)))
    if found and len(chosen) < count:  # few on this one: the like, from its family
        alike = [pk for pk in rows.filter(product__family=product.family_id)[:200] if pk not in chosen]
        chosen += dice.sample(alike, min(count - len(chosen), len(alike)))
    return chosen


def _set_trial(application: Application, products: Sequence[Product]) -> bool:
    """Draw the questions: the same for the n-th application of somebody, wherever it is told. False when there are none
    at all."""
    each = QUESTIONS if len(products) == 1 else 2
    before = Application.objects.filter(person=application.person_id, pk__lt=application.pk).count()
    dice = random.Random(f"trial {application.person.username} {before}")  # noqa: S311 - fair, not secret
    rows = [
        TrialItem(application=application, thread_id=thread, product=product)
        for product in products
        for thread in _questions_for(application.person, product, each, dice)
    ]
    TrialItem.objects.bulk_create(rows, ignore_conflicts=True)  # two of one family may borrow the same
    return bool(rows)


@transaction.atomic
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


@transaction.atomic
def send_trial(user: User) -> Application:
    """Hand the answers to two judges. Raises ValidationError, by field, for what is too short to be judged."""
    application = Application.objects.select_for_update(of=("self",)).open().filter(person=user).first()
    if application is None or application.state != State.TRIAL:
        raise Conflict(_("There is no trial to send."))
    short = [item for item in application.trial.all() if len(item.answer) < SHORTEST_ANSWER]
    if short:
        line = ngettext("Write at least %(n)d character.", "Write at least %(n)d characters.", SHORTEST_ANSWER)
        raise ValidationError({f"answer-{item.pk}": line % {"n": SHORTEST_ANSWER} for item in short})
    _move(application, State.JUDGING, answered_at=clock.now())
    record("advocate.trial_answered", actor=user, subject=application)
    _ask_judges(application)
    return application


# Judging


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


def _ask_judges(application: Application, most: int = JUDGES, but: Iterable[int] = ()) -> list[Judge]:
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


@transaction.atomic
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
        _ask_judges(application, JUDGES + 1)
        return
    _move(application, State.JUDGED, judged_at=clock.now())


def verdicts_of(application: Application) -> dict[int, dict[int, Judgement]]:
    """Of each item, by the judge's place. One query."""
    found: dict[int, dict[int, Judgement]] = {}
    for row in Judgement.objects.filter(judge__application=application).select_related("judge", "judge__person"):
        found.setdefault(row.item_id, {})[row.judge.place] = row
    return found


def differing(application: Application) -> set[int]:
    """Ids of the items on which the first two judges differ."""
    return {
        item
        for item, by_place in verdicts_of(application).items()
        if 1 in by_place and 2 in by_place and by_place[1].helps != by_place[2].helps
    }


def helps(by_place: Mapping[int, Judgement]) -> bool | None:
    """What the judges say of one answer: what two of them agree on; None as long as that is open."""
    said = [row.helps for row in by_place.values()]
    if said.count(True) >= JUDGES:
        return True
    return False if said.count(False) >= JUDGES else None


@dataclass(frozen=True)
class Agreement:
    """How far two judges agree: in percent, and beyond what chance would give (Cohen's kappa)."""

    items: int
    same: int
    kappa: float | None  # None where both always said the same one thing: chance alone would agree, too

    @property
    def percent(self) -> int | None:
        return round(100 * self.same / self.items) if self.items else None

    @property
    def in_words(self) -> str:
        """After Landis and Koch, 1977."""
        if self.kappa is None:
            return ""
        if self.kappa < 0:
            return _("less than chance")
        steps = (
            (0.2, _("slight")), (0.4, _("fair")), (0.6, _("moderate")),
            (0.8, _("substantial")),
        )  # fmt: skip
        return next((word for most, word in steps if self.kappa <= most), _("almost perfect"))


def agreement(pairs: Iterable[tuple[bool, bool]]) -> Agreement:
    """kappa = (observed - expected) / (1 - expected), expected from how often each says yes."""
    rows = list(pairs)
    n = len(rows)
    same = sum(first == second for first, second in rows)
    if not n:
        return Agreement(0, 0, None)
    yes = [sum(pair[side] for pair in rows) / n for side in (0, 1)]
    expected = yes[0] * yes[1] + (1 - yes[0]) * (1 - yes[1])
    return Agreement(n, same, None if expected == 1 else round((same / n - expected) / (1 - expected), 2))


def pairs_of(verdicts: Iterable[Mapping[int, Judgement]]) -> list[tuple[bool, bool]]:
    return [(row[1].helps, row[2].helps) for row in verdicts if 1 in row and 2 in row]


def agreement_of_all() -> Agreement:
    """Over all trials. One query."""
    found: dict[int, dict[int, Judgement]] = {}
    for row in Judgement.objects.filter(judge__place__lte=JUDGES).select_related("judge"):
        found.setdefault(row.item_id, {})[row.judge.place] = row
    return agreement(pairs_of(found.values()))


def told_to_applicant(application: Application) -> list[tuple[TrialItem, bool | None, list[str]]]:
    """What an applicant reads once it is decided: of each answer what the judges say, and their lines; no names."""
    verdicts = verdicts_of(application)
    return [
        (item, helps(said := verdicts.get(item.pk, {})), [row.note for _place, row in sorted(said.items()) if row.note])
        for item in application.trial.select_related("thread")
    ]


def passed_products(application: Application) -> dict[int, bool | None]:
    """Of each product applied for: whether more than half of its answers would help; None where none was asked."""
    verdicts = verdicts_of(application)
    found: dict[int, bool | None] = {}
    for row in application.products.all():
        said = [
            helps(verdicts.get(item.pk, {})) for item in application.trial.all() if item.product_id == row.product_id
        ]
        found[row.product_id] = 2 * said.count(True) > len(said) if said else None
    return found


# The decision


@transaction.atomic
def decide(application: Application, by: User | None, products: Iterable[Product], *, reason: str = "") -> Application:
    """Accept somebody for these of the products they applied for, or for none of them: with a reason they read.

    Only after the trial was judged, and only for products whose trial was passed; one for which no question could be
    found is the manager's own decision. Twice is harmless.
    """
    services.require_manager(by)
    row = locked(application)
    if row.state in (State.ACCEPTED, State.DECLINED):
        application.state = row.state
        return row
    if row.state != State.JUDGED:
        raise Conflict(_("The trial is not judged yet."))
    chosen, reason = list(products), text.clean_line(reason)[:500]
    passed = passed_products(row)
    wrong = [one for one in chosen if one.pk not in passed or passed[one.pk] is False]
    if wrong:
        raise ValidationError({"products": _("The trial on %(product)s was not passed.") % {"product": wrong[0].label}})
    if not chosen and not reason:
        raise ValidationError({"reason": _("Say why; they will read it.")})
    ids = {one.pk for one in chosen}
    for applied in row.products.all():
        applied.accepted = applied.product_id in ids
        applied.save(update_fields=["accepted"])
    _move(row, State.ACCEPTED if chosen else State.DECLINED, decided_at=clock.now(), decided_by=by, reason=reason)
    if chosen:
        held = Product.objects.filter(experts__membership__user=row.person_id).order_by("experts__position")
        member = AdvocateMembership.objects.current().filter(user=row.person_id).exists()
        services.admit(row.person, by, [*(held if member else []), *chosen])
    record("advocate.decided", actor=by, subject=row, note=reason, accepted=bool(chosen), products=sorted(ids))
    application.state = row.state
    return row


# Sweeps


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
            asked += len(_ask_judges(application, JUDGES + 1 if third else JUDGES, but=slow))
    return asked


def best_owners(product: Product, most: int = 5) -> list[User]:
    """Whom one could invite: members who know a product best, by what others found, no advocates and not on the way.

    Three queries.
    """
    rows = competence.best_of("product", product.pk, 30)
    taken = {
        *AdvocateMembership.objects.current().values_list("user", flat=True),
        *Application.objects.open().values_list("person", flat=True),
    }
    return [row.person for row in rows if row.person_id not in taken and not why_not_apply(row.person)][:most]
