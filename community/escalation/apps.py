from django.apps import AppConfig


class EscalationConfig(AppConfig):
    name = "community.escalation"
    label = "escalation"

    def ready(self) -> None:
        from community.core import health, panels, schedule

        from . import check, listeners, relay, sweep  # noqa: F401  (listeners register themselves)

        schedule.every(60, "escalate")(sweep.run)
        schedule.every(3600, "check desk")(check.run)
        health.watch("cases", check.oldest_due, check.SWEEPS)
        panels.register("thread.relay", relay.Relay())
        panels.register("thread.now", relay.RelayLine())
