"""The desk: shifts, known issues, the steps of a case."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from community.core import clock
from community.escalation import incidents, shifts, sweep
from community.escalation import services as escalation
from community.escalation.cases import TOLD, due_of, held, waiting
from community.escalation.models import Channel, Incident, StepKind
from community.questions.models import Thread

from ..rows import Row
from .ground import SLACK, Rows

CHANNELS = {"RMA": "workshop", "PAY": "payments", "CALL": "call-back"}  # how references of the story begin


class Desk(Rows):
    def work(self, name: str, works: Mapping[Any, Any]) -> None:
        user = self.person(name)
        shifts.keep_hours(user, user, {str(day): spans for day, spans in works.items()})

    def be_off(self, name: str, back: datetime, stand_in: str) -> None:
        user = self.person(name)
        shifts.be_away(user, user, clock.now().date(), back.date(), self.person(stand_in) if stand_in else None)

    def keep_filter(self, name: str, kept: Mapping[str, Any]) -> None:
        shifts.keep_filter(self.person(name), kept["name"], kept["query"], shared=kept.get("shared", False))

    def open_incident(self, row: Row, banner: Mapping[str, Any]) -> Incident:
        """One that is a recall hangs on the recall's own banner; the other has its own."""
        product, by = self.the_product(row["products"][0]), self.person(row["opened"]["by"])
        recall = product.alerts.open().filter(kind="recall").first() if row["kind"] == "recall" else None
        return incidents.open_incident(
            product, by, title=row["title"], body=banner["text"], first=self.row(f"thread:{row['lead_thread']}"),
            department=self.department(row["departments"][0]), recall=recall,
        )  # fmt: skip

    def say(self, key: str, row: Mapping[str, Any]) -> None:
        incidents.say(self._incident(key), self.person(row["by"]), row["text"])

    def gather(self, key: str, row: Mapping[str, Any]) -> None:
        thread = self.row(f"thread:{row['slug']}")
        incidents.gather(self.row(key), thread, self.person(row["by"]), note=row.get("note", ""))

    def solve(self, key: str, row: Mapping[str, Any]) -> None:
        """The threads' own files say what became of each; here the banner goes and owners hear of it."""
        incidents.solve(self._incident(key), self.person(row["by"]), solution=row["text"])

    def _incident(self, key: str) -> Incident:
        return Incident.objects.select_related("alert__product").get(pk=self.ids[key])

    def step(self, key: str, row: Row, at: datetime, until: datetime | None) -> None:
        thread = self.row(key)
        if row["step"] == "late" and not self._is_late(thread, at):
            return  # what is late is the clocks' to say: it depends on the weekday of the telling
        self._fire_what_comes_before(thread, row["step"], at)
        escalation.tell_step(
            thread, row["step"], at=at, by=self._maybe(row.get("by")), to=self._maybe(row.get("to")),
            department=self.department(row["department"]) if row.get("department") else None,
            note=row.get("note", ""), reason=row.get("reason", ""), reference=row.get("reference", ""), until=until,
            people=[self.person(name) for name in row.get("asked", [])],
            channel=Channel.objects.filter(slug=CHANNELS.get(row.get("reference", "").partition("-")[0], "")).first(),
        )  # fmt: skip

    def _fire_what_comes_before(self, thread: Thread, step: str, at: datetime) -> None:
        """A rung is told when its turn has come: those below it fired, or found nobody, before."""
        case = held(thread)
        while step in TOLD and case is not None and case.next_due_at is not None and case.next_due_at <= at:
            if waiting(case)[0]["kind"] == TOLD[step]:
                return
            sweep.fire(case.pk, case.next_due_at)
            case = held(thread)

    def _is_late(self, thread: Thread, at: datetime) -> bool:
        case = held(thread)
        return case is not None and any(
            rung["kind"] == StepKind.LATE and due_of(rung) <= at + SLACK for rung in waiting(case)
        )
