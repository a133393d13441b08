"""Django's mail backend: every mail of the site, allauth's codes among them, becomes a row of the outbox first.

So a sign-up survives a dead mail server, and a mail exists only if the transaction that caused it did.
"""

from collections.abc import Sequence
from email.utils import parseaddr

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend

from . import outbox


class OutboxBackend(BaseEmailBackend):
    """Writes one delivery for each recipient; MAIL_TRANSPORT sends them later."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        return sum(self._queue(message) for message in email_messages)

    def _queue(self, message: EmailMessage) -> bool:
        if message.attachments:
            raise ValueError("The outbox holds no attachments: link to the file instead.")
        headers = dict(message.extra_headers)
        headers.pop("Message-ID", None)  # the row gives it
        if message.from_email and message.from_email != settings.DEFAULT_FROM_EMAIL:
            headers.setdefault("From", message.from_email)
        if message.reply_to:
            headers.setdefault("Reply-To", ", ".join(message.reply_to))
        html = next(
            (str(part.content) for part in getattr(message, "alternatives", []) if part.mimetype == "text/html"), ""
        )
        text = str(message.body)
        if message.content_subtype == "html":
            html, text = text, outbox.text.plain_text(text)
        taken = False
        for recipient in dict.fromkeys(message.recipients()):
            try:
                outbox.queue(
                    kind=outbox.TRANSACTIONAL,
                    address=parseaddr(recipient)[1],
                    subject=str(message.subject),
                    text=text,
                    html=html,
                    headers=headers,
                )
                taken = True
            except (ValidationError, ValueError):
                if not self.fail_silently:
                    raise
        return taken
