"""What a freshly loaded estimator is, found out by walking it and by trial predictions.

Source: docs/contract.md §5 (the manifest)
"""

import functools
import math
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from predictor.discovery import Hint, Inspection, class_name, final_estimator, inspect, read, steps_of, to_json_value
from predictor.engines.sklearn_engine import SklearnEngine, first_not_finite, read_output
from predictor.engines.tables import build_table
from predictor.errors import Rejected
from predictor.features import Choice, Feature, Output
from predictor.pandas_path import with_pandas_at_need

Row = list[Choice | None]

# API Gateway gives up on a call after 29 s, and the model may have to be loaded within it.
SINGLE_REFUSED_S = 25.0
FEATURES_MAX = 10_000
_NAME_MAX_CHARACTERS = 200
_SINGLE_TEXT_TRIALS = 30
# Where not all values may be missing, finding out which takes a prediction a feature. Of many alike, some speak for
# all; those not reached in time must be given.
_MISSING_TRIALS_S = 5.0
_SPEAK_FOR_ALL = 20


@dataclass(frozen=True, slots=True)
class Description:
    """An estimator's half of the manifest, the engine that was tried, and what is in the engine.

    golden: the one row that was answered on the way
    """

    estimator: str
    steps: list[dict[str, str]]
    fitted_on: str
    features: tuple[Feature, ...]
    output: Output
    golden: list[dict[str, Any]]
    inputs: Inspection
    model: Any
    engine: SklearnEngine

    def to_json(self) -> dict[str, Any]:
        return {
            "estimator": self.estimator,
            "steps": self.steps,
            "fitted_on": self.fitted_on,
            "features": [feature.to_json() for feature in self.features],
            "output": self.output.to_json(),
            "golden": self.golden,
        }


def describe(estimator: Any, *, announce: Callable[[str], None] = lambda stage: None) -> Description:
    """Describe an estimator that was just loaded.

    Args:   announce: told what comes next, in words
    Raises: Rejected: it cannot be served; the message says why and what its author can do
    """
    announce("looking at its parts")
    _require_estimator(estimator)
    inputs = _require_inputs(inspect(estimator))
    announce("answering a single row")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        features, predicted = _try_features(estimator, inputs)
        _require_one_output(estimator, predicted)
        output = read_output(estimator, predicted)
    _require_json(output, predicted)
    engine = SklearnEngine(estimator, inputs=inputs, features=features, output=output)
    golden, seconds = _answer_defaults(engine, features)
    announce("answering rows with missing values")
    accepting = _find_accepting(engine, features, inputs.hints, seconds)
    features = tuple(
        feature._replace(accepts_missing=accepts) for feature, accepts in zip(features, accepting, strict=True)
    )
    return Description(
        estimator=class_name(final_estimator(estimator)),
        steps=steps_of(estimator),
        fitted_on="dataframe" if inputs.shape == "dataframe" else "array",
        features=features,
        output=output,
        golden=golden,
        inputs=inputs,
        model=estimator,
        engine=SklearnEngine(estimator, inputs=inputs, features=features, output=output),
    )


def words_of(problem: BaseException) -> str:
    """The first line of what an exception says, which is the model's own to write and may fail."""
    try:
        lines = str(problem).strip().splitlines()
    except Exception:
        lines = []
    return (lines[0][:300] if lines else type(problem).__name__).rstrip(".")


def _require_estimator(estimator: Any) -> None:
    if isinstance(estimator, type):
        raise Rejected(
            f"The file holds the class {estimator.__name__[:60]}, not a fitted model. "
            "Save the object that fit() was called on."
        )
    if not callable(read(estimator, "predict")):
        raise Rejected(
            f"The file holds a {class_name(estimator)}, which has no predict(). "
            "Save the fitted model or pipeline itself, for instance with joblib.dump(model, 'model.joblib')."
        )


def _require_inputs(inputs: Inspection | None) -> Inspection:
    if inputs is None or not inputs.names:
        raise Rejected(
            "The model is not fitted, or it does not say how many features it takes: nothing in it has n_features_in_. "
            "Call fit() before saving it."
        )
    if len(inputs.names) > FEATURES_MAX:
        raise Rejected(
            f"The model takes {len(inputs.names):,} features; up to {FEATURES_MAX:,} can be served. "
            "Choose the ones that matter, or put what makes them (a vectorizer, for instance) into the pipeline."
        )
    if any(len(name) > _NAME_MAX_CHARACTERS for name in inputs.names):
        raise Rejected(f"A feature's name has more than {_NAME_MAX_CHARACTERS} characters. Rename the column.")
    if len(set(inputs.names)) < len(inputs.names):
        raise Rejected("Two features have the same name. Rename one of the columns and fit the model again.")
    return inputs


def _try_features(estimator: Any, inputs: Inspection) -> tuple[tuple[Feature, ...], Any]:
    """The features with kinds under which a trial row is predicted, and that prediction.

    A column of which the walk found nothing is a number first; where the model raises on that, a text.
    """
    first_problem: Exception | None = None
    for texts in _text_trials(inputs.hints):
        features = tuple(
            _read_feature(name, hint, as_text=place in texts)
            for place, (name, hint) in enumerate(zip(inputs.names, inputs.hints, strict=True))
        )
        row = [[feature.default] for feature in features]
        try:
            table = build_table(row, inputs=inputs, features=features)
            return features, with_pandas_at_need(functools.partial(estimator.predict, table))
        except Rejected:
            raise
        except Exception as problem:  # a model may raise anything at all
            first_problem = first_problem or problem
    raise _explain_trial(first_problem) from first_problem


def _text_trials(hints: Sequence[Hint]) -> list[set[int]]:
    unknown = [place for place, hint in enumerate(hints) if hint.kind is None and hint.default is None]
    trials: list[set[int]] = [set()]
    if unknown:
        trials.append(set(unknown))
    if 1 < len(unknown) <= _SINGLE_TEXT_TRIALS:
        trials.extend({place} for place in unknown)
    return trials


def _read_feature(name: str, hint: Hint, *, as_text: bool) -> Feature:
    if as_text:
        return Feature(name=name, kind="text", default="a")
    if hint.kind == "choice" and hint.choices:
        default = hint.default if hint.default in hint.choices else hint.choices[0]
        return Feature(name=name, kind="choice", choices=hint.choices, default=default)
    if hint.kind == "text" or isinstance(hint.default, str):
        return Feature(name=name, kind="text", default=hint.default or "a")
    return Feature(name=name, default=0.0 if hint.default is None else hint.default)


def _explain_trial(problem: BaseException | None) -> Rejected:
    from sklearn.exceptions import NotFittedError

    if isinstance(problem, NotFittedError):
        return Rejected("The model is not fitted. Call fit() before saving it.")
    said = words_of(problem) if problem is not None else "it raised nothing"
    return Rejected(
        f"The model loads, but its predict() fails on a typical row: {said}. "
        "Try predict() on one row right after loading the file, with the scikit-learn version named in this portal."
    )


def _require_one_output(estimator: Any, predicted: Any) -> None:
    array = np.asarray(predicted)
    if array.ndim > 1 and array.shape[1] != 1:
        raise Rejected(
            f"The model predicts {array.shape[1]} outputs at once, which is not supported yet. "
            "Save one model for each output."
        )
    if array.ndim == 0 or len(array) != 1:
        count = len(array) if array.ndim else "no list of"
        raise Rejected(f"The model's predict() gave {count} answers for one row. It must give one a row.")


def _require_json(output: Output, predicted: Any) -> None:
    array = np.asarray(predicted)
    # Complex numbers would lose half of themselves, and dates and other objects have no number.
    if output.type == "regression" and array.dtype.kind not in "fiub":
        kind = "complex numbers" if array.dtype.kind == "c" else f"values of the type {array.dtype}"
        raise Rejected(f"The model predicts {kind}, which JSON cannot write. Train it on plain numbers.")
    for label in (*(output.classes or ()), *(map(to_json_value, array.ravel()) if output.type == "labels" else ())):
        if not isinstance(label, str | int | float | bool) or (isinstance(label, float) and not math.isfinite(label)):
            kind = "NaN or infinity" if isinstance(label, float) else f"a {class_name(label)}"
            raise Rejected(
                f"The model answers with {kind}, which JSON cannot write. Train it on numbers or text as targets."
            )


def _answer_defaults(engine: SklearnEngine, features: Sequence[Feature]) -> tuple[list[dict[str, Any]], float]:
    """The row of defaults with its answer, where that is finite, and the seconds it took. Raises: Rejected."""
    row = [feature.default for feature in features]
    began = time.perf_counter()
    try:
        answers = engine.predict([[value] for value in row])
    except Exception as problem:  # predict() did well, so it is another method
        raise _explain_trial(problem) from problem
    seconds = time.perf_counter() - began
    if seconds > SINGLE_REFUSED_S:
        raise too_slow(seconds)
    if first_not_finite(answers) is not None:
        return [], seconds
    names = (feature.name for feature in features)
    return [{"row": dict(zip(names, row, strict=True)), "prediction": answers.one()}], seconds


def too_slow(seconds: float) -> Rejected:
    return Rejected(
        f"Predicting a single row takes {seconds:.0f} seconds. The public API gives up after 29, and "
        f"{SINGLE_REFUSED_S:.0f} are allowed. Train a smaller or faster model."
    )


def _find_accepting(
    engine: SklearnEngine, features: Sequence[Feature], hints: Sequence[Hint], seconds: float
) -> list[bool]:
    """For each feature whether the row without it is predicted, and not merely swallowed by an encoder that ignores
    unknowns."""
    accepting = [False] * len(features)
    ends = time.monotonic() + _MISSING_TRIALS_S
    for knows_missing in (True, False):
        group = [
            place
            for place, (feature, hint) in enumerate(zip(features, hints, strict=True))
            if hint.knows_missing == knows_missing and (knows_missing or feature.kind not in ("choice", "text"))
        ]
        # One call for all: it works where all are accepted, the usual case where any is.
        together = bool(group) and seconds * len(group) < _MISSING_TRIALS_S and _are_answered(engine, features, group)
        for tried, place in enumerate(group):
            if not together and (
                time.monotonic() > ends or (tried == _SPEAK_FOR_ALL and not any(accepting[at] for at in group))
            ):
                break
            accepting[place] = together or _are_answered(engine, features, [place])
    return accepting


def _are_answered(engine: SklearnEngine, features: Sequence[Feature], places: Sequence[int]) -> bool:
    """Whether all rows of defaults are answered, each of which lacks the value at one of `places`."""
    columns: list[list[Any]] = [[feature.default] * len(places) for feature in features]
    for row, place in enumerate(places):
        columns[place][row] = None
    try:
        return first_not_finite(engine.predict(columns)) is None
    except Exception:  # raising is the model's way to say no
        return False
