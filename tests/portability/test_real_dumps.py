"""The three sites this was built on. They are large and not part of the project: where they are missing, it says so."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.db.models import OuterRef, Subquery, Sum
from django.db.models.functions import Coalesce

from advocates import rebuild
from community.portability.stackexchange import files
from community.portability.stackexchange.files import Row
from community.posts.models import Comment
from community.questions.models import Answer, AnswerVote, Thread, ThreadVote
from products.models import Product

from . import dumps
from .conftest import newest_rows, run

DATA = Path(os.environ.get("SHARED_DATA", Path(settings.ROOT).parent / "shared" / "data"))
SITES = {
    "stackexchange-coffee-2015": (225, 327, 105, 758),
    "stackexchange-bicycles-meta-2023": (453, 971, 157, 2448),
    "stackexchange-quantumcomputing-2018": (612, 1060, 389, 3413),
}
COUNTED_ELSEWHERE = ("stackexchange-coffee-2015",)  # test_reputation_there: the rebuild after an import


def dump(name: str) -> Path:
    folder = DATA / name
    if not folder.is_dir():
        pytest.skip(f"{folder.name} is not on this machine (SHARED_DATA says where it is)")
    return folder


def rows(folder: Path, name: str) -> Iterator[Row]:
    return files.rows(files.find(folder)[name])


@pytest.mark.django_db
@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=[] if "coffee" in name else [pytest.mark.slow, pytest.mark.once]) for name in SITES],
)
def test_nothing_is_lost_every_score_holds_and_twice_is_harmless(name: str, duo: Product) -> None:
    folder = dump(name)
    run(folder, site="")
    there = [row for row in rows(folder, "Posts") if row.values["PostTypeId"] in ("1", "2")]
    accepted = {row.values["AcceptedAnswerId"] for row in there if row.values.get("AcceptedAnswerId")}
    ids = {row.values["Id"] for row in rows(folder, "Posts") if row.values["PostTypeId"] in ("1", "2")}
    comments = {row.values["Id"] for row in rows(folder, "Comments") if row.values["PostId"] in ids}

    threads = dict(Thread.objects.visible().values_list("external_id", "score"))
    answers = dict(Answer.objects.visible().values_list("external_id", "score"))
    assert threads.keys() | answers.keys() == ids
    assert set(Answer.objects.filter(accepted_at__isnull=False).values_list("external_id", flat=True)) == accepted
    assert set(Comment.objects.visible().values_list("external_id", flat=True)) == comments
    assert (len(threads), len(answers), len(accepted), len(comments)) == SITES[name]
    wrong = [
        row.values["Id"]
        for row in there
        if (threads if row.values["PostTypeId"] == "1" else answers)[row.values["Id"]] != int(row.values["Score"])
    ]
    assert wrong == []
    for posts, votes in ((Thread.objects, ThreadVote.objects), (Answer.objects, AnswerVote.objects)):
        sums = votes.filter(target=OuterRef("pk")).order_by().values("target").annotate(sum=Sum("value")).values("sum")
        off = [post.pk for post in posts.annotate(sum=Coalesce(Subquery(sums), 0)) if post.sum != post.score]
        assert off == []

    if name not in COUNTED_ELSEWHERE:
        assert rebuild.rebuild(write=False).differences == []
    before = newest_rows()
    assert "0 added, 0 changed, 0 withdrawn." in run(folder, site="")
    assert newest_rows() == before


MEASURE = """
import os, resource, sys
import django
django.setup()
from django.core.management import call_command
def peak():
    # Kilobytes, but on macOS bytes.
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 * 1024 if sys.platform == "darwin" else 1024)
call_command("check", verbosity=0)
idle = peak()
call_command("import_stackexchange", *sys.argv[1:], verbosity=0)
print(peak() - idle)
"""


@pytest.mark.slow
@pytest.mark.once
@pytest.mark.django_db(transaction=True)
def test_memory_does_not_grow_with_the_dump(tmp_path: Path, duo: Product) -> None:
    """Ten times the dump, hardly more memory: questions, votes and people are never all in mind."""

    def growth(questions: int) -> float:
        folder = tmp_path / f"size{questions}.example.org"
        _large(folder, questions)
        described = settings.DATABASES["default"]
        environment = os.environ | {"DJANGO_SETTINGS_MODULE": "community.settings.test"}
        if described["ENGINE"].endswith("sqlite3"):
            environment["DATABASE_URL"] = f"sqlite:///{Path(described['NAME']).resolve()}"
        else:
            pytest.skip("measured on SQLite, where it takes the most")
        command = [sys.executable, "-c", MEASURE, str(folder), "--product", "duo"]
        done = subprocess.run(  # noqa: S603
            command, cwd=settings.ROOT, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return float(json.loads(done.stdout.splitlines()[-1]))

    small, large = growth(30), growth(300)
    assert Thread.objects.count() == 330
    assert large < 100
    assert large - small < 30


def _large(folder: Path, questions: int) -> None:
    body = "<p>" + "It drips at night, and nobody knows why. " * 100 + "</p>"
    posts, votes, comments, history = [], [], [], []
    for number in range(1, questions + 1):
        key = number * 3
        posts += [
            dumps.a_question(key, owner=number, Body=body, AcceptedAnswerId=key + 1, Score=10),
            dumps.an_answer(key + 1, key, owner=number + 1, Body=body),
        ]
        votes += [dumps.a_vote(number * 20 + vote, key) for vote in range(10)]
        # Votes on posts that aren't there make the files long, and nothing else.
        votes += [dumps.a_vote(10_000_000 + number * 1000 + vote, 9_000_000) for vote in range(300)]
        comments += [dumps.a_comment(number * 2, key, number), dumps.a_comment(number * 2 + 1, key + 1, number)]
        history += [dumps.a_history(number, key, 2, "It drips. " * 400, f"v{number}", owner=number)]
    users = [dumps.a_user(number) for number in range(1, questions + 2)]
    dumps.write(folder, Users=users, Posts=posts, Votes=votes, Comments=comments, PostHistory=history)
