"""The document → a Walker, by the standard library alone."""

from collections.abc import Mapping, Sequence
from typing import Any

from predictor.compiled.operations import find
from predictor.compiled.terms import FORMAT, FORMAT_VERSION, HandOver, Predictor
from predictor.compiled.written_out import write_out
from predictor.features import Choice, Feature, Output

_NAN = float("nan")
# What floats beyond the tables' reach do, and what a document that was tampered with may.
_BEYOND = (OverflowError, ZeroDivisionError)


class Unreadable(ValueError):
    """The document is not what `writing` writes."""


class Walker:
    """Answers one row at a time, whoever wrote the document: walks that would not end are not begun.

    Args:   features, output: the model's
    Raises: Unreadable
    """

    def __init__(self, document: Mapping[str, Any], *, features: Sequence[Feature], output: Output) -> None:
        try:
            if (document["format"], document["format_version"]) != (FORMAT, FORMAT_VERSION):
                raise Unreadable("another format")
            predictor = _read(document["model"])
        except (LookupError, TypeError, ValueError) as problem:
            raise Unreadable(str(problem)) from problem
        if not isinstance(predictor, Predictor) or predictor.gives != _wanted(output):
            raise Unreadable("it gives something else")
        self._answer_usual = write_out(document["model"], inputs=len(features))
        self._gives, self._answer, self._classes = predictor.gives, predictor.answer, output.classes or ()
        self._numeric = [place for place, feature in enumerate(features) if feature.is_numeric]
        # The others' values are floats already, unless they are missing.
        self._converted = [place for place in self._numeric if features[place].kind in ("boolean", "choice")]

    def answer(self, values: Sequence[Choice | None]) -> dict[str, Any]:
        """The prediction for one row of model values, as docs/contract.md §3 writes it.

        Raises: HandOver: scikit-learn itself is to answer
        """
        answered: Any = None if self._answer_usual is None else self._answer_usual(values)
        if answered is None:
            answered = self._walk(list(values))
        if self._gives == "value":
            if answered - answered != 0.0:
                raise HandOver
            return {"label": None, "value": answered, "probabilities": None, "scores": None}
        place, numbers = answered
        label = self._classes[place]
        if self._gives == "probabilities":
            return {"label": label, "value": None, "probabilities": numbers, "scores": None}
        return {"label": label, "value": None, "probabilities": None, "scores": numbers}

    def _walk(self, row: list[Any]) -> Any:
        for place in self._converted if None not in row else self._numeric:
            value = row[place]
            row[place] = _NAN if value is None else float(value)
        try:
            return self._answer(row)
        except _BEYOND:
            raise HandOver from None


def _wanted(output: Output) -> str:
    if output.type == "regression":
        return "value"
    return "probabilities" if output.probabilities else "scores"


def _read(entry: Mapping[str, Any]) -> Any:
    return find(entry["op"]).read(entry, _read)
