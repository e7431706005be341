"""How a loaded model answers. An Engine takes columns and gives Answers; nothing outside knows what is behind it.

May import features, discovery and errors; a second engine goes into its own module beside `sklearn_engine`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from predictor.features import Output

# One sequence a feature, in the features' order; None (or NaN among floats) is missing.
Columns = Sequence[Sequence[Any]]


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

    def first(self, count: int) -> "Answers":
        """The first `count` rows' answers."""
        return Answers(
            labels=None if self.labels is None else self.labels[:count],
            values=None if self.values is None else self.values[:count],
            probabilities=None if self.probabilities is None else self.probabilities[:count],
            scores=None if self.scores is None else self.scores[:count],
        )


class Engine(Protocol):
    """A model that is ready to answer."""

    def describe(self) -> Output:
        """What comes out."""
        ...

    def predict(self, columns: Columns) -> Answers:
        """Answers in the rows' order, exactly scikit-learn's numbers; raises whatever the model raises."""
        ...
