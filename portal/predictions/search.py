"""Words within predictions, found by an index of their three-letter pieces.

SQLite keeps it in a table of FTS5, written by triggers (migration 0006), PostgreSQL in an index of pg_trgm (0007).
Where SQLite has no FTS5, nothing is called rare, and searches go through the rows piece by piece.
"""

from __future__ import annotations

import json
import re
from typing import Any

from django.db import connection
from django.db.models import F, Func, TextField

from portal.predictions.models import Prediction, folded

PIECE = 3  # letters; shorter texts are in no index
RARE_ROWS = 2_000  # so many are fetched by their keys and sorted; of more, a page is found on the way down the list
FREQUENT_ROWS = 10 * RARE_ROWS  # where statistics expect so many, an index need not be asked whether they are few
TABLE = "predictions_search"
PIECES = str.maketrans(". \n", "qxz")  # as predictions_pieces() does it in PostgreSQL
NEIGHBOURS = re.compile(r"[^\W_]{3}")


def rare_matches(text: str) -> list[Any] | None:
    """The keys of all predictions with this text, or None if they are many or the index cannot say."""
    text = folded(text)
    if len(text) < PIECE:
        return None
    found = _in_fts(text) if connection.vendor == "sqlite" else _by_trigrams(text)
    return found if found is not None and len(found) <= RARE_ROWS else None


def _by_trigrams(text: str) -> list[Any] | None:
    sought = text.translate(PIECES)
    if NEIGHBOURS.search(sought) is None:  # signs alone are in no index, and the whole table would be read
        return None
    if _expected_rows(text) > FREQUENT_ROWS:
        return None
    pieces = Func(F("words"), function="predictions_pieces", output_field=TextField())
    matches = Prediction.objects.alias(pieces=pieces).filter(words__contains=text, pieces__contains=sought)
    return list(matches.order_by().values_list("pk", flat=True)[: RARE_ROWS + 1])


def _expected_rows(text: str) -> int:
    """What PostgreSQL's statistics say of a text, in a millisecond: they hold the words of a hundred rows. Its index
    reads all that it has of a text before it gives the first row, forty milliseconds of one in a tenth of a million.
    """
    plan = json.loads(Prediction.objects.filter(words__contains=text).order_by().explain(format="json"))
    return int(plan[0]["Plan"]["Plan Rows"])


def _in_fts(text: str) -> list[Any] | None:
    phrase = '"{}"'.format(text.replace('"', '""'))
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM sqlite_master WHERE name = %s", [TABLE])
        if cursor.fetchone() is None:
            return None
        # An answered prediction has two entries, one from when it was asked.
        query = f"SELECT prediction FROM {TABLE} WHERE words MATCH %s LIMIT %s"  # noqa: S608 -- a constant
        cursor.execute(query, [phrase, 2 * RARE_ROWS + 1])
        found = cursor.fetchall()
    return None if len(found) > 2 * RARE_ROWS else list({key for (key,) in found})
