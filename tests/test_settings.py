"""A wrong environment stops the start with one line that names the variable; a right one passes Django's own checks."""

import os
import secrets
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

from community.settings.environment import Environment

pytestmark = pytest.mark.once

ROOT = Path(settings.ROOT)
PATH = os.environ["PATH"]


@pytest.fixture
def production(tmp_path: Path) -> dict[str, str]:
    """An environment that is right."""
    return {
        "PATH": PATH,
        "DJANGO_SETTINGS_MODULE": "community.settings.production",
        "SECRET_KEY": secrets.token_urlsafe(60),
        "ALLOWED_HOSTS": "community.example.com",
        "BASE_URL": "https://community.example.com",
        "DATA": str(tmp_path),
        "STATIC_ROOT": str(tmp_path / "static"),
        "EMAIL_URL": "smtp+tls://mailer:p%40ss@mail.example.com:587",
        "DEFAULT_FROM_EMAIL": "Community <community@example.com>",
    }


def start(environment: dict[str, str], *code: str) -> subprocess.CompletedProcess[str]:
    """Load the settings as every start does, and no more."""
    script = "from django.conf import settings; settings.DEBUG\n" + "\n".join(code)
    return subprocess.run([sys.executable, "-c", script], cwd=ROOT, env=environment, capture_output=True, text=True)  # noqa: S603


def assert_stops(environment: dict[str, str], name: str) -> None:
    done = start(environment)
    assert done.returncode == 1
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert done.stderr.startswith(f"community: {name} ")
    assert "; expected " in done.stderr


def test_the_right_environment_starts(production: dict[str, str]) -> None:
    done = start(production, "print(settings.EMAIL_HOST_PASSWORD, settings.DATABASES['default']['ENGINE'])")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "p@ss django.db.backends.sqlite3\n"


@pytest.mark.parametrize("name", ["SECRET_KEY", "ALLOWED_HOSTS", "BASE_URL", "DATA", "EMAIL_URL", "DEFAULT_FROM_EMAIL"])
@pytest.mark.parametrize("empty", [True, False])
def test_what_production_needs_is_asked_for(production: dict[str, str], name: str, empty: bool) -> None:
    if empty:
        production[name] = ""
    else:
        del production[name]
    assert_stops(production, name)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SECRET_KEY", "short"),
        ("SECRET_KEY", "a" * 60),
        ("SECRET_KEY", "django-insecure-" + "abcdefghijklmnopqrstuvwxyz0123456789abcdefgh"),
        ("ALLOWED_HOSTS", "*"),
        ("ALLOWED_HOSTS", "https://community.example.com"),
        ("ALLOWED_HOSTS", "community.example.com:443"),
        ("BASE_URL", "http://community.example.com"),
        ("BASE_URL", "community.example.com"),
        ("BASE_URL", "https://community.example.com/forum"),
        ("BASE_URL", "https://elsewhere.example.com"),
        ("DATA", "/nowhere/at/all"),
        ("DATABASE_URL", "mysql://root@localhost/community"),
        ("DATABASE_URL", "community.sqlite3"),
        ("DATABASE_URL", "postgres://localhost"),
        ("DATABASE_URL", "postgres://localhost:many/community"),
        ("DATABASE_URL", "postgres://localhost/community?pool=1"),
        ("REDIS_URL", "localhost:6379"),
        ("REDIS_URL", "memcached://localhost"),
        ("REDIS_URL", "redis:///0"),
        ("REDIS_URL", "redis://localhost/first"),
        ("ELASTICSEARCH_URL", "localhost:9200"),
        ("ELASTICSEARCH_URL", "elastic://localhost"),
        ("EMAIL_URL", "mail.example.com"),
        ("EMAIL_URL", "imap://mail.example.com"),
        ("EMAIL_URL", "smtp://:25"),
        ("DEFAULT_FROM_EMAIL", "nobody"),
        ("TRUSTED_PROXIES", "the-proxy"),
        ("TRUSTED_PROXIES", "10.0.0.0/64"),
        ("PORT", "http"),
        ("PORT", "70000"),
        ("WEB_WORKERS", "0"),
        ("WEB_THREADS", "many"),
        ("SERVE_MEDIA", "maybe"),
        ("LOG_LEVEL", "loud"),
        ("LOG_FORMAT", "xml"),
        ("DEBUG", "1"),
        ("DEBUG", "perhaps"),
    ],
)
def test_nonsense_stops_the_start(production: dict[str, str], name: str, value: str) -> None:
    production[name] = value
    assert_stops(production, name)


@pytest.mark.parametrize("name", ["DATABASE_URL", "REDIS_URL", "EMAIL_URL", "ELASTICSEARCH_URL"])
def test_a_complaint_keeps_the_password_to_itself(production: dict[str, str], name: str) -> None:
    production[name] = "gopher://user:hunter2@host/name"
    assert "hunter2" not in start(production).stderr


def test_a_file_is_no_folder(production: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    production["DATA"] = str(tmp_path / "file")
    assert_stops(production, "DATA")


def test_every_door_stops_alike(production: dict[str, str]) -> None:
    """manage.py and gunicorn, not the settings module alone."""
    del production["SECRET_KEY"]
    for command in (["manage.py", "check"], ["manage.py", "serve"], ["-m", "gunicorn", "--check-config"]):
        done = subprocess.run([sys.executable, *command], cwd=ROOT, env=production, capture_output=True, text=True)  # noqa: S603
        assert done.returncode == 1, command
        assert done.stderr.splitlines() == [
            "community: SECRET_KEY is missing; expected at least 50 random characters"
        ], command


def test_nonsense_stops_dev_as_well(tmp_path: Path) -> None:
    environment = {"PATH": PATH, "DJANGO_SETTINGS_MODULE": "community.settings.dev", "DATA": str(tmp_path)}
    assert start(environment).returncode == 0
    assert_stops(environment | {"DATABASE_URL": "oracle://x"}, "DATABASE_URL")


def test_dev_makes_a_key_of_its_own_and_keeps_it(tmp_path: Path) -> None:
    environment = {"PATH": PATH, "DJANGO_SETTINGS_MODULE": "community.settings.dev", "DATA": str(tmp_path / "new")}
    keys = {start(environment, "print(settings.SECRET_KEY)").stdout for _ in range(2)}
    assert len(keys) == 1 and len(keys.pop()) > 50
    assert (tmp_path / "new" / "secret-key").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("redis", ["", "redis://127.0.0.1:6379/0"])
def test_deploy_checks_have_nothing_to_say(production: dict[str, str], redis: str) -> None:
    production["REDIS_URL"] = redis
    command = [sys.executable, "-W", "ignore", "manage.py", "check", "--deploy", "--fail-level", "WARNING"]
    done = subprocess.run(command, cwd=ROOT, env=production, capture_output=True, text=True)  # noqa: S603
    assert done.returncode == 0, done.stderr
    assert "no issues" in done.stdout


def test_cookies_of_production_are_bound_to_the_host(production: dict[str, str]) -> None:
    names = "SESSION CSRF LANGUAGE".split()
    code = "\n".join(f"print(settings.{n}_COOKIE_NAME, settings.{n}_COOKIE_SECURE)" for n in names)
    lines = start(production, code).stdout.splitlines()
    assert len(lines) == 3
    assert all(line.startswith("__Host-") and line.endswith("True") for line in lines)


def test_database_addresses_are_taken_apart() -> None:
    env = Environment({"A": "postgresql://us%3Aer:p%2Fw@db:5433/name?sslmode=require", "B": "sqlite:////srv/c.sqlite3"})
    postgres = env.database("A", Path("unused"))
    assert postgres["USER"] == "us:er" and postgres["PASSWORD"] == "p/w"
    assert (postgres["HOST"], postgres["PORT"], postgres["NAME"]) == ("db", "5433", "name")
    assert postgres["OPTIONS"] == {"sslmode": "require"}
    assert env.database("B", Path("unused"))["NAME"] == "/srv/c.sqlite3"
    assert env.database("C", Path("/here/x"))["NAME"] == "/here/x"
