"""What a freshly loaded estimator is, found out by walking it and by trial predictions.

Source: docs/contract.md §5 (the manifest)
"""

import functools
import itertools
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from predictor.discovery import Hint, Inspection, final_estimator, inspect, steps_of
from predictor.engines import Answers
from predictor.engines.sklearn_engine import SklearnEngine, build_table, first_not_finite, read_output
from predictor.errors import Rejected
from predictor.features import Choice, Feature, Output
from predictor.pandas_path import with_pandas_at_need

Row = list[Choice | None]

_GOLDEN_ROWS = 3
_SINGLE_TEXT_TRIALS = 30


@dataclass(frozen=True, slots=True)
class Description:
    """An estimator's half of the manifest, and the engine that was tried."""

    estimator: str
    steps: list[dict[str, str]]
    fitted_on: str
    features: tuple[Feature, ...]
    output: Output
    golden: list[dict[str, Any]]
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


def describe(estimator: Any, *, check_time: Callable[[], None] = lambda: None) -> Description:
    """Describe an estimator that was just loaded.

    Args:   check_time: called between trial predictions, raises when they have taken too long
    Raises: Rejected: it cannot be served; the message says why and what its author can do
    """
    _require_estimator(estimator)
    inputs = inspect(estimator)
    if inputs is None:
        raise Rejected(
            "The model is not fitted, or it does not say how many features it takes: nothing in it has n_features_in_. "
            "Call fit() before saving it."
        )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        features, predicted = _try_features(estimator, inputs, check_time)
        _require_one_output(estimator, predicted)
        output = read_output(estimator, predicted)
    engine = SklearnEngine(estimator, inputs=inputs, features=features, output=output)
    golden = _try_golden_rows(engine, features, check_time)
    accepting = tuple(
        replace(feature, accepts_missing=_accepts_missing(engine, features, place, hint, check_time))
        for place, (feature, hint) in enumerate(zip(features, inputs.hints, strict=True))
    )
    return Description(
        estimator=type(final_estimator(estimator)).__name__,
        steps=steps_of(estimator),
        fitted_on="dataframe" if inputs.shape == "dataframe" else "array",
        features=accepting,
        output=output,
        golden=golden,
        engine=SklearnEngine(estimator, inputs=inputs, features=accepting, output=output),
    )


def _require_estimator(estimator: Any) -> None:
    if isinstance(estimator, type):
        raise Rejected(
            f"The file holds the class {estimator.__name__}, not a fitted model. "
            "Save the object that fit() was called on."
        )
    if not callable(getattr(estimator, "predict", None)):
        raise Rejected(
            f"The file holds a {type(estimator).__name__}, which has no predict(). "
            "Save the fitted model or pipeline itself, for instance with joblib.dump(model, 'model.joblib')."
        )


def _try_features(
    estimator: Any, inputs: Inspection, check_time: Callable[[], None]
) -> tuple[tuple[Feature, ...], Any]:
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
        check_time()
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


def _explain_trial(problem: Exception | None) -> Rejected:
    from sklearn.exceptions import NotFittedError

    if isinstance(problem, NotFittedError):
        return Rejected("The model is not fitted. Call fit() before saving it.")
    said = str(problem).strip().splitlines()[0][:300] if str(problem).strip() else type(problem).__name__
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
    if len(array) != 1:
        raise Rejected(f"The model's predict() gave {len(array)} answers for one row. It must give one a row.")


def _try_golden_rows(engine: SklearnEngine, features: Sequence[Feature], check_time: Callable[[], None]) -> list[dict]:
    golden = []
    for number in range(_GOLDEN_ROWS):
        row = [_vary(feature, number) for feature in features]
        check_time()
        try:
            answers = engine.predict([[value] for value in row])
        except Exception as problem:
            if number == 0:
                raise _explain_trial(problem) from problem
            # A model may well have a domain (a root, a logarithm) that a varied row leaves.
            continue
        if first_not_finite(answers) is None:
            names = (feature.name for feature in features)
            golden.append({"row": dict(zip(names, row, strict=True)), "prediction": answers.one()})
    return golden


def _vary(feature: Feature, number: int) -> Choice | None:
    """The feature's value in golden row `number`; row 0 is the defaults."""
    if feature.kind == "choice" and feature.choices:
        start = feature.choices.index(feature.default) if feature.default in feature.choices else 0
        return next(itertools.islice(itertools.cycle(feature.choices), start + number, None))
    if feature.kind != "number" or not isinstance(feature.default, int | float):
        return feature.default
    step = abs(feature.default) / 10 or 1.0
    return feature.default + (0.0, -step, step)[number]


def _accepts_missing(
    engine: SklearnEngine, features: Sequence[Feature], place: int, hint: Hint, check_time: Callable[[], None]
) -> bool:
    """Whether the row without this value is predicted, and not merely swallowed by an encoder that ignores unknowns."""
    if features[place].kind in ("choice", "text") and not hint.knows_missing:
        return False
    row: list[list[Any]] = [[feature.default] for feature in features]
    row[place] = [None]
    check_time()
    try:
        answers: Answers = engine.predict(row)
    except Exception:  # raising is the model's way to say no
        return False
    return first_not_finite(answers) is None
