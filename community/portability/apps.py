from django.apps import AppConfig


class PortabilityConfig(AppConfig):
    name = "community.portability"
    label = "portability"

    def ready(self) -> None:
        from community.core import panels, schedule

        from . import copies, leaving, personal  # noqa: F401  (the last registers itself)
        from .panels import EraseAccount, JoinAccounts, ProductSource

        panels.register("product.source", ProductSource())
        panels.register("staff.person", JoinAccounts())
        panels.register("staff.person", EraseAccount())
        schedule.every(60 * 60, "portability.leave")(leaving.leave_due)
        schedule.every(60, "portability.copies")(copies.make_waiting)
        schedule.every(60 * 60, "portability.old_copies")(copies.tidy)
