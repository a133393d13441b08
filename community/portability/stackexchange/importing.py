"""A Stack Exchange dump, from its folder to threads: read aside, then taken over in batches.

Each batch is one transaction, points and badges included, so that an import that is killed leaves whole questions
behind and goes on where it stopped when it is started again. A dry run does the same work and rolls each batch back,
so what it says is what would happen (docs/decisions/0087).
"""

import re
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from django.core.exceptions import ValidationError
from django.db import DataError, IntegrityError, transaction
from django.utils.translation import gettext as _

from community.accounts.models import Department
from community.core import text, turns
from community.core.errors import Conflict, NotAllowed
from community.events.log import replay
from community.portability.batches import in_one
from community.portability.errors import ImportProblem
from community.portability.models import SourceState
from community.portability.tally import Tally
from community.posts.models import Tag
from community.posts.tagging import tag_and_slug
from community.questions import services as questions
from community.questions.models import Answer, Thread
from products.models import Product

from . import files, reading, threads
from .people import People
from .staging import DOWN, UP, Staging

Item = TypeVar("Item")
Watch = Callable[[Iterable[Any], str, int | None], Iterable[Any]]
SITE = re.compile(r"(?=.{4,80}$)[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)+")
PEOPLE_A_BATCH = 200
FEW = 20  # so many questions may vanish without a second thought


@dataclass
class Options:
    """What somebody asked for."""

    folder: Path
    product: Product
    site: str = ""
    official_users: frozenset[int] = frozenset()
    department: Department | None = None
    dry_run: bool = False
    batch: int = 25
    allow_many_withdrawals: bool = False


def plainly(items: Iterable[Any], label: str, total: int | None) -> Iterable[Any]:
    """Watch nothing."""
    return items


def run(options: Options, watch: Watch = plainly) -> Tally:
    """Import, and say what was done. Raises ImportProblem; what was committed before stays and is not done again."""
    found = files.find(options.folder)
    with tempfile.TemporaryDirectory(prefix="stackexchange-") as scratch:
        staging = Staging(Path(scratch) / "dump.sqlite3")
        try:
            staging.fill(found, lambda rows, name: watch(rows, name, None))
            options.site = site_of(options, staging)
            return _Import(options, staging, watch).run()
        finally:
            staging.close()


def site_of(options: Options, staging: Staging) -> str:
    """The host name of the site: as told, by the folder's name, or by the links between its posts."""
    told = re.sub(r"^https?://|/.*$", "", options.site.strip().lower())
    if options.site:
        if not SITE.fullmatch(told):
            raise ImportProblem("--site", f"not a host name: {options.site!r}; say e.g. coffee.stackexchange.com")
        return told
    by_folder = options.folder.resolve().name.lower()
    if SITE.fullmatch(by_folder) and by_folder.rpartition(".")[2].isalpha():
        return by_folder
    if found := _site_in_source_note(options.folder) or staging.site_by_links():
        return found
    raise ImportProblem(
        str(options.folder), "which site is this? Its address is part of the licence: --site coffee.stackexchange.com"
    )


def _site_in_source_note(folder: Path) -> str:
    """Collections of dumps say in a SOURCE.md beside the files which site they are."""
    note = folder / "SOURCE.md"
    if not note.is_file():
        return ""
    heading = note.read_text(errors="replace").lstrip("\ufeff# ")[:200].lower().split()
    return heading[0] if heading and SITE.fullmatch(heading[0]) else ""


def _chunks(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    rest = iter(items)
    while chunk := list(islice(rest, size)):
        yield chunk


@dataclass
class _Import:
    options: Options
    staging: Staging
    watch: Watch
    tally: Tally = field(default_factory=Tally)

    def __post_init__(self) -> None:
        self.site = self.options.site
        self.people = People(self.staging, self.site)
        self.job = threads.Takeover(
            self.staging, self.site, self.options.product, self.people, self.tally, self.options.official_users,
            self.options.department,
        )  # fmt: skip

    def run(self) -> Tally:
        self._count_what_is_there()
        gone = self._questions_gone()
        self._check(gone)
        self._take_people()
        self._take_questions()
        self._withdraw_questions(gone)
        self._link_duplicates()
        self._describe_tags()
        return self.tally

    def _batch(self) -> AbstractContextManager[None]:
        return in_one(dry_run=self.options.dry_run, forget=self.people.forget)

    # Before anything is written

    def _count_what_is_there(self) -> None:
        count, there, remark = self.staging.count, self.tally.there, self.tally.remark
        there["people"] = count("SELECT COUNT(*) FROM users")
        there["questions"] = count("SELECT COUNT(*) FROM posts WHERE type = 1")
        there["answers"] = count("SELECT COUNT(*) FROM posts WHERE type = 2")
        there["accepted answers"] = count("SELECT COUNT(*) FROM posts WHERE type = 1 AND accepted IS NOT NULL")
        there["comments"] = count("SELECT COUNT(*) FROM comments")
        there["votes"] = count("SELECT COUNT(*) FROM votes WHERE type IN (?, ?)", UP, DOWN)
        there["versions"] = count("SELECT COUNT(DISTINCT version) FROM history WHERE type < 10")
        there["closed"] = count("SELECT COUNT(*) FROM posts WHERE type = 1 AND closed IS NOT NULL")
        remark(
            "answers without their question, which is not in the dump, were left out",
            count("SELECT COUNT(*) FROM posts WHERE type = 2 AND id NOT IN (SELECT id FROM kept)"),
        )
        remark(
            "posts are neither question nor answer (tag texts and the like)",
            count("SELECT COUNT(*) FROM posts WHERE type NOT IN (1, 2)"),
        )
        remark(
            "links name a post that is not in the dump and were left out",
            count(
                "SELECT COUNT(*) FROM links"
                " WHERE post NOT IN (SELECT id FROM posts) OR related NOT IN (SELECT id FROM posts)"
            ),
        )
        for table, noun in (("votes", "votes"), ("comments", "comments"), ("history", "entries of history")):
            remark(
                f"{noun} name a post that is not in the dump and were left out",
                count(f"SELECT COUNT(*) FROM {table} WHERE post NOT IN (SELECT id FROM posts)"),  # noqa: S608
            )
        remark(
            "comments are on posts that were left out",
            count(
                "SELECT COUNT(*) FROM comments"
                " WHERE post IN (SELECT id FROM posts) AND post NOT IN (SELECT id FROM kept)"
            ),
        )
        remark(
            "votes are of kinds that mean nothing here (close, delete, bounty, spam and the like)",
            count("SELECT COUNT(*) FROM votes WHERE type NOT IN (1, 2, 3, 5) AND post IN (SELECT id FROM posts)"),
        )
        remark(
            "badges of that site were left out; ours are earned by what was imported",
            count("SELECT COUNT(*) FROM badges"),
        )

    def _questions_gone(self) -> list[int]:
        """Our ids of questions that the site has no longer."""
        here = Thread._base_manager.filter(source=self.site).exclude(visibility=Thread.Visibility.DELETED)
        keys = here.values_list("pk", "external_id").order_by("pk")
        return [pk for pk, key in keys.iterator(chunk_size=500) if not (key.isdigit() and self.staging.has(int(key)))]

    def _check(self, gone: list[int]) -> None:
        if not self.tally.there["questions"]:
            raise ImportProblem("Posts.xml", "there is no question in it")
        for user_id in sorted(self.options.official_users):
            if not self.staging.has_user(user_id):
                raise ImportProblem("--official-users", f"Users.xml has no row {user_id}")
        here = Thread._base_manager.filter(source=self.site).exclude(visibility=Thread.Visibility.DELETED).count()
        if len(gone) > FEW and len(gone) * 2 > here and not self.options.allow_many_withdrawals:
            raise ImportProblem(
                "Posts.xml",
                f"{len(gone)} of the {here} questions imported before are not in it, and would be withdrawn. Is it "
                "whole? If it is meant so, say --allow-many-withdrawals",
            )

    # The steps

    def _take_people(self) -> None:
        total = self.staging.count("SELECT COUNT(*) FROM users")
        for batch in _chunks(self.watch(self.staging.authors(), _("People"), None), PEOPLE_A_BATCH):
            todo = self.people.new_or_renamed(batch)
            if todo:
                with self._batch():
                    for row in todo:
                        first = reading.moment(row["first"])
                        self.people.take(row["owner"], row["owner_name"], first, self.tally)
        self.tally.remark("people wrote nothing and were left out", max(0, total - self.people.seen))

    def _take_questions(self) -> None:
        ids = self.watch(self.staging.questions(), _("Questions"), self.tally.there["questions"])
        for batch in _chunks(ids, self.options.batch):
            known = dict(
                SourceState.objects.filter(source=self.site, external_id__in=batch).values_list("external_id", "digest")
            )
            todo = [question for question in batch if known.get(str(question)) != self.job.digest_of(question)]
            if not todo:
                continue
            problem: ImportProblem | None = None
            while todo and problem is None:
                turn = turns.Turn()
                with self._batch():
                    while todo and not turn.is_over:
                        question = todo.pop(0)
                        try:
                            with transaction.atomic():
                                threads.take_over(self.job, question)
                        except (ValidationError, Conflict, NotAllowed, IntegrityError, DataError) as refused:
                            what = f"Posts.xml, row {question} and what hangs on it"
                            problem = ImportProblem(what, _in_words(refused))
                            break  # what was done before it stands
            if problem is not None:
                raise problem

    def _withdraw_questions(self, gone: list[int]) -> None:
        for batch in _chunks(gone, self.options.batch):
            with self._batch():
                for thread in Thread._base_manager.filter(pk__in=batch):
                    answers = Answer._base_manager.filter(thread=thread, source=self.site)
                    for answer in answers.select_related("thread"):
                        self.tally.add("answers", "withdrawn", int(self.job.withdraw(answer)))
                    self.tally.add("questions", "withdrawn", int(self.job.withdraw(thread)))
                    SourceState.objects.filter(source=self.site, external_id=thread.external_id).update(digest="")

    def _link_duplicates(self) -> None:
        """After all questions are there: the original may be younger. Only links (RULINGS 13)."""
        for batch in _chunks(self.staging.duplicates(), self.options.batch):
            keys = [str(row["post"]) for row in batch]
            known = dict(
                SourceState.objects.filter(source=self.site, external_id__in=keys).values_list(
                    "external_id", "duplicate_of"
                )
            )
            todo = [row for row in batch if known.get(str(row["post"])) != str(row["related"])]
            if self.options.dry_run:
                self.tally.add("duplicates", count=len(todo))
            elif todo:
                with self._batch():
                    for row in todo:
                        self._link(row["post"], row["related"], reading.moment(row["created"]))
        self._unlink()

    def _link(self, post: int, original: int, at: datetime) -> None:
        here = Thread._base_manager.filter(source=self.site)
        thread, first = here.get(external_id=post), here.get(external_id=original)
        SourceState.objects.filter(source=self.site, external_id=post).update(duplicate_of=str(original))
        if (first.duplicate_of_id or first.pk) == thread.pk:
            self.tally.remark("questions are duplicates of each other")
            return
        with replay("import", max(at, thread.created_at)):
            questions.mark_duplicate(thread, None, first)
        self.tally.add("duplicates")

    def _unlink(self) -> None:
        """A duplicate that is none any longer is open again."""
        marked = SourceState.objects.filter(source=self.site).exclude(duplicate_of="")
        gone = [
            state
            for state in marked.iterator(chunk_size=500)
            if self.staging.has(int(state.external_id)) and not self.staging.is_duplicate(int(state.external_id))
        ]
        for batch in _chunks(gone, self.options.batch):
            with self._batch():
                for state in batch:
                    thread = Thread._base_manager.get(source=self.site, external_id=state.external_id)
                    if thread.duplicate_of_id is not None:
                        with replay("import"):
                            questions.reopen_thread(thread, thread.author)
                    # Reopening took closing and solution away, too: they are read again from the dump.
                    SourceState.objects.filter(pk=state.pk).update(duplicate_of="", accepted="", closed=False)
                    threads.take_over(self.job, int(state.external_id))
                    self.tally.add("duplicates", "withdrawn")

    def _describe_tags(self) -> None:
        """What a tag is for, where nobody here has said it."""
        for batch in _chunks(self.staging.described_tags(), PEOPLE_A_BATCH):
            told, names = {}, {}
            for row in batch:
                credit = f" ({self.site}, {reading.licence(row)})"
                words = text.excerpt(text.plain_text(row["body"]), 300 - len(credit))
                slug = tag_and_slug(row["name"])[1]
                told[slug], names[slug] = f"{words}{credit}", row["name"]
            here = dict(Tag.objects.filter(slug__in=told).values_list("slug", "about"))
            # In a dry run the new tags have gone with their questions.
            blank = [
                slug
                for slug in told
                if here.get(slug) == ""
                or (self.options.dry_run and slug not in here and self.staging.uses_tag(names[slug]))
            ]
            if blank:
                with self._batch():
                    for slug in blank:
                        Tag.objects.filter(slug=slug, about="").update(about=told[slug])
                        self.tally.add("tags described")


def _in_words(refused: Exception) -> str:
    if isinstance(refused, ValidationError):
        return " ".join(refused.messages)
    if isinstance(refused, IntegrityError | DataError):
        return f"the database refuses it: {refused}"
    return str(getattr(refused, "reason", refused))
