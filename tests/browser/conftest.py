"""A real browser against a real server: the machine's Chromium, one server for a test or for a module.

The server's threads are in this process, so that a test moves the clock of all by `clock.set_now`.
"""

import os
import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from allauth.mfa.models import Authenticator
from django.core import mail
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, expect

from community.accounts.models import User
from community.core import clock, outbox
from community.notifications.delivery import announce_due
from tests.conftest import WEDNESDAY

# Playwright's own loop runs in this thread; the database is asked between its calls, never inside of one.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")

FLAGS = [
    "--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--disable-background-networking",
]  # fmt: skip
SECRET = "JBSWY3DPEHPK3PXP"


PATIENCE = 20_000  # ms that a state may take to come: on a loaded machine nothing is wrong yet after five seconds
expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="session")
def browser(chromium: str, playwright: Playwright) -> Iterator[Browser]:
    started = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
    yield started
    started.close()


class Time:
    """The clock of the whole process; stands still until moved."""

    def __init__(self, start: datetime) -> None:
        self.at = start
        clock.set_now(start)

    def go(self, **how_far: float) -> datetime:
        self.at += timedelta(**how_far)
        clock.set_now(self.at)
        return self.at

    def end(self) -> None:
        clock.set_now(None)


@pytest.fixture
def time() -> Iterator[Time]:
    moved = Time(WEDNESDAY)
    yield moved
    moved.end()


def press(page: Page, *keys: str) -> None:
    """Press keys, when the scripts of the page that is shown have run: its text stands there before they do."""
    page.wait_for_load_state("load")
    for key in keys:
        page.keyboard.press(key)


class Visit:
    """One person's browser: a context of their own, whose errors are kept."""

    def __init__(self, context: BrowserContext, base: str) -> None:
        self.context, self.base = context, base
        self.page: Page = context.new_page()
        self.problems: list[str] = []
        watch(self.page, base, self.problems)

    def go(self, path: str) -> Page:
        self.page.goto(self.base + path if path.startswith("/") else path)
        return self.page

    def sign_in(self, person: User) -> "Visit":
        """The cookie of a session, as signing in leaves it."""
        client = Client()
        client.force_login(person)
        morsel = client.cookies["sessionid"]
        self.context.add_cookies([{"name": "sessionid", "value": morsel.value, "url": self.base}])
        return self


def watch(page: Page, base: str, problems: list[str]) -> None:
    """Write down what a console shows, what the policy refuses, and who is asked besides us."""
    home = urlsplit(base).netloc

    def said(message: Any) -> None:
        # Chromium reports the status of the page itself, too: tests expect it where there is one.
        if message.type in ("error", "warning") and "Failed to load resource" not in message.text:
            problems.append(f"console: {message.text}")

    def answered(response: Any) -> None:
        if response.status >= 400 and response.request.resource_type != "document":
            problems.append(f"{response.status}: {response.url}")

    def asked(request: Any) -> None:
        parts = urlsplit(request.url)
        if parts.scheme in ("http", "https", "ws", "wss") and parts.netloc != home:
            problems.append(f"foreign: {request.url}")

    page.on("console", said)
    page.on("pageerror", lambda error: problems.append(f"error: {error}"))
    page.on("request", asked)
    page.on("response", answered)


Open = Callable[..., Visit]


def opener(browser: Browser, base: str, opened: list[BrowserContext]) -> Open:
    def open_one(person: User | None = None, **how: Any) -> Visit:
        context = browser.new_context(**{"reduced_motion": "reduce", "locale": "en-GB", **how})
        context.set_default_timeout(PATIENCE)
        opened.append(context)
        visit = Visit(context, base)
        return visit.sign_in(person) if person else visit

    return open_one


@pytest.fixture
def visit(browser: Browser, live_server: Any) -> Iterator[Open]:
    """`visit()` opens a browser for a visitor, `visit(bob)` a signed in one, `visit(java_script_enabled=False)`."""
    opened: list[BrowserContext] = []
    yield opener(browser, live_server.url, opened)
    for context in opened:
        context.close()


@pytest.fixture
def second_factor(transactional_db: None) -> Callable[[User], None]:
    def give(user: User) -> None:
        Authenticator.objects.get_or_create(
            user=user, type=Authenticator.Type.TOTP, defaults={"data": {"secret": SECRET}}
        )

    return give


def current_code() -> str:
    """What the app on a phone shows now."""
    from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time

    return format_hotp_value(hotp_value(SECRET, next(iter(yield_hotp_counters_from_time()))))


def post_goes_out() -> list[Any]:
    """What the worker does every minute: notices are told, mails leave. Returns the mails."""
    before = len(mail.outbox)
    announce_due()
    outbox.deliver_due()
    return mail.outbox[before:]


def code_in(message: Any) -> str:
    """The code somebody copies from a mail."""
    found = re.search(r"^\s*([A-Z0-9]{3,6}-?[A-Z0-9]{3,6})\s*$", message.body, re.MULTILINE)
    assert found, message.body
    return found[1]
