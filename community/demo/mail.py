"""The mails that the demo has sent: read from the files they were written to instead of leaving the house."""

from __future__ import annotations

import email
import email.policy
import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import parsedate_to_datetime
from pathlib import Path

from django.conf import settings

SEPARATOR = b"-" * 79  # what Django's file backend writes after each mail
MOST_FILES = 400
LARGEST = 2_000_000


@dataclass(frozen=True)
class Mail:
    """One mail, as its reader would have got it."""

    key: str
    to: str
    sender: str
    subject: str
    sent_at: datetime
    text: str


def folder() -> Path | None:
    """Where mails lie, or None where they really leave."""
    path = settings.EMAIL_FILE_PATH
    return Path(path) if path else None


def newest(limit: int = 100) -> list[Mail]:
    """The newest mails first."""
    place = folder()
    if place is None or not place.is_dir():
        return []
    files = sorted(place.glob("*.log"), key=lambda path: path.stat().st_mtime, reverse=True)[:MOST_FILES]
    found = [mail for path in files for mail in _read(path)]
    return sorted(found, key=lambda mail: mail.sent_at, reverse=True)[:limit]


def find(key: str) -> Mail | None:
    return next((mail for mail in newest(MOST_FILES * 10) if mail.key == key), None)


def _read(path: Path) -> list[Mail]:
    if path.stat().st_size > LARGEST:
        return []
    changed = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    raw = path.read_bytes().replace(b"\r\n", b"\n")
    parts = [part.strip(b"\n") for part in raw.split(SEPARATOR + b"\n")]
    return [_parse(part, changed) for part in parts if part.strip()]


def _parse(raw: bytes, changed: datetime) -> Mail:
    message = email.message_from_bytes(raw, policy=email.policy.default)
    body = message.get_body(("plain", "html")) if isinstance(message, EmailMessage) else None
    try:
        sent = parsedate_to_datetime(str(message["Date"]))
    except (TypeError, ValueError):
        sent = changed
    return Mail(
        key=hashlib.sha256(raw).hexdigest()[:20],
        to=str(message["To"] or ""),
        sender=str(message["From"] or ""),
        subject=str(message["Subject"] or ""),
        sent_at=sent if sent.tzinfo else sent.replace(tzinfo=UTC),
        text=str(body.get_content()) if body else "",
    )
