"""Votes and means of several models, each of which sees the row, or some of its columns.

Votes are counted exactly. Means of probabilities are added up in the models' order; where two classes are as likely as
rounding can tell, scikit-learn itself is asked.
"""

from collections.abc import Callable, Mapping, Sequence
from operator import mul
from typing import Any

from predictor.compiled.numbers import pack, unpack
from predictor.compiled.operations.certain import classifier_of, probabilities_of, surely_largest, value_of
from predictor.compiled.operations.columns import pick
from predictor.compiled.operations.links import largest
from predictor.compiled.terms import CannotCompile, Entry, Operation, Predictor, Read, Row, Write

_VOTING, _BAGGING = "sklearn.ensemble._voting", "sklearn.ensemble._bagging"


def require_encoded(models: Sequence[Any], count: int) -> None:
    """Raises: CannotCompile: one of the models within an ensemble knows other classes than 0 to count - 1, in order."""
    if any(list(model.classes_) != list(range(count)) for model in models):
        raise CannotCompile("a model within it has not seen all classes")


def _write_voting_classifier(model: Any, write: Write) -> Entry:
    require_encoded(model.estimators_, len(model.classes_))
    return {**_write_voting(model, write), "voting": model.voting, "classes": len(model.classes_)}


def _write_voting(model: Any, write: Write) -> Entry:
    weights = model._weights_not_none
    shares = [1.0] * len(model.estimators_) if weights is None else [float(weight) for weight in weights]
    return {"models": [write(one) for one in model.estimators_], "shares": pack("d", shares)}


def _read_voting_classifier(entry: Mapping[str, Any], read: Read) -> Predictor:
    if entry["voting"] == "soft":
        return _read_mean(entry, read)
    voters = [classifier_of(read(one)).answer for one in entry["models"]]
    shares, noughts = unpack(entry["shares"]), [0.0] * entry["classes"]

    def vote(row: Row) -> tuple[int, None]:
        votes = noughts[:]
        for voter, share in zip(voters, shares, strict=True):
            votes[voter(row)[0]] += share
        return largest(votes), None

    return Predictor("scores", vote)


def _read_mean(entry: Mapping[str, Any], read: Read) -> Predictor:
    answers = [probabilities_of(read(one)).answer for one in entry["models"]]
    shares = unpack(entry["shares"])
    total = sum(shares)

    def answer(row: Row) -> tuple[int, list[float]]:
        given = [one(row)[1] for one in answers]
        means = [sum(map(mul, column, shares)) / total for column in zip(*given, strict=True)]
        return surely_largest(means), means

    return Predictor("probabilities", answer)


def _read_voting_regressor(entry: Mapping[str, Any], read: Read) -> Predictor:
    answers, shares = [value_of(read(one)).answer for one in entry["models"]], unpack(entry["shares"])
    total = sum(shares)

    def answer(row: Row) -> float:
        return float(sum(one(row) * share for one, share in zip(answers, shares, strict=True)) / total)

    return Predictor("value", answer)


def _write_bagging_classifier(model: Any, write: Write) -> Entry:
    entry = _write_bagging(model, write)
    count = len(model.classes_)
    # A sample may lack a class; its model's columns are dealt out by the codes that it knows.
    places = [[int(code) for code in one.classes_] for one in model.estimators_]
    decides = hasattr(model, "decision_function") and all(len(codes) == count for codes in places)
    return {**entry, "places": places, "classes": count, "decides": decides}


def _write_bagging(model: Any, write: Write) -> Entry:
    return {
        "models": [write(one) for one in model.estimators_],
        "columns": [pack("i", columns) for columns in model.estimators_features_],
    }


def _read_bagging_classifier(entry: Mapping[str, Any], read: Read) -> Predictor:
    models = [classifier_of(read(one)) for one in entry["models"]]
    picks = _picks(entry)
    parts = [(one, picked, places) for one, picked, places in zip(models, picks, entry["places"], strict=True)]
    noughts, count = [0.0] * entry["classes"], len(models)

    def answer(row: Row) -> tuple[int, list[float]]:
        sums = noughts[:]
        for model, picked, places in parts:
            place, numbers = model.answer(picked(row))
            if model.gives == "scores":
                # Without probabilities a model has one vote.
                sums[places[place]] += 1.0
                continue
            for code, probability in zip(places, numbers, strict=True):
                sums[code] += probability
        means = [total / count for total in sums]
        return surely_largest(means), means

    decide = _mean_decision(parts) if entry["decides"] else None
    return Predictor("probabilities", answer, decide)


def _mean_decision(parts: Sequence[Any]) -> Callable[[Row], Any] | None:
    if any(model.decide is None for model, _, _ in parts):
        return None

    def decide(row: Row) -> Any:
        given = [model.decide(picked(row)) for model, picked, _ in parts]
        if isinstance(given[0], list):
            return [sum(column) / len(given) for column in zip(*given, strict=True)]
        return sum(given) / len(given)

    return decide


def _read_bagging_regressor(entry: Mapping[str, Any], read: Read) -> Predictor:
    parts = list(zip([value_of(read(one)).answer for one in entry["models"]], _picks(entry), strict=True))

    def answer(row: Row) -> float:
        total = 0.0
        for one, picked in parts:
            total += one(picked(row))
        return total / len(parts)

    return Predictor("value", answer)


def _picks(entry: Mapping[str, Any]) -> list[Callable[[Row], Row]]:
    # None may be missing that no part looks at: bagging leaves refusing to its models, and so does this.
    return [pick(unpack(columns)) for columns in entry["columns"]]


OPERATIONS = (
    Operation("voting_classifier", (f"{_VOTING}.VotingClassifier",), _write_voting_classifier, _read_voting_classifier),
    Operation("voting_regressor", (f"{_VOTING}.VotingRegressor",), _write_voting, _read_voting_regressor),
    Operation(
        "bagging_classifier", (f"{_BAGGING}.BaggingClassifier",), _write_bagging_classifier, _read_bagging_classifier
    ),
    Operation("bagging_regressor", (f"{_BAGGING}.BaggingRegressor",), _write_bagging, _read_bagging_regressor),
)
