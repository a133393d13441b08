"""`bench.badges` on the database that the environment names; prints JSON."""

import json
import os
import random
import time
from collections.abc import Callable
from typing import Any

from .throwaway import say

PEOPLE = int(os.environ.get("PEOPLE", "1000000"))  # and as many events; the rest in proportion
THREADS, ANSWERS = PEOPLE // 10, PEOPLE // 4
ANSWER_VOTES, THREAD_VOTES, ACCEPTED, ASKED_BACK = (PEOPLE * share // 100 for share in (65, 25, 6, 4))
SEED = 7


def _copies(model: Any, number: int, template: Any, **changed: str) -> None:
    """So many rows like this one; `changed` says in SQL what differs, `n` is the number of the row."""
    from django.db import connection

    quote = connection.ops.quote_name
    fields = [field for field in model._meta.local_concrete_fields if not field.primary_key]
    columns = [quote(field.column) for field in fields]
    values = [changed.get(field.column, f"t.{quote(field.column)}") for field in fields]
    table = quote(model._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} ({', '.join(columns)}) SELECT {', '.join(values)} "  # noqa: S608
            f"FROM {table} t, generate_series(1, {number}) n WHERE t.id = %s",
            [template.pk],
        )


def _first(model: Any, template: Any) -> int:
    """The id from which the copies run on."""
    return model._base_manager.filter(pk__gt=template.pk).order_by("pk").values_list("pk", flat=True)[0]


def load() -> int:
    """A community of that size. Who writes much is one of few: half of the answers are by a hundredth of the people."""
    import django

    django.setup()
    from django.contrib.contenttypes.models import ContentType
    from django.core.management import call_command
    from django.db import connection

    from community.accounts.models import User
    from community.accounts.services import join
    from community.core import clock
    from community.events.models import Event
    from community.questions import services as questions
    from community.questions.models import Answer, AnswerVote, FollowUp, Thread, ThreadVote

    say("Making the database …")
    call_command("migrate", verbosity=0, interactive=False)
    call_command("createcachetable", verbosity=0)
    say(f"{PEOPLE:,} people …")
    asker, helper = (join(name, name.title(), email=f"{name}@example.org") for name in ("asker", "helper"))
    _copies(
        User, PEOPLE, helper, username="'person' || n", username_key="'person' || n",
        email="'p' || n || '@example.org'",
        external_id="t.external_id",
    )  # fmt: skip
    someone = _first(User, helper)
    few = f"({someone} + floor(power(random(), 4) * {PEOPLE}))::bigint"
    any_one = f"({someone} + floor(random() * {PEOPLE}))::bigint"
    say(f"{THREADS:,} threads, {ANSWERS:,} answers, {ANSWER_VOTES + THREAD_VOTES:,} votes …")
    thread = questions.post_thread(
        asker,
        kind="question",
        title="Why does the water run slowly?",
        body="It did not in May, and nothing has changed since.",
    )
    answer = questions.post_answer(thread, helper, body="Descale it, and let it rest for ten minutes.")
    # What happened in the last days has been judged when it happened.
    ago = "now() - interval '3 days' - random() * interval '700 days'"
    _copies(Thread, THREADS, thread, author_id=few, created_at=ago, score="3", external_id="t.external_id")
    threads = _first(Thread, thread)
    _copies(
        Answer, ANSWERS, answer, author_id=few, thread_id=f"({threads} + n %% {THREADS})", created_at=ago, score="3",
        accepted_at=f"CASE WHEN n <= {ACCEPTED} THEN {ago} END",
    )  # fmt: skip
    answers = _first(Answer, answer)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE questions_answer SET accepted_by_id = t.author_id FROM questions_thread t "
            "WHERE t.id = thread_id AND accepted_at IS NOT NULL"
        )
    questions.vote_answer(answer, asker, 1)
    questions.vote_thread(thread, helper, 1)
    skewed = "floor(power(random(), 2) * {})"
    _copies(
        AnswerVote, ANSWER_VOTES, AnswerVote.objects.get(), voter_id=f"({someone} + n)", created_at=ago,
        target_id=f"({answers} + {skewed.format(ANSWERS)})::bigint",
    )  # fmt: skip
    _copies(
        ThreadVote, THREAD_VOTES, ThreadVote.objects.get(), voter_id=f"({someone} + n)", created_at=ago,
        target_id=f"({threads} + {skewed.format(THREADS)})::bigint",
    )  # fmt: skip
    made = FollowUp.objects.create(answer=answer, outcome="yes", answered_at=clock.now())
    _copies(FollowUp, ASKED_BACK, made, answer_id=f"({answers} + n)", answered_at=ago)
    say("The log …")
    subject = ContentType.objects.get_for_model(Answer).pk
    for kind, number, start in (
        ("answer.voted", ANSWER_VOTES, answers), ("thread.voted", THREAD_VOTES, threads),
        ("answer.accepted", ACCEPTED, answers), ("follow_up.answered", ASKED_BACK, answers),
    ):  # fmt: skip
        template = Event.objects.filter(kind="answer.voted").earliest("pk")
        _copies(
            Event, number, template, kind=f"'{kind}'", actor_id=any_one, subject_type_id=str(subject),
            subject_id=f"({start} + n %% 1000)", occurred_at=ago,
        )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    return someone


def boards(someone: int) -> dict[str, Any]:
    """Everybody on the board of all time, half of them on that of the month, a tenth on that of a topic."""
    from django.db import connection

    from advocates import boards
    from advocates.models import BoardBucket, BoardScore
    from community.accounts.models import User

    say("Boards …")
    today = boards.today()
    starts = [
        ("all", boards.ALL_TIME, "all", 1), ("year", boards.start_of("year", today), "all", 1),
        ("month", boards.start_of("month", today), "all", 2), ("month", boards.start_of("month", today), "topic:3", 10),
    ]  # fmt: skip
    with connection.cursor() as cursor:
        for period, start, board, every in starts:
            cursor.execute(
                "INSERT INTO advocates_boardscore (person_id, period, start, board, points, listed) "
                "SELECT %s + n, %s, %s, %s, floor(exp(random() * 10))::int, true FROM generate_series(0, %s) n "
                "WHERE n %% %s = 0 ON CONFLICT DO NOTHING",
                [someone, period, start, board, PEOPLE - 1, every],
            )
    boards.recount_buckets()
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE advocates_boardscore, advocates_boardbucket")
    chance = random.Random(SEED)
    chosen = [(period, board) for period, _start, board, _every in starts]
    people = list(User.objects.filter(pk__in=[someone + 10 * chance.randrange(PEOPLE // 10) for _ in range(200)]))
    top = _times(lambda n: boards.top(*chosen[n % len(chosen)], count=50), 200)
    around = _times(lambda n: boards.around(people[n % len(people)], *chosen[n % len(chosen)]), 400)
    add = _times(lambda n: _add(people[n % len(people)]), 200)
    return {
        "top": top[0], "around": around[0], "around_worst": around[1], "add": add[0],
        "scores": BoardScore.objects.count(), "buckets": BoardBucket.objects.count(),
    }  # fmt: skip


def _add(person: Any) -> None:
    from django.db import transaction

    from advocates import boards

    with transaction.atomic():
        boards.add({(person.pk, boards.today(), board): 10 for board in ("all", "topic:3", "help:answering")},
                   {person.pk: person})  # fmt: skip


def _times(do: Callable[[int], Any], times: int) -> tuple[float, float]:
    """Milliseconds of 95 of 100, and of the slowest; the first ten are not counted."""
    taken = []
    for number in range(times):
        began = time.perf_counter()
        do(number)
        if number >= 10:
            taken.append((time.perf_counter() - began) * 1000)
    taken.sort()
    return taken[int(len(taken) * 0.95)], taken[-1]


def measure() -> dict[str, Any]:
    someone = load()
    from advocates import badges
    from advocates.models import Badge
    from community.accounts.models import User
    from community.events.models import Event

    found: dict[str, Any] = {
        "events": Event.objects.count(), "people": User.objects.count(), "badges": Badge.objects.count(),
        "facts": ANSWER_VOTES + THREAD_VOTES + ACCEPTED + ASKED_BACK,
    }  # fmt: skip
    rule = {"event": "answer.voted", "to": "author", "count": "things", "when": [["answer.score", ">=", 2]],
            "threshold": 3, "window_days": None}  # fmt: skip
    began = time.perf_counter()
    found["preview_people"] = badges.preview(Badge(slug="new", award=rule, event="answer.voted")).people
    found["preview"] = time.perf_counter() - began
    for name in ("sweep", "again"):
        say(f"The {name} …")
        began = time.perf_counter()
        step = badges.sweep(
            progress=lambda done, everybody: say(f"  {done:,} of {everybody:,}") if done % 200_000 < 2 else None
        )
        found[name] = time.perf_counter() - began
        if name == "sweep":
            found["given"] = step.given
    return {**found, **boards(someone)}


if __name__ == "__main__":
    print(json.dumps(measure()))
