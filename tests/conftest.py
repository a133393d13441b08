"""The standing cast: Alice asks, Bob answers, Charlie is a stranger, Dana is staff."""

import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.core.cache import caches
from django.test import Client
from django.utils import translation
from hypothesis import settings as hypothesis_settings

from advocates import badges
from community.accounts.models import Department, Standing, User
from community.accounts.services import set_role
from community.core import brand, clock, numbers
from community.questions.models import Answer, Thread
from products.models import Product

from . import factories

# The same examples for everybody, so that nobody's change fails by luck; HYPOTHESIS=explore looks for new ones.
hypothesis_settings.register_profile("same", derandomize=True, database=None, deadline=None)
hypothesis_settings.register_profile("explore", max_examples=5_000, database=None, deadline=None)
hypothesis_settings.load_profile(os.environ.get("HYPOTHESIS", "same"))

WEDNESDAY = datetime(2026, 11, 18, 9, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _no_memory() -> Iterator[None]:
    """Caches start empty, and in English: a test must not live on what another left.

    A page in another language leaves that language behind; on a server the next request chooses anew.
    """
    translation.activate(settings.LANGUAGE_CODE)
    for cache in caches.all():
        cache.clear()
    brand.forget()
    badges.forget()
    numbers.forget()
    yield


@pytest.fixture(autouse=True)
def _staff_have_a_second_factor(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Staff who sign in have one, as they must (decision 0015); `no_factor` marks what tests them without."""
    if request.node.get_closest_marker("no_factor"):
        return
    sign_in = Client.force_login

    def with_factor(self: Client, user: User, backend: str | None = None) -> None:
        sign_in(self, user, backend)
        if user.is_superuser or user.standing == Standing.STAFF:
            give_factor(user)

    monkeypatch.setattr(Client, "force_login", with_factor)


def give_factor(user: User) -> None:
    Authenticator.objects.get_or_create(
        user=user, type=Authenticator.Type.TOTP, defaults={"data": {"secret": "JBSWY3DPEHPK3PXP"}}
    )


@pytest.fixture
def wednesday() -> Iterator[datetime]:
    """An ordinary Wednesday morning, standing still."""
    with clock.travel(WEDNESDAY) as moment:
        yield moment


@pytest.fixture
def alice(db: None) -> User:
    return factories.a_person("alice")


@pytest.fixture
def bob(db: None) -> User:
    return factories.a_person("bob")


@pytest.fixture
def charlie(db: None) -> User:
    return factories.a_person("charlie")


@pytest.fixture
def support(db: None) -> Department:
    return factories.a_department("support", name="Customer support", mailbox="support@example.org")


@pytest.fixture
def dana(support: Department) -> User:
    """An agent of customer support."""
    dana = factories.a_person("dana")
    set_role(dana, None, "agent", support)
    return User.objects.get(pk=dana.pk)


@pytest.fixture
def ravi(db: None) -> User:
    """A moderator."""
    ravi = factories.a_person("ravi")
    set_role(ravi, None, "moderator")
    return User.objects.get(pk=ravi.pk)


@pytest.fixture
def hanna(db: None) -> User:
    """A community manager."""
    hanna = factories.a_person("hanna")
    set_role(hanna, None, "community-manager")
    return User.objects.get(pk=hanna.pk)


@pytest.fixture
def duo(db: None) -> Product:
    return factories.a_product("duo", name="Brindle Duo")


@pytest.fixture
def thread(alice: User, duo: Product) -> Thread:
    """Alice's question about the Duo."""
    return factories.a_thread(alice, product=duo)


@pytest.fixture
def answer(thread: Thread, bob: User) -> Answer:
    """Bob's answer to it."""
    return factories.an_answer(thread, bob)


@pytest.fixture
def enrol(db: None) -> Callable[[User], None]:
    """Give somebody of the staff a second factor, so that the Wagtail admin lets them in."""
    return give_factor
