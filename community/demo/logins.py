"""The demo's logins: made when the story is told, written down once, and known to nobody else."""

from __future__ import annotations

import os
import secrets
import time
from dataclasses import dataclass
from pathlib import Path

from allauth.mfa import app_settings as mfa
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, generate_totp_secret, hotp_value
from allauth.mfa.utils import decrypt
from django.conf import settings
from django.db import transaction

from community.accounts.models import User

# Who can be walked in as, and as what. The order is the order of the page.
CAST = {
    "alice.meyer": "customer",
    "bob.ferreira": "advocate",
    "mei.tanaka": "agent",
    "hanna.virtanen": "community manager",
    "eli.brook": "editor",
    "ravi.menon": "moderator",
}
WORDS = (
    "amber", "barista", "bloom", "boiler", "burr", "carafe", "copper", "cortado", "crema", "cup", "drip", "ember",
    "filter", "gasket", "grind", "kettle", "lever", "linen", "lungo", "mill", "morning", "moss", "pour", "press",
    "puck", "ristretto", "roast", "saucer", "scale", "spoon", "steam", "tamper", "window",
)  # fmt: skip


@dataclass(frozen=True)
class Login:
    username: str
    name: str
    role: str
    password: str


def file() -> Path:
    return Path(settings.DATA_DIR) / "demo-logins.txt"


def is_demo() -> bool:
    """Whether this installation shows the demo: allowed by its settings, and loaded."""
    return bool(settings.DEMO_ALLOWED) and file().exists()


def new_password() -> str:
    """Easy to type, hard to guess: four words and a number."""
    return "-".join([*(secrets.choice(WORDS) for _ in range(4)), str(secrets.randbelow(9000) + 1000)])


def make() -> list[Login]:
    """Give the cast passwords and its staff a second factor, and write the logins down. Returns them.

    Nothing happens where they are written down already.
    """
    if file().exists():
        return []
    logins = []
    with transaction.atomic():
        for user in User.objects.filter(username__in=CAST).order_by("pk"):
            password = new_password()
            user.set_password(password)
            user.save(update_fields=["password"])
            logins.append(Login(user.username, user.name, CAST[user.username], password))
        for user in User.objects.filter(standing="staff").exclude(authenticator__type=Authenticator.Type.TOTP):
            TOTP.activate(user, generate_totp_secret())
        logins.sort(key=lambda login: list(CAST).index(login.username))
        _write(logins)
    return logins


def _write(logins: list[Login]) -> None:
    wide = (
        max((len(login.role) for login in logins), default=0),
        max((len(login.username) for login in logins), default=0),
    )
    lines = [f"  {login.role:<{wide[0]}}  {login.username:<{wide[1]}}  {login.password}" for login in logins]
    said = "\n".join(
        [
            "Demo logins, for this copy only (mails, and the codes that staff are asked for: /demo/mail/)",
            *lines,
            "",
        ]
    )
    target = file()
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_suffix(".new")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as opened:
        opened.write(said)
    draft.replace(target)


def codes() -> list[tuple[User, str, str]]:
    """The staff of the demo with the code their second factor shows at this moment: person, role, code."""
    found = (
        Authenticator.objects.filter(type=Authenticator.Type.TOTP, user__standing="staff")
        .select_related("user__department")
        .order_by("user__name")
    )
    shown = []
    for factor in found:
        # By the clock of the machine, as allauth does.
        code = format_hotp_value(hotp_value(decrypt(factor.data["secret"]), int(time.time()) // mfa.TOTP_PERIOD))
        shown.append((factor.user, CAST.get(factor.user.username, ""), code))
    return sorted(shown, key=lambda row: (row[1] == "", row[0].name))
