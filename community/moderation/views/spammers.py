"""Taking somebody for a spammer, and giving it back."""

from collections import Counter

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from wagtail.admin import messages

from community.accounts.models import User
from community.core.errors import Conflict, NotAllowed

from .. import spam
from ..forms import SpammerForm
from ..models import SpamAct
from .gate import for_moderators


@for_moderators
def spammer(request: HttpRequest, pk: int) -> HttpResponse:
    """Asks once more, with what would go; then does it, or undoes it."""
    person = get_object_or_404(User, pk=pk)
    act = SpamAct.objects.filter(person=person, undone_at=None).select_related("by").first()
    posts = spam.posts_of(person)
    if act is not None and person.is_active and posts:  # let in since, and wrote again
        act = None
    closed = spam.why_not(request.user, person)  # type: ignore[arg-type]
    form, status = SpammerForm(), 200
    if request.method == "POST":
        form, status = SpammerForm(request.POST), 422
        if form.is_valid():
            reason = form.cleaned_data["reason"]
            try:
                if act is None:
                    spam.delete_spammer(person, request.user, reason=reason)  # type: ignore[arg-type]
                    messages.success(request, _("All of it is hidden, and the account is closed."))
                else:
                    spam.undo(act, request.user, reason=reason)  # type: ignore[arg-type]
                    messages.success(request, _("It is as it was before."))
                return HttpResponseRedirect(request.path, status=303)
            except (Conflict, NotAllowed) as problem:
                form.add_error(None, problem.reason)
                status = 403
    found = Counter(str(post._meta.verbose_name) for post in posts) if act is None else Counter()
    context = {"person": person, "act": act, "closed": closed, "form": form, "found": sorted(found.items())}
    return TemplateResponse(request, "moderation/spammer.html", context, status=status)
