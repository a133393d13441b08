"""What the staff screens of this room share: managers alone use them, and each goes through a service."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from wagtail.admin.ui.components import MediaContainer
from wagtail.admin.views import generic
from wagtail.admin.viewsets.model import ModelViewSet
from wagtail.permission_policies.base import BasePermissionPolicy

from community.accounts.models import User
from community.core.errors import Conflict

from . import permissions


class ManagersOnly(BasePermissionPolicy):
    """Whoever runs the programme may do all of it, others nothing."""

    def user_has_permission(self, user: Any, action: str) -> bool:
        return permissions.can_manage(user)

    def user_has_any_permission(self, user: Any, actions: Any) -> bool:
        return permissions.can_manage(user)

    def user_has_permission_for_instance(self, user: Any, action: str, instance: Any) -> bool:
        return permissions.can_manage(user)

    def user_has_any_permission_for_instance(self, user: Any, actions: Any, instance: Any) -> bool:
        return permissions.can_manage(user)

    def instances_user_has_any_permission_for(self, user: Any, actions: Any) -> Any:
        manager = self.model._default_manager
        return manager.all() if permissions.can_manage(user) else manager.none()

    def users_with_any_permission(self, actions: Any) -> Any:
        backend = "django.contrib.auth.backends.ModelBackend"
        return User.objects.with_perm("advocates.manage_advocates", backend=backend)

    def users_with_any_permission_for_instance(self, actions: Any, instance: Any) -> Any:
        return self.users_with_any_permission(actions)


class ServiceForm(forms.ModelForm):
    """A form whose `save()` calls a service; what the service objects to stands at the field."""

    by: Any = None

    def call(self) -> Any:
        """Hand `cleaned_data` to the service that does it, as `by`, and return the row it made or changed.

        Runs twice: once to see what the service objects to (rolled back), and once to save. Raises what the service
        raises: ValidationError and Conflict are shown at the form, NotAllowed ends in a refusal.
        """
        raise NotImplementedError

    def _post_clean(self) -> None:
        super()._post_clean()
        if self.errors:
            return
        # The service judges now, so that what it says reaches the page; saving repeats it, which is harmless.
        try:
            with transaction.atomic():
                self.call()
                transaction.set_rollback(True)
        except ValidationError as error:
            if hasattr(error, "error_dict"):
                for field, problems in error.error_dict.items():
                    self.add_error(field if field in self.fields else None, problems)
            else:
                self.add_error(None, error)
        except Conflict as error:
            self.add_error(None, error.reason)

    def save(self, commit: bool = True) -> Any:
        return self.call()


class WithManager:
    """Hands the form who is asking."""

    def get_form(self, *args: Any, **kwargs: Any) -> Any:
        form = super().get_form(*args, **kwargs)  # type: ignore[misc]
        form.by = self.request.user  # type: ignore[attr-defined]
        return form


class CreateView(WithManager, generic.CreateView):
    pass


class EditView(WithManager, generic.EditView):
    def get_side_panels(self) -> Any:
        """None: Wagtail counts what its own pages refer to, so it would say "Used 0 times" of a badge people hold, and
        "Live" of one that is retired. The history stands in the header."""
        return MediaContainer([])


class ConfirmView(generic.DeleteView):
    """Asks once more, in the words of what it does; what the service objects to stands above the button."""

    form_class = forms.Form
    template_name = "advocates/admin/confirm.html"
    question: Any = ""
    yes: Any = ""
    no: Any = _("No, leave it")

    def act(self, form: Any) -> None:
        """Call the service that does it. Raises what the service raises."""
        raise NotImplementedError

    def form_valid(self, form: Any) -> Any:
        self.delete_action = lambda: self.act(form)
        try:
            return super().form_valid(form)
        except Conflict as error:
            form.add_error(None, error.reason)
        except ValidationError as error:
            form.add_error(None, error)
        return self.form_invalid(form)


class Screens(ModelViewSet):
    add_to_admin_menu = False
    add_view_class = CreateView
    edit_view_class = EditView
    copy_view_enabled = False
    inspect_view_enabled = False

    @property
    def permission_policy(self) -> Any:
        return ManagersOnly(self.model)


def claimable() -> Any:
    return Q(source="") | Q(claimed_at__isnull=False)
