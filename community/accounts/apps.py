from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "community.accounts"
    label = "accounts"

    def ready(self) -> None:
        from . import personal, signals  # noqa: F401
