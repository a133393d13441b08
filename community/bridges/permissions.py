"""Who may offer a thread for a review, and who decides. Each question answers with the reason against it."""

from typing import Any

from django.utils.translation import gettext as _

from community.accounts.models import Department
from community.moderation.models import Moderated
from reviews import permissions as reviews
from reviews.models import Review

from .models import Bridge

HIGHEST_STARS = 3  # FEATURES C: "let us fix this" stands under low reviews


def tells_of_a_problem(review: Review) -> bool:
    """Few stars, and more than a mood: one or two stars are a problem; three are when something could be better."""
    if review.current_stars > HIGHEST_STARS:
        return False
    return review.current_stars < HIGHEST_STARS or bool(review.could_be_better.strip())


def why_not_start(user: Any, review: Review) -> str:
    """The author's own "let us fix this"."""
    if reason := reviews.why_not_edit(user, review):
        return reason
    if not review.is_visible:
        return _("The review is not online at the moment.")
    if not tells_of_a_problem(review):
        return _("This is for reviews of three stars and fewer that tell of a problem.")
    return ""


def why_not_decide(user: Any, review: Review) -> str:
    return reviews.why_not_edit(user, review)


def why_not_offer_fix(user: Any, review: Review, department: Department | None) -> str:
    if department is None:
        return _("Say for which department you offer it.")
    if reason := reviews.why_not_respond(user, review, department):
        return reason
    if not review.is_visible:
        return _("The review is not online at the moment.")
    if not tells_of_a_problem(review):
        return _("This is for reviews of three stars and fewer that tell of a problem.")
    return ""


def why_not_propose(user: Any, review: Review) -> str:
    """A moderator's: it is not about the product."""
    if reason := reviews.why_not_judge(user, review):
        return reason
    if review.visibility in (Moderated.Visibility.DELETED, Moderated.Visibility.DRAFT):
        return _("This review has been deleted.")
    return ""


def why_not_show_outcome(user: Any, bridge: Bridge) -> str:
    return reviews.why_not_edit(user, bridge.review)
