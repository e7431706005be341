"""AdaBoost: weighted votes, and the weighted median of values, added up in scikit-learn's own order."""

from collections.abc import Mapping
from typing import Any

from predictor.compiled.numbers import pack, unpack
from predictor.compiled.operations.certain import classifier_of, require_finite, value_of
from predictor.compiled.operations.links import largest, softmax
from predictor.compiled.terms import CannotCompile, Entry, HandOver, Operation, Predictor, Read, Row, Write

_MODULE = "sklearn.ensemble._weight_boosting"
_UNSURE = 1e-13


def _write_classifier(model: Any, write: Write) -> Entry:
    classes = list(model.classes_)
    if len(classes) < 2:
        raise CannotCompile("an AdaBoostClassifier has seen a single class")
    weights = model.estimator_weights_[: len(model.estimators_)]
    return {
        "models": [write(one) for one in model.estimators_],
        "places": [[classes.index(label) for label in one.classes_] for one in model.estimators_],
        "classes": len(classes),
        "for": pack("d", weights),
        "against": pack("d", -1 / (len(classes) - 1) * weights),
        # numpy adds many numbers up in pairs.
        "total": float(model.estimator_weights_.sum()),
    }


def _read_classifier(entry: Mapping[str, Any], read: Read) -> Predictor:
    answers = [classifier_of(read(one)).answer for one in entry["models"]]
    parts = list(zip(answers, entry["places"], unpack(entry["for"]), unpack(entry["against"]), strict=True))
    codes, total = range(entry["classes"]), entry["total"]

    def sums(row: Row) -> list[float]:
        require_finite(row)
        added = [0.0] * len(codes)
        for answer, places, pro, contra in parts:
            voted = places[answer(row)[0]]
            for code in codes:
                added[code] += pro if code == voted else contra
        return [number / total for number in added]

    if len(codes) == 2:

        def decide(row: Row) -> float:
            first, second = sums(row)
            return -first + second

        def tell(row: Row) -> tuple[int, list[float]]:
            decision = decide(row)
            return int(decision > 0), softmax([-decision / 2, decision / 2])

        return Predictor("probabilities", tell, decide)

    def answer(row: Row) -> tuple[int, list[float]]:
        decisions = sums(row)
        return largest(decisions), softmax([decision / (len(codes) - 1) for decision in decisions])

    return Predictor("probabilities", answer, sums)


def _write_regressor(model: Any, write: Write) -> Entry:
    weights = model.estimator_weights_[: len(model.estimators_)]
    return {"models": [write(one) for one in model.estimators_], "weights": pack("d", weights)}


def _read_regressor(entry: Mapping[str, Any], read: Read) -> Predictor:
    answers, weights = [value_of(read(one)).answer for one in entry["models"]], unpack(entry["weights"])

    def answer(row: Row) -> float:
        require_finite(row)
        values = sorted(zip([one(row) for one in answers], weights, strict=True))
        sums, total = [], 0.0
        for _, weight in values:
            total += weight
            sums.append(total)
        half = 0.5 * total
        place = next(at for at, reached in enumerate(sums) if reached >= half)
        # Equal values may come in another order, and their weights add up to another last digit.
        if any(abs(reached - half) <= _UNSURE * total for reached in sums[max(place - 1, 0) : place + 1]):
            raise HandOver
        return float(values[place][0])

    return Predictor("value", answer)


OPERATIONS = (
    Operation("adaptive_classifier", (f"{_MODULE}.AdaBoostClassifier",), _write_classifier, _read_classifier),
    Operation("adaptive_regressor", (f"{_MODULE}.AdaBoostRegressor",), _write_regressor, _read_regressor),
)
