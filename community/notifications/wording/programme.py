"""What a notice says to advocates and those who may become some; badges and thanks beside it."""

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from advocates import letters
from advocates.models import Badge
from community.core.brand import of_request

from .ground import Facts, Sayings, Words, escaped, plain


def _badge(f: Facts) -> Words:
    badge = Badge.objects.filter(slug=f.event.data.get("badge", "")).first()
    told = {"badge": badge.label if badge else f.event.data.get("badge", "")}
    gone = f.event.kind == "badge.revoked"
    sentence = (_("A badge of yours was taken back: %(badge)s") if gone else _("You earned a badge: %(badge)s")) % told
    made = Words(
        sentence=sentence,
        subject=sentence,
        url=reverse("badges:badge", args=[badge.slug]) if badge else f.reader.get_absolute_url(),
        action=_("See the badge"),
        lines=[badge.sentence] if badge else [],
    )
    note = getattr(f.event, "note", None)
    made.quote = note.text if note else ""
    return made


def _asked_to_help(f: Facts) -> Words:
    if f.event.kind == "advocate.handed_over":
        return _handed_over(f)
    return f.say(
        _("Can you help with “%(title)s”?"), _("Can you help? %(title)s"), _("Read the question"),
        _("A question about something you know well is still open:"),
        _("Nobody sees that you were asked, and you need not answer."), quote=True,
    )  # fmt: skip


def _handed_over(f: Facts) -> Words:
    n = len(f.event.data.get("threads", ()))
    told = {"n": n, "who": str(f.subject)}
    sentence = ngettext(
        "You stand in for %(who)s: %(n)d open question", "You stand in for %(who)s: %(n)d open questions", n
    )
    return plain(
        f, escaped(sentence % told), escaped(sentence % told), _("Open your queue"), reverse("advocates:queue"),
        escaped(_("%(who)s is away, and named you. What was asked of them is in your queue now.") % told),
        _("You need not answer; you can pass."),
    )  # fmt: skip


def _programme(f: Facts) -> Words:
    note = getattr(f.event, "note", None)
    kind = f.event.kind
    if kind == "advocate.invited":
        made = plain(
            f, _("You are invited to become an advocate"), _("Would you like to be an advocate?"),
            _("Read what it means"), reverse("advocates:apply"),
            _("We read what you wrote, and would like to have you among those who help others."),
            _("You say yes or no; saying no costs nothing."),
        )  # fmt: skip
    elif kind == "advocate.removed":
        contact = of_request(None).contact
        lines = [_("Your role as an advocate has ended. What you wrote and earned stays. The reason:")]
        if contact:
            lines.append(escaped(_("You can have it looked at again: write to %(contact)s.") % {"contact": contact}))
        made = plain(
            f, _("Your role as an advocate has ended"), _("Your role as an advocate has ended"), _("Read more"),
            reverse("advocates:mine"), *lines,
        )  # fmt: skip
    elif f.event.data.get("accepted"):
        rows = list(f.subject.products.select_related("product")) if f.subject is not None else []
        told = {
            "products": ", ".join(row.product.label for row in rows if row.accepted),
            "others": ", ".join(row.product.label for row in rows if not row.accepted),
        }
        lines = [_("Your trial was judged, and you were accepted. Thank you for the time you give.")]
        if told["products"]:
            lines.append(escaped(_("Accepted for: %(products)s.") % told))
        if told["others"]:
            lines.append(
                escaped(_("Not this time: %(others)s. What the judges say stands with your application.") % told)
            )
        made = plain(
            f, _("You are an advocate now"), _("Welcome among the advocates"), _("Open your place"),
            reverse("advocates:mine"), *lines,
        )  # fmt: skip
    else:
        made = plain(
            f, _("Your application was not accepted"), _("About your application as an advocate"), _("See your trial"),
            reverse("advocates:apply"), _("Thank you for applying. This time it was not accepted, for this reason:"),
        )  # fmt: skip
    made.quote = note.text if note else ""
    return made


def _judge(f: Facts) -> Words:
    return plain(
        f, _("You are asked to judge an applicant's trial"), _("Would you judge a trial?"), _("Read the answers"),
        f.subject.get_absolute_url(),
        _("Somebody would like to become an advocate. Please say of each answer whether it would have helped."),
        _("You don't see who it is, nor what the other judge says. It takes a quarter of an hour."),
    )  # fmt: skip


def _impact_letter(f: Facts) -> Words:
    letter = f.subject
    told = {"month": letters.month_name(letter)}
    made = plain(
        f, escaped(_("What came of your %(month)s") % told), escaped(_("Your letter: %(month)s") % told),
        _("Read the letter"), letter.get_absolute_url(),
        *[escaped(f"{number} {words}") for number, words in letters.lines(letter)],
        *([escaped(letters.assumption(letter))] if letter.contacts_saved else []),
        *([escaped(_("Thank you. %(who)s") % {"who": letter.signed_by})] if letter.signed_by else [_("Thank you.")]),
    )  # fmt: skip
    return made


def _thanked(f: Facts) -> Words:
    made = plain(
        f, _("%(who)s thanks you for an answer"), _("%(who)s says thank you"), _("Read it"),
        f.subject.get_absolute_url(), _("%(who)s wrote:"),
    )  # fmt: skip
    made.quote = f.subject.body_text
    return made


WORDS: Sayings = {
    "badge": _badge,
    "asked_to_help": _asked_to_help,
    "programme": _programme,
    "judge": _judge,
    "impact_letter": _impact_letter,
    "thanked": _thanked,
}
