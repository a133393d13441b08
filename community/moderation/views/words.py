"""The words that are watched."""

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from wagtail.admin import messages

from .. import screening, services, words
from ..forms import WordForm
from ..models import WatchedWord
from .gate import for_moderators


@for_moderators
def watched_words(request: HttpRequest) -> HttpResponse:
    """The words that are watched; add one, take one away, and try what a text would meet."""
    form, tried, found, status = WordForm(), "", None, 200
    if request.method == "POST" and "try" in request.POST:
        tried = request.POST.get("text", "")[:20_000]
        known = screening.watched()
        found = screening.words_found(words.tokens(tried), known)
    elif request.method == "POST" and "remove" in request.POST:
        pk = request.POST["remove"]
        if not pk.isdecimal() or len(pk) > 18:
            raise Http404
        services.unwatch(get_object_or_404(WatchedWord, pk=pk), request.user)  # type: ignore[arg-type]
        messages.success(request, _("This word is not watched any more."))
        return HttpResponseRedirect(reverse("moderation:words"), status=303)
    elif request.method == "POST":
        form, status = WordForm(request.POST), 422
        if form.is_valid():
            services.watch(request.user, **form.cleaned_data)  # type: ignore[arg-type]
            messages.success(request, _("This word is watched from now on."))
            return HttpResponseRedirect(reverse("moderation:words"), status=303)
    context = {
        "form": form, "rows": WatchedWord.objects.select_related("added_by"), "tried": tried, "found": found,
        "link_act": WatchedWord.Act.LINK,
    }  # fmt: skip
    return TemplateResponse(request, "moderation/words.html", context, status=status)
