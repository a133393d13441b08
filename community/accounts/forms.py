"""Joining, and what somebody tells about themselves."""

from typing import Any
from zoneinfo import available_timezones

from allauth.account.forms import SignupForm
from allauth.account.internal.flows.signup import prevent_enumeration
from allauth.core.exceptions import ImmediateHttpResponse
from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.http import HttpRequest
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from community.core import text

from .models import Profile, User
from .services import check_free


class JoinForm(SignupForm):
    """Name, user name, address; a password only for those who want one (codes by mail do without)."""

    name = forms.CharField(
        label=gettext_lazy("Your name, as others see it"),
        max_length=80,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    field_order = ["name", "username", "email", "password1"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].label = gettext_lazy("User name")
        self.fields["email"].label = gettext_lazy("Mail address")
        self.fields["username"].help_text = gettext_lazy(
            "3 to 20 letters, digits, dots and dashes. You can change it later."
        )
        if "password1" in self.fields:
            self.fields["password1"].label = gettext_lazy("Password, if you want one")
            self.fields["password1"].help_text = gettext_lazy(
                "At least 10 characters. Without one, we mail you a code whenever you sign in."
            )
        for field in self.fields.values():
            field.widget.attrs.pop("placeholder", None)

    def clean_name(self) -> str:
        name = text.clean_line(self.cleaned_data["name"])
        if not name:
            raise ValidationError(_("Please give a name."))
        return name

    def try_save(self, request: HttpRequest) -> Any:
        """Two people pressing at once: one gets the name or the address, the other is told."""
        try:
            with transaction.atomic():
                return super().try_save(request)
        except IntegrityError:
            email = self.cleaned_data["email"]
            if User.objects.filter(email=email).exists():
                return None, prevent_enumeration(request, email=email)
            messages.error(request, _("Somebody took this user name a moment ago. Please choose another."))
            raise ImmediateHttpResponse(redirect("account_signup")) from None


class ProfileForm(forms.ModelForm):
    """What is shown on one's page, and what is not."""

    about = forms.CharField(
        label=gettext_lazy("About you"),
        required=False,
        max_length=600,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=gettext_lazy("What you make coffee with, what you know. Plain text; links become links."),
    )
    show_shelf = forms.BooleanField(label=gettext_lazy("Show my products on my page"), required=False)
    show_city = forms.BooleanField(label=gettext_lazy("Show my place on my page"), required=False)
    time_zone = forms.ChoiceField(label=gettext_lazy("Time zone"), required=False)

    class Meta:
        model = User
        fields = ["name", "city", "language", "time_zone", "hide_from_boards", "invitable", "shortcuts"]
        labels = {
            "name": gettext_lazy("Your name, as others see it"),
            "language": gettext_lazy("Language of the pages"),
            "invitable": gettext_lazy("Others may invite me to answer a question"),
            "shortcuts": gettext_lazy("Single keys do things on pages, such as j and k on a thread"),
        }

    field_order = [
        "name", "city", "about", "show_city", "show_shelf", "hide_from_boards", "invitable", "shortcuts", "language",
        "time_zone",
    ]  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        profile, _made = Profile.objects.get_or_create(user=self.instance)
        for field in ("about", "show_shelf", "show_city"):
            self.fields[field].initial = getattr(profile, field)
        zones = [("", _("The brand's"))] + [(zone, zone.replace("_", " ")) for zone in sorted(available_timezones())]
        self.fields["time_zone"].choices = zones
        self.fields["language"] = forms.ChoiceField(
            label=gettext_lazy("Language of the pages"),
            required=False,
            choices=[("", _("As my browser says")), ("en", "English"), ("de", "Deutsch")],
        )
        self.order_fields(self.field_order)


class PictureForm(forms.Form):
    picture = forms.FileField(
        label=gettext_lazy("A picture of you, or of something you like"),
        max_length=300,
        widget=forms.FileInput(attrs={"accept": "image/jpeg,image/png,image/webp,image/gif"}),
        help_text=gettext_lazy(
            "JPEG, PNG, WebP or GIF, up to 10 MB. We keep a small square of its middle, and nothing that your camera "
            "wrote into it."
        ),
        error_messages={"required": gettext_lazy("Choose a picture first.")},
    )


class UsernameForm(forms.Form):
    username = forms.CharField(
        label=gettext_lazy("User name"),
        max_length=40,
        help_text=gettext_lazy(
            "The address of your page. The old one keeps leading to you, and nobody else can take it."
        ),
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user
        self.fields["username"].initial = user.username

    def clean_username(self) -> str:
        return check_free(self.cleaned_data["username"], besides=self.user)
