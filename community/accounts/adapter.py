"""Where allauth meets our people."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest

from community.core import clock, text

from .models import Profile, User
from .names import skeleton
from .services import check_free


class AccountAdapter(DefaultAccountAdapter):
    """Our rules for names, and one row of each kind for a new person."""

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
