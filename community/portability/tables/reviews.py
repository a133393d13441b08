"""Reviews from a table: read aside and checked, then written oldest first through the services, in batches.

One transaction a batch, with the points and badges that follow. A killed import leaves whole batches behind and goes
on where it stopped: a row that says what it said last time costs no write.
"""

import tempfile
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from community.accounts.models import Standing
from community.core import text, turns
from community.core.models import Body
from community.events.log import replay
from community.portability.batches import in_one
from community.portability.models import SourceState
from community.portability.tally import Tally
from products.models import Product
from reviews import services
from reviews.models import Disclosure, Review

from . import reading
from .files import Row
from .mapping import BadValue, Columns
from .people import People, key_of
from .report import REFUSED
from .staging import Staging, digest

FIELDS = {
    "id", "product", "person", "name", "stars", "title", "body", "created_at", "helpful_yes", "helpful_no", "did_well",
    "could_be_better", "would_recommend", "owned_months", "disclosure", "language", "url", "licence",
}  # fmt: skip
OPEN_FIELDS = ("secondary.", "secondary_")
NEEDED = ("product", "stars", "body", "created_at")
MOST_VOTES = 100_000


@dataclass(kw_only=True)
class Options(reading.Options):
    licence: str = ""
    language: str = "en"
    batch: int = 50


def run(options: Options, watch: reading.Watch) -> Tally:
    """Import, and say what was done. Raises ImportProblem. What was committed before stays and is not done again.

    Every row is checked before the first is written; with a wrong one among them nothing is, unless bad rows are to
    be skipped.
    """
    with tempfile.TemporaryDirectory(prefix="reviews-") as scratch:
        staging = Staging(Path(scratch) / "rows.sqlite3")
        try:
            return _Import(options, staging, watch).run()
        finally:
            staging.close()
            options.report.close()


class _Import:
    def __init__(self, options: Options, staging: Staging, watch: reading.Watch) -> None:
        self.options, self.staging, self.watch = options, staging, watch
        self.report, self.tally = options.report, Tally()
        self.people = People(options.source)
        self.products = reading.Products(options.source)

    def run(self) -> Tally:
        reading.read(
            self.options, self.watch, self.tally, self._stage,
            fields=FIELDS, needed=NEEDED, open_fields=OPEN_FIELDS,
        )  # fmt: skip
        self.staging.finish()
        self._tell_apart()
        if self.options.may_write:
            self._write()
        return self.tally

    # Reading

    def _stage(self, columns: Columns, row: Row) -> None:
        data = self._data(columns, row.values)
        words = digest(" ".join(data["title"].split()), " ".join(data["body"].split()))
        key = columns.raw(row.values, "id") or digest(data["product"], data["person"], data["at"], words)[:40]
        if len(key) > 70:
            key = digest(key)[:64]
        person = key_of(data["person"], data["name"], key)
        data |= {"who": person}
        self.staging.add(row.number, key, f"{data['slug']} {person}", words, data["at"], data)

    def _data(self, columns: Columns, row: Mapping[str, Any]) -> dict[str, Any]:
        """What a row says, checked. Raises BadValue."""
        product = self.products.named(columns, columns.raw(row, "product"))
        stars = columns.number(row, "stars", 1, 5)
        if stars is None:
            raise BadValue("it has no stars")
        moment = columns.moment(row, "created_at")
        if moment is None:
            raise BadValue("it has no date")
        body, source_format = columns.body(row, "body")
        words = text.plain_text(body) if source_format == Body.Format.HTML else body
        if not words.strip():
            raise BadValue("it has no text")
        title = columns.line(row, "title") or text.excerpt(words, 60)
        if len(title) > services.LONGEST_TITLE:
            raise BadValue(f"its title has {len(title)} characters; {services.LONGEST_TITLE} is the most")
        sides = {name: columns.words(row, name) for name in ("did_well", "could_be_better")}
        for name, side in sides.items():
            if len(side) > services.LONGEST_SIDE:
                raise BadValue(f"{columns.named(name)} has {len(side)} characters; {services.LONGEST_SIDE} is the most")
        return {
            "product": columns.raw(row, "product"),
            "slug": product.slug,
            "person": columns.raw(row, "person"),
            "name": columns.line(row, "name"),
            "stars": stars,
            "title": title,
            "body": body,
            "format": source_format,
            "at": moment.isoformat(timespec="microseconds"),
            "yes": columns.number(row, "helpful_yes", 0, MOST_VOTES, 0),
            "no": columns.number(row, "helpful_no", 0, MOST_VOTES, 0),
            **sides,
            "recommend": columns.yes_no(row, "would_recommend"),
            "months": columns.number(row, "owned_months", 0, services.OLDEST_MONTHS),
            "disclosure": columns.choice(row, "disclosure", Disclosure.values) or Disclosure.BOUGHT,
            "secondary": self._secondary(columns, row, product),
            "language": (columns.raw(row, "language") or self.options.language)[:10],
            "url": columns.address(row, "url"),
            "licence": (columns.line(row, "licence") or self.options.licence or columns.licence)[:40],
        }

    def _secondary(self, columns: Columns, row: Mapping[str, Any], product: Product) -> dict[str, int]:
        known = {rating["slug"] for rating in product.family.secondary_ratings}
        found = {}
        for name in columns.fields:
            if name.startswith(OPEN_FIELDS):
                value = columns.number(row, name, 1, 5)
                slug = name.partition("secondary")[2][1:].replace("_", "-")
                if value is None:
                    continue
                if slug not in known:
                    raise BadValue(f"{product.family} is not rated on {slug!r}, but on: {', '.join(sorted(known))}")
                found[slug] = value
        return found

    def _tell_apart(self) -> None:
        """Rows that stand there twice are left out, naming the one they repeat; two of one id that differ are wrong."""
        for number, first, same in list(self.staging.same_id()):
            if same:
                self.report.leave_out(number, f"row {first} is the same")
            else:
                self.report.error(number, f"row {first} has the same id and says something else")
            self.staging.drop(number)
        for number, first in list(self.staging.same_words()):
            self.report.leave_out(number, f"the same words by the same person about the same product as in row {first}")
            self.staging.drop(number)

    # Writing

    def _batch(self) -> AbstractContextManager[None]:
        return in_one(dry_run=self.options.dry_run, forget=self.people.forget)

    def _write(self) -> None:
        rows = iter(self.watch(self.staging.in_order(), _("Reviews"), self.staging.count()))
        while batch := list(islice(rows, self.options.batch)):
            keys = [_state_key(key) for _number, key, _digest, _data in batch]
            states = {
                state.external_id: state
                for state in SourceState.objects.filter(source=self.options.source, external_id__in=keys)
            }
            todo = [row for row in batch if (old := states.get(_state_key(row[1]))) is None or old.digest != row[2]]
            if not todo:
                continue
            while todo:
                turn = turns.Turn()
                with self._batch():
                    self.people.look_up(data["who"] for _number, _key, _digest, data in todo)
                    while todo and not turn.is_over:
                        self._take_row(todo, states)

    def _take_row(self, todo: list[tuple[int, str, str, dict[str, Any]]], states: dict[str, SourceState]) -> None:
        number, key, mark, data = todo.pop(0)
        try:
            with transaction.atomic():
                self._take(key, mark, data, states.get(_state_key(key)))
        except REFUSED as refused:
            self.people.forget()  # who was made for this row has gone with it
            self.people.look_up(data["who"] for _number, _key, _digest, data in todo)
            self.report.error(number, refused)

    def _take(self, key: str, mark: str, data: dict[str, Any], state: SourceState | None) -> None:
        if state is None:
            review = self._add(key, data)
            state = SourceState(source=self.options.source, external_id=_state_key(key))
        else:
            found = Review.objects.filter(source=self.options.source, external_id=key).select_related("author").first()
            if found is None:
                self.tally.remark("reviews were imported before, and erased here")
                return
            review = found
            self._follow(review, data, state)
        state.digest, state.body = mark, _as_here(review)
        state.save()

    def _add(self, key: str, data: dict[str, Any]) -> Review:
        at = datetime.fromisoformat(data["at"])
        author, new = self.people.of(data["who"], data["name"], at)
        if new and self.staging.meets(data["who"]):
            self.tally.add("people")
        product = Product.objects.select_related("family").get(slug=data["slug"])
        with replay("import", at):
            review = services.write_review(
                author, product, **_fields(data), language=data["language"], source_format=data["format"],
                source=self.options.source, external_id=key, source_url=data["url"], licence=data["licence"],
            )  # fmt: skip
            votes = services.add_helpful_rows(review, yes=data["yes"], no=data["no"], source=self.options.source, at=at)
        self.tally.add("reviews")
        self.tally.add("helpful votes", count=votes)
        return review

    def _follow(self, review: Review, data: dict[str, Any], state: SourceState) -> None:
        """Bring over what the source changed since; what was changed or taken away here stays."""
        author = review.author
        if review.visibility != Review.Visibility.VISIBLE:
            self.tally.remark("reviews changed there but are not shown here, and stay so")
            return
        at = datetime.fromisoformat(data["at"])
        with replay("import", max(at, review.created_at)):
            votes = services.add_helpful_rows(review, yes=data["yes"], no=data["no"], source=self.options.source, at=at)
        self.tally.add("helpful votes", count=votes)
        # Who joined it to an account of their own has taken it over, too.
        taken_over = author.claimed_at is not None or author.source != self.options.source
        if taken_over or author.standing == Standing.ERASED or _as_here(review) != state.body:
            self.tally.remark("reviews changed there after they were changed here; ours stay")
            return
        with replay("import"):
            services.edit_review(review, author, **_fields(data), source_format=data["format"])
        self.tally.add("reviews", "changed")


def _state_key(key: str) -> str:
    return f"review:{key}"


def _fields(data: Mapping[str, Any]) -> dict[str, Any]:
    """What the services take."""
    return {
        "stars": data["stars"],
        "title": data["title"],
        "body": data["body"],
        "did_well": data["did_well"],
        "could_be_better": data["could_be_better"],
        "would_recommend": data["recommend"],
        "owned_months": data["months"],
        "disclosure": data["disclosure"],
        "secondary": data["secondary"],
    }


def _as_here(review: Review) -> str:
    """A short hash of what stands here: equal to the last import, nobody changed it."""
    return digest(review.stars, review.title, review.body_source, review.did_well, review.could_be_better)[:16]
