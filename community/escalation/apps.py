from django.apps import AppConfig


class EscalationConfig(AppConfig):
    name = "community.escalation"
    label = "escalation"

    def ready(self) -> None:
        from community.core import health, panels, schedule
        from community.questions.services import private

        from . import (  # noqa: F401  (some register themselves)
            check,
            clusters,
            handoffs,
            listeners,
            personal,
            promises,
            relay,
            simulation,
            suggesting,
            sweep,
        )

        private.hold(handoffs.threads_held)
        schedule.every(60, "escalate")(sweep.run)
        schedule.every(60, "simulate policies")(simulation.run_waiting)
        schedule.every(3600, "check desk")(check.run)
        health.watch("cases", check.oldest_due, check.SWEEPS)
        schedule.every(60, "escalation.promises")(promises.find_late)
        schedule.every(15, "escalation.hand_offs")(handoffs.sweep)
        schedule.every(60, "escalation.clusters")(clusters.post_waiting)
        schedule.every(24 * 60 * 60, "escalation.routing")(suggesting.sweep)
        panels.register("thread.relay", relay.Relay())
        panels.register("thread.now", relay.RelayLine())
