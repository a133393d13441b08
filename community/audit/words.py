"""What acts are called on the screen."""

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

# Groups of acts one can ask for: the beginning of their kinds.
GROUPS = {
    "posts": (_("Posts"), ("thread.", "answer.", "comment.", "recipe.", "tip.", "thanks.", "edit.", "tag.", "flag.",
                           "moderation.", "idea.", "release.")),
    "reviews": (_("Reviews"), ("review.", "bridge.")),
    "people": (_("People and roles"), ("person.", "ownership.", "votes.")),
    "cases": (_("Cases"), ("escalation.", "incident.")),
    "settings": (_("Settings and rules"), ("settings.", "policy.", "insights.", "admin.", "product.", "alert.",
                                           "help_article.")),
    "programme": (_("Advocates and badges"), ("advocate.", "badge.")),
    "personal": (_("Personal data seen"), ("personal.",)),
    "exports": (_("Taken out as a file"), ("data.",)),
    "commands": (_("Commands"), ("command.",)),
}  # fmt: skip

LABELS = {
    "admin.acted": _("Did something in the admin"),
    "advocate.away": _("Set an advocate away or back"),
    "advocate.code_published": _("Published a code of conduct"),
    "advocate.decided": _("Decided an application"),
    "advocate.handed_over": _("Handed open questions over"),
    "advocate.invited": _("Invited to become an advocate"),
    "advocate.joined": _("Made somebody an advocate"),
    "advocate.judge_asked": _("Asked a judge"),
    "advocate.left": _("Let an advocate go"),
    "advocate.removed": _("Took the role of an advocate away"),
    "alert.ended": _("Ended a recall or known issue"),
    "alert.issued": _("Told owners of a recall or known issue"),
    "alert.widened": _("Widened a recall or known issue"),
    "answer.accepted": _("Accepted an answer for the asker"),
    "answer.deleted": _("Deleted an answer"),
    "answer.edited": _("Edited an answer"),
    "answer.hidden": _("Hid an answer"),
    "answer.made_official": _("Marked an answer official"),
    "answer.official_withdrawn": _("Took an official mark back"),
    "answer.restored": _("Showed an answer again"),
    "answer.unaccepted": _("Withdrew an acceptance"),
    "badge.given_by_hand": _("Gave a badge by hand"),
    "bridge.offered": _("Offered to deal with a review in a thread"),
    "command.run": _("A command changed data"),
    "comment.deleted": _("Deleted a comment"),
    "comment.edited": _("Edited a comment"),
    "comment.hidden": _("Hid a comment"),
    "comment.restored": _("Showed a comment again"),
    "data.exported": _("Took data out as a file"),
    "edit.accepted": _("Took a suggested edit over"),
    "edit.rejected": _("Refused a suggested edit"),
    "escalation.acknowledged": _("Acknowledged a case"),
    "escalation.assigned": _("Gave a case to somebody"),
    "escalation.handed_off": _("Handed a case off"),
    "escalation.outcome_posted": _("Posted the outcome of a hand-off"),
    "escalation.paused": _("Paused a clock"),
    "escalation.promise_kept": _("Kept a promise"),
    "escalation.promise_made": _("Promised something"),
    "escalation.reopened": _("Opened a case again"),
    "escalation.resolved": _("Settled a case"),
    "escalation.resumed": _("Let a clock run again"),
    "escalation.routed": _("Sent a case to another department"),
    "flag.declined": _("Declined a flag"),
    "flag.upheld": _("Agreed with a flag"),
    "help_article.published": _("Published a help article"),
    "help_article.withdrawn": _("Withdrew a help article"),
    "idea.status_changed": _("Gave an idea a status"),
    "incident.closed": _("Closed a known fault"),
    "incident.opened": _("Opened a known fault"),
    "insights.input_changed": _("Changed an input of cost and return"),
    "moderation.approved": _("Let a waiting post through"),
    "ownership.verified": _("Confirmed an owner, or took that back"),
    "person.merged": _("Joined two accounts of one person"),
    "person.restored": _("Lifted a suspension"),
    "person.role_changed": _("Gave a role"),
    "person.silenced": _("Silenced somebody"),
    "person.suspended": _("Suspended somebody"),
    "personal.viewed": _("Saw personal data"),
    "policy.changed": _("Changed an escalation policy"),
    "product.changed": _("Changed a product"),
    "product.published": _("Published a product page"),
    "product.withdrawn": _("Withdrew a product page"),
    "recipe.deleted": _("Deleted a recipe"),
    "recipe.featured": _("Featured a recipe"),
    "recipe.hidden": _("Hid a recipe"),
    "recipe.restored": _("Showed a recipe again"),
    "release.edited": _("Changed a release note"),
    "release.published": _("Published a release note"),
    "review.answered": _("Answered a review for the brand"),
    "review.hidden": _("Hid a review"),
    "review.refused": _("Sent a review back"),
    "review.restored": _("Showed a review again"),
    "settings.changed": _("Changed a setting"),
    "settings.created": _("Made a setting"),
    "settings.removed": _("Removed a setting"),
    "tag.changed": _("Changed a tag"),
    "thread.closed": _("Closed a thread"),
    "thread.deleted": _("Deleted a thread"),
    "thread.edited": _("Edited a thread"),
    "thread.hidden": _("Hid a thread"),
    "thread.locked": _("Locked or unlocked a thread"),
    "thread.marked_duplicate": _("Marked a duplicate"),
    "thread.merged": _("Merged threads"),
    "thread.moved": _("Moved a thread"),
    "thread.needs_info": _("Asked for information"),
    "thread.recheck_opened": _("Opened a re-check"),
    "thread.recheck_settled": _("Settled a re-check"),
    "thread.reopened": _("Opened a thread again"),
    "thread.restored": _("Showed a thread again"),
    "thread.solved": _("Marked a thread solved"),
    "tip.deleted": _("Deleted a tip"),
    "tip.featured": _("Featured a tip"),
    "tip.hidden": _("Hid a tip"),
    "tip.restored": _("Showed a tip again"),
    "votes.given_back": _("Gave votes back"),
    "votes.taken_out": _("Took votes out of the count"),
}

SEEN = {
    "private_details": _("private details of a thread"),
    "email": _("e-mail address, by searching for it"),
    "shelf": _("products on the shelf"),
    "application": _("application to become an advocate"),
    "account": _("account page of the staff"),
}


def of_group(name: str) -> Q:
    """The acts of a group, for a query."""
    found = Q()
    for beginning in GROUPS[name][1]:
        found |= Q(kind__startswith=beginning)
    return found


def label(kind: str) -> str:
    """What an act is called; the kind itself where nobody gave it a name."""
    return str(LABELS.get(kind, kind))
