"""Strict reading of the environment: a value is right, absent, or the reason not to start.

Used by settings/base.py alone. Every complaint is one line that names the variable and what is expected,
and never repeats the value, which may hold a password.
"""

import ipaddress
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

TRUE, FALSE = {"1", "true", "yes", "on"}, {"0", "false", "no", "off"}
POSTGRES_OPTIONS = {"sslmode", "sslrootcert", "sslcert", "sslkey", "connect_timeout", "application_name"}
MAIL_PORTS = {"smtp": 25, "smtp+tls": 587, "smtps": 465}


def stop(name: str, problem: str, expected: str) -> NoReturn:
    """End the start with one line and exit code 1: a traceback would bury what is to be done."""
    raise SystemExit(f"community: {name} {problem}; expected {expected}")


class Environment:
    """Typed reads of one mapping. An empty value counts as absent, as deployment tools set empty ones."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values

    def text(self, name: str, default: str = "") -> str:
        value = self._values.get(name, "").strip()
        if any(ord(character) < 32 for character in value):
            stop(name, "holds a control character", "one line of text")
        return value or default

    def words(self, name: str, default: Sequence[str] = ()) -> list[str]:
        """A list separated by commas."""
        value = self.text(name)
        return [word.strip() for word in value.split(",") if word.strip()] if value else list(default)

    def flag(self, name: str, *, default: bool) -> bool:
        value = self.text(name).lower()
        if value and value not in TRUE | FALSE:
            stop(name, "is neither yes nor no", "1 or 0")
        return value in TRUE if value else default

    def number(self, name: str, *, default: int, least: int, most: int) -> int:
        value = self.text(name)
        if not value:
            return default
        if not re.fullmatch(r"\d{1,9}", value) or not least <= int(value) <= most:
            stop(name, "is not a number in range", f"{least} to {most}")
        return int(value)

    def choice(self, name: str, choices: Sequence[str], *, default: str) -> str:
        value = self.text(name, default)
        if value not in choices:
            stop(name, "is not known", " or ".join(choices))
        return value

    def folder(self, name: str, default: Path) -> Path:
        value = self.text(name)
        folder = Path(value).expanduser().resolve() if value else default
        if folder.exists() and not folder.is_dir():
            stop(name, "is a file", "the path of a folder")
        return folder

    def host(self, name: str, default: str) -> str:
        value = self.text(name, default)
        if not re.fullmatch(r"[A-Za-z0-9.:-]+", value):
            stop(name, "is not a host", "a name or an address such as 127.0.0.1 or 0.0.0.0")
        return value

    def hosts(self, name: str) -> list[str]:
        """What Django's ALLOWED_HOSTS takes: names without scheme, port or path; a leading dot for subdomains."""
        hosts = self.words(name)
        for host in hosts:
            if host != "*" and not re.fullmatch(r"\.?[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9a-fA-F:]+\]", host):
                stop(name, "holds something that is not a host", "names such as community.example.com, by commas")
        return hosts

    def networks(self, name: str) -> list[str]:
        networks = []
        for word in self.words(name):
            try:
                networks.append(str(ipaddress.ip_network(word, strict=False)))
            except ValueError:
                stop(name, "holds something that is not an address", "such as 10.0.0.5 or 10.0.0.0/24, by commas")
        return networks

    def ports(self, name: str, default: Sequence[int]) -> list[int]:
        ports = []
        for word in self.words(name):
            if not re.fullmatch(r"\d{1,5}", word) or not 1 <= int(word) <= 65535:
                stop(name, "holds something that is not a port", "numbers such as 80,443")
            ports.append(int(word))
        return ports or list(default)

    def address(self, name: str, default: str) -> str:
        """A sender: an address, or a name with an address in angle brackets."""
        value = self.text(name, default)
        if not re.fullmatch(r"[^<>@]*<[^<>@\s]+@[^<>@\s]+>|[^<>@\s]+@[^<>@\s]+", value):
            stop(name, "is not an address", "such as Community <community@example.com>")
        return value

    def url(self, name: str, schemes: Sequence[str], expected: str, default: str = "") -> SplitResult | None:
        value = self.text(name, default)
        if not value:
            return None
        try:
            parts = urlsplit(value)
            _ = parts.port  # raises when it is no number
        except ValueError:
            stop(name, "is not an address", expected)
        if parts.scheme not in schemes:
            stop(name, "has an unknown scheme" if parts.scheme else "has no scheme", expected)
        return parts

    def site(self, name: str, default: str) -> str:
        expected = "such as https://community.example.com, without a path"
        parts = self.url(name, ["http", "https"], expected, default)
        if parts is None or not parts.hostname or parts.path.strip("/") or parts.query or parts.username:
            stop(name, "is not the address of a site", expected)
        return f"{parts.scheme}://{parts.netloc}"

    def database(self, name: str, default: Path) -> dict[str, Any]:
        """Django's description of a database: PostgreSQL or a file of SQLite."""
        expected = "postgres://user:password@host:5432/name or sqlite:////folder/file.sqlite3"
        parts = self.url(name, ["postgres", "postgresql", "sqlite"], expected)
        if parts is None:
            return {"ENGINE": "django.db.backends.sqlite3", "NAME": str(default)}
        path = unquote(parts.path[1:])
        if parts.scheme == "sqlite":
            if parts.netloc or not path or parts.query:
                stop(name, "names no file", expected)
            return {"ENGINE": "django.db.backends.sqlite3", "NAME": path}
        if not path or "/" in path:
            stop(name, "names no database", expected)
        options = dict(parse_qsl(parts.query))
        host = options.pop("host", None) or unquote(parts.hostname or "")
        if unknown := set(options) - POSTGRES_OPTIONS:
            stop(name, f"has an unknown option {sorted(unknown)[0]}", ", ".join(sorted(POSTGRES_OPTIONS)))
        return {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": path,
            "USER": unquote(parts.username or ""),
            "PASSWORD": unquote(parts.password or ""),
            "HOST": host,
            "PORT": str(parts.port or ""),
            "OPTIONS": options,
        }

    def redis(self, name: str) -> str:
        expected = "redis://host:6379/0, rediss://host:6379/0 or unix:///path/to/socket"
        parts = self.url(name, ["redis", "rediss", "unix"], expected)
        if parts is None:
            return ""
        if parts.scheme == "unix":
            if not parts.path:
                stop(name, "names no socket", expected)
        elif not parts.hostname or not re.fullmatch(r"(/\d*)?", parts.path):
            stop(name, "names no host or no database number", expected)
        return parts.geturl()

    def search(self, name: str) -> str:
        expected = "http://host:9200 or https://user:password@host:9200"
        parts = self.url(name, ["http", "https"], expected)
        if parts is None:
            return ""
        if not parts.hostname or parts.query or parts.fragment:
            stop(name, "names no host", expected)
        return parts.geturl()

    def mail(self, name: str, default_folder: Path) -> dict[str, Any]:
        """How the outbox hands mail over: to a mail server, or (without a value) into files of a folder."""
        expected = "smtp://host:25, smtp+tls://user:password@host:587 or smtps://user:password@host:465"
        parts = self.url(name, list(MAIL_PORTS), expected)
        if parts is None:
            return {
                "MAIL_TRANSPORT": "django.core.mail.backends.filebased.EmailBackend",
                "EMAIL_FILE_PATH": str(default_folder),
            }
        if not parts.hostname or parts.path.strip("/") or parts.query:
            stop(name, "names no host", expected)
        return {
            "MAIL_TRANSPORT": "django.core.mail.backends.smtp.EmailBackend",
            "EMAIL_HOST": parts.hostname,
            "EMAIL_PORT": parts.port or MAIL_PORTS[parts.scheme],
            "EMAIL_HOST_USER": unquote(parts.username or ""),
            "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
            "EMAIL_USE_TLS": parts.scheme == "smtp+tls",
            "EMAIL_USE_SSL": parts.scheme == "smtps",
        }
