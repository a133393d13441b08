from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from django.contrib.auth.base_user import BaseUserManager
from django.db import models

from .names import skeleton

if TYPE_CHECKING:
    from .models import User


class UserQuerySet(models.QuerySet):
    def active(self) -> Self:
        return self.filter(is_active=True)

    def members(self) -> Self:
        """People who take part as themselves: neither staff nor erased."""
        return self.active().exclude(standing__in=("staff", "former_staff", "erased"))


class UserManager(BaseUserManager.from_queryset(UserQuerySet)):  # type: ignore[misc]
    def create_user(self, username: str, email: str | None = None, password: str | None = None, **fields: Any) -> User:
        """Create a person. Without a password nobody can log in until one is set or a code is mailed."""
        user = self.model(
            username=username,
            username_key=skeleton(username),
            email=self.normalize_email(email).lower() if email else None,
            **{"name": username, **fields},
        )
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(
        self, username: str, email: str | None = None, password: str | None = None, **fields: Any
    ) -> User:
        return self.create_user(username, email, password, is_superuser=True, is_staff=True, **fields)

    def get_by_natural_key(self, username: str) -> User:
        return self.get(username_key=skeleton(username))


class DepartmentQuerySet(models.QuerySet):
    def current(self) -> Self:
        return self.filter(archived_at__isnull=True)
