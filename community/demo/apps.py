from django.apps import AppConfig


class DemoConfig(AppConfig):
    name = "community.demo"
    label = "demo"
    verbose_name = "Demo"
