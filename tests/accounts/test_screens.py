"""The screens and mails of an account are ours: our base, our words, no sentence of a library."""

import re
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import allauth
import pytest
from allauth.account.models import EmailAddress
from allauth.core import context as allauth_context
from allauth.mfa.adapter import get_adapter as get_factor_adapter
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from django import forms
from django.conf import settings
from django.contrib.messages import get_messages
from django.core import mail
from django.core.files.uploadedfile import SimpleUploadedFile
from django.template.loader import get_template
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone
from django.utils.html import strip_tags

from community.accounts.adapter import AccountAdapter, FactorAdapter
from community.accounts.models import User
from community.core import outbox

pytestmark = pytest.mark.django_db

STOCK = Path(allauth.__file__).parent / "templates"
SENTENCE = re.compile(r"{%\s*trans(?:late)?\s+(['\"])(.+?)\1|{%\s*blocktrans[^%]*%}(.*?){%\s*endblocktrans", re.DOTALL)
DJANGO = [
    "This field is required", "Enter a valid", "Select a valid choice", "Ensure this value", "Ensure this filename",
    "This field cannot be", "This password is", "The password is too similar", "Your password can’t be",
    "Your password must contain", "The submitted file is empty", "No file was submitted", "Upload a valid image",
]  # fmt: skip
ALLAUTH = [
    "Forgot your password?", "New Password", "Current Password", "Password (again)", "Email address", "Remember Me",
    "Passwordless", "Master key", "Incorrect", "You must type the same", "The username and/or password",
    "Invalid login", "Be patient", "Please type your current", "Authenticator", "Two-Factor", "Use a security key",
]  # fmt: skip
ANONYMOUS = [
    "account_login", "account_signup", "account_request_login_code", "account_reset_password", "account_inactive",
    "account_password_reset_completed", "socialaccount_login_cancelled", "socialaccount_login_error",
]  # fmt: skip
SIGNED_IN = [
    "account_logout", "account_email", "account_change_password", "account_reset_password", "account_reauthenticate",
    "mfa_index", "mfa_activate_totp", "mfa_list_webauthn", "mfa_add_webauthn", "usersessions_list",
    "socialaccount_connections", "accounts:profile", "accounts:username",
]  # fmt: skip
WITH_FACTORS = [
    "mfa_index", "mfa_deactivate_totp", "mfa_view_recovery_codes", "mfa_generate_recovery_codes", "mfa_list_webauthn",
    "mfa_add_webauthn", "mfa_edit_webauthn", "mfa_remove_webauthn", "mfa_reauthenticate",
    "mfa_reauthenticate_webauthn", "account_reauthenticate",
]  # fmt: skip
MAILS = sorted(
    str(path.relative_to(STOCK)).removesuffix("_subject.txt") for path in STOCK.glob("**/email/*_subject.txt")
)
MESSAGES = sorted(str(path.relative_to(STOCK)) for path in STOCK.glob("**/messages/*.txt") if "phone" not in path.name)
BY_LINK = ["account/email/password_reset_key"]  # codes do it here (decision 8)


def stock_phrases() -> Iterator[str]:
    """Every run of three words or more that allauth's templates or Django's fields would say."""
    yield from DJANGO + ALLAUTH
    for path in [*STOCK.rglob("*.html"), *STOCK.rglob("*.txt")]:
        for _quote, single, block in SENTENCE.findall(path.read_text()):
            for run in re.split(r"{[{%].*?[%}]}|<[^>]*>", single or block):
                words = " ".join(run.split())
                if len(words.split()) >= 3:
                    yield words


PHRASES = set(stock_phrases())


def plain(html: str) -> str:
    return " ".join(strip_tags(re.sub(r"<script.*?</script>", " ", html, flags=re.DOTALL)).split())


def assert_ours(response: Any) -> None:
    html = response.content.decode()
    assert response.status_code in (200, 401, 422), response.status_code
    assert '<a class="skip" href="#main">' in html and '<main id="main"' in html, "not our base"
    said = plain(html)
    assert not [phrase for phrase in PHRASES if phrase in said]
    for template in response.templates:
        origin = Path(str(template.origin))
        if origin.is_relative_to(STOCK):
            assert not SENTENCE.search(origin.read_text()), f"{template.name} is allauth's own"


def sign_in(client: Client, user: User, *, password: bool = True) -> None:
    if password:
        user.set_password("kettle-and-scale")
        user.save()
    EmailAddress.objects.get_or_create(user=user, email=user.email, defaults={"verified": True, "primary": True})
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    session = client.session
    session["account_authentication_methods"] = [
        {"method": "password", "at": timezone.now().timestamp(), "reauthenticated": True}
    ]
    session["account_authentication_methods_user"] = str(user.pk)
    session.save()


def give_factors(user: User) -> Authenticator:
    """An app, codes, and a key that nobody holds."""
    Authenticator.objects.create(user=user, type=Authenticator.Type.TOTP, data={"secret": "JBSWY3DPEHPK3PXP"})
    RecoveryCodes.activate(user)
    return Authenticator.objects.create(
        user=user, type=Authenticator.Type.WEBAUTHN, data={"name": "Blue stick", "credential": {}}
    )


def test_the_list_of_stock_sentences_is_not_empty():
    assert len(PHRASES) > 100
    assert "This field is required" in PHRASES


@pytest.mark.parametrize("name", ANONYMOUS)
def test_screens_before_signing_in(client, name):
    assert_ours(client.get(reverse(name)))


@pytest.mark.parametrize("name", SIGNED_IN)
def test_screens_of_somebody_signed_in(client, alice, name):
    sign_in(client, alice)
    assert_ours(client.get(reverse(name)))


def test_setting_a_first_password(client, alice):
    alice.set_unusable_password()
    alice.save()
    sign_in(client, alice, password=False)
    assert_ours(client.get(reverse("account_set_password")))
    refused = client.post(reverse("account_set_password"), {"password1": "short", "password2": "other"})
    assert_ours(refused)
    assert "at least 10 characters" in plain(refused.content.decode())
    client.post(reverse("account_set_password"), {"password1": "crema-and-steam", "password2": "crema-and-steam"})
    alice.refresh_from_db()
    assert alice.check_password("crema-and-steam")


@pytest.mark.parametrize("name", WITH_FACTORS)
def test_screens_of_second_factors(client, alice, name, monkeypatch):
    key = give_factors(alice)
    monkeypatch.setattr("allauth.mfa.webauthn.internal.auth.begin_authentication", lambda user=None: {})
    monkeypatch.setattr("allauth.mfa.webauthn.internal.auth.begin_registration", lambda *args: {})
    monkeypatch.setattr("allauth.mfa.webauthn.internal.auth.WebAuthn.is_passwordless", property(lambda self: True))
    sign_in(client, alice)
    needs_key = name in ("mfa_edit_webauthn", "mfa_remove_webauthn")
    assert_ours(client.get(reverse(name, kwargs={"pk": key.pk} if needs_key else {})))


def test_the_second_factor_is_asked_for(client, alice, monkeypatch):
    give_factors(alice)
    monkeypatch.setattr("allauth.mfa.webauthn.internal.auth.begin_authentication", lambda user=None: {})
    alice.set_password("kettle-and-scale")
    alice.save()
    EmailAddress.objects.create(user=alice, email=alice.email, verified=True, primary=True)
    stage = client.post(reverse("account_login"), {"login": "alice", "password": "kettle-and-scale"})
    assert stage.url == reverse("mfa_authenticate")
    assert_ours(client.get(stage.url))
    wrong = client.post(stage.url, {"code": "000000"})
    assert_ours(wrong)
    assert "This is not the code" in plain(wrong.content.decode())


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("account_login", {"login": "", "password": ""}, "Please fill this in"),
        ("account_login", {"login": "nobody", "password": "wrong-all-over"}, "belong together"),
        ("account_signup", {"name": "", "username": "", "email": "x"}, "This is not a mail address"),
        ("account_request_login_code", {"email": "x"}, "This is not a mail address"),
        ("account_reset_password", {"email": ""}, "Please fill this in"),
    ],
)
def test_refusals_before_signing_in(client, name, data, said):
    response = client.post(reverse(name), data)
    assert_ours(response)
    assert said in plain(response.content.decode())


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("account_change_password", {"oldpassword": "x", "password1": "1234567890", "password2": "2"}, "Only digits"),
        (
            "account_change_password",
            {"oldpassword": "x", "password1": "", "password2": ""},
            "not the password you have",
        ),
        (
            "account_change_password",
            {"oldpassword": "kettle-and-scale", "password1": "steam-and-crema", "password2": "steam-and-milk"},
            "differs from the one above",
        ),
        ("account_email", {"email": "alice@example.org", "action_add": ""}, "your address already"),
        ("account_reauthenticate", {"password": "wrong"}, "This is not your password"),
        ("mfa_activate_totp", {"code": "1"}, "This is not the code"),
    ],
)
def test_refusals_of_somebody_signed_in(client, alice, name, data, said):
    sign_in(client, alice)
    if name == "mfa_activate_totp":
        client.get(reverse(name))
    response = client.post(reverse(name), data)
    assert_ours(response)
    assert said in plain(response.content.decode())


def test_a_new_password_by_code(client, alice, transactional_db):
    EmailAddress.objects.create(user=alice, email=alice.email, verified=True, primary=True)
    answer = client.post(reverse("account_reset_password"), {"email": alice.email})
    assert_ours(client.get(answer.url))
    outbox.deliver_due()
    sent = mail.outbox[-1]
    code = re.search(r"^([A-Z0-9-]{6,9})$", sent.body, re.MULTILINE)[1]
    assert sent.subject.startswith(code)
    assert "http" not in sent.body
    answer = client.post(answer.url, {"code": "WRONG"})
    assert_ours(answer)
    answer = client.post(reverse("account_confirm_password_reset_code"), {"code": code})
    assert answer.url == reverse("account_complete_password_reset")
    assert_ours(client.get(answer.url))
    answer = client.post(answer.url, {"password1": "steam-and-crema", "password2": "steam-and-crema"})
    assert_ours(client.get(answer.url))
    outbox.deliver_due()
    assert "If not:" in mail.outbox[-1].body


def test_a_code_lets_in(client, alice):
    EmailAddress.objects.create(user=alice, email=alice.email, verified=True, primary=True)
    answer = client.post(reverse("account_request_login_code"), {"email": alice.email})
    page = client.get(answer.url)
    assert_ours(page)
    assert f"A code is on its way to {alice.email}." in plain(page.content.decode())
    assert_ours(client.post(answer.url, {"code": "WRONG"}))


@pytest.mark.parametrize("prefix", MAILS)
def test_mails_are_ours(rf: RequestFactory, alice, prefix):
    for part in ("subject", "message"):
        template = get_template(f"{prefix}_{part}.txt")
        if prefix not in BY_LINK:
            assert Path(str(template.origin)).is_relative_to(settings.ROOT), f"{prefix}_{part}.txt is allauth's own"
    if prefix in BY_LINK:
        return
    context = {
        "user": alice, "email": alice.email, "code": "7KXQ2M", "from_email": "a@example.org",
        "to_email": "b@example.org", "deleted_email": "c@example.org", "provider": "Elsewhere",
        "timestamp": timezone.now(), "ip": "192.0.2.7", "user_agent": "Firefox <b>",
        "password_reset_url": "https://x.example/", "signup_url": "https://x.example/",
        "activate_url": "https://x.example/", "current_site": SimpleNamespace(name="x.example", domain="x.example"),
    }  # fmt: skip
    with allauth_context.request_context(rf.get("/")):
        message = AccountAdapter().render_mail(prefix, alice.email, context)
    (html, kind), *more = message.alternatives
    assert kind == "text/html" and not more
    assert "&lt;b&gt;" in html or "Firefox" not in html
    for said in (message.subject, message.body, plain(html)):
        assert said.strip()
        assert not [phrase for phrase in PHRASES if phrase in said]
        assert "http" not in said and "x.example" not in said
    assert "\n\n--\n" in message.body and "{{" not in message.body + html
    assert ("7KXQ2M" in message.body) == ("7KXQ2M" in message.subject)


@pytest.mark.parametrize("name", MESSAGES)
def test_toasts_are_ours(name):
    assert Path(str(get_template(name).origin)).is_relative_to(settings.ROOT)


def test_signing_in_says_hello_by_name(client, alice):
    alice.set_password("kettle-and-scale")
    alice.save()
    EmailAddress.objects.create(user=alice, email=alice.email, verified=True, primary=True)
    answer = client.post(reverse("account_login"), {"login": "alice", "password": "kettle-and-scale"})
    assert [str(message) for message in get_messages(answer.wsgi_request)] == [
        f"Hello {alice.name}, you are signed in."
    ]


def test_apps_and_keys_are_listed_under_the_community(rf, alice, monkeypatch):
    with allauth_context.request_context(rf.get("/", headers={"host": "testserver"})):
        adapter = get_factor_adapter()
        assert isinstance(adapter, FactorAdapter)
        assert adapter.get_totp_issuer() == "Community"
        assert adapter.generate_authenticator_name(alice, Authenticator.Type.WEBAUTHN) == "My key"


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        (forms.CharField(), "", "Please fill this in."),
        (forms.CharField(min_length=3), "ab", "At least 3 characters, please; it has 2."),
        (forms.CharField(max_length=3), "abcd", "At most 3 characters, please; it has 4."),
        (forms.IntegerField(max_value=5), "6", "At most 5, please."),
        (forms.IntegerField(), "x", "Please give a whole number."),
        (forms.ChoiceField(choices=[("a", "A")]), "b", "This can't be chosen here."),
        (forms.MultipleChoiceField(choices=[("a", "A")]), ["b"], "This can't be chosen here."),
        (forms.EmailField(), "x", "This is not a mail address. It looks like name@example.org."),
        (forms.URLField(assume_scheme="https"), "x y", "This is not a web address. It begins with https://."),
        (forms.DateField(), "x", "We can't read this as a date."),
        (forms.BooleanField(), False, "Please tick this."),
        (forms.FileField(), SimpleUploadedFile("a.txt", b""), "This file is empty."),
        (forms.CharField(error_messages={"required": "Its own."}), "", "Its own."),
    ],
)
def test_fields_speak_our_words(field, value, said):
    with pytest.raises(forms.ValidationError) as refused:
        field.clean(value)
    assert refused.value.messages == [said]


def test_a_form_that_was_made_early_speaks_them_too():
    from wagtail.admin.forms.search import SearchForm

    assert str(SearchForm.base_fields["q"].error_messages.get("required")) == "Please fill this in."


def test_who_has_no_password_is_told_so_in_our_words(client, alice):
    alice.set_unusable_password()
    alice.save()
    client.force_login(alice)
    response = client.get(reverse("account_reauthenticate"))
    assert response.status_code == 403
    assert "you sign in with a code from your mail" in plain(response.content.decode())
    assert "not available" not in response.content.decode()
