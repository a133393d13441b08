"""Applying and being invited."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from community.accounts.models import User
from community.core import clock, text
from community.core.errors import Conflict, require
from community.core.rows import retried
from community.events.log import is_replaying, record
from products.models import Product

from .. import competence, services
from ..models import AdvocateMembership, Application, AppliedProduct
from .code import accept_code
from .ground import State, move
from .trial import set_trial

MOST_PRODUCTS = 3
SHORTEST_MOTIVATION, LONGEST_MOTIVATION = 40, 1_500


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


@retried
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


@retried
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
    if not set_trial(application, wanted):
        move(application, State.JUDGED, judged_at=clock.now())
    return application


@retried
def withdraw(user: User) -> None:
    """Take one's application back, or say no to an invitation. It costs nothing; twice is harmless. Nobody judges it
    any more."""
    application = Application.objects.select_for_update(of=("self",)).open().filter(person=user).first()
    if application is None:
        return
    move(application, State.WITHDRAWN, decided_at=clock.now(), decided_by=user)
    application.judges.filter(done_at=None).delete()
    record("advocate.withdrew", actor=user, subject=application)


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
