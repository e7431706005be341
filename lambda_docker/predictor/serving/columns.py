"""Rows as clients send them → columns of model values, many at a time where they are plain numbers or known choices."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from predictor.coercion import BadValue, quoted, read_value
from predictor.compiled.terms import HandOver
from predictor.engines import Answers, Columns
from predictor.errors import BadInput, PredictionFailed
from predictor.features import Feature
from predictor.loaded_model import LoadedModel
from predictor.operations import explain_failure, predict_one
from predictor.serving.calls import Refusal

# Fewer values than these are read faster one by one.
_TOGETHER_FROM = 16
_NAMED_AT_MOST = 10
_PROBLEMS_AT_MOST = 5
# What a walk of several rows may take: it may be on the event loop.
_WALKED_MS = 5.0
_WALKED_AT_MOST = 64


def predict_columns(model: LoadedModel, columns: Sequence[Sequence[Any]]) -> Answers:
    """Answers to rows, given as one sequence of raw values a feature, in the features' order.

    Raises: Refusal: there is no row; BadInput: a value cannot be used, which row's is said; PredictionFailed
    """
    rows = len(columns[0])
    if not rows:
        raise Refusal(400, "There is no row to predict. Send at least one.")
    values = read_columns(model.features, columns)
    if rows == 1:
        return _together([predict_one(model, [column[0] for column in values])])
    if rows <= _walked_at_most(model):
        try:
            return _together([model.tables.answer(row) for row in zip(*_plain(values), strict=True)])  # type: ignore[union-attr]  # they are there
        except HandOver:
            pass
    engine = model.engine
    try:
        answers = engine.predict_table(values)
    except Exception as problem:  # a model may raise anything at all
        raise PredictionFailed(explain_failure(problem)) from problem
    place = answers.first_not_finite()
    if place is not None:
        raise PredictionFailed(f"Row {place + 1}: the model gave no finite number for these values.")
    return answers.to_answers()


def _walked_at_most(model: LoadedModel) -> int:
    """How many rows its tables answer sooner than scikit-learn, whose time for a few is that for one."""
    if model.tables is None:
        return 0
    try:
        whole = model.manifest["trials"]["single"]["milliseconds"]
        walk = model.manifest["compiled"]["milliseconds"]
        return min(_WALKED_AT_MOST, int(min(whole, _WALKED_MS) / walk))
    except (LookupError, TypeError, ZeroDivisionError):
        return 0  # a version of before there were such figures


def _plain(columns: Columns) -> Iterator[Sequence[Any]]:
    """Columns of Python's own numbers: those of arrays cost more, each for itself."""
    return (column.tolist() if isinstance(column, np.ndarray) else column for column in columns)


def _together(predictions: Sequence[Mapping[str, Any]]) -> Answers:
    """Predictions of single rows as answers to rows."""
    labels, values, probabilities, scores = (
        None if predictions[0][name] is None else [prediction[name] for prediction in predictions]
        for name in ("label", "value", "probabilities", "scores")
    )
    return Answers(labels=labels, values=values, probabilities=probabilities, scores=scores)


def read_columns(features: Sequence[Feature], columns: Sequence[Sequence[Any]]) -> Columns:
    """The model values of raw ones. Raises: BadInput: it names the first rows and features with a value of no use."""
    problems: dict[int, dict[str, str]] = {}
    read = [_read_column(feature, column, problems) for feature, column in zip(features, columns, strict=True)]
    if problems:
        raise _explain(problems, rows=len(columns[0]))
    return read


def pick_columns(features: Sequence[Feature], columns: Mapping[str, Sequence[Any]]) -> list[Sequence[Any]]:
    """The features' columns, of one length; others are dropped. Raises: Refusal: one is not there, or is longer."""
    missing = [feature.name for feature in features if feature.name not in columns]
    if missing:
        raise Refusal(400, f"The model needs columns that are not there: {name_some(missing)}.")
    picked = [columns[feature.name] for feature in features]
    if len({len(column) for column in picked}) > 1:
        raise Refusal(400, "The columns differ in length. Send one value a row for each feature.")
    return picked


def turn_rows(features: Sequence[Feature], rows: Sequence[Sequence[Any]]) -> list[Sequence[Any]]:
    """Rows of values in the features' order as columns. Raises: Refusal: a row has another number of values."""
    for place, row in enumerate(rows):
        if len(row) != len(features):
            raise Refusal(
                400,
                f"Row {place + 1} has {len(row)} values; the model takes {len(features)}, in this order: "
                f"{name_some([feature.name for feature in features])}.",
            )
    return [list(column) for column in zip(*rows, strict=True)] or [[] for _ in features]


def name_some(names: Sequence[str]) -> str:
    """Names for a sentence, the first few of them."""
    shown = ", ".join(quoted(name) for name in names[:_NAMED_AT_MOST])
    return f"{shown} and {len(names) - _NAMED_AT_MOST} more" if len(names) > _NAMED_AT_MOST else shown


def _read_column(feature: Feature, column: Sequence[Any], problems: dict[int, dict[str, str]]) -> Any:
    if len(column) >= _TOGETHER_FROM:
        together = _read_numbers(feature, column) if feature.kind == "number" else _read_choices(feature, column)
        if together is not None:
            return together
    values: list[Any] = []
    for place, value in enumerate(column):
        # Most are plain finite numbers where numbers are wanted.
        if value.__class__ is float and feature.kind == "number" and value - value == 0.0:
            values.append(value)
            continue
        try:
            values.append(read_value(feature, value))
        except BadValue as problem:
            problems.setdefault(place, {})[feature.name] = str(problem)
    return values


def _read_numbers(feature: Feature, column: Sequence[Any]) -> npt.NDArray[np.float64] | None:
    """All values as floats, NaN where one is missing; None where one of them has to be looked at by itself."""
    kinds = set(map(type, column))
    if not kinds <= {int, float, str, type(None)} or (None in column and not feature.accepts_missing):
        return None
    if str in kinds and any("_" in value for value in column if isinstance(value, str)):
        return None
    try:
        numbers = np.array(column, dtype=np.float64)
    except (ValueError, TypeError, OverflowError):
        return None
    is_told = not np.isinf(numbers).any() and np.isnan(numbers).sum() == column.count(None)
    return numbers if is_told else None


def _read_choices(feature: Feature, column: Sequence[Any]) -> list[Any] | None:
    """Each text read once, however often it occurs; None where there is another value, or one of no use."""
    if feature.kind == "text" or not set(map(type, column)) <= {str, type(None)}:
        return None
    try:
        known = {value: read_value(feature, value) for value in set(column)}
    except BadValue:
        return None
    return [known[value] for value in column]


def _explain(problems: Mapping[int, Mapping[str, str]], *, rows: int) -> BadInput:
    said = []
    for place in sorted(problems)[:_PROBLEMS_AT_MOST]:
        where = f"row {place + 1}, " if rows > 1 else ""
        said += [f"{where}{name}: {message}" for name, message in problems[place].items()]
    more = len(problems) - _PROBLEMS_AT_MOST
    rest = f"; so have {more} more rows" if more > 0 else ""
    fields = {name: message for fields in problems.values() for name, message in fields.items()}
    return BadInput(f"Some values cannot be used. {'; '.join(said)}{rest}.", fields)
