"""How a loaded model answers. An Engine takes columns and gives Answers; nothing outside knows what is behind it.

May import features, discovery and errors; a second engine goes into its own module beside `sklearn_engine`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from predictor.features import Output

# One sequence a feature, in the features' order; None (or NaN among floats) is missing.
Columns = Sequence[Sequence[Any] | npt.NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Answers:
    """One entry a row in each list that the output has; the others are None.

    labels: classes in their JSON type; values: floats; probabilities: one float a class;
    scores: decision_function, one float for binary, one a class otherwise
    """

    labels: list[Any] | None = None
    values: list[float] | None = None
    probabilities: list[list[float]] | None = None
    scores: list[Any] | None = None

    def one(self, row: int = 0) -> dict[str, Any]:
        """A row as docs/contract.md §3 writes a prediction."""
        return {
            "label": self.labels[row] if self.labels is not None else None,
            "value": self.values[row] if self.values is not None else None,
            "probabilities": self.probabilities[row] if self.probabilities is not None else None,
            "scores": self.scores[row] if self.scores is not None else None,
        }


@dataclass(frozen=True, slots=True)
class TableAnswers:
    """Answers to many rows, as arrays; what the output does not have is None.

    label_words: the classes that occur, in their JSON type; label_codes: (n,) which of them each row's is;
    values: (n,) floats; probabilities: (n, k) floats; scores: (n,) or (n, k) floats
    """

    label_words: list[Any] | None = None
    label_codes: npt.NDArray[np.intp] | None = None
    values: npt.NDArray[np.float64] | None = None
    probabilities: npt.NDArray[np.float64] | None = None
    scores: npt.NDArray[np.float64] | None = None

    def rows(self, begin: int, end: int) -> "TableAnswers":
        """The answers to rows `begin` to `end` (exclusive)."""
        return TableAnswers(
            label_words=self.label_words,
            label_codes=None if self.label_codes is None else self.label_codes[begin:end],
            values=None if self.values is None else self.values[begin:end],
            probabilities=None if self.probabilities is None else self.probabilities[begin:end],
            scores=None if self.scores is None else self.scores[begin:end],
        )

    @classmethod
    def joined(cls, parts: "Sequence[TableAnswers]") -> "TableAnswers":
        """The answers to several tables' rows, one after the other."""
        if len(parts) == 1:
            return parts[0]
        words: dict[Any, int] = {}
        codes = []
        for part in parts:
            places = [words.setdefault(word, len(words)) for word in part.label_words or ()]
            if part.label_codes is not None:
                codes.append(np.array(places, dtype=np.intp)[part.label_codes])
        return cls(
            label_words=list(words) if codes else None,
            label_codes=np.concatenate(codes) if codes else None,
            values=_concatenated([part.values for part in parts]),
            probabilities=_concatenated([part.probabilities for part in parts]),
            scores=_concatenated([part.scores for part in parts]),
        )

    def first_not_finite(self) -> int | None:
        """The first row whose numbers are not all finite, or None: JSON and a reader can do nothing with those."""
        for numbers in (self.values, self.probabilities, self.scores):
            if numbers is None or not len(numbers):
                continue
            finite = np.isfinite(numbers)
            if not finite.all():
                return int(np.argmin(finite.reshape(len(numbers), -1).all(axis=1)))
        return None

    def to_answers(self) -> Answers:
        labels = None
        if self.label_words is not None and self.label_codes is not None:
            labels = [self.label_words[code] for code in self.label_codes.tolist()]
        return Answers(
            labels=labels,
            values=None if self.values is None else self.values.tolist(),
            probabilities=None if self.probabilities is None else self.probabilities.tolist(),
            scores=None if self.scores is None else self.scores.tolist(),
        )


class Engine(Protocol):
    """A model that is ready to answer."""

    is_thread_safe: bool

    def describe(self) -> Output:
        """What comes out."""
        ...

    def predict(self, columns: Columns) -> Answers:
        """Answers in the rows' order, exactly scikit-learn's numbers; raises whatever the model raises."""
        ...

    def predict_table(self, columns: Columns) -> TableAnswers:
        """The same answers as arrays, for many rows."""
        ...


def _concatenated(arrays: "Sequence[npt.NDArray[np.float64] | None]") -> "npt.NDArray[np.float64] | None":
    known = [array for array in arrays if array is not None]
    return np.concatenate(known) if len(known) == len(arrays) and known else None
