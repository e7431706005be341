"""A model that sees what other models say, and with passthrough the row as well."""

from collections.abc import Callable, Mapping
from typing import Any

from predictor.compiled.operations.certain import (
    classifier_of,
    probabilities_of,
    require_decisions,
    require_exact,
    require_finite,
    value_of,
)
from predictor.compiled.operations.voting import require_encoded
from predictor.compiled.terms import CannotCompile, Entry, Operation, Predictor, Read, Row, Write

_MODULE = "sklearn.ensemble._stacking"


def _write_classifier(model: Any, write: Write) -> Entry:
    classes = list(model.classes_)
    require_encoded([model.final_estimator_], len(classes))
    entry = _write(model, write)
    for one, method, part in zip(model.estimators_, model.stack_method_, entry["models"], strict=True):
        if len(one.classes_) != len(classes):
            raise CannotCompile("a model within it has not seen all classes")
        if method == "predict":
            part["labels"] = [float(label) for label in one.classes_]
        if method == "decision_function":
            require_decisions(part["of"])
        part["on"] = method
    return {**entry, "classes": len(classes)}


def _write(model: Any, write: Write) -> Entry:
    parts: list[Entry] = [{"of": write(one), "on": "value"} for one in model.estimators_]
    final = write(model.final_estimator_)
    require_exact([part["of"] for part in parts], final)
    return {"models": parts, "passes": bool(model.passthrough), "final": final}


def _read_classifier(entry: Mapping[str, Any], read: Read) -> Predictor:
    return _read(entry, classifier_of(read(entry["final"])), read)


def _read_regressor(entry: Mapping[str, Any], read: Read) -> Predictor:
    return _read(entry, value_of(read(entry["final"])), read)


def _read(entry: Mapping[str, Any], final: Predictor, read: Read) -> Predictor:
    parts = [_read_part(part, read(part["of"]), entry.get("classes", 0)) for part in entry["models"]]
    passes, answer, decide = entry["passes"], final.answer, final.decide

    def gather(row: Row) -> Row:
        said: Row = []
        for part in parts:
            said += part(row)
        return require_finite(said) + row if passes else require_finite(said)

    return Predictor(
        final.gives, lambda row: answer(gather(row)), None if decide is None else lambda row: decide(gather(row))
    )


def _read_part(part: Mapping[str, Any], model: Any, count: int) -> Callable[[Row], list[float]]:
    on = part["on"]
    if on == "value":
        value = value_of(model).answer
        return lambda row: [value(row)]
    if on == "predict":
        place, labels = classifier_of(model).answer, part["labels"]
        return lambda row: [labels[place(row)[0]]]
    if on == "predict_proba":
        share = probabilities_of(model).answer
        # Of two probabilities, which add up to one, the second is enough.
        return (lambda row: share(row)[1][1:]) if count == 2 else (lambda row: list(share(row)[1]))
    decide = classifier_of(model).decide
    if decide is None or on != "decision_function":
        raise ValueError("a part has no decisions")
    return (lambda row: [decide(row)]) if count == 2 else decide


OPERATIONS = (
    Operation("stack_classifier", (f"{_MODULE}.StackingClassifier",), _write_classifier, _read_classifier),
    Operation("stack_regressor", (f"{_MODULE}.StackingRegressor",), _write, _read_regressor),
)
