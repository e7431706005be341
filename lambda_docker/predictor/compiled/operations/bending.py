"""Columns bent until they look like another distribution, and categories turned into their targets' means."""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from predictor.compiled.numbers import pack, unpack
from predictor.compiled.operations.encoding import write_categories
from predictor.compiled.terms import Entry, HandOver, Operation, Read, Row, Transform, Write

_SPACING = 2.0**-52
# Where scikit-learn cuts a normal distribution off.
_CUT = 1e-7
_GOES_IN, _COMES_OUT = 1e-14, 1e-13


def _write_power(transformer: Any, write: Write) -> Entry:
    entry: Entry = {"method": transformer.method, "powers": pack("d", transformer.lambdas_)}
    return {**entry, "then": write(transformer._scaler)} if transformer.standardize else entry


def _read_power(entry: Mapping[str, Any], read: Read) -> Transform:
    bend = {"yeo-johnson": _yeo_johnson, "box-cox": _box_cox}[entry["method"]]
    powers = unpack(entry["powers"])
    then: Transform = read(entry["then"]) if "then" in entry else list

    def apply(row: Row) -> Row:
        return then([value if value != value else bend(value, power) for value, power in zip(row, powers, strict=True)])

    return apply


def _yeo_johnson(value: float, power: float) -> float:
    if value >= 0:
        grown = math.log1p(value)
        return grown if abs(power) < _SPACING else math.expm1(power * grown) / power
    shrunk = math.log1p(-value)
    return -math.expm1((2 - power) * shrunk) / (2 - power) if abs(power - 2) > _SPACING else -shrunk


def _box_cox(value: float, power: float) -> float:
    if value <= 0:
        raise HandOver
    grown = math.log(value)
    return grown if abs(power) < _SPACING else math.expm1(power * grown) / power


def _write_quantiles(transformer: Any, write: Write) -> Entry:
    return {
        "out": transformer.output_distribution,
        "references": pack("d", transformer.references_),
        "quantiles": [pack("d", column) for column in transformer.quantiles_.T],
    }


def _read_quantiles(entry: Mapping[str, Any], read: Read) -> Transform:
    references = unpack(entry["references"])
    columns = [_read_column(unpack(column), references, entry["out"]) for column in entry["quantiles"]]
    return lambda row: [bend(value) for value, bend in zip(row, columns, strict=True)]


def _read_column(quantiles: list[float], references: list[float], out: str) -> Callable[[float], float]:
    low, high, is_normal = quantiles[0], quantiles[-1], out == "normal"
    reach = _CUT if is_normal else 0.0
    to_normal = _normal() if is_normal else float
    lowest, highest = to_normal(_CUT - _SPACING), to_normal(1 - (_CUT - _SPACING))

    def bend(value: float) -> float:
        if value != value:
            return value
        # Upper first, lower last: a column of one value is at its lower end.
        if value - reach < low or value <= low:
            share = 0.0
        elif value + reach > high or value >= high:
            share = 1.0
        else:
            share = _share(value, quantiles, references)
        if not is_normal:
            return share
        return lowest if share <= _CUT else highest if share >= 1 - _CUT else to_normal(share)

    return bend


def _share(value: float, quantiles: Sequence[float], references: Sequence[float]) -> float:
    """Where a value stands among quantiles; of equal ones, in their middle."""
    first, after = bisect_left(quantiles, value), bisect_right(quantiles, value)
    if first < after:
        return 0.5 * (references[first] + references[after - 1])
    below, above = quantiles[after - 1], quantiles[after]
    slope = (references[after] - references[after - 1]) / (above - below)
    if slope * abs(value) * _GOES_IN > _COMES_OUT:
        # So steep that the last digit shows.
        raise HandOver
    return slope * (value - below) + references[after - 1]


def _normal() -> Callable[[float], float]:
    # Importing it takes longer than everything else here, and few models need it.
    from statistics import NormalDist

    return NormalDist().inv_cdf


def _write_targets(encoder: Any, write: Write) -> Entry:
    means = [float(mean) for mean in getattr(encoder.target_mean_, "flat", [encoder.target_mean_])]
    return {
        "categories": [write_categories(categories) for categories in encoder.categories_],
        "means": pack("d", means),
        # For each column as many arrays as there are means, one number a category.
        "encodings": [pack("d", encoding) for encoding in encoder.encodings_],
    }


def _read_targets(entry: Mapping[str, Any], read: Read) -> Transform:
    means, encodings = unpack(entry["means"]), [unpack(encoding) for encoding in entry["encodings"]]
    columns = []
    for place, categories in enumerate(entry["categories"]):
        own = encodings[place * len(means) : (place + 1) * len(means)]
        columns.append({category: [numbers[at] for numbers in own] for at, category in enumerate(categories)})

    def encode(row: Row) -> Row:
        encoded: Row = []
        for value, codes in zip(row, columns, strict=True):
            encoded += codes.get(value if value == value else None, means)
        return encoded

    return encode


OPERATIONS = (
    Operation("power", ("sklearn.preprocessing._data.PowerTransformer",), _write_power, _read_power),
    Operation("quantiles", ("sklearn.preprocessing._data.QuantileTransformer",), _write_quantiles, _read_quantiles),
    Operation("target_means", ("sklearn.preprocessing._target_encoder.TargetEncoder",), _write_targets, _read_targets),
)
