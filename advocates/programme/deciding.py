"""The decision about an application."""

from collections.abc import Iterable

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from community.accounts.models import User
from community.core import clock, text
from community.core.errors import Conflict
from community.core.rows import locked, retried
from community.events.log import record
from products.models import Product

from .. import services
from ..models import AdvocateMembership, Application
from .ground import State, move
from .verdicts import passed_products


@retried
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
    move(row, State.ACCEPTED if chosen else State.DECLINED, decided_at=clock.now(), decided_by=by, reason=reason)
    if chosen:
        held = Product.objects.filter(experts__membership__user=row.person_id).order_by("experts__position")
        member = AdvocateMembership.objects.current().filter(user=row.person_id).exists()
        services.admit(row.person, by, [*(held if member else []), *chosen])
    record("advocate.decided", actor=by, subject=row, note=reason, accepted=bool(chosen), products=sorted(ids))
    application.state = row.state
    return row
