"""What operations are made of: rows, transforms, predictors, and the two ways out."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

FORMAT, FORMAT_VERSION = "portico-compiled", 1
# A document travels in an answer of at most 6 MB, beside the manifest.
TEXT_MAX_CHARACTERS = 3_000_000

# One row's cells in order: floats, NaN where a number is missing; None, texts and booleans before they are encoded.
Row = list[Any]
Transform = Callable[[Row], Row]
# What an operation says in the document, beside its name.
Entry = dict[str, Any]


class CannotCompile(Exception):
    """An estimator cannot be written as tables; the message says why, as the end of "It is served in full, since …"."""


class HandOver(Exception):
    """Values that no table answers; scikit-learn itself is to say what becomes of them."""


class Predictor(NamedTuple):
    """A final estimator.

    gives: "value": a number; "probabilities": (place of the predicted class, a float a class);
    "scores": (place of the predicted class, decision_function's float, or floats)
    decide: decision_function's float, or floats, where the estimator has one: what calibrates it looks at that
    """

    gives: str
    answer: Callable[[Row], Any]
    decide: Callable[[Row], Any] | None = None


class Operation(NamedTuple):
    """One kind of entry.

    name: in the document; classes: the estimators that it writes, by module and name, since a class that inherits from
    one of them may answer otherwise
    write: estimator and what writes another one within it → the entry. Raises: CannotCompile
    read: entry and what reads another one within it → what walks it
    """

    name: str
    classes: tuple[str, ...]
    write: Callable[[Any, "Write"], Entry]
    read: Callable[[Mapping[str, Any], "Read"], "Transform | Predictor"]


Write = Callable[[Any], Entry]
Read = Callable[[Mapping[str, Any]], Any]
