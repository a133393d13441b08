"""Pages of the demo alone: the mails that nobody's mailbox gets. They do not exist anywhere else."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.html import urlize
from django.utils.safestring import SafeString
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from . import files, logins
from . import mail as mails


def _only_in_the_demo() -> None:
    if not logins.is_demo() or mails.folder() is None:
        raise Http404


@require_safe
@never_cache
def mail_list(request: HttpRequest) -> HttpResponse:
    """Mails, newest first, and the codes that the staff of the demo are asked for."""
    _only_in_the_demo()
    context = {"mails": mails.newest(), "codes": logins.codes(), "receipts": _receipt_codes()}
    return render(request, "demo/mail.html", context)


def _receipt_codes() -> list[tuple[str, str]]:
    """Product and code, of the codes that the demo's files give away to try."""
    file = Path(settings.ROOT) / "demo" / "shelf.yaml"
    batches = files.parse(file.read_text(encoding="utf-8"), file.name).get("codes", []) if file.is_file() else []
    return [(batch["product"], code) for batch in batches for code in batch["codes"]]


@require_safe
@never_cache
def mail_read(request: HttpRequest, key: str) -> HttpResponse:
    """One mail, as plain text with its links."""
    _only_in_the_demo()
    mail = mails.find(key)
    if mail is None:
        raise Http404
    return render(request, "demo/mail_read.html", {"mail": mail, "text": _with_links(mail.text)})


def _with_links(text: str) -> SafeString:
    return SafeString(urlize(text, nofollow=True, autoescape=True))


def context(request: HttpRequest) -> dict[str, Any]:
    """`is_demo` for the pages one signs in on: where the mails are."""
    return {"is_demo": logins.is_demo}
