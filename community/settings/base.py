"""Settings that every environment shares. The environment is read here and nowhere else (docs/running.md)."""

import os
from pathlib import Path
from typing import Any

from csp.constants import NONE, SELF, UNSAFE_INLINE
from django.utils.translation import gettext_lazy as _

from .environment import Environment

env = Environment(os.environ)
ROOT = Path(__file__).resolve().parent.parent.parent

# --- The environment -------------------------------------------------------------------------------------------------

# Where the database, the media and the demo's mail lie on one machine (`make run DATA=...`).
DATA_DIR = env.folder("DATA", ROOT / "data")
HOST = env.host("HOST", "127.0.0.1")
PORT = env.number("PORT", default=8000, least=1, most=65535)
_local = "127.0.0.1" if HOST in {"0.0.0.0", "::"} else HOST  # noqa: S104  (compared, not bound)
BASE_URL = env.site("BASE_URL", f"http://{_local}:{PORT}")
SECRET_KEY = env.text("SECRET_KEY")
SECRET_KEY_FALLBACKS = env.words("SECRET_KEY_FALLBACKS")
ALLOWED_HOSTS = env.hosts("ALLOWED_HOSTS")
TRUSTED_PROXIES = env.networks("TRUSTED_PROXIES")
DATABASES: dict[str, dict[str, Any]] = {"default": env.database("DATABASE_URL", DATA_DIR / "community.sqlite3")}
REDIS_URL = env.redis("REDIS_URL")
ELASTICSEARCH_URL = env.search("ELASTICSEARCH_URL")
EMAIL = env.mail("EMAIL_URL", DATA_DIR / "mail")
DEFAULT_FROM_EMAIL = env.address("DEFAULT_FROM_EMAIL", "Community <community@localhost>")
STATIC_ROOT = env.folder("STATIC_ROOT", ROOT / "staticfiles")
SERVE_MEDIA = env.flag("SERVE_MEDIA", default=True)
WEB_WORKERS = env.number("WEB_WORKERS", default=1, least=1, most=64)
WEB_THREADS = env.number("WEB_THREADS", default=8, least=1, most=64)
DEBUG = env.flag("DEBUG", default=False)
OUTGOING_PORTS = env.ports("OUTGOING_PORTS", [80, 443])
LOG_LEVEL = env.choice("LOG_LEVEL", ["DEBUG", "INFO", "WARNING", "ERROR"], default="INFO")
LOG_FORMAT = env.choice("LOG_FORMAT", ["text", "json"], default="text")
TEST_DB = env.text("TEST_DB")
SPAM_CLASSIFIER = env.text("SPAM_CLASSIFIER", "community.moderation.classifier.Learnt")

# --- Apps and middleware ---------------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "community.core",
    "community.events",
    "community.accounts",
    "products",
    "community.moderation",
    "community.posts",
    "community.questions",
    "community.sharing",
    "reviews",
    "community.bridges",
    "advocates",
    "community.escalation",
    "community.notifications",
    "community.search",
    "community.pages",
    "community.insights",
    "community.audit",
    "community.people",
    "community.portability",
    "community.demo",
    "wagtail.contrib.forms",
    "wagtail.contrib.redirects",
    "wagtail.contrib.settings",
    "wagtail.contrib.typed_table_block",
    "wagtail.embeds",
    "wagtail.sites",
    "wagtail.users",
    "wagtail.snippets",
    "wagtail.documents",
    "wagtail.images",
    "wagtail.search",
    "wagtail.admin",
    "wagtail",
    "modelcluster",
    "taggit",
    "allauth",
    "allauth.account",
    "allauth.socialaccount",
    "allauth.mfa",
    "allauth.usersessions",
    "notifications",
    "django_tasks",
    "django_tasks_db",
    "django_htmx",
    "csp",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.sitemaps",
    "django.contrib.humanize",
    "django.contrib.staticfiles",
    "django.forms",
]

MIDDLEWARE = [
    "community.core.proxies.TrustedProxyMiddleware",
    "community.core.middleware.RequestIdMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "community.core.middleware.HeadersMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "community.core.middleware.PageLanguageMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "allauth.usersessions.middleware.UserSessionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "community.core.middleware.SecondFactorMiddleware",
    "community.events.middleware.AuditMiddleware",
    "community.core.middleware.RefusalMiddleware",
    "wagtail.contrib.redirects.middleware.RedirectMiddleware",
]

ROOT_URLCONF = "community.urls"
WSGI_APPLICATION = "community.wsgi.application"
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [ROOT / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "wagtail.contrib.settings.context_processors.settings",
                "community.core.context.brand",
                "community.accounts.context.departments",
                "community.notifications.context.unread",
                "community.demo.views.context",
            ],
            "builtins": ["django.templatetags.i18n"],
        },
    },
]

# --- Engines ---------------------------------------------------------------------------------------------------------

if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # IMMEDIATE: a writer waits its turn at the start of a transaction instead of failing at its first write.
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA mmap_size=134217728;",
    }
else:
    # The pool keeps connections, so Django must not; one for each thread and some for the worker's own.
    DATABASES["default"]["CONN_MAX_AGE"] = 0
    DATABASES["default"]["OPTIONS"]["pool"] = {"min_size": 1, "max_size": WEB_THREADS + 4, "timeout": 10}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Sign-in attempts count in "default", so nothing that every visitor makes stands there: a cache that is full forgets
# what it likes. Who has read what (one key per reader and thread, for half an hour) has "readings" to itself.
CACHE_ENTRIES = 100_000
CACHES: dict[str, dict[str, Any]] = {
    name: {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        "LOCATION": name,
        "max_entries": CACHE_ENTRIES,
    }
    for name in ("default", "readings")
}
if REDIS_URL:
    for _name, _prefix in (("default", "community"), ("readings", "community-readings")):
        CACHES[_name] = {
            "BACKEND": "community.core.cache.SteadyRedisCache",
            "LOCATION": REDIS_URL,
            "KEY_PREFIX": _prefix,
            "max_entries": CACHE_ENTRIES,  # of this process's memory while Redis is away
        }

TASKS: dict[str, dict[str, Any]] = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}

# Every mail is a row of the outbox first; the worker hands it to MAIL_TRANSPORT (community/core/mail.py).
EMAIL_BACKEND = "community.core.mail.OutboxBackend"
MAIL_TRANSPORT = EMAIL["MAIL_TRANSPORT"]
EMAIL_FILE_PATH = EMAIL.get("EMAIL_FILE_PATH")
EMAIL_HOST = EMAIL.get("EMAIL_HOST", "localhost")
EMAIL_PORT = EMAIL.get("EMAIL_PORT", 25)
EMAIL_HOST_USER = EMAIL.get("EMAIL_HOST_USER", "")
EMAIL_HOST_PASSWORD = EMAIL.get("EMAIL_HOST_PASSWORD", "")
EMAIL_USE_TLS = EMAIL.get("EMAIL_USE_TLS", False)
EMAIL_USE_SSL = EMAIL.get("EMAIL_USE_SSL", False)
EMAIL_TIMEOUT = 10
SERVER_EMAIL = DEFAULT_FROM_EMAIL

WAGTAILSEARCH_BACKENDS = {"default": {"BACKEND": "wagtail.search.backends.database"}}

# --- Accounts --------------------------------------------------------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "community.accounts.backends.Permissions",
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "community.accounts.passwords.NotAboutYou"},
    {"NAME": "community.accounts.passwords.LongEnough", "OPTIONS": {"min_length": 10}},
    {"NAME": "community.accounts.passwords.NotCommon"},
    {"NAME": "community.accounts.passwords.NotOnlyDigits"},
]
PASSWORD_RESET_TIMEOUT = 60 * 60
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/"

ACCOUNT_LOGIN_METHODS = {"email", "username"}
ACCOUNT_ADAPTER = "community.accounts.adapter.AccountAdapter"
ACCOUNT_FORMS = {
    "signup": "community.accounts.forms.JoinForm",
    "login": "community.accounts.doors.LoginForm",
    "request_login_code": "community.accounts.doors.RequestLoginCodeForm",
    "confirm_login_code": "community.accounts.doors.ConfirmLoginCodeForm",
    "confirm_email_verification_code": "community.accounts.doors.ConfirmAddressForm",
    "confirm_password_reset_code": "community.accounts.doors.ConfirmPasswordResetForm",
    "change_email": "community.accounts.doors.OtherAddressForm",
    "add_email": "community.accounts.doors.AddressForm",
    "change_password": "community.accounts.doors.ChangePasswordForm",
    "set_password": "community.accounts.doors.SetPasswordForm",
    "reset_password": "community.accounts.doors.ResetPasswordForm",
    "reset_password_from_key": "community.accounts.doors.NewPasswordForm",
    "reauthenticate": "community.accounts.doors.ReauthenticateForm",
}
ACCOUNT_SIGNUP_FIELDS = ["email*", "username*", "password1"]
ACCOUNT_USERNAME_MIN_LENGTH = 3
ACCOUNT_UNIQUE_EMAIL = True
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED = True
ACCOUNT_EMAIL_VERIFICATION_SUPPORTS_RESEND = True
ACCOUNT_EMAIL_VERIFICATION_SUPPORTS_CHANGE = True
ACCOUNT_LOGIN_BY_CODE_ENABLED = True
ACCOUNT_LOGIN_BY_CODE_SUPPORTS_RESEND = True
ACCOUNT_LOGIN_BY_CODE_TIMEOUT = 15 * 60
# A code instead of a link: mail scanners open links, and a link's host can be talked about.
ACCOUNT_PASSWORD_RESET_BY_CODE_ENABLED = True
ACCOUNT_PASSWORD_RESET_BY_CODE_TIMEOUT = 15 * 60
ACCOUNT_CHANGE_EMAIL = True
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_REAUTHENTICATION_TIMEOUT = 15 * 60
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_DEFAULT_HTTP_PROTOCOL = BASE_URL.partition("://")[0]
ACCOUNT_RATE_LIMITS = {
    # The 11th wrong password for one account in ten minutes, the 31st from one address in an hour.
    "login_failed": "30/1h/ip,10/10m/key",
    "signup": "20/1h/ip",
    "reset_password": "20/1h/ip,3/1h/key",
    "request_login_code": "20/1h/ip,6/1h/key",
}

MFA_ADAPTER = "community.accounts.adapter.FactorAdapter"
MFA_FORMS = {
    "authenticate": "community.accounts.doors.FactorForm",
    "reauthenticate": "community.accounts.doors.FactorAgainForm",
    "activate_totp": "community.accounts.doors.ActivateAppForm",
    "add_webauthn": "community.accounts.doors.AddKeyForm",
    "edit_webauthn": "community.accounts.doors.RenameKeyForm",
}
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_PASSKEY_SIGNUP_ENABLED = False
MFA_TOTP_TOLERANCE = 1
USERSESSIONS_TRACK_ACTIVITY = False  # it would write a row on every request

SESSION_ENGINE = "django.contrib.sessions.backends.db"
SESSION_COOKIE_AGE = 14 * 24 * 60 * 60
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_TRUSTED_ORIGINS = [BASE_URL]
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SAMESITE = "Lax"
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"

# --- Languages, files ------------------------------------------------------------------------------------------------

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("de", _("German"))]
# What has an address in each language, such as /de/products/duo/.
PAGE_VIEWS = {"wagtail_serve", "products:product", "products:share", "products:leaflet"}
LOCALE_PATHS = [ROOT / "locale"]
FORMAT_MODULE_PATH = ["community.formats"]
TIME_ZONE = "UTC"
USE_I18N = True
USE_TZ = True

STATIC_URL = "/static/"
STATICFILES_DIRS = [ROOT / "static"]
MEDIA_URL = "/media/"
MEDIA_ROOT = DATA_DIR / "media"
FILE_UPLOAD_PERMISSIONS = 0o644
DATA_UPLOAD_MAX_MEMORY_SIZE = 2_621_440
DATA_UPLOAD_MAX_NUMBER_FIELDS = 10_000  # Wagtail's page editor posts thousands

# --- Wagtail and notices ---------------------------------------------------------------------------------------------

WAGTAIL_SITE_NAME = "Community"
WAGTAILADMIN_BASE_URL = BASE_URL
WAGTAILADMIN_LOGIN_URL = "staff_door"
WAGTAIL_FRONTEND_LOGIN_URL = "account_login"
WAGTAIL_I18N_ENABLED = True
WAGTAIL_CONTENT_LANGUAGES = LANGUAGES
WAGTAILADMIN_PERMITTED_LANGUAGES = LANGUAGES
WAGTAILIMAGES_IMAGE_MODEL = "core.CommunityImage"
WAGTAILIMAGES_IMAGE_FORM_BASE = "community.core.images.ImageForm"
WAGTAILIMAGES_MAX_UPLOAD_SIZE = 10 * 1024 * 1024
WAGTAILIMAGES_MAX_IMAGE_PIXELS = 40_000_000
WAGTAILDOCS_INLINE_CONTENT_TYPES: list[str] = []  # papers are downloaded, never opened on our own address
WAGTAILDOCS_EXTENSIONS = ["csv", "odt", "ods", "pdf", "txt", "zip"]
# Passwords, addresses and second factors are changed in one place: allauth's pages.
WAGTAIL_PASSWORD_MANAGEMENT_ENABLED = False
WAGTAIL_PASSWORD_RESET_ENABLED = False
WAGTAIL_EMAIL_MANAGEMENT_ENABLED = False
# Nothing is asked of, or told to, anybody outside.
WAGTAIL_ENABLE_UPDATE_CHECK = False
WAGTAIL_ENABLE_WHATS_NEW_BANNER = False
WAGTAIL_GRAVATAR_PROVIDER_URL = None
TAGGIT_CASE_INSENSITIVE = True
NOTIFICATIONS_NOTIFICATION_MODEL = "notices.Notification"

# --- Security headers ------------------------------------------------------------------------------------------------

# No inline script or style, no nonces: pages can be cached (docs/decisions/0004).
CONTENT_SECURITY_POLICY: dict[str, Any] = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}
# Wagtail's admin writes inline styles and small inline scripts, and shows pages in its preview frame.
CONTENT_SECURITY_POLICY_ADMIN: dict[str, Any] = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF, UNSAFE_INLINE],
        "style-src": [SELF, UNSAFE_INLINE],
        "img-src": [SELF, "data:", "blob:"],
        "frame-src": [SELF],
        "object-src": [NONE],
        "base-uri": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [SELF],
    }
}
# A page in that frame is as strict as online, but for who may frame it.
CONTENT_SECURITY_POLICY_PREVIEW: dict[str, Any] = {
    "DIRECTIVES": {**CONTENT_SECURITY_POLICY["DIRECTIVES"], "frame-ancestors": [SELF]}
}
X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "strict-origin-when-cross-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
PERMISSIONS_POLICY = "camera=(), geolocation=(), microphone=(), payment=(), usb=()"

# --- Logs ------------------------------------------------------------------------------------------------------------

LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"request_id": {"()": "community.core.logs.RequestIdFilter"}},
    "formatters": {
        "text": {"()": "community.core.logs.LineFormatter"},
        "json": {"()": "community.core.logs.JsonFormatter"},
    },
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "filters": ["request_id"],
            "formatter": LOG_FORMAT,
        }
    },
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {
        "django": {"handlers": ["console"], "level": "WARNING", "propagate": False},
        "community": {"handlers": ["console"], "level": LOG_LEVEL, "propagate": False},
        # Each tick of the queue would be a line; failures are what matters.
        "django_tasks": {"handlers": ["console"], "level": "WARNING", "propagate": False},
        "django_tasks_db": {"handlers": ["console"], "level": "WARNING", "propagate": False},
    },
}
