"""The code of conduct: its versions, and who accepted which."""

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from community.accounts.models import User
from community.core import clock, text
from community.core.body import write_body
from community.core.errors import Conflict, require
from community.core.rows import retried
from community.events.log import is_replaying, record

from .. import permissions
from ..models import CodeAcceptance, CodeOfConduct


def current_code() -> CodeOfConduct:
    """The version that holds now; the first one comes with the house."""
    return CodeOfConduct.objects.order_by("-version")[:1].get()


@retried
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


@retried
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
