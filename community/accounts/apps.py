from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "community.accounts"
    label = "accounts"

    def ready(self) -> None:
        from community.core import schedule

        from . import personal, services, signals  # noqa: F401

        schedule.every(60, "accounts.suspensions")(services.lift_expired)
