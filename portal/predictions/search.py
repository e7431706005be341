"""Words within predictions, found by an index of their three-letter pieces.

SQLite keeps it in a table of FTS5, written by triggers, PostgreSQL in an index of pg_trgm: migration 0006 makes both.
Where SQLite has no FTS5, nothing is called rare, and searches go through the rows piece by piece.
"""

from __future__ import annotations

from typing import Any

from django.db import connection
from django.db.models import QuerySet
from django.db.models.expressions import RawSQL

from portal.predictions.models import Prediction, folded

PIECE = 3  # letters; shorter texts are in no index
RARE_ROWS = 5_000  # so many are fetched by their keys and sorted; of more, a page is found on the way down the list
TABLE = "predictions_search"


def rare_matches(text: str) -> Any | None:
    """What selects the keys of all predictions with this text, or None if they are many or the index cannot say."""
    text = folded(text)
    if len(text) < PIECE:
        return None
    if connection.vendor == "sqlite":
        return _in_fts(text)
    matches = Prediction.objects.filter(words__contains=text).order_by().values("pk")
    return None if matches[RARE_ROWS : RARE_ROWS + 1] else matches[:RARE_ROWS]


def with_text(rows: QuerySet, text: str) -> QuerySet:
    """Those of the rows that hold the text."""
    return rows.filter(words__contains=folded(text))


def _in_fts(text: str) -> RawSQL | None:
    phrase = '"{}"'.format(text.replace('"', '""'))
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM sqlite_master WHERE name = %s", [TABLE])
        if cursor.fetchone() is None:
            return None
        cursor.execute(f"SELECT 1 FROM {TABLE} WHERE words MATCH %s LIMIT 1 OFFSET %s", [phrase, RARE_ROWS])  # noqa: S608 -- a constant
        if cursor.fetchone() is not None:
            return None
    return RawSQL(f"SELECT prediction FROM {TABLE} WHERE words MATCH %s", [phrase])  # noqa: S608, S611 -- a constant
