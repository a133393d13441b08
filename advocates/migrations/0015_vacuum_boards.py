from typing import Any

from django.db import migrations

# A place is a count along an index, which PostgreSQL does from the index alone where a page has been vacuumed. By its
# own rule it vacuums a table when a fifth of it has changed: of a million scores, after weeks. Here after 1000 rows.
OFTEN = {
    "vacuum_scale_factor": 0,
    "vacuum_threshold": 1000,
    "vacuum_insert_scale_factor": 0,
    "vacuum_insert_threshold": 5000,
}
TABLES = ("advocates_boardbucket", "advocates_boardscore")


def _alter(schema_editor: Any, words: str) -> None:
    if schema_editor.connection.vendor == "postgresql":
        for table in TABLES:
            schema_editor.execute(f"ALTER TABLE {table} {words}")


def often(apps: Any, schema_editor: Any) -> None:
    _alter(schema_editor, f"SET ({', '.join(f'autovacuum_{name} = {value}' for name, value in OFTEN.items())})")


def as_before(apps: Any, schema_editor: Any) -> None:
    _alter(schema_editor, f"RESET ({', '.join(f'autovacuum_{name}' for name in OFTEN)})")


class Migration(migrations.Migration):
    dependencies = [("advocates", "0014_readers_of_the_month")]

    operations = [migrations.RunPython(often, as_before, elidable=False)]
