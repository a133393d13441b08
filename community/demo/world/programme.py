"""Advocates come, help, thank and leave."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from advocates import gratitude, letters, programme, queue, rings
from advocates import services as advocates
from advocates.models import CodeOfConduct
from community.core import clock
from community.questions import services as questions
from community.questions.models import Answer, Kind

from ..rows import Row
from .ground import Rows


class Programme(Rows):
    def advocate(self, row: Row) -> None:
        known = [self.the_product(slug) for slug in row.get("expertise", [])]
        user = self.person(row["username"])
        if row["role"] == "advocate-candidate":
            advocates.note_candidate(user, None, known)
        else:
            advocates.admit(user, None, known)
        self._people.pop(row["username"])

    def publish_code(self, body: str, what_changed: str) -> None:
        # The first version came with the house, which is older than this machine.
        CodeOfConduct.objects.filter(version=1).update(published_at=clock.now() - timedelta(days=800))
        programme.publish_code(None, body, what_changed=what_changed)

    def accept_code(self, name: str) -> None:
        programme.accept_code(self.person(name), programme.current_code().version)

    def invite(self, name: str, by: str, products: Sequence[str]) -> None:
        programme.invite(self.person(name), self.person(by), [self.the_product(slug) for slug in products])

    def apply(self, name: str, row: Row) -> None:
        known = [self.the_product(slug) for slug in row["products"]]
        programme.apply(self.person(name), known, row["motivation"], code_version=programme.current_code().version)

    def answer_trial(self, name: str, answers: Sequence[str]) -> None:
        user = self.person(name)
        application = programme.open_application(user)
        if application is None or application.state != "trial":
            return  # there were no old questions
        for place, item in enumerate(application.trial.all()):
            programme.answer_trial(user, item.pk, answers[place % len(answers)])
        programme.send_trial(user)

    def judge(self, name: str, place: int, helps: Sequence[bool], note: str) -> None:
        application = programme.open_application(self.person(name))
        seat = application.judges.filter(place=place, done_at=None).first() if application is not None else None
        if application is None or seat is None:
            return  # fewer advocates than judges
        items = programme.items_for(seat)
        said = {item.pk: (helps[at % len(helps)], note) for at, item in enumerate(items)}
        programme.judge(application, seat.person, said)

    def decide_application(self, name: str, by: str, reason: str) -> None:
        application = programme.open_application(self.person(name))
        if application is None or application.state != "judged":
            return
        passed = programme.passed_products(application)
        chosen = [row.product for row in application.products.all() if passed.get(row.product_id) is not False]
        programme.decide(application, self.person(by), chosen if not reason else [], reason=reason)
        self._people.pop(name, None)

    def cheer_on(self, name: str, author: str, most: int) -> None:
        """A vote for the newest answers of somebody, one after the other, whatever they say."""
        voter, writer = self.person(name), self.person(author)
        answers = Answer.objects.visible().filter(author=writer).exclude(thread__kind=Kind.IDEA)
        fresh = answers.exclude(votes__voter=voter).exclude(thread__author=voter)
        begins = clock.now()
        for place, answer in enumerate(fresh.select_related("thread").order_by("-created_at", "-pk")[:most]):
            with clock.travel(begins + timedelta(seconds=70 * place)):
                questions.vote_answer(answer, voter, 1)

    def look_for_rings(self) -> None:
        rings.look()

    def leave(self, name: str, by: str, farewell: str) -> None:
        advocates.leave(self.person(name), self.person(by), farewell=farewell)
        self._people.pop(name, None)

    def letters(self, month: date, at: datetime) -> None:
        with clock.travel(at):
            letters.write_all(month)

    def pass_on(self, key: str, name: str, why: str) -> None:
        queue.pass_on(self.row(key), self.person(name), why)

    def thank(self, key: str, row: Mapping[str, Any]) -> None:
        answer = self.row(key)
        thanks = gratitude.thank(answer, answer.thread.author, row["words"], show=True)
        gratitude.show_thanks(thanks, answer.author, True)

    def declare(self, name: str, tie: Row) -> None:
        user = self.person(name)
        since = clock.now().date()
        lasted = tie["days_ago"] - tie["until_days_ago"] if tie.get("until_days_ago") else None
        until = since + timedelta(days=lasted) if lasted is not None else None
        advocates.declare_interest(user, user, kind=tie["kind"], line=tie["line"], since=since, until=until)

    def go_away(self, name: str, back: datetime, note: str, stand_in: str) -> None:
        user = self.person(name)
        advocates.set_away(user, user, until=back, note=note, stand_in=self._maybe(stand_in))
