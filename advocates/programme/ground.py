"""An application moves from one state to the next."""

from typing import Any

from ..models import Application

State = Application.State


def move(application: Application, state: str, **more: Any) -> None:
    application.state = state
    for name, value in more.items():
        setattr(application, name, value)
    application.save(update_fields=["state", *more])
