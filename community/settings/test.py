"""What the tests run on: the same engines as dev unless the environment names others."""

import os

from .base import *  # noqa: F403
from .base import CACHES, DATABASES, REDIS_URL, ROOT, TEST_DB

DEBUG = False
SECRET_KEY = "tests-only"  # noqa: S105
BASE_URL = WAGTAILADMIN_BASE_URL = "http://testserver"
ALLOWED_HOSTS = ["testserver", "localhost", "127.0.0.1"]
CSRF_TRUSTED_ORIGINS = []
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
# A folder and a database of Redis for each process of a parallel run, so that they do not clear each other's.
_process = os.environ.get("PYTEST_XDIST_WORKER", "main")
DATA_DIR = ROOT / ".cache" / "test-data" / _process
DATA_DIR.mkdir(parents=True, exist_ok=True)
MEDIA_ROOT = DATA_DIR / "media"
EMAIL_FILE_PATH = str(DATA_DIR / "mail")
MAIL_TRANSPORT = "django.core.mail.backends.locmem.EmailBackend"
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # A file, not memory: threads share it. Durability is not what tests are about.
    DATABASES["default"]["TEST"] = {"NAME": TEST_DB or str(ROOT / ".cache" / "test.sqlite3")}
    DATABASES["default"]["OPTIONS"]["init_command"] = "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF;"
else:
    # Threads of the race tests each take a connection; a small pool would make them wait for each other.
    del DATABASES["default"]["OPTIONS"]["pool"]
if REDIS_URL.startswith("redis"):
    _number = 0 if _process == "main" else int(_process.removeprefix("gw")) + 1
    REDIS_URL = f"{REDIS_URL.rsplit('/', 1)[0] if REDIS_URL.count('/') > 2 else REDIS_URL}/{_number}"
    for _cache in CACHES.values():
        _cache["LOCATION"] = REDIS_URL
TASKS = {"default": {"BACKEND": "django_tasks.backends.dummy.DummyBackend"}}
WHITENOISE_AUTOREFRESH = True  # no list of all files at each start
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = True
DEMO_ALLOWED = True
PANELS_STRICT = True  # a panel that fails or asks too much fails its test
BRAND_SECONDS = 0  # nothing kept between tests
