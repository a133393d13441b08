"""What Wagtail's screens for a model share where a service writes the row (RULINGS 6)."""

from typing import Any

from django.core.exceptions import ValidationError
from django.http import HttpResponse
from wagtail.log_actions import log


class ComplaintsAtFields:
    """For Wagtail's create and edit views: a ValidationError of the service stands beside the field it names, or above
    the form where that field isn't shown, and what was typed stays."""

    def form_valid(self, form: Any) -> HttpResponse:
        try:
            return super().form_valid(form)  # type: ignore[misc]
        except ValidationError as problem:
            return self.refused(form, problem)

    def refused(self, form: Any, problem: ValidationError) -> HttpResponse:
        """The page again, with the complaint and what was typed."""
        self.complain(form, problem)
        self.produced_error_message = self.get_error_message()  # type: ignore[attr-defined]
        return self.form_invalid(form)  # type: ignore[attr-defined]

    def complain(self, form: Any, problem: ValidationError) -> None:
        """Put a complaint on the form."""
        for field, errors in getattr(problem, "error_dict", {None: problem.messages}).items():
            form.add_error(field if field in form.fields else None, errors)


class ThroughService(ComplaintsAtFields):
    """Saves by `store`, and leaves Wagtail's own log entry."""

    request: Any
    form: Any

    def store(self, instance: Any, data: dict[str, Any]) -> Any:
        """Call the service that writes `instance`, from the form's cleaned `data`; returns the row.

        Each screen says which service. Raises what the service raises: a ValidationError is shown at the form.
        """
        raise NotImplementedError

    def save_instance(self) -> Any:
        new = self.form.instance.pk is None
        made = self.store(self.form.instance, self.form.cleaned_data)
        self.has_content_changes = True
        log(instance=made, action="wagtail.create" if new else "wagtail.edit", content_changed=True)
        return made
