"""Hypothesis chooses what people do; whatever it is, the ledger keeps its promises and a rebuild equals live.

Small and always the same here; `HYPOTHESIS=explore` looks further, `make prove` runs 10,000 acts with eight writers.
"""

import gc
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from django.db.models import Count, F
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from advocates import rebuild
from advocates.models import Competence, DayTotal, ReputationEntry
from bench import ledger_acts as acts
from community.accounts.models import User

BEGINNING = datetime(2026, 9, 1, 9, tzinfo=UTC)


class Community(RuleBasedStateMachine):
    """One act a step, an hour apart; each example in a savepoint of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.whole = transaction.atomic()
        self.whole.__enter__()
        self.world = acts.new_world(5)
        self.steps = 0
        for act in (acts.ask, acts.answer, acts.answer):
            acts.perform(act, self.world, 1, BEGINNING)

    @rule(act=st.sampled_from(acts.ACTS), seed=st.integers(0, 2**20))
    def something_happens(self, act: Any, seed: int) -> None:
        self.steps += 1
        acts.perform(act, self.world, seed, BEGINNING + timedelta(hours=self.steps))

    def teardown(self) -> None:
        try:
            check_promises()
        finally:
            transaction.set_rollback(True)
            self.whole.__exit__(None, None, None)


def check_promises() -> None:
    """Nobody below the floor, no day above its cap, no cause twice, and a rebuild equals live."""
    assert not User.objects.filter(reputation__lt=1).exists()
    assert not any(day.value > day.cap + day.exempt for day in DayTotal.objects.all())
    assert not Competence.objects.filter(kind="product", score__gt=0, person__competence=None).exists()
    first = ReputationEntry.objects.filter(reverses=None).order_by()
    assert not first.values("person", "reason", "event").annotate(n=Count("pk")).filter(n__gt=1).exists()
    assert not ReputationEntry.objects.exclude(reverses=None).exclude(person=F("reverses__person")).exists()
    assert rebuild.rebuild(write=False).differences == []


@pytest.mark.django_db
def test_whatever_happens_a_rebuild_equals_live() -> None:
    few = settings(
        max_examples=3, stateful_step_count=20, deadline=None, derandomize=True, database=None,
        phases=[Phase.generate], suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    # Hypothesis parses this file. Python before 3.11.8 may fail there (python/cpython#106905) when a finalizer of an
    # earlier test runs meanwhile, so those run now.
    gc.collect()
    run_state_machine_as_test(Community, settings=few)  # type: ignore[no-untyped-call]
