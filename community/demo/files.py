"""Reading the story's files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from .checking import Check
from .rows import BadContent, Content, Problem, Row, parse, parse_markdown


def read(folder: Path) -> Content:
    """Read all files and check them. Raises BadContent with every problem found."""
    problems: list[Problem] = []

    def one(name: str, parser: Callable[[str, str], Any] = parse) -> Any:
        path = folder / name
        try:
            return parser(path.read_text(encoding="utf-8"), name)
        except FileNotFoundError:
            problems.append(Problem(name, 0, "is missing"))
        except UnicodeDecodeError:
            problems.append(Problem(name, 0, "is not UTF-8"))
        except BadContent as bad:
            problems.extend(bad.problems)
        return None

    def many(kind: str, ending: str, parser: Callable[[str, str], Any]) -> list[Row]:
        found = [one(f"{kind}/{path.name}", parser) for path in sorted((folder / kind).glob(f"*.{ending}"))]
        return [row for row in found if row is not None]

    named = {
        name: one(f"{name}.yaml")
        for name in (
            "brand", "people", "topics", "products", "reviews", "pages", "badges", "ranks", "policies", "release_notes",
            "shelf", "insights",
        )
    }  # fmt: skip
    programme = one("programme.yaml") if (folder / "programme.yaml").exists() else Row()
    desk = {
        name: (one(f"{name}.yaml") or {}).get(name, []) if (folder / f"{name}.yaml").exists() else []
        for name in ("saved_replies", "channels", "incidents")
    }
    threads = many("threads", "yaml", parse)
    kinds = {kind: many(kind, "md", parse_markdown) for kind in ("recipes", "tips", "help")}
    if problems:
        raise BadContent(problems)

    def part(name: str, key: str) -> Any:
        try:
            return named[name][key]
        except (KeyError, TypeError):
            problems.append(Problem(f"{name}.yaml", 1, f"{key!r} is missing"))
            return []

    content = Content(
        folder=folder, brand=named["brand"], people=[*named["people"], *part("reviews", "reviews_people")],
        topics=part("topics", "topics"), products=named["products"], reviews=part("reviews", "reviews"),
        threads=threads, recipes=kinds["recipes"], tips=kinds["tips"], articles=kinds["help"], pages=named["pages"],
        badges=part("badges", "badges"), ranks=part("ranks", "ranks"), policies=named["policies"],
        release_notes=part("release_notes", "release_notes"), shelf=named["shelf"], programme=programme,
        replies=desk["saved_replies"], channels=desk["channels"], incidents=desk["incidents"],
        insights=named["insights"], problems=problems,
    )  # fmt: skip
    Check(content).all()
    if problems:
        raise BadContent(problems)
    return content
