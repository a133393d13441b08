from django.apps import AppConfig


class AdvocatesConfig(AppConfig):
    name = "advocates"

    def ready(self) -> None:
        from community.core import panels, schedule
        from community.questions import ordering

        from . import (  # noqa: F401
            badges,
            boards,
            competence,
            letters,
            listeners,
            personal,
            programme,
            rings,
            services,
            totals,
            trust,
        )  # fmt: skip
        from . import panels as own

        panels.register("thread.byline", own.Competence())
        panels.register("home.advocates", own.OfTheMonth())
        panels.register("thread.invite", own.Invitable())
        panels.register("thread.answer", own.SayThanks())
        panels.register("person.work", own.Cheer())
        panels.register("person.work", own.Neutral())
        ordering.lead_by(competence.knows)
        schedule.every(60, "advocates: back on the boards")(boards.end_absences)
        schedule.every(24 * 3600, "advocates: boards in step")(boards.keep_in_step)
        schedule.every(24 * 3600, "advocates: old boards")(boards.prune)
        schedule.every(3600, "advocates: back from an absence")(services.bring_back)
        schedule.every(24 * 3600, "advocates: ranks")(totals.rename_by_rank)
        schedule.every(24 * 3600, "advocates: badges")(badges.sweep)
        schedule.every(24 * 3600, "advocates: serial votes")(rings.look)
        schedule.every(24 * 3600, "advocates: trust")(trust.evaluate_all)
        schedule.every(24 * 3600, "advocates: ties to the brand")(services.copy_all_interests)
        schedule.every(6 * 3600, "advocates: letters of the month")(letters.write_all)
        schedule.every(3600, "advocates: judges of trials")(programme.keep_judging)
        schedule.every(24 * 3600, "advocates: rhythms")(services.begin_rhythms)
