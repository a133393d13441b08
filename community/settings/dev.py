"""One machine, nothing to install: what `make run` serves."""

import os
import secrets

from .base import *  # noqa: F403
from .base import ALLOWED_HOSTS, DATA_DIR, HOST, SECRET_KEY


def _own_key() -> str:
    """A key of this folder's own: a known one would let anybody who reaches the port forge a session."""
    file = DATA_DIR / "secret-key"
    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return file.read_text().strip()
    key = secrets.token_urlsafe(50)
    with os.fdopen(handle, "w") as opened:
        opened.write(key)
    return key


try:
    DATA_DIR.mkdir(parents=True, exist_ok=True)
    SECRET_KEY = SECRET_KEY or _own_key()
except OSError as error:
    raise SystemExit(f"community: DATA cannot be written ({error.strerror}); expected a folder of yours") from None

if not ALLOWED_HOSTS:
    # Bound to every address means reached by any name.
    ALLOWED_HOSTS = ["*"] if HOST in {"0.0.0.0", "::"} else [".localhost", "127.0.0.1", "[::1]", HOST]  # noqa: S104
INTERNAL_IPS = ["127.0.0.1"]
# No collectstatic on one's own machine: files are served from where they lie.
WHITENOISE_USE_FINDERS = True
STATIC_ROOT = DATA_DIR / "static"
STATIC_ROOT.mkdir(exist_ok=True)
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = True  # passkeys on http://localhost
DEMO_ALLOWED = True
