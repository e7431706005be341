"""Golden rows: rows with the answers that were given when the model was verified, and whether they still are.

Source: docs/contract.md §3 (replay)
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

# Another processor or another BLAS may change last digits; nobody acts on those.
RELATIVE_TOLERANCE = 1e-9
ABSOLUTE_TOLERANCE = 1e-12

Prediction = Mapping[str, Any]


def find_moved(
    golden: Sequence[Mapping[str, Any]], answers: Sequence[Mapping[str, Any]], *, error: str | None = None
) -> list[dict[str, Any]]:
    """The golden rows whose answers moved, with both answers.

    Args: golden: {"row", "prediction"} each, as the manifest has them; answers: {"prediction"} or {"error"} each, in
          the same order; error: what is wrong with all the answers, for then every row counts as moved
    """
    moved = []
    for entry, answer in zip(golden, answers, strict=True):
        now, problem = answer.get("prediction"), answer.get("error") or error
        if problem or now is None or has_moved(entry["prediction"], now):
            moved.append({"row": entry["row"], "before": entry["prediction"], "now": now, "error": problem})
    return moved


def has_moved(before: Prediction, now: Prediction) -> bool:
    """Whether the label is another one, or a number differs by more than the tolerance."""
    if not _is_same_label(before.get("label"), now.get("label")):
        return True
    return any(not _is_close(before.get(name), now.get(name)) for name in ("value", "probabilities", "scores"))


def _is_same_label(before: Any, now: Any) -> bool:
    # In Python 1 equals True; to a reader of JSON they are two labels.
    return before == now and isinstance(before, bool) == isinstance(now, bool)


def _is_close(before: Any, now: Any) -> bool:
    """Numbers, or lists of them: of the same shape and all within the tolerance."""
    if isinstance(before, list) and isinstance(now, list):
        return len(before) == len(now) and all(map(_is_close, before, now))
    if _is_number(before) and _is_number(now):
        return math.isclose(before, now, rel_tol=RELATIVE_TOLERANCE, abs_tol=ABSOLUTE_TOLERANCE)
    return before is None and now is None


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
