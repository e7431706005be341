"""Missing values: put in, or told by further columns. Missing is NaN among numbers and None or NaN among others."""

from collections.abc import Callable, Mapping
from typing import Any

from predictor.compiled.terms import CannotCompile, Entry, Operation, Read, Row, Transform, Write


def _write_imputer(imputer: Any, write: Write) -> Entry:
    marker = _write_marker(imputer)
    fills = [_plain(fill) for fill in imputer.statistics_]
    kept = [place for place, fill in enumerate(fills) if imputer.keep_empty_features or not is_missing(fill)]
    if any(is_missing(fills[place]) for place in kept):
        raise CannotCompile("an imputer puts missing values in")
    entry: Entry = {"marker": marker, "columns": kept, "fills": [fills[place] for place in kept]}
    if imputer.add_indicator and imputer.indicator_ is not None:
        entry["told"] = [int(place) for place in imputer.indicator_.features_]
    return entry


def _read_imputer(entry: Mapping[str, Any], read: Read) -> Transform:
    is_gap, told = _read_marker(entry["marker"]), entry.get("told")
    fills = list(zip(entry["columns"], entry["fills"], strict=True))
    if told is None and entry["marker"] is None:
        return lambda row: [fill if (value := row[place]) is None or value != value else value for place, fill in fills]

    def impute(row: Row) -> Row:
        imputed = [fill if is_gap(row[place]) else row[place] for place, fill in fills]
        return imputed + [1.0 if is_gap(row[place]) else 0.0 for place in told or ()]

    return impute


def _write_indicator(indicator: Any, write: Write) -> Entry:
    if indicator.error_on_new:
        raise CannotCompile("a MissingIndicator refuses gaps that it has not seen")
    return {"marker": _write_marker(indicator), "told": [int(place) for place in indicator.features_]}


def _read_indicator(entry: Mapping[str, Any], read: Read) -> Transform:
    is_gap, told = _read_marker(entry["marker"]), entry["told"]
    return lambda row: [1.0 if is_gap(row[place]) else 0.0 for place in told]


def is_missing(value: Any) -> bool:
    return value is None or value != value


def _write_marker(transformer: Any) -> Any:
    """What counts as missing: None stands for all that is, anything else for itself."""
    marker = _plain(transformer.missing_values)
    if is_missing(marker) or type(marker).__name__ == "NAType":
        return None
    if isinstance(marker, int | float | str):
        return {"is": marker}
    raise CannotCompile("an imputer takes something unusual for missing")


def _read_marker(marker: Any) -> Callable[[Any], bool]:
    if marker is None:
        return is_missing
    wanted = marker["is"]
    return lambda value: bool(value == wanted)


def _plain(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else value


OPERATIONS = (
    Operation("impute", ("sklearn.impute._base.SimpleImputer",), _write_imputer, _read_imputer),
    Operation("tell_missing", ("sklearn.impute._base.MissingIndicator",), _write_indicator, _read_indicator),
)
