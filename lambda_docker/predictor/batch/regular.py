"""Records that look as the header promises, as a table: numbers where the model wants numbers, else text.

polars reads a number in less time than Python finds the cell, and gives the bits that `float` gives. What it does not
take for a finite number comes as NaN, and is looked at as text by whoever asks.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from predictor.batch.layout import Layout
from predictor.batch.structure import Offsets
from predictor.features import Feature

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
        spans: where the records begin and end in the run, if newlines within quotes hide it
    """

    run: bytes
    count: int
    layout: Layout
    features: Sequence[Feature]
    has_quotes: bool = False
    spans: tuple[Offsets, Offsets] | None = None
    _table: "pl.DataFrame" = field(init=False)
    _texts: "dict[int, pl.Series]" = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        import polars as pl

        layout, last = self.layout, len(self.layout.columns) - 1
        as_text = {
            place
            for place, feature in zip(layout.positions, self.features, strict=True)
            if layout.decimal != "." or feature.kind not in ("number", "integer")
        }
        types = {place: pl.String if place in as_text else pl.Float64 for place in layout.positions}
        # The last column shows which rows are too short: there it is empty.
        self._table = self._read({last: pl.String, **types})

    def has_empty_ends(self) -> bool:
        """Whether some row may have fewer cells than the header."""
        last = self._table[str(len(self.layout.columns) - 1)]
        return bool(last.null_count() or (last.dtype.is_(_text_type()) and (last == "").any()))

    def numbers(self, feature: int) -> npt.NDArray[np.float64] | None:
        """A feature's cells as floats, NaN where they are none; None where they were read as text."""
        column = self._table[str(self.layout.positions[feature])]
        return None if column.dtype.is_(_text_type()) else column.to_numpy()

    def texts(self, feature: int) -> "pl.Series":
        """A feature's cells as they are, without quotes."""
        import polars as pl

        place = self.layout.positions[feature]
        if place not in self._texts:
            column = self._table[str(place)]
            is_text = column.dtype.is_(pl.String)
            self._texts[place] = column if is_text else self._read({place: pl.String})[str(place)]
        return self._texts[place]

    def lines(self) -> "pl.Series":
        """The records without their line ends."""
        import polars as pl

        if self.spans is None and _NO_SEPARATOR.encode() not in self.run:
            table = pl.read_csv(
                self.run,
                has_header=False,
                separator=_NO_SEPARATOR,
                quote_char=None,
                schema={"line": pl.String},
                empty_string_is_null=False,
            )
            return table["line"]
        if self.spans is None:
            return pl.Series("line", self.run.decode().split(self.layout.newline)[:-1], dtype=pl.String)
        starts, ends = (places.tolist() for places in self.spans)
        texts = [self.run[start:end].decode().rstrip("\r\n") for start, end in zip(starts, ends, strict=True)]
        return pl.Series("line", texts, dtype=pl.String)

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


def _text_type() -> "type[pl.DataType]":
    import polars as pl

    return pl.String
