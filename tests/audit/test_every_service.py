"""Every service that somebody calls (`by: User`) and that writes, records what it did, itself or through another.

Read from the source, so that a service added tomorrow is asked, too. What records nothing stands below with the reason;
in the admin it leaves a trace all the same (`events.middleware`).
"""

import ast
from collections import defaultdict
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROOMS = [
    *(ROOT / "community" / name for name in (
        "accounts", "moderation", "posts", "questions", "sharing", "bridges", "escalation", "notifications", "search",
        "pages", "insights", "people",
    )),
    *(ROOT / name for name in ("products", "reviews", "advocates")),
]  # fmt: skip
WRITES = {"save", "create", "bulk_create", "bulk_update", "get_or_create", "update_or_create", "update", "delete"}
SINKS = {"record", "record_past", "looked_at", "record_run"}
# Names that a queryset, a row or the standard library has, too: a function of ours that is called so says nothing.
COMMON = WRITES | {
    "get",
    "first",
    "all",
    "add",
    "set",
    "filter",
    "exists",
    "count",
    "locked",
    "now",
    "update",
    "values",
    "items",
    "split",
    "of",
    "fit",
}

WATCHED = "its row is watched: before and after stand in the audit (audit/watched.py)"
TRACED = "done in the admin alone, which leaves a trace with its address"
TOLD = "inside a replay alone: what the story of the demo says"
OWN = "about what is one's own, and of no consequence to others"

# Services of members about what is their own, or of staff that leave no trace but the row they write.
SILENT: dict[str, str] = {
    "reviews.hints.settle": "an act in the admin, which leaves a trace; the row says who and when",
    "community.escalation.claims.claim": "who is answering for some minutes; the answer is recorded",
    "community.escalation.claims.release": "as above",
    "community.posts.services.add_revision": "part of an edit, which is recorded",
    "community.posts.services.attach_uploads": "part of a post or an edit, which is recorded",
    "community.posts.services.set_photos": "part of a post or an edit, which is recorded",
    "community.posts.services.save_draft": "a draft of one's own that nobody else sees",
    "advocates.services.ranks.save_rank": WATCHED,
    "advocates.services.ranks.save_ranks": WATCHED,
    "advocates.services.ranks.delete_rank": WATCHED,
    "advocates.services.badges.retire_badge": WATCHED,
    "advocates.services.membership.note_candidate": TRACED,
    "advocates.gratitude.show_thanks": OWN,
    "advocates.queue.let_go": OWN,
    "community.escalation.handoffs.handing.tell": TOLD,
    "community.escalation.handoffs.outcomes.tell_outcome": TOLD,
    "community.escalation.promises.tell": TOLD,
    "community.escalation.handoffs.handing.try_again": TRACED,
    "community.escalation.handoffs.channels.change_secret": TRACED,
    "community.escalation.shifts.be_away": TRACED,
    "community.escalation.shifts.be_back": TRACED,
    "community.escalation.shifts.keep_hours": TRACED,
    "community.escalation.shifts.keep_filter": OWN,
    "community.escalation.shifts.drop_filter": OWN,
    "community.moderation.services.release": "a claim of some minutes; what is decided is recorded",
    "community.posts.services.drop_draft": OWN,
    "community.questions.services.filters.save_filter": OWN,
    "community.questions.services.filters.delete_filter": OWN,
    "community.pages.services.save_image": "the loader's: one file of a page that is recorded",
    "community.pages.services.save_document": "the loader's: one file of a page that is recorded",
    "community.moderation.services.claim": "for ten minutes; what is decided then is recorded",
    "advocates.queue.rest_no_longer": "one's own rest",
    "advocates.services.membership.thank_at_parting": "part of letting an advocate go, which is recorded",
}


def functions() -> dict[str, list[ast.FunctionDef]]:
    found: dict[str, list[ast.FunctionDef]] = defaultdict(list)
    for room in ROOMS:
        for file in sorted(room.rglob("*.py")):
            parts = set(file.relative_to(ROOT).parts)
            if parts & {"migrations", "management", "tests"} or file.name in ("views.py", "wagtail_hooks.py"):
                continue
            name = ".".join(file.relative_to(ROOT).with_suffix("").parts)
            for node in ast.walk(ast.parse(file.read_text())):
                if isinstance(node, ast.FunctionDef):
                    found[node.name].append(node)
                    node.module = name  # type: ignore[attr-defined]
    return found


@cache
def called(node: ast.AST) -> frozenset[str]:
    names = set()
    for one in ast.walk(node):
        if isinstance(one, ast.Call):
            target = one.func
            names.add(target.attr if isinstance(target, ast.Attribute) else getattr(target, "id", ""))
    return frozenset(names)


@pytest.mark.once
def test_every_service_that_writes_records() -> None:
    known = functions()
    ours = {name: nodes for name, nodes in known.items() if name not in COMMON}
    calls = {name: set().union(*(called(node) for node in nodes)) for name, nodes in ours.items()}
    tells = set(SINKS)
    while more := {name for name, names in calls.items() if name not in tells and names & tells}:
        tells |= more
    quiet, asked = set(), 0
    for name, nodes in known.items():
        for node in nodes:
            by = next((arg for arg in (*node.args.args, *node.args.kwonlyargs) if arg.arg == "by"), None)
            said = ast.unparse(by.annotation) if by is not None and by.annotation else ""
            if name.startswith("_") or "User" not in said or not called(node) & WRITES:
                continue
            asked += 1
            if not called(node) & tells:
                quiet.add(f"{node.module}.{name}")  # type: ignore[attr-defined]
    assert asked > 60, "the walk finds the services"
    assert quiet - SILENT.keys() == set(), "record() what they do, or say in SILENT why not"
    assert SILENT.keys() - quiet == set(), "these record now: take them out of SILENT"
