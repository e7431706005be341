"""CSV records in, the same records with predictions behind them out.

A record is passed through byte for byte. Records that look as the header promises are taken by the thousand; others go
through `irregular`, and come out in their place.
"""

import csv
import io
import itertools
from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np

from predictor.batch import irregular
from predictor.batch.asking import Answered, ask, count_in, rows_at_once
from predictor.batch.cells import read_columns
from predictor.batch.layout import Layout
from predictor.batch.records import split_records
from predictor.batch.regular import RegularRows, begins_oddly, plain_rows
from predictor.batch.structure import Offsets, Structure, count_lines, look_at
from predictor.batch.tally import SHOWN_ERRORS, SHOWN_ROWS, Tally
from predictor.batch.wishes import Band
from predictor.batch.writing import Written, added_columns, write_cell, write_lines
from predictor.limits import MIB, RECORD_MAX_BYTES
from predictor.loaded_model import LoadedModel
from predictor.native.rows import Added

# Runs keep memory flat; larger ones are no faster.
_RUN_BYTES = 2 * MIB
# Odd records cut a block into runs. With more of them the whole block is taken record by record.
_RUNS_AT_MOST = 64
# The first rows are looked for here, and in all of a block only where these are too few.
_PREVIEW_BYTES = 64 * 1024

# Up to a whole record may be one cell; the csv module stops at 128 KiB otherwise.
csv.field_size_limit(RECORD_MAX_BYTES)


# Of the file, one a row.
Lines = Sequence[int] | Offsets


class Scorer:
    """Scores consecutive records, given in pieces of any size; `tally` counts along.

    rest: of what was given, the record that is not complete yet; line: on which it begins
    Args: line: of the file, on which the first record begins; before: about how many rows stand before it;
          ends_file: whether the file ends with these records
    """

    def __init__(
        self,
        model: LoadedModel,
        layout: Layout,
        *,
        bands: Sequence[Band] = (),
        line: int = 1,
        before: int = 0,
        ends_file: bool = True,
    ) -> None:
        self.tally = Tally()
        self._model, self._layout, self._bands = model, layout, tuple(bands)
        self._look = partial(look_at, delimiter=layout.delimiter, width=len(layout.columns), newline=layout.newline)
        self.line, self._before, self._ends_file = line, before, ends_file
        self._rows_at_once = rows_at_once(len(model.features))
        self.rest = b""

    def score(self, data: bytes, *, is_last: bool) -> Iterator[Written]:
        """Output lines of the records that are complete by now, blank lines included; with `is_last` of all.

        A last line without a line end has none in the output either.
        """
        block = self.rest + data if self.rest else data
        self.rest = b""
        is_cut = is_last and bool(block) and not block.endswith(b"\n")
        held: Written = b""
        for lines in self._score_block(block + self._layout.newline.encode() if is_cut else block, is_last=is_last):
            if held:
                yield held
            held = lines
        if held:
            yield bytes(held).removesuffix(b"\n").removesuffix(b"\r") if is_cut else held

    def _score_block(self, block: bytes, *, is_last: bool) -> Iterator[Written]:
        if b'"' in block:
            yield from self._score_carefully(block, is_last=is_last)
        else:
            complete = block.rfind(b"\n") + 1
            begin = 0
            while begin < complete:
                end = block.rfind(b"\n", begin, begin + _RUN_BYTES) + 1 or block.find(b"\n", begin) + 1
                yield from self._score_run(block[begin:end], is_last=is_last and end == complete)
                begin = end
            self.rest = block[complete:]
        if is_last and self.rest:
            # Its quote is never closed.
            rest, self.rest = self.rest.removesuffix(b"\n"), b""
            yield from self._score_oddities([rest], is_last=True)

    def _score_run(self, run: bytes, *, is_last: bool) -> Iterator[Written]:
        """Complete records without quotes."""
        count = count_lines(run)
        if count > self._rows_at_once:
            middle = run.find(b"\n", len(run) // 2) + 1
            yield from self._score_run(run[:middle], is_last=False)
            yield from self._score_run(run[middle:], is_last=is_last)
            return
        rows = plain_rows(run, count, self._layout, self._model.features)
        if rows is None:
            yield from self._score_carefully(run, is_last=is_last)
            return
        yield self._score_regular(rows, range(self.line, self.line + count), is_last=is_last)
        self.line += count

    def _score_carefully(self, block: bytes, *, is_last: bool) -> Iterator[Written]:
        """Records of any kind; what is not complete is left in `rest`."""
        found = self._look(block)
        if found is None:
            records, self.rest = split_records(block, self._layout.delimiter.encode())
            yield from self._score_oddities(records, is_last=is_last and not self.rest)
            return
        self.rest = block[found.complete_bytes :]
        for first, end in self._pieces(found):
            yield from self._score_piece(block, found, first, end, is_last=is_last and not self.rest)
        self.line += count_lines(block[: found.complete_bytes])

    def _pieces(self, found: Structure) -> Iterator[tuple[int, int]]:
        """Records from, to: as many as one table holds."""
        first = 0
        while first < found.count:
            within = int(np.searchsorted(found.ends, found.starts[first] + _RUN_BYTES, side="right"))
            end = min(max(within, first + 1), first + self._rows_at_once, found.count)
            yield first, end
            first = end

    def _score_piece(self, block: bytes, found: Structure, first: int, end: int, *, is_last: bool) -> Iterator[Written]:
        regular = found.is_regular[first:end]
        turns = np.flatnonzero(np.diff(regular)) + 1
        if len(turns) > _RUNS_AT_MOST:
            yield from self._score_odd_run(block, found, first, end, is_last=is_last)
            return
        edges = [first, *(turns + first).tolist(), end]
        for begin, stop in itertools.pairwise(edges):
            ends_all = is_last and stop == found.count
            offset = int(found.starts[begin])
            run = block[offset : found.ends[stop - 1]]
            if not found.is_regular[begin] or begins_oddly(run):
                yield from self._score_odd_run(block, found, begin, stop, is_last=ends_all)
                continue
            begins, ends = found.starts[begin:stop] - offset, found.ends[begin:stop] - offset
            rows = RegularRows(
                run,
                stop - begin,
                self._layout,
                self._model.features,
                has_quotes=found.has_quotes,
                spans=(begins, ends - len(self._layout.newline)),
            )
            yield self._score_regular(rows, self.line + found.lines[begin:stop], is_last=ends_all)

    def _score_regular(self, rows: RegularRows, lines: Lines, *, is_last: bool) -> Written:
        layout = self._layout
        values, problems = read_columns(self._model.features, rows, decimal=layout.decimal, nulls=layout.nulls)
        answered = self._ask(values, problems, rows.count, is_last=is_last)
        output = write_lines(self._added(answered, rows.count), layout, count=rows.count, rows=rows)
        self._count(answered, rows.count, lines, output)
        return output

    def _score_odd_run(
        self, block: bytes, found: Structure, begin: int, stop: int, *, is_last: bool
    ) -> Iterator[Written]:
        records = [
            block[start : end - 1]
            for start, end in zip(found.starts[begin:stop].tolist(), found.ends[begin:stop].tolist(), strict=True)
        ]
        yield from self._score_oddities(records, is_last=is_last, line=self.line + int(found.lines[begin]))

    def _score_oddities(self, records: Sequence[bytes], *, is_last: bool, line: int | None = None) -> Iterator[Written]:
        """Record by record. Where no line is given, they are the next ones."""
        at = self.line if line is None else line
        for begin in range(0, len(records), self._rows_at_once):
            part = records[begin : begin + self._rows_at_once]
            odd = irregular.read(part, layout=self._layout, line=at)
            self.tally.blank_lines += len(part) - len(odd.rows)
            added: Written = b""
            if odd.rows:
                ends_all = is_last and begin + len(part) == len(records)
                answered = self._ask_about(odd, is_last=ends_all)
                added = write_lines(self._added(answered, len(odd.rows)), self._layout, count=len(odd.rows))
            output = irregular.write(odd, bytes(added), self._layout)
            if odd.rows:
                self._count(answered, len(odd.rows), odd.lines, output)
            at += sum(record.count(b"\n") + 1 for record in part)
            yield output
        if line is None:
            self.line = at

    def _ask_about(self, odd: irregular.Odd, *, is_last: bool) -> Answered:
        layout = self._layout
        values, problems = read_columns(self._model.features, odd, decimal=layout.decimal, nulls=layout.nulls)
        return self._ask(values, {**problems, **odd.problems}, len(odd.rows), is_last=is_last)

    def _ask(
        self, values: Sequence[np.ndarray], problems: dict[int, list[str]], count: int, *, is_last: bool
    ) -> Answered:
        return ask(
            values,
            problems,
            count=count,
            model=self._model,
            bands=self._bands,
            is_last=is_last and self._ends_file,
            before=self._before + self.tally.rows,
        )

    def _added(self, answered: Answered, count: int) -> list[Added]:
        return added_columns(
            answered.answers,
            self._layout,
            count=count,
            places=None if len(answered.places) == count else answered.places,
            bands=answered.bands,
            band_words=self._bands,
            errors=answered.errors,
        )

    def _count(self, answered: Answered, count: int, lines: Lines, output: Written) -> None:
        counted = Tally(rows=count)
        count_in(answered, self._model.output, self._bands, counted)
        counted.errors = [
            {"row": row + 1, "line": int(lines[row]), "error": answered.errors[row]}
            for row in sorted(answered.errors)[:SHOWN_ERRORS]
        ]
        if len(self.tally.preview) < SHOWN_ROWS:
            counted.preview = _preview(output, self._layout)
        self.tally.merge(counted)


def header_line(head: bytes, layout: Layout) -> bytes:
    """The file's beginning up to its header, with the added columns' names behind it."""
    names = "".join(layout.delimiter + write_cell(name, layout.delimiter) for name in layout.added)
    return head.removesuffix(b"\n").removesuffix(b"\r") + names.encode() + layout.newline.encode()


def _preview(output: Written, layout: Layout) -> list[list[str]]:
    """The cells of the first rows."""
    rows = _rows_of(output[:_PREVIEW_BYTES], layout)
    # The last of them may be cut short.
    is_enough = len(rows) > SHOWN_ROWS or len(output) <= _PREVIEW_BYTES
    return (rows if is_enough else _rows_of(output, layout))[:SHOWN_ROWS]


def _rows_of(output: Written, layout: Layout) -> list[list[str]]:
    text = io.TextIOWrapper(io.BytesIO(output), encoding="utf-8", errors="replace", newline="")
    width = len(layout.columns) + len(layout.added)
    # Blank lines between them have less.
    rows = (cells for cells in csv.reader(text, delimiter=layout.delimiter) if len(cells) == width)
    return list(itertools.islice(rows, SHOWN_ROWS + 1))
