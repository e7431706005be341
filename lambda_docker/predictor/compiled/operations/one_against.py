"""Many classes told apart by models of two: one against the rest, or one against one."""

from collections.abc import Callable, Mapping
from typing import Any

from predictor.compiled.numbers import unpack
from predictor.compiled.operations.certain import (
    classifier_of,
    require_decisions,
    require_finite,
    surely_largest,
    surely_positive,
)
from predictor.compiled.operations.columns import pick
from predictor.compiled.operations.voting import require_encoded
from predictor.compiled.terms import CannotCompile, Entry, Operation, Predictor, Read, Row, Write

_MODULE = "sklearn.multiclass"


def _write_rest(model: Any, write: Write) -> Entry:
    if model.label_binarizer_.y_type_ not in ("binary", "multiclass"):
        raise CannotCompile("it gives several labels at once")
    return {**_write(model, write), "gives": "probabilities" if hasattr(model, "predict_proba") else "scores"}


def _write(model: Any, write: Write) -> Entry:
    require_encoded(model.estimators_, 2)
    on = {"decisions" if hasattr(one, "decision_function") else "probabilities" for one in model.estimators_}
    written = [write(one) for one in model.estimators_]
    if "decisions" in on:
        for one in written:
            require_decisions(one)
    return {"models": written, "on": on.pop(), "classes": len(model.classes_)}


def _score(entry: Mapping[str, Any], model: Predictor) -> Callable[[Row], float]:
    """What a model of two says of the second, and so that it is unlike nought."""
    if entry["on"] == "probabilities":
        answer = model.answer
        return lambda row: float(answer(row)[1][1])
    if model.decide is None:
        raise ValueError("a part has no decisions")
    return model.decide


def _read_rest(entry: Mapping[str, Any], read: Read) -> Predictor:
    models = [classifier_of(read(one)) for one in entry["models"]]
    scores = [_score(entry, model) for model in models]
    threshold = 0.0 if entry["on"] == "decisions" else 0.5

    def place_of(row: Row) -> tuple[int, Any]:
        said = [score(row) for score in scores]
        if len(said) == 1:
            return int(surely_positive(said[0] - threshold, abs(said[0]) + threshold)), said[0]
        return surely_largest(said), said

    decide = (lambda row: place_of(row)[1]) if entry["on"] == "decisions" else None
    if entry["gives"] == "scores":
        return Predictor("scores", place_of, decide)
    shares = [model.answer for model in models]

    def answer(row: Row) -> tuple[int, list[float]]:
        each = [share(row)[1][1] for share in shares]
        each = [1.0 - each[0], each[0]] if len(each) == 1 else each
        total = sum(each)
        return place_of(row)[0], [one / total for one in each] if total else each

    return Predictor("probabilities", answer, decide)


def _write_one(model: Any, write: Write) -> Entry:
    columns = model.pairwise_indices_
    return {
        **_write(model, write),
        **({} if columns is None else {"columns": [list(map(int, one)) for one in columns]}),
    }


def _read_one(entry: Mapping[str, Any], read: Read) -> Predictor:
    models = [classifier_of(read(one)) for one in entry["models"]]
    scores, count = [_score(entry, model) for model in models], entry["classes"]
    picks = [pick(unpack(columns)) for columns in entry["columns"]] if "columns" in entry else [list] * len(models)
    parts = list(zip(models, scores, picks, strict=True))

    def decide(row: Row) -> list[float]:
        votes, trust, pairs = [0.0] * count, [0.0] * count, iter(parts)
        for first in range(count):
            for second in range(first + 1, count):
                model, score, picked = next(pairs)
                seen = picked(row)
                said = score(seen)
                votes[second if model.answer(seen)[0] else first] += 1
                trust[first] -= said
                trust[second] += said
        require_finite(trust)
        return [vote + each / (3 * (abs(each) + 1)) for vote, each in zip(votes, trust, strict=True)]

    def answer(row: Row) -> tuple[int, Any]:
        said = decide(row)
        if count > 2:
            return surely_largest(said), said
        threshold = 0.0 if entry["on"] == "decisions" else 0.5
        return int(surely_positive(said[1] - threshold, abs(said[1]) + threshold)), said[1]

    return Predictor("scores", answer, lambda row: answer(row)[1])


OPERATIONS = (
    Operation("one_against_rest", (f"{_MODULE}.OneVsRestClassifier",), _write_rest, _read_rest),
    Operation("one_against_one", (f"{_MODULE}.OneVsOneClassifier",), _write_one, _read_one),
)
