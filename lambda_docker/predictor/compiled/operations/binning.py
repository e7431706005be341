"""Numbers → the bins they fall into, as a number or a column each: comparisons with scikit-learn's own edges."""

from bisect import bisect_right
from collections.abc import Mapping
from typing import Any

from predictor.compiled.numbers import pack, unpack
from predictor.compiled.operations.certain import require_finite
from predictor.compiled.terms import Entry, Operation, Read, Row, Transform, Write


def _write(binner: Any, write: Write) -> Entry:
    # The outermost edges bound nothing: what lies beyond them belongs to the first and the last bin.
    entry: Entry = {"edges": [pack("d", edges[1:-1]) for edges in binner.bin_edges_]}
    if binner.encode == "ordinal":
        return entry
    return {**entry, "bins": [int(count) for count in binner.n_bins_]}


def _read(entry: Mapping[str, Any], read: Read) -> Transform:
    edges = [unpack(column) for column in entry["edges"]]

    def number(row: Row) -> Row:
        require_finite(row)
        return [float(bisect_right(column, value)) for column, value in zip(edges, row, strict=True)]

    if "bins" not in entry:
        return number
    starts = [sum(entry["bins"][:place]) for place in range(len(entry["bins"]))]
    noughts = [0.0] * sum(entry["bins"])

    def spread(row: Row) -> Row:
        require_finite(row)
        binned = noughts[:]
        for column, start, value in zip(edges, starts, row, strict=True):
            binned[start + bisect_right(column, value)] = 1.0
        return binned

    return spread


OPERATIONS = (Operation("bins", ("sklearn.preprocessing._discretization.KBinsDiscretizer",), _write, _read),)
