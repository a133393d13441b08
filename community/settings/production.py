"""A public site. What is missing or wrong stops the start with one line; nothing is guessed."""

import os
from urllib.parse import urlsplit

from .base import *  # noqa: F403
from .base import (
    ALLOWED_HOSTS,
    BASE_URL,
    CACHES,
    DATA_DIR,
    DEBUG,
    DEFAULT_FROM_EMAIL,
    EMAIL,
    LOGGING,
    REDIS_URL,
    SECRET_KEY,
    env,
)
from .environment import stop

if DEBUG:
    stop("DEBUG", "is on", "0: it shows internals to everybody")
if not SECRET_KEY:
    stop("SECRET_KEY", "is missing", "at least 50 random characters")
if len(SECRET_KEY) < 50 or len(set(SECRET_KEY)) < 15 or SECRET_KEY.startswith("django-insecure-"):
    stop("SECRET_KEY", "is too easy to guess", "at least 50 random characters")
if not ALLOWED_HOSTS:
    stop("ALLOWED_HOSTS", "is missing", "the host names of the site, by commas")
if "*" in ALLOWED_HOSTS:
    stop("ALLOWED_HOSTS", "allows every name", "the host names of the site, by commas")
if not env.text("BASE_URL"):
    stop("BASE_URL", "is missing", "such as https://community.example.com")
if not BASE_URL.startswith("https://"):
    stop("BASE_URL", "is not https", "such as https://community.example.com")
_name = urlsplit(BASE_URL).hostname or ""
if not any(_name == host or (host.startswith(".") and ("." + _name).endswith(host)) for host in ALLOWED_HOSTS):
    stop("BASE_URL", "names a host that ALLOWED_HOSTS lacks", "one of ALLOWED_HOSTS")
if not env.text("DATA"):
    stop("DATA", "is missing", "the folder for media (and for the database, without DATABASE_URL)")
if not DATA_DIR.is_dir() or not os.access(DATA_DIR, os.W_OK | os.X_OK):
    stop("DATA", "is not a folder that can be written", "an existing folder that this user owns")
if "EMAIL_HOST" not in EMAIL:
    stop("EMAIL_URL", "is missing", "such as smtp+tls://user:password@host:587 (sign-up needs mail)")
if not env.text("DEFAULT_FROM_EMAIL"):
    stop("DEFAULT_FROM_EMAIL", "is missing", "such as Community <community@example.com>")
SERVER_EMAIL = DEFAULT_FROM_EMAIL

if not REDIS_URL:
    # Limits count in the cache, so the processes must share one: without Redis it is a table.
    for _name, _table in (("default", "cache"), ("readings", "cache_readings")):
        CACHES[_name] |= {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": _table}

if not env.text("LOG_FORMAT"):
    LOGGING["handlers"]["console"]["formatter"] = "json"

STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

# TLS ends at a proxy of TRUSTED_PROXIES or at the server; gunicorn.conf.py decides whose word on it counts.
SECURE_SSL_REDIRECT = True
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]  # asked by machines, inside
SECURE_HSTS_SECONDS = 365 * 24 * 60 * 60
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_HSTS_PRELOAD = True
SESSION_COOKIE_SECURE = True
SESSION_COOKIE_NAME = "__Host-session"
CSRF_COOKIE_SECURE = True
CSRF_COOKIE_NAME = "__Host-csrf"
LANGUAGE_COOKIE_SECURE = True
LANGUAGE_COOKIE_NAME = "__Host-language"
MFA_TRUST_COOKIE_NAME = "__Host-mfa-trusted"
MFA_TRUST_COOKIE_SECURE = True
DEMO_ALLOWED = False
