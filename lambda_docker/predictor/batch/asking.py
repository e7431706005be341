"""Asking the model about many rows: what it cannot answer is narrowed down to single rows."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from predictor.batch.tally import Tally
from predictor.batch.wishes import Band
from predictor.batch.writing import label_text
from predictor.engines import TableAnswers
from predictor.features import Output
from predictor.loaded_model import LoadedModel
from predictor.operations import explain_failure

# BLAS computes the last few rows of a table by another route than the rest, with a last digit that may differ; full
# multiples of 64 rows make a block's rows come out as they do in one table of the whole file.
ALIGNED_ROWS = 64
_ROWS_AT_MOST = 65_536
_CELLS_AT_MOST = 4_000_000


@dataclass
class Answered:
    """What came of some rows: (n,) places that have an answer, the answers in their order, words for the others."""

    places: npt.NDArray[np.intp]
    answers: TableAnswers | None
    bands: npt.NDArray[np.intp] | None
    errors: dict[int, str] = field(default_factory=dict)


def rows_at_once(features: int) -> int:
    """How many rows one table holds: enough to be fast, few enough for flat memory."""
    fitting = max(_CELLS_AT_MOST // max(features, 1), 1024)
    return min(_ROWS_AT_MOST, fitting) // ALIGNED_ROWS * ALIGNED_ROWS


def ask(
    columns: Sequence[npt.NDArray[Any]],
    problems: dict[int, list[str]],
    *,
    count: int,
    model: LoadedModel,
    bands: Sequence[Band],
    is_last: bool,
    before: int,
) -> Answered:
    """Answers to the rows without problems.

    Args: columns: of model values, (count,) each; is_last: whether no row follows in the file; before: rows before them
    """
    errors = {row: "; ".join(messages) for row, messages in problems.items()}
    places = np.arange(count)
    if errors:
        is_good = np.ones(count, np.bool_)
        is_good[list(errors)] = False
        places = np.flatnonzero(is_good)
        columns = [column[places] for column in columns]
    # The file's last rows stand at the end of their table too; all others have rows behind them.
    padding = (before % ALIGNED_ROWS, 0) if is_last else (0, -len(places) % ALIGNED_ROWS)
    parts: list[TableAnswers] = []
    kept: list[npt.NDArray[np.intp]] = []
    if len(places):
        _narrow(columns, places, model=model, padding=padding, parts=parts, kept=kept, errors=errors)
    if not parts:
        return Answered(places=places[:0], answers=None, bands=None, errors=errors)
    answers = TableAnswers.joined(parts)
    return Answered(np.concatenate(kept), answers, _find_bands(answers, model.output, bands), errors)


def count_in(answered: Answered, output: Output, bands: Sequence[Band], tally: Tally) -> None:
    """Add the answers to the tally."""
    answers = answered.answers
    tally.histogram_of = tally.histogram_of or histogram_of(output)
    tally.scored += len(answered.places)
    if answers is None:
        return
    if answers.values is not None:
        tally.values.add(answers.values)
    if answers.label_codes is not None:
        counts = np.bincount(answers.label_codes, minlength=len(answers.label_words or ())).tolist()
        words = map(label_text, answers.label_words or ())
        tally.labels.update({word: count for word, count in zip(words, counts, strict=True) if count})
    if answers.probabilities is not None:
        tally.add_probabilities(_telling_number(answers, output))
    if answered.bands is not None:
        for band, count in zip(bands, np.bincount(answered.bands, minlength=len(bands)).tolist(), strict=True):
            tally.bands[band.label] += count


def histogram_of(output: Output) -> str | None:
    """What the histogram of a batch shows, in words."""
    if output.type == "regression":
        return "prediction"
    if not output.probabilities or not output.classes:
        return None
    return (
        "probability of the predicted class" if output.type == "multiclass" else f"probability of {output.classes[-1]}"
    )


def _narrow(
    columns: Sequence[npt.NDArray[Any]],
    places: npt.NDArray[np.intp],
    *,
    model: LoadedModel,
    padding: tuple[int, int],
    parts: list[TableAnswers],
    kept: list[npt.NDArray[np.intp]],
    errors: dict[int, str],
) -> None:
    """Answer these rows; where the model raises, halve them until only the row that makes it raise is left."""
    try:
        answers = _ask(model, columns, padding)
    except Exception as problem:  # a model may raise anything at all
        if len(places) == 1:
            errors[int(places[0])] = explain_failure(problem)
            return
        middle = len(places) // 2
        for half in (slice(None, middle), slice(middle, None)):
            halves = [column[half] for column in columns]
            _narrow(halves, places[half], model=model, padding=padding, parts=parts, kept=kept, errors=errors)
        return
    parts.append(answers)
    kept.append(places)


class _NotFinite(ValueError):
    """The model gave NaN or an infinity."""


def _ask(model: LoadedModel, columns: Sequence[npt.NDArray[Any]], padding: tuple[int, int]) -> TableAnswers:
    """Answers to the columns' rows, with `padding` rows (in front, behind) around them that nobody sees."""
    count, (front, behind) = len(columns[0]), padding
    if front or behind:
        columns = [
            np.concatenate([np.repeat(column[:1], front), column, np.repeat(column[-1:], behind)]) for column in columns
        ]
    answers = model.engine.predict_table(columns).rows(front, front + count)
    if answers.first_not_finite() is not None:
        raise _NotFinite("it gave no finite number")
    return answers


def _telling_number(answers: TableAnswers, output: Output) -> npt.NDArray[np.float64]:
    """What histogram and bands look at: the value, or the probability of the last or of the predicted class."""
    if answers.values is not None:
        return answers.values
    assert answers.probabilities is not None  # noqa: S101  # asked only where there is a number
    return answers.probabilities.max(axis=1) if output.type == "multiclass" else answers.probabilities[:, -1]


def _find_bands(answers: TableAnswers, output: Output, bands: Sequence[Band]) -> npt.NDArray[np.intp] | None:
    if not bands or (answers.values is None and answers.probabilities is None):
        return None
    uppers = [band.upper for band in bands[:-1]]
    # An upper end belongs to the band below.
    return np.searchsorted(np.array(uppers, dtype=np.float64), _telling_number(answers, output), side="left")
