"""A loaded estimator → the document. For where models are checked; reads attributes, calls nothing of a model."""

from collections.abc import Mapping, Sequence
from typing import Any

from predictor.compiled.operations.registry import BY_CLASS
from predictor.compiled.terms import FORMAT, FORMAT_VERSION, CannotCompile, Entry
from predictor.features import Feature

_DEPTH_MAX = 20


def write(estimator: Any, *, features: Sequence[Feature]) -> dict[str, Any]:
    """The document of an estimator.

    Raises: CannotCompile: it cannot be written; the message says why
    """
    return {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "features": [{"name": feature.name, "is_numeric": feature.is_numeric} for feature in features],
        "model": _Writer().write(estimator),
    }


class _Writer:
    def __init__(self) -> None:
        self._depth = 0

    def write(self, estimator: Any) -> Entry:
        name = f"{type(estimator).__module__}.{type(estimator).__qualname__}"
        operation = BY_CLASS.get(name)
        if operation is None:
            raise CannotCompile(f"a {type(estimator).__qualname__[:60]} is not among what is written")
        self._depth += 1
        try:
            if self._depth > _DEPTH_MAX:
                raise CannotCompile("its parts lie too deep within one another")
            entry: Mapping[str, Any] = operation.write(estimator, self.write)
        except (AttributeError, KeyError, IndexError, TypeError, ValueError) as problem:
            # Another version of scikit-learn wrote it, or it is not what it looks like.
            raise CannotCompile(f"its {type(estimator).__qualname__[:60]} is not as expected") from problem
        finally:
            self._depth -= 1
        return {"op": operation.name, **entry}
