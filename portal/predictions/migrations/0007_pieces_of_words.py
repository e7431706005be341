"""PostgreSQL's index for the search: of all three neighbouring characters, as SQLite's is, numbers and phrases included.

pg_trgm takes letters and digits alone and ends a word at all else, so that 47.13 was looked for as every row with a
"47" and a "13", and "not a num" as every "not" and every word with an "a" or "num". Where dots, blanks and ends of
lines are letters to it, few rows are left to be looked at. Others than these three end words still: a longer list
takes longer for each row than it saves.
"""

from django.db import migrations

FUNCTION = (
    "CREATE OR REPLACE FUNCTION predictions_pieces(words text) RETURNS text "
    "LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$ "
    "SELECT pg_catalog.replace(pg_catalog.replace(pg_catalog.replace($1, '.', 'q'), ' ', 'x'), E'\\n', 'z') $$"
)
INDEX = (
    "CREATE INDEX predictions_search ON predictions_prediction USING gin (predictions_pieces(words) gin_trgm_ops)"
)


def make_index(apps, schema_editor):
    if schema_editor.connection.vendor != "postgresql":
        return
    schema_editor.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    schema_editor.execute("DROP INDEX IF EXISTS predictions_search")
    schema_editor.execute(FUNCTION)
    schema_editor.execute(INDEX)
    # Estimates for the function's results come with the next ANALYZE; until then the index is thought better than it is.
    schema_editor.execute("ANALYZE predictions_prediction")


def drop_index(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("DROP INDEX IF EXISTS predictions_search")
        schema_editor.execute("DROP FUNCTION IF EXISTS predictions_pieces(text)")


class Migration(migrations.Migration):

    dependencies = [('predictions', '0006_history_at_scale')]

    operations = [migrations.RunPython(make_index, drop_index)]
