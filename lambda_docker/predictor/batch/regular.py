"""Records that look as the header promises, as a table: numbers where the model wants numbers, else text.

Numbers are read by the compiled kernels, or where there are quotes or no kernels by polars; both give the bits that
`float` gives. What they do not take for a finite number comes as NaN, and is looked at as text by whoever asks.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from predictor import native
from predictor.batch.layout import Layout
from predictor.batch.structure import Offsets, count_lines, count_plain
from predictor.features import Feature
from predictor.native.rows import read_rows

if TYPE_CHECKING:
    import polars as pl

# polars swallows a byte order mark, and takes these for the beginning of something packed.
_ODD_BEGINNINGS = (b"\xef\xbb\xbf", b"x\x01", b"x^")
# No text has it; the lines of one that does are cut by their offsets.
_NO_SEPARATOR = "\x01"


def begins_oddly(run: bytes) -> bool:
    """Whether polars would not read the run as it stands."""
    return run.startswith(_ODD_BEGINNINGS)


@dataclass
class RegularRows:
    """The rows of a run of records.

    Attributes:
        run: the records with their line ends
        count: how many there are
        has_quotes: whether any cell is quoted
        spans: where the records' texts begin and end in the run, line ends left out; None: one a line
        read: the cells of the features that are numbers, by feature, if they were read already
    """

    run: bytes
    count: int
    layout: Layout
    features: Sequence[Feature]
    has_quotes: bool = False
    spans: tuple[Offsets, Offsets] | None = None
    read: Mapping[int, npt.NDArray[np.float64]] | None = None
    _texts: "dict[int, pl.Series]" = field(init=False, default_factory=dict)

    def has_empty_ends(self) -> bool:
        """Whether some row may have fewer cells than the header."""
        last = self._table[str(len(self.layout.columns) - 1)]
        return bool(last.null_count() or (last.dtype.is_(_text_type()) and (last == "").any()))

    def numbers(self, feature: int) -> npt.NDArray[np.float64] | None:
        """A feature's cells as floats, NaN where they are none; None where they are texts."""
        if not _are_numbers(self.features[feature], self.layout):
            return None
        if self.read is not None:
            return self.read[feature]
        numbers: npt.NDArray[np.float64] = self._table[str(self.layout.positions[feature])].to_numpy()
        return numbers

    def texts(self, feature: int) -> "pl.Series":
        """A feature's cells as they are, without quotes."""
        import polars as pl

        place = self.layout.positions[feature]
        if place not in self._texts:
            is_there = self.read is None and not _are_numbers(self.features[feature], self.layout)
            table = self._table if is_there else self._read({place: pl.String})
            self._texts[place] = table[str(place)]
        return self._texts[place]

    def lines(self) -> "pl.Series":
        """The records without their line ends."""
        import polars as pl

        if self.spans is not None and count_lines(self.run) != self.count:
            starts, ends = (places.tolist() for places in self.spans)
            texts = [self.run[start:end].decode() for start, end in zip(starts, ends, strict=True)]
            return pl.Series("line", texts, dtype=pl.String)
        if _NO_SEPARATOR.encode() in self.run:
            return pl.Series("line", self.run.decode().split(self.layout.newline)[:-1], dtype=pl.String)
        table = pl.read_csv(
            self.run,
            has_header=False,
            separator=_NO_SEPARATOR,
            quote_char=None,
            schema={"line": pl.String},
            empty_string_is_null=False,
        )
        return table["line"]

    @cached_property
    def _table(self) -> "pl.DataFrame":
        import polars as pl

        types = {
            place: pl.Float64 if _are_numbers(feature, self.layout) else pl.String
            for place, feature in zip(self.layout.positions, self.features, strict=True)
        }
        # The last column shows which rows are too short: there it is empty.
        return self._read({len(self.layout.columns) - 1: pl.String, **types})

    def _read(self, types: "dict[int, type[pl.DataType]]") -> "pl.DataFrame":
        import polars as pl

        table = pl.read_csv(
            self.run,
            has_header=False,
            separator=self.layout.delimiter,
            quote_char='"' if self.has_quotes else None,
            schema={str(place): types.get(place, pl.String) for place in range(len(self.layout.columns))},
            columns=sorted(types),
            empty_string_is_null=False,
            ignore_errors=True,
            # A row that is too short shows by its empty end, and there is one for each that is too long.
            missing_columns="insert",
            extra_columns="ignore",
        )
        if table.height != self.count:
            # Never seen; but nothing may be lost in silence.
            raise RuntimeError(f"{table.height} of {self.count} rows were read.")
        return table


def plain_rows(run: bytes, count: int, layout: Layout, features: Sequence[Feature]) -> RegularRows | None:
    """The rows of complete records without quotes; None where they have to be looked at more closely.

    Args: count: how many newlines there are
    """
    if begins_oddly(run):
        return None
    width = len(layout.columns)
    if not native.kernels():
        rows = RegularRows(run, count, layout, features)
        are_plain = count_plain(run, delimiter=layout.delimiter, width=width, newline=layout.newline) is not None
        return rows if are_plain and not rows.has_empty_ends() else None
    numbers = [place for place, feature in enumerate(features) if _are_numbers(feature, layout)]
    columns = list(dict.fromkeys(layout.positions[feature] for feature in numbers))
    found = read_rows(
        run, delimiter=layout.delimiter, newline=layout.newline, width=width, columns=columns, count=count
    )
    if found is None:
        return None
    read = {feature: found.numbers[columns.index(layout.positions[feature])] for feature in numbers}
    return RegularRows(run, count, layout, features, spans=(found.begins, found.ends), read=read)


def _are_numbers(feature: Feature, layout: Layout) -> bool:
    """Whether cells are read as numbers first, and as texts only where they are none."""
    return layout.decimal == "." and feature.kind in ("number", "integer")


def _text_type() -> "type[pl.DataType]":
    import polars as pl

    return pl.String
