from django.apps import AppConfig


class EscalationConfig(AppConfig):
    name = "community.escalation"
    label = "escalation"
