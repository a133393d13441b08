"""The database itself refuses to change or delete an event: triggers on both engines.

They are made after every `migrate`, not by a migration, since SQLite loses the triggers of a table it remakes. A later
migration that must write to old events does so inside `lifted()`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections

TABLE = "events_event"
SAYS = "events are append-only"

SQLITE = {
    f"{TABLE}_no_{verb}": f"CREATE TRIGGER IF NOT EXISTS {TABLE}_no_{verb} BEFORE {verb.upper()} ON {TABLE} "
    f"BEGIN SELECT RAISE(ABORT, '{SAYS}'); END"
    for verb in ("update", "delete")
}
POSTGRESQL = f"""
CREATE OR REPLACE FUNCTION {TABLE}_refuse() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION '{SAYS}' USING ERRCODE = 'integrity_constraint_violation'; END $$;
DROP TRIGGER IF EXISTS {TABLE}_kept ON {TABLE};
CREATE TRIGGER {TABLE}_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON {TABLE}
FOR EACH STATEMENT EXECUTE FUNCTION {TABLE}_refuse();
"""


def put_up(using: str = DEFAULT_DB_ALIAS) -> None:
    """Make the triggers; twice is harmless."""
    connection = connections[using]
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            for statement in SQLITE.values():
                cursor.execute(statement)
        elif connection.vendor == "postgresql":
            cursor.execute(POSTGRESQL)


def take_down(using: str = DEFAULT_DB_ALIAS) -> None:
    connection = connections[using]
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            for name in SQLITE:
                cursor.execute(f"DROP TRIGGER IF EXISTS {name}")
        elif connection.vendor == "postgresql":
            cursor.execute(f"DROP TRIGGER IF EXISTS {TABLE}_kept ON {TABLE}")


@contextmanager
def lifted(using: str = DEFAULT_DB_ALIAS) -> Iterator[None]:
    """Inside, raw statements may change the log: for migrations, and for tests that make a past."""
    take_down(using)
    try:
        yield
    finally:
        put_up(using)


def after_migrate(using: str = DEFAULT_DB_ALIAS, **kwargs: Any) -> None:
    """Heard after every `migrate` of this room."""
    if TABLE in connections[using].introspection.table_names():
        put_up(using)
