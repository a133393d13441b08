"""Every kind of notice: what it is called in the settings, and how one hears of it unless one chose otherwise."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True)
class Kind:
    slug: str
    label: str | Promise
    mail: bool = True
    staff: bool = False
    advocates: bool = False
    by_its_room: bool = False  # the room that knows what it says writes the mail itself, for no event
    always: bool = False  # about safety: it can't be switched off, here or by mail (privacy page, decision 0146)


KINDS: dict[str, Kind] = {
    kind.slug: kind
    for kind in (
        Kind("new_answer", _("An answer to a thread you asked or follow")),
        Kind("new_comment", _("A comment where you take part")),
        Kind("mention", _("Somebody mentions you")),
        Kind("answer_accepted", _("An answer of yours is accepted")),
        Kind("official_answer", _("A department answers officially")),
        Kind("solved", _("A thread you follow is solved"), mail=False),
        Kind("acknowledged", _("Somebody of the staff looks after your question")),
        Kind("needs_info", _("Somebody needs to know more from you")),
        Kind("thread_state", _("Your thread is settled by staff, reopened, closed or asked before")),
        Kind("reminder", _("A reminder to say whether an answer settled it")),
        Kind("accepted_for_you", _("Staff accept an answer to your question for you")),
        Kind("follow_up", _("Three days later: whether what you accepted still works")),
        Kind("new_thread", _("A new thread about a product or tag you follow"), mail=False),
        Kind("own_idea", _("News about an idea of yours")),
        Kind("idea_status", _("News about an idea you voted for or follow")),
        Kind("release", _("Something you asked for has changed")),
        Kind("release_helped", _("Sixty days later: whether a change you asked for helped")),
        Kind("review", _("News about your reviews")),
        Kind("review_request", _("How you like what you bought: a request for a review")),
        Kind("recall", _("A recall of a product on your shelf"), always=True),
        Kind("known_issue", _("A known issue of a product on your shelf")),
        Kind("incident", _("What you asked about was a known issue, and is solved")),
        Kind("shared", _("Somebody made your recipe or tried your tip"), mail=False),
        Kind("edit_suggested", _("Somebody suggests or takes over an edit to a post of yours"), mail=False),
        Kind("edit_reviewed", _("An edit you suggested is decided"), mail=False),
        Kind("invited", _("Somebody thinks you can help with a thread")),
        Kind("badge", _("You earned a badge"), mail=False),
        Kind("moderation", _("A moderator did something about a post of yours, or about your flag")),
        Kind("asked_to_help", _("You are asked to help with a question"), advocates=True),
        Kind("programme", _("News about your application or your place among the advocates")),
        Kind("judge", _("You are asked to judge an applicant's trial"), advocates=True),
        Kind("impact_letter", _("The letter about what came of your month as an advocate"), advocates=True),
        Kind("thanked", _("Somebody thanks you for an answer")),
        Kind("case_department", _("A thread reaches your department"), staff=True),
        Kind("case_assigned", _("A case is yours"), staff=True),
        Kind("case_answered", _("The customer writes in a case of yours"), staff=True),
        Kind("cases_handed", _("A colleague hands cases over"), staff=True),
        Kind("case_lead", _("A case reaches you as lead or manager"), staff=True),
        Kind("case_late", _("A case of yours is late"), staff=True),
        Kind("queue_late", _("Posts in the moderators' queue wait too long"), staff=True),
        Kind("weekly_figures", _("The figures of your department, once a week by mail"), staff=True, by_its_room=True),
        Kind("reconcile", _("You are to reconcile two answers that disagree"), staff=True),
    )
}
