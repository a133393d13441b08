"""Who may do what, asked in one query."""

from typing import Any

from allauth.mfa.models import Authenticator
from django.contrib.auth.models import Permission
from django.db.models import Exists, Q

from .models import FACTORS


class Permissions:
    """Stands before Django's backend and signs nobody in: it reads a person's own permissions and those of the groups
    at once, and leaves them where Django's backends look first. Every page of somebody signed in asks for them."""

    def authenticate(self, request: Any, **credentials: Any) -> None:
        return None

    def has_perm(self, user: Any, permission: str, thing: Any = None) -> bool:
        return permission in self.get_all_permissions(user, thing)

    def get_all_permissions(self, user: Any, thing: Any = None) -> set[str]:
        if not user.is_active or user.is_anonymous or thing is not None:
            return set()
        if not hasattr(user, "_perm_cache"):
            found = Permission.objects.all()
            if not user.is_superuser:
                found = found.filter(Q(user=user) | Q(group__user=user)).distinct()
            factors = Authenticator.objects.filter(user=user.pk, type__in=FACTORS)
            asked = found.annotate(factor=Exists(factors)).order_by()
            rows = list(asked.values_list("content_type__app_label", "codename", "factor"))
            user._perm_cache = {f"{app}.{name}" for app, name, _factor in rows}
            if rows:
                user._has_factor = rows[0][2]
        return user._perm_cache
