from django.apps import AppConfig


class PostsConfig(AppConfig):
    name = "community.posts"
    label = "posts"

    def ready(self) -> None:
        from community.core import schedule

        from . import kept, personal, services  # noqa: F401

        schedule.every(60 * 60, "posts.uploads")(services.sweep_uploads)
        schedule.every(60 * 60, "posts.kept")(kept.tidy)
