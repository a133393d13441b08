from django.apps import AppConfig


class EscalationConfig(AppConfig):
    name = "community.escalation"
    label = "escalation"

    def ready(self) -> None:
        from community.core import panels, schedule

        from . import listeners, relay, sweep  # noqa: F401  (listeners register themselves)

        schedule.every(60, "escalate")(sweep.run)
        panels.register("thread.relay", relay.Relay())
        panels.register("thread.now", relay.RelayLine())
