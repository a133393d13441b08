"""Where allauth meets our people: our rules for names, our words, our mails."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import context as allauth_context
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from django.core.exceptions import PermissionDenied
from django.core.mail import EmailMessage, EmailMultiAlternatives
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from community.core import brand, clock, text

from . import together
from .models import Profile, User
from .names import skeleton
from .services import check_free

WRONG_LOGIN = gettext_lazy("Name or address and password don't belong together. A code by mail works without one.")
WRONG_CODE = gettext_lazy("This is not the code. Please look again, or ask for a new one.")
SLOW_DOWN = gettext_lazy("You have done this several times in a short while. Please wait some minutes.")
WAYS = {
    "reauthenticate": gettext_lazy("Use your password"),
    "mfa_reauthenticate": gettext_lazy("Use a code of your app"),
    "mfa_reauthenticate:webauthn": gettext_lazy("Use a passkey or security key"),
}


class AccountAdapter(DefaultAccountAdapter):
    """Our rules for names, and one row of each kind for a new person."""

    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "account_inactive": gettext_lazy("This account is suspended."),
        "cannot_remove_primary_email": gettext_lazy("This is the address you sign in with. Choose another one first."),
        "duplicate_email": gettext_lazy("This is your address already."),
        "email_password_mismatch": WRONG_LOGIN,
        "username_password_mismatch": WRONG_LOGIN,
        "invalid_login": WRONG_LOGIN,
        "email_taken": gettext_lazy("Somebody has an account with this address already."),
        "enter_current_password": gettext_lazy("This is not the password you have now."),
        "incorrect_code": WRONG_CODE,
        "incorrect_password": gettext_lazy("This is not your password."),
        "invalid_or_expired_key": gettext_lazy("This has been used already, or is too old. Please ask for a new one."),
        "invalid_password_reset": gettext_lazy("This has been used already, or is too old. Please ask for a new one."),
        "max_email_addresses": gettext_lazy("No more than %d addresses, please."),
        "too_many_login_attempts": gettext_lazy(
            "Too many wrong tries. Please wait some minutes, or let us mail you a code."
        ),
        "unknown_email": gettext_lazy("Nobody has an account with this address."),
        "unverified_primary_email": gettext_lazy("Please confirm your address first."),
        "username_blacklisted": gettext_lazy("This name can't be used. Please choose another."),
        "username_taken": gettext_lazy("This name is taken. Please choose another."),
        "same_as_current": gettext_lazy("This is what you have now."),
        "rate_limited": SLOW_DOWN,
    }

    def clean_username(self, username: str, shallow: bool = False) -> str:
        """Raises ValidationError for a name that is taken, looks taken, or isn't allowed."""
        return check_free(username)

    def save_user(self, request: HttpRequest, user: User, form: Any, commit: bool = True) -> User:
        user = super().save_user(request, user, form, commit=False)
        user.username_key = skeleton(user.username)
        user.name = text.clean_line(form.cleaned_data.get("name") or user.username)[:80]
        user.email = user.email.lower()
        user.date_joined = clock.now()
        if commit:
            user.save()
            Profile.objects.create(user=user)
        return user

    def populate_username(self, request: HttpRequest, user: User) -> None:
        """People choose their names themselves; nothing is made up from an address."""

    def post_login(self, request: HttpRequest, user: Any, **how: Any) -> HttpResponse:
        response = super().post_login(request, user, **how)
        together.remember(request, response, user)
        return response

    def get_reauthentication_methods(self, user: Any) -> list[dict[str, Any]]:
        """In our words; and who has none of them and opens that page by hand is told so in ours, too."""
        ways = [
            {**way, "description": str(WAYS.get(way["id"], way["description"]))}
            for way in super().get_reauthentication_methods(user)
        ]
        match = self.request.resolver_match if self.request else None
        if not ways and match is not None and "reauthenticate" in str(match.url_name):
            raise PermissionDenied(
                _("There is nothing to ask you for: you sign in with a code from your mail. Sign out and in again.")
            )
        return ways

    def render_mail(
        self,
        template_prefix: str,
        email: str | list[str],
        context: dict[str, Any],
        headers: dict[str, str] | None = None,
    ) -> EmailMessage:
        """Plain and in our look from one text, whose paragraphs stand between empty lines."""
        request = allauth_context.request
        context = {**context, "brand": brand.of_request(request)}
        subject = " ".join(render_to_string(f"{template_prefix}_subject.txt", context).split())
        said = render_to_string(f"{template_prefix}_message.txt", context, request).strip()
        context |= {
            "subject": subject,
            "said": said,
            "paragraphs": [part for part in said.split("\n\n") if part.strip()],
        }
        to = [email] if isinstance(email, str) else email
        body = render_to_string("emails/account.txt", context, request).strip() + "\n"
        mail = EmailMultiAlternatives(subject, body, self.get_from_email(), to, headers=headers)
        mail.attach_alternative(render_to_string("emails/account.html", context, request), "text/html")
        return mail


class FactorAdapter(DefaultMFAAdapter):
    """Second factors in our words, under the name of the community."""

    error_messages = {
        **DefaultMFAAdapter.error_messages,
        "add_email_blocked": gettext_lazy("Take your second factor off first; then the address can change."),
        "cannot_delete_authenticator": gettext_lazy("You need this one. Add another before you take it off."),
        "cannot_generate_recovery_codes": gettext_lazy("Set up an app or a key first; the codes stand in for it."),
        "incorrect_code": WRONG_CODE,
        "rate_limited": SLOW_DOWN,
        "unverified_email": gettext_lazy("Please confirm your mail address first."),
    }

    def _get_site_name(self) -> str:
        """What apps and keys list this account under."""
        return brand.of_request(allauth_context.request).community_name

    def generate_authenticator_name(self, user: Any, type: Authenticator.Type) -> str:
        number = Authenticator.objects.filter(user_id=user.pk, type=type).count() + 1
        return _("My key") if number == 1 else _("Key %(number)s") % {"number": number}
