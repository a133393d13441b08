"""allauth's forms with our labels: signing in, changing what one signs in with, second factors."""

from typing import Any

from allauth.account import forms as account
from allauth.mfa.base import forms as factors
from allauth.mfa.totp import forms as totp
from allauth.mfa.webauthn import forms as keys
from django import forms
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from .passwords import RULES

FORGOTTEN = _("Forgotten your password?")


class InOurWords(forms.Form):
    """Labels and hints by the name of the field; nothing is written into the field itself."""

    labels: dict[str, Any] = {}
    hints: dict[str, Any] = {}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            field.label = self.labels.get(name, field.label)
            field.help_text = self.hints.get(name, field.help_text)
            field.widget.attrs.pop("placeholder", None)


class CodeForm(InOurWords):
    labels = {"code": _("Code")}


class AddressForm(InOurWords, account.AddEmailForm):
    labels = {"email": _("New mail address")}


class LoginForm(InOurWords, account.LoginForm):
    labels = {"login": _("Mail address or name"), "password": _("Password")}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["password"].help_text = way_back()


class RequestLoginCodeForm(InOurWords, account.RequestLoginCodeForm):
    labels = {"email": _("Mail address")}


class ConfirmLoginCodeForm(CodeForm, account.ConfirmLoginCodeForm):
    pass


class ConfirmAddressForm(CodeForm, account.ConfirmEmailVerificationCodeForm):
    pass


class ConfirmPasswordResetForm(CodeForm, account.ConfirmPasswordResetCodeForm):
    pass


class OtherAddressForm(InOurWords, account.ChangeEmailForm):
    labels = {"email": _("Mail address")}


class TypedTwice(InOurWords):
    def add_error(self, field: str | None, error: Any) -> None:
        if field == "password2" and not isinstance(error, ValidationError):
            error = _("This differs from the one above.")
        super().add_error(field, error)


class ChangePasswordForm(TypedTwice, account.ChangePasswordForm):
    labels = {
        "oldpassword": _("The password you have"),
        "password1": _("New password"),
        "password2": _("New password once more"),
    }
    hints = {"password1": RULES}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["oldpassword"].help_text = way_back()


class SetPasswordForm(TypedTwice, account.SetPasswordForm):
    labels = {"password1": _("Password"), "password2": _("Password once more")}
    hints = {"password1": RULES}


class ResetPasswordForm(InOurWords, account.ResetPasswordForm):
    labels = {"email": _("Mail address")}


class NewPasswordForm(TypedTwice, account.ResetPasswordKeyForm):
    labels = {"password1": _("New password"), "password2": _("New password once more")}
    hints = {"password1": RULES}


class ReauthenticateForm(InOurWords, account.ReauthenticateForm):
    labels = {"password": _("Password")}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["password"].help_text = way_back()


class FactorForm(CodeForm, factors.AuthenticateForm):
    pass


class FactorAgainForm(CodeForm, factors.ReauthenticateForm):
    pass


class ActivateAppForm(InOurWords, totp.ActivateTOTPForm):
    labels = {"code": _("Code that the app shows")}


class AddKeyForm(InOurWords, keys.AddWebAuthnForm):
    labels = {"name": _("A name for it"), "passwordless": _("Sign in with it alone")}
    hints = {
        "name": _("Such as “phone” or “blue stick”, to tell your keys apart."),
        "passwordless": _("Then it is a passkey: it asks for your finger, face or PIN, and no password is needed."),
    }


class RenameKeyForm(InOurWords, keys.EditWebAuthnForm):
    labels = {"name": _("Name")}


def way_back() -> str:
    """The link for those who have forgotten their password."""
    return format_html('<a href="{}">{}</a>', reverse("account_reset_password"), FORGOTTEN)
