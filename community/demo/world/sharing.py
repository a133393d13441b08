"""Recipes, tips and help."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from community.pages import services as pages
from community.questions.models import Thread
from community.sharing import services as sharing
from community.sharing.models import Recipe, Tip

from ..rows import Row
from .ground import SOURCE, Rows


class Sharing(Rows):
    def recipe(self, row: Row) -> Recipe:
        picture = None
        if row.get("illustration") not in (None, "none"):
            picture = pages.save_image(
                self.folder / "art" / f"recipe-{row['illustration']}.webp", row["title"], row["title"]
            )
        groups = row["ingredients"]
        yields = row["yields"]
        tags = row.get("tags") or {}
        return sharing.share_recipe(
            self.person(row["author"]), title=row["title"], body=row["body"],
            ingredients=[{"group": group.get("group", ""), **item} for group in groups for item in group["items"]],
            steps=[{**step, "product": self.product(step.get("product"))} for step in row["steps"]],
            yield_amount=yields["amount"], yield_unit=yields["unit"], prep_minutes=row.get("prep_minutes", 0),
            cook_minutes=row.get("cook_minutes", 0), rest_minutes=row.get("rest_minutes", 0),
            difficulty=row.get("difficulty", "easy"),
            products={self.the_product(used["slug"]): used.get("steps", []) for used in row.get("products") or []},
            tags=[*tags.get("diet", []), *tags.get("occasion", [])], language=row.get("language", "en"),
            remix_of=self.row(f"recipe:{row['remix_of']}") if row.get("remix_of") else None,
            remix_note=row.get("remix_note", ""), picture=picture,
        )  # fmt: skip

    def made(self, key: str, row: Row) -> None:
        sharing.set_made(
            self.row(key), self.person(row["author"]), stars=row.get("stars"), note=row.get("note", ""),
            variation=row.get("variation", ""),
        )  # fmt: skip

    def tip(self, row: Row) -> Tip:
        return sharing.share_tip(
            self.person(row["author"]), title=row["title"], body=row["body"],
            steps=[dict(step) for step in row.get("steps") or []], product=self.product(row.get("product")),
            model_version=row.get("model_version") or "", goal=row.get("goal", ""), safety=row.get("safety", ""),
            language=row.get("language", "en"),
        )  # fmt: skip

    def worked(self, key: str, yes: int, no: int, moments: Sequence[datetime]) -> None:
        sharing.add_worked_rows(self.row(key), yes=yes, no=no, source=SOURCE, at=moments)

    def feature(self, key: str, row: Row) -> None:
        sharing.feature(self.row(key), self.person(row["by"]), reason=row["reason"])

    def article(self, row: Row) -> None:
        """Its days count from the telling; the clock stands where the article appeared."""
        shift = row["days_ago"]
        data = {**row, "days_ago": 0}
        if "last_checked_days_ago" in row:
            data["last_checked_days_ago"] = row["last_checked_days_ago"] - shift
        if "review_in_days" in row:
            data["review_in_days"] = row["review_in_days"] + shift
        data["changes"] = [{**change, "days_ago": change["days_ago"] - shift} for change in row.get("changes") or []]
        data["from_thread"] = self._thread_row(row.get("from_thread"))
        data["related_threads"] = [
            thread for slug in row.get("related_threads") or [] if (thread := self._thread_row(slug))
        ]
        pages.save_help_article(data, row["body"])

    def _thread_row(self, slug: str | None) -> Thread | None:
        key = f"thread:{slug}"
        return self.row(key) if slug and key in self.ids else None

    def relate(self, related: Mapping[str, Sequence[str]]) -> None:
        for slug, others in related.items():
            pages.relate_help_articles(slug, others)
