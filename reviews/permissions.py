"""Who may review, and who may judge a review. Each question answers with the reason against it, or with nothing."""

from typing import Any

from django.utils.translation import gettext as _

from community.accounts.models import Department, Standing
from community.moderation.models import Moderated
from community.moderation.permissions import why_not_moderate, why_not_write
from products.models import Product

from .models import Review


def why_not_review(user: Any) -> str:
    if reason := why_not_write(user):
        return reason
    if user.standing == Standing.STAFF:
        return _("People who work here don't review what we make. That is for those who bought it.")
    return ""


def why_not_yet(product: Product) -> str:
    """Nobody can own what is only announced."""
    if product.lifecycle == Product.Lifecycle.ANNOUNCED:
        return _("%(name)s is not on sale yet. You can review it as soon as people can own it.") % {
            "name": product.label
        }
    return ""


def why_not_edit(user: Any, review: Review) -> str:
    if reason := why_not_write(user):
        return reason
    return "" if review.author_id == user.pk else _("Only its author can change a review.")


def why_not_vote(user: Any, review: Review) -> str:
    if reason := why_not_write(user):
        return reason
    if review.author_id == user.pk:
        return _("You can't vote on your own review.")
    if user.standing == Standing.STAFF:
        return _("The order of reviews is up to readers: people who work here don't vote on them.")
    return ""


def why_not_judge(user: Any, review: Review) -> str:
    if reason := why_not_moderate(user):
        return reason
    if review.author_id == user.pk:
        return _("Somebody else has to look at your own review.")
    if (
        review.visibility == Moderated.Visibility.PENDING
        and review.refusals.filter(appealed_at__isnull=False, granted=None, by=user).exists()
    ):
        return _("The author appealed against your decision: somebody else decides.")
    return ""


def why_not_appeal(user: Any, review: Review) -> str:
    """Once for a refusal, and not against the answer to an appeal."""
    if reason := why_not_edit(user, review):
        return reason
    refusals = list(review.refusals.all())
    if len(refusals) > 1 and refusals[-2].granted is False:
        return _("This was the answer to your appeal. You can change the passage and send the review again.")
    return ""


def departments_of(user: Any) -> list[Department]:
    """The departments somebody may answer for under a review."""
    if not user.is_authenticated or not user.has_perm("questions.answer_officially"):
        return []
    found = {membership.department for membership in user.memberships.select_related("department")}
    if user.department is not None:
        found.add(user.department)
    return sorted((d for d in found if d.archived_at is None), key=lambda d: d.name)


def why_not_respond(user: Any, review: Review, department: Department) -> str:
    if reason := why_not_write(user):
        return reason
    if department not in departments_of(user):
        return _("Only people of %(department)s can answer in its name.") % {"department": department}
    return ""


def can_judge(user: Any, review: Review) -> bool:
    return not why_not_judge(user, review)


def can_edit(user: Any, review: Review) -> bool:
    return (
        bool(user and user.is_authenticated)
        and review.visibility != Moderated.Visibility.DELETED
        and not why_not_edit(user, review)
    )
