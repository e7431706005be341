"""The manifest that came out of a sandbox, taken over piece by piece: a hostile model may have written it.

What is of the wrong type or size refuses the whole; what the contract does not name is left behind.
Source: docs/contract.md §5
"""

import json
import math
from collections.abc import Callable, Mapping
from typing import Any

from predictor.compiled.reading import Unreadable, Walker
from predictor.compiled.terms import TEXT_MAX_CHARACTERS
from predictor.features import Feature, Output

Read = Callable[[Any], Any]

_SENTENCE, _NAME, _CHOICE = 1_000, 200, 10_000
_KINDS = ("number", "integer", "boolean", "choice", "text")
_OUTPUTS = ("binary", "multiclass", "regression", "labels")


class WrongShape(ValueError):
    """This is no manifest."""


def read_manifest(value: Any) -> dict[str, Any]:
    """The model's half of a manifest: what `confined` makes. Raises: WrongShape."""
    manifest = _record(
        versions=_record(**dict.fromkeys(("python", "scikit-learn", "numpy", "fitted_with"), _optional(_text(_NAME)))),
        estimator=_text(_NAME),
        steps=_list(_record(name=_text(_NAME), **{"class": _text(_NAME)}), most=500),
        fitted_on=_one_of(("dataframe", "array")),
        features=_list(_FEATURE, most=10_000),
        output=_record(type=_one_of(_OUTPUTS), classes=_optional(_list(_scalar, most=10_000)), probabilities=_boolean),
        warnings=_list(_text(_SENTENCE), most=20),
        golden=_list(_record(row=_row, prediction=_PREDICTION), most=20),
        trials=_TRIALS,
        flags=_list(_record(code=_text(40), message=_text(_SENTENCE)), most=20),
        memory_bytes=_count,
        load_milliseconds=_positive,
        compiled=_COMPILED,
    )(value)
    names = [feature["name"] for feature in manifest["features"]]
    if (
        not names
        or len(set(names)) < len(names)
        or any(set(entry["row"]) != set(names) for entry in manifest["golden"])
    ):
        raise WrongShape("features")
    return manifest


def read_tables(value: Any, manifest: Mapping[str, Any]) -> str | None:
    """The model's tables as the predict function will read them. Raises: WrongShape: it could not."""
    if (value is None) != (manifest["compiled"]["reason"] is not None):
        raise WrongShape("tables")
    if value is None:
        return None
    text = _text(TEXT_MAX_CHARACTERS)(value)
    try:
        document = json.loads(text)
        features = [Feature.from_json(entry) for entry in manifest["features"]]
        Walker(document, features=features, output=Output.from_json(manifest["output"]))
    except (Unreadable, ValueError, RecursionError) as problem:
        raise WrongShape("tables") from problem
    return text


def _record(**fields: Read) -> Read:
    def read(value: Any) -> dict[str, Any]:
        if not isinstance(value, dict) or not set(fields) <= set(value):
            raise WrongShape("record")
        return {name: read_field(value[name]) for name, read_field in fields.items()}

    return read


def _list(read_entry: Read, *, most: int) -> Read:
    def read(value: Any) -> list[Any]:
        if not isinstance(value, list) or len(value) > most:
            raise WrongShape("list")
        return [read_entry(entry) for entry in value]

    return read


def _optional(read_value: Read) -> Read:
    return lambda value: None if value is None else read_value(value)


def _text(most: int) -> Read:
    def read(value: Any) -> str:
        if not isinstance(value, str) or len(value) > most:
            raise WrongShape("text")
        # Half of a surrogate pair cannot be written as UTF-8; JSON can spell it all the same.
        return value.encode("utf-8", "replace").decode()

    return read


def _one_of(allowed: tuple[str, ...]) -> Read:
    def read(value: Any) -> str:
        if not isinstance(value, str) or value not in allowed:
            raise WrongShape("word")
        return value

    return read


def _boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise WrongShape("boolean")
    return value


def _number(value: Any) -> float | int:
    # JSON reads 1e999 as infinity.
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise WrongShape("number")
    return value


def _positive(value: Any) -> float | int:
    if _number(value) < 0:
        raise WrongShape("number")
    return value


def _count(value: Any) -> int:
    if not isinstance(value, int) or _positive(value) > 1 << 50:
        raise WrongShape("count")
    return value


def _scalar(value: Any) -> Any:
    if isinstance(value, bool):
        return value
    return _text(_CHOICE)(value) if isinstance(value, str) else _number(value)


def _row(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict) or len(value) > 10_000:
        raise WrongShape("row")
    return {_text(_NAME)(name): _optional(_scalar)(entry) for name, entry in value.items()}


def _scores(value: Any) -> Any:
    return _list(_number, most=10_000)(value) if isinstance(value, list) else _number(value)


_FEATURE = _record(
    name=_text(_NAME),
    kind=_one_of(_KINDS),
    choices=_optional(_list(_scalar, most=10_000)),
    default=_optional(_scalar),
    accepts_missing=_boolean,
)
_PREDICTION = _record(
    label=_optional(_scalar),
    value=_optional(_number),
    probabilities=_optional(_list(_number, most=10_000)),
    scores=_optional(_scores),
)
_ANSWERED = _record(answered=_boolean, said=_text(_SENTENCE))
_COMPILED = _record(
    rows=_count,
    largest_difference=_optional(_positive),
    milliseconds=_optional(_positive),
    reason=_optional(_text(_SENTENCE)),
    row=_optional(_row),
)
_TRIALS = _record(
    single=_record(milliseconds=_positive),
    thousand=_record(milliseconds=_positive, rows=_count),
    missing=_ANSWERED,
    unknown_category=_optional(_ANSWERED),
)
