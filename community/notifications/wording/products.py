"""What a notice says of products, and of what is written about them: releases, reviews, recalls, known issues."""

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from community.accounts.models import User
from community.bridges import releases
from community.bridges.models import ReleaseNote
from community.escalation.models import Incident
from products.models import OwnerAlert, Ownership
from reviews import asking

from .ground import Facts, Sayings, Words


def _who_asked(f: Facts) -> releases.Asked | None:
    """How the reader asked for the change: one look for all who hear."""
    if not hasattr(f.event, "asked"):
        f.event.asked = releases.who_asked(f.subject)  # type: ignore[attr-defined]
    return f.event.asked.get(f.reader.pk)  # type: ignore[attr-defined]


def _you_asked(asked: releases.Asked | None) -> str:
    told = {"title": asked.title if asked else ""}
    if asked is None:
        return _("You asked for this.")
    return {
        "idea": _("Your idea was: “%(title)s”"),
        "thread": _("You wrote: “%(title)s”"),
        "review": _("You wrote in your review: “%(title)s”"),
        "voted": _("You voted for: “%(title)s”"),
        "me_too": _("You have the same as: “%(title)s”"),
    }[asked.how] % told


def _release(f: Facts) -> Words:
    """In person: what they asked, and what changed."""
    note: ReleaseNote = f.subject
    told = {"title": note.title, "product": note.product.label, "did": note.we_did, "version": note.version}
    lines = [_you_asked(_who_asked(f)), _("What we did: %(did)s") % told]
    if note.version:
        lines.append(_("It is in: %(version)s.") % told)
    lines.append(_("Thank you for saying so. In sixty days we ask you once whether it helped."))
    return Words(
        sentence=_("You said, we did: %(title)s") % told,
        subject=_("You said, we did: %(title)s") % told,
        url=f.url,
        action=_("Read what changed"),
        lines=lines,
    )


def _release_helped(f: Facts) -> Words:
    note: ReleaseNote = f.subject
    told = {"title": note.title, "did": note.we_did}
    return Words(
        sentence=_("Did it help? %(title)s") % told,
        subject=_("Did it help? %(title)s") % told,
        url=f"{f.url}#helped",
        action=_("Say whether it helped"),
        lines=[
            _you_asked(_who_asked(f)),
            _("What we did: %(did)s") % told,
            _("That was sixty days ago. One press says whether it helped. In public the answers are numbers."),
        ],
    )


def _review(f: Facts) -> Words:
    sentence, subject, action = {
        "review.published": (
            _("Your review “%(title)s” is online"), _("Your review is online: %(title)s"), _("See it"),
        ),
        "review.refused": (
            _("Your review “%(title)s” needs a change"), _("Your review needs one change: %(title)s"),
            _("Edit and send again"),
        ),
        "review.answered": (
            _("%(department)s answered your review “%(title)s”"), _("%(department)s answered your review: %(title)s"),
            _("Read it"),
        ),
        "bridge.offered": (
            _("May we open a thread for your review “%(title)s”?"), _("May we open a thread? %(title)s"),
            _("See the offer"),
        ),
    }[f.event.kind]  # fmt: skip
    lines = [sentence if sentence.endswith("?") else sentence + "."]
    if f.event.kind == "bridge.offered":
        lines.append(
            _("Somebody would deal with the problem in a thread of its own. Nothing happens unless you agree.")
        )
    if f.event.data.get("code") == "delivery_or_service":
        lines.append(_("If you like, it becomes a problem thread, so that somebody deals with it: one click."))
    if f.event.kind == "review.refused":
        lines.append(_("The reason and the passage stand on its page. Your stars were not the reason and stay."))
    return f.say(sentence, subject, action, *lines)


def _review_request(f: Facts) -> Words:
    """As the house asks (demo/pages.yaml, mails): good or bad, everybody alike, and trouble first where there is."""
    rows = asking.asked_about(f.subject)
    names = ", ".join(row.product.label for row in rows)
    if len(rows) == 1:
        weeks = asking.weeks_since(rows[0])
        told = {"product": rows[0].product.name, "weeks": weeks}
        subject = (
            ngettext(
                "How is the %(product)s, after %(weeks)d week?", "How is the %(product)s, after %(weeks)d weeks?", weeks
            )
            % told
        )
        had = (
            ngettext(
                "You have had your %(product)s for %(weeks)d week. People who are thinking about one would like to "
                "know what you think.",
                "You have had your %(product)s for %(weeks)d weeks. People who are thinking about one would like to "
                "know what you think.",
                weeks,
            )
            % told
        )
    else:
        subject = _("How do you like them? %(products)s") % {"products": names}
        had = _(
            "You have had these for some weeks. People who are thinking about one would like to know what you think."
        )
    if f.event.data.get("reminder"):
        subject = _("Once more, and then no more: how do you like it? %(products)s") % {"products": names}
    first = rows[0].product.slug if rows else ""
    return Words(
        sentence=_("How do you like it? %(products)s") % {"products": names},
        subject=subject,
        url=reverse("reviews:write", args=[first]) if len(rows) == 1 else reverse("shelf:shelf"),
        action=_("Write a review"),
        lines=[
            had,
            _("Please tell them what is good and what is not. We can't change a star, and we ask everybody, not only "
              "those who are happy."),
            _("Choose a star to begin. Nothing is published before you have written it and sent it off."),
        ],
        rated=[
            (row.product.name, [(n, f"{reverse('reviews:asked', args=[asking.token_for(row)])}?stars={n}")
                                for n in range(1, 6)])
            for row in rows
        ],
        more=[(_("Is something wrong with it? Tell us first, and it will be looked after"),
               f"{reverse('questions:ask')}?kind=problem" + (f"&product={first}" if len(rows) == 1 else ""))],
    )  # fmt: skip


def _recall(f: Facts) -> Words:
    alert: OwnerAlert = f.subject
    title, steps = alert.told
    told = {"product": alert.product.name, "title": title}
    return Words(
        sentence=_("Please stop using your %(product)s: %(title)s") % told,
        subject=_("Please stop using your %(product)s: %(title)s") % told,
        url=alert.get_absolute_url(),
        action=_("What to do"),
        lines=[
            *steps,
            *_whose(alert, f.reader),
            _("You get this because a %(product)s is on your shelf. What you can do now, and what we do for you, is on "
              "the page below.") % told,
            _("If you gave it to somebody else, please pass this on."),
        ],
    )  # fmt: skip


def _known_issue(f: Facts) -> Words:
    alert: OwnerAlert = f.subject
    title, text = alert.told
    told = {"product": alert.product.name, "title": title}
    if f.event.kind == "alert.ended":
        sentence = _("Solved, for your %(product)s: %(title)s") % told
        lines = [_("We told you of a known issue of your %(product)s. It is solved.") % told]
    else:
        sentence = _("Known issue with your %(product)s: %(title)s") % told
        lines = [*text, _("You get this because a %(product)s is on your shelf.") % told]
    return Words(sentence, sentence, alert.get_absolute_url(), _("What to do"), lines)


def _whose(alert: OwnerAlert, reader: User) -> list[str]:
    """For owners who have not said which version is theirs."""
    names = [version.said.name for version in alert.versions.all()]
    if not names or Ownership.objects.filter(owner=reader, product=alert.product_id, version=None).first() is None:
        return []
    return [_("It concerns: %(versions)s. You have not said which one yours is, so please look.") % {
        "versions": ", ".join(names)
    }]  # fmt: skip


def _shared(f: Facts) -> Words:
    sentence = _("%(who)s made “%(title)s”") if f.event.kind == "recipe.made" else _("“%(title)s” worked for %(who)s")
    return f.say(sentence, sentence, _("See it"), sentence + ".")


def _incident(f: Facts) -> Words:
    incident: Incident = f.subject
    told = {"product": incident.product.name, "title": incident.title}
    sentence = _("Solved, for your %(product)s: %(title)s") % told
    return Words(
        sentence, sentence, incident.get_absolute_url(), _("What solves it"),
        [_("You asked about this, or said that you have the same."), *incident.solution.splitlines()],
    )  # fmt: skip


WORDS: Sayings = {
    "release": _release,
    "release_helped": _release_helped,
    "review": _review,
    "review_request": _review_request,
    "recall": _recall,
    "known_issue": _known_issue,
    "incident": _incident,
    "shared": _shared,
}
