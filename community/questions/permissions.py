"""Who may do what with threads and answers. Each question answers with the reason against it, or with nothing;
templates ask the same functions as services do."""

from datetime import timedelta
from typing import Any

from django.contrib.auth.models import Permission
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from community.accounts.models import Department, TrustLevel, User
from community.accounts.permissions import how_one_becomes_a_member
from community.core import clock, numbers
from community.moderation.permissions import is_moderator, why_not_mend, why_not_write
from products.models import Ownership

from . import ideas
from .models import Answer, EditSuggestion, Kind, Thread

FREE_EDIT_REPUTATION = 1000  # FEATURES F, Privileges: free edit and review queue
SUGGEST_REPUTATION = 100  # edit with review
INVITE_REPUTATION = 500  # invite to answer
SOLVABLE = (Kind.QUESTION, Kind.PROBLEM)


def is_agent(user: Any) -> bool:
    """Speaks for a department: may answer officially, ask for information, see private details."""
    return bool(user and user.is_authenticated and user.has_perm("questions.answer_officially"))


def agents() -> QuerySet[User]:
    """Everybody who may answer officially, by name."""
    perms = Permission.objects.filter(codename="answer_officially", content_type__app_label="questions")
    may = Q(groups__permissions__in=perms) | Q(user_permissions__in=perms)
    return User.objects.active().filter(pk__in=User.objects.filter(may).values("pk")).order_by("name", "pk")


def why_not_vote(user: Any, post: Thread | Answer) -> str:
    if reason := why_not_write(user):
        return reason
    if post.author_id == user.pk:
        return _("You can't vote on what you wrote yourself.")
    thread = post.thread if isinstance(post, Answer) else post
    if not (post.is_visible and thread.is_visible):
        return _("This post has been taken down.")
    if thread.locked_at:
        return _("This thread is locked.")
    if thread.duplicate_of_id:
        return _("This was asked before. Please vote on the original.")
    if post is thread and thread.is_idea:
        return why_idea_counts_no_more(thread)
    return ""


def why_idea_counts_no_more(thread: Thread) -> str:
    """A closed idea keeps its votes and takes no more; who gave them has them back."""
    if thread.closed_at or ideas.is_done(thread):
        return _("This idea is closed. Its votes stay counted, and whoever gave one has it back.")
    return ""


def why_not_take_back(user: Any, thread: Thread) -> str:
    """A vote on an open idea can be taken back, locked or not: it is one of few."""
    return why_not_write(user) or why_idea_counts_no_more(thread)


def why_not_vote_down(user: Any, post: Thread | Answer) -> str:
    return why_not_vote(user, post) or too_new_to_vote_down(user)


def too_new_to_vote_down(user: Any) -> str:
    """Said at the button itself, before it is pressed."""
    if not user.is_authenticated or user.trust >= TrustLevel.MEMBER or user.speaks_for_brand:
        return ""
    return " ".join([_("Voting down is for members, and you are new here."), how_one_becomes_a_member()])


def why_not_answer(user: Any, thread: Thread) -> str:
    if reason := why_not_write(user):
        return reason
    if not thread.is_visible:
        return _("This thread is not open to answers.")
    return thread.why_closed_to_words()


def why_not_edit(user: Any, post: Thread | Answer) -> str:
    """Authors edit their own words; others from 1,000 points on, never staff's and never an advocate's."""
    if reason := why_not_write(user):
        return reason
    thread = post.thread if isinstance(post, Answer) else post
    if thread.locked_at and not is_moderator(user):
        return _("This thread is locked.")
    if post.author_id == user.pk:
        return why_not_mend(user, post)
    if user.speaks_for_brand:
        return _("Staff never change what members wrote.")
    if post.author.speaks_for_brand or (isinstance(post, Answer) and post.is_official):
        return _("Official answers are changed by the department that gave them.")
    if post.author.is_advocate:
        return _("An advocate's words are changed by nobody else.")
    return too_few_to_edit(user)


def too_few_to_edit(user: Any) -> str:
    """How many points it takes and how many somebody has; nothing for who has enough. So the next two."""
    if user.reputation >= FREE_EDIT_REPUTATION:
        return ""
    return _("Editing others' posts takes %(points)d points; you have %(have)d.") % {
        "points": FREE_EDIT_REPUTATION,
        "have": user.reputation,
    }


def why_not_change_at_all(post: Thread | Answer) -> str:
    """What speaks for a department is its department's to change."""
    if post.author.speaks_for_brand or (isinstance(post, Answer) and post.is_official):
        return _("Official answers are changed by the department that gave them.")
    thread = post.thread if isinstance(post, Answer) else post
    return _("This thread is locked.") if thread.locked_at else ""


def why_not_suggest(user: Any, post: Thread | Answer) -> str:
    """Whoever may not edit a post may suggest an edit, from 100 points on."""
    if reason := why_not_write(user):
        return reason
    thread = post.thread if isinstance(post, Answer) else post
    if not (post.is_visible and thread.is_visible):
        return _("This post has been taken down.")
    if post.author_id == user.pk:
        return _("You can edit this yourself.")
    if user.speaks_for_brand:
        return _("Staff never change what members wrote.")
    if reason := why_not_change_at_all(post):
        return reason
    if user.reputation >= FREE_EDIT_REPUTATION and not post.author.is_advocate:
        return _("You can edit this yourself.")
    return too_few_to_suggest(user)


def too_few_to_suggest(user: Any) -> str:
    if user.reputation >= SUGGEST_REPUTATION:
        return ""
    return _("Suggesting an edit takes %(points)d points; you have %(have)d.") % {
        "points": SUGGEST_REPUTATION,
        "have": user.reputation,
    }


def reviews_edits(user: Any) -> bool:
    """Sees every suggested edit: staff, and members from 1,000 points on."""
    return bool(
        user.is_authenticated and (user.reputation >= FREE_EDIT_REPUTATION or is_agent(user) or is_moderator(user))
    )


def why_not_review(user: Any, suggestion: EditSuggestion) -> str:
    if reason := why_not_write(user):
        return reason
    if suggestion.author_id == user.pk:
        return _("Somebody else decides on what you suggested.")
    if suggestion.post.author_id == user.pk or reviews_edits(user):
        return ""
    return _(
        "The author of the post, staff, and members from %(points)d points on decide on suggested edits; "
        "you have %(have)d."
    ) % {"points": FREE_EDIT_REPUTATION, "have": user.reputation}


def why_not_take_over(user: Any, suggestion: EditSuggestion) -> str:
    """Leaving a post as it is, a reviewer may always; changing an advocate's words, only the advocate."""
    if reason := why_not_review(user, suggestion):
        return reason
    if suggestion.post.author.is_advocate and suggestion.post.author_id != user.pk:
        return _("An advocate's words change only if the advocate takes the edit over.")
    return ""


def why_not_invite(user: Any, thread: Thread) -> str:
    if reason := why_not_write(user):
        return reason
    if not thread.is_visible:
        return _("This thread is not open to answers.")
    if closed := thread.why_closed_to_words():
        return closed
    return too_few_to_invite(user)


def too_few_to_invite(user: Any) -> str:
    if user.speaks_for_brand or user.reputation >= INVITE_REPUTATION:
        return ""
    return _("Inviting somebody to answer takes %(points)d points; you have %(have)d.") % {
        "points": INVITE_REPUTATION,
        "have": user.reputation,
    }


def why_not_invited(person: Any, thread: Thread, by: Any) -> str:
    """Why somebody is left in peace."""
    if person.pk == by.pk:
        return _("You need no invitation: the answer box is open.")
    if not person.is_active or person.is_erased or (person.is_imported and person.claimed_at is None):
        return _("This person is not here any more.")
    if person.pk == thread.author_id:
        return _("They asked this themselves.")
    own = thread.answers.filter(author=person)
    out_of_sight = own.exclude(visibility__in=("visible", "deleted"))
    # One reason for all three: who is silenced, or has an answer that was taken down, is nobody else's business.
    if not person.invitable or person.is_silenced() or out_of_sight.exists():
        return _("They would rather not be invited.")
    if person.is_away:
        return _("They are away.")
    if own.visible().exists():
        return _("They have answered already.")
    return ""


def why_not_accept(user: Any, thread: Thread) -> str:
    if reason := why_not_write(user):
        return reason
    if thread.kind not in SOLVABLE:
        return _("Only questions and problems have a solution.")
    if thread.author_id == user.pk:
        return ""
    if not is_agent(user):
        return _("Only the person who asked can accept an answer.")
    days = numbers.remembered().staff_accept_after_days
    last_word = max(filter(None, (thread.created_at, thread.asker_spoke_at)))
    if last_word > clock.now() - timedelta(days=days):
        return _("Staff can accept for the asker after %(days)d days without a word from them.") % {"days": days}
    return ""


def why_not_withdraw(user: Any, thread: Thread) -> str:
    if reason := why_not_write(user):
        return reason
    if thread.author_id == user.pk or is_agent(user):
        return ""
    return _("Only the person who asked can take an acceptance back.")


def departments_of(user: Any) -> QuerySet[Department]:
    """The departments somebody may speak for: those they belong to; community managers and superusers any."""
    current = Department.objects.current()
    if not is_agent(user):
        return current.none()
    if user.has_perm("accounts.change_department"):
        return current
    return current.filter(Q(memberships__user=user) | Q(pk=user.department_id)).distinct()


def why_not_official(user: Any, thread: Thread, department: Department | None = None) -> str:
    """For any department, or for this one."""
    if reason := why_not_write(user):
        return reason
    if not is_agent(user):
        return _("Only staff of a department can answer officially.")
    if department is not None and not departments_of(user).filter(pk=department.pk).exists():
        return _("Only people of %(department)s can answer in its name.") % {"department": department}
    return ""


def why_not_say_it_works(user: Any, answer: Answer) -> str:
    """Figures like "41 of 44" are of owners; whoever has the product says so on the shelf first."""
    if reason := why_not_write(user):
        return reason
    if answer.author_id == user.pk:
        return _("This is your own answer; others say whether it works for theirs.")
    product = answer.thread.product
    if product is None:
        return _("This thread names no product, so nobody is known to own it.")
    if not Ownership.objects.filter(owner=user, product=product).exists():
        return _("Owners say whether it works for theirs. Put your %(product)s on your shelf first.") % {
            "product": product.label
        }
    return ""


def why_not_reconcile(user: Any) -> str:
    if reason := why_not_write(user):
        return reason
    return "" if is_agent(user) else _("Only staff of a department can say this.")


def why_not_ask_for_info(user: Any, thread: Thread) -> str:
    if reason := why_not_write(user):
        return reason
    if is_agent(user) or user.is_advocate:
        return ""
    return _("Only staff and advocates can put a thread on hold. You can ask in a comment.")


def why_not_moderate_thread(user: Any) -> str:
    if is_moderator(user) or is_agent(user):
        return ""
    return _("Only staff can do this.")


def why_not_split(user: Any) -> str:
    return "" if is_moderator(user) else _("Only moderators can do this.")


def why_not_see_private(user: Any, thread: Thread) -> str:
    if user.is_authenticated and (thread.author_id == user.pk or user.has_perm("questions.view_privatedetails")):
        return ""
    return _("Only the person who asked and staff can see private details.")


def can_vote(user: Any, post: Thread | Answer) -> bool:
    return not why_not_vote(user, post)


def can_answer(user: Any, thread: Thread) -> bool:
    return not why_not_answer(user, thread)


def can_edit(user: Any, post: Thread | Answer) -> bool:
    return not why_not_edit(user, post)


def can_accept(user: Any, thread: Thread) -> bool:
    return not why_not_accept(user, thread)


def can_make_official(user: Any, thread: Thread) -> bool:
    return not why_not_official(user, thread)


def can_see_private(user: Any, thread: Thread) -> bool:
    return not why_not_see_private(user, thread)
