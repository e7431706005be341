"""The records of a part, a stretch of them for each processor: what works here leaves Python's lock alone.

What comes out does not depend on how many stretches there are.
"""

import itertools
import os
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from predictor.batch.layout import Layout
from predictor.batch.records import QUOTE, first_end, last_end, record_ends
from predictor.batch.scoring import Scorer
from predictor.batch.structure import Offsets, count_lines
from predictor.batch.tally import Tally
from predictor.batch.wishes import Band
from predictor.batch.writing import Written
from predictor.limits import MIB
from predictor.loaded_model import LoadedModel

# Less is scored before a second thread has begun.
_STRETCH_MIN_BYTES = 1 * MIB


class PartScorer:
    """Scores the records of a part; `tally` counts along. Args: as of Scorer."""

    def __init__(
        self, model: LoadedModel, layout: Layout, *, bands: Sequence[Band], line: int, before: int, ends_file: bool
    ) -> None:
        self.tally = Tally()
        self._model, self._layout, self._bands = model, layout, bands
        self._line, self._before, self._ends_file = line, before, ends_file
        self._threads = _processors() if model.engine.is_thread_safe else 1

    def score(self, pieces: Iterable[tuple[bytes, bool]]) -> Iterator[Written]:
        """The output lines of records that come in pieces of any size, each with whether it is the last."""
        with ThreadPoolExecutor(self._threads) as threads:
            begun: deque[Future[tuple[list[Written], Tally]]] = deque()
            for scorer, stretch, is_last in self._stretches(pieces):
                begun.append(threads.submit(_score, scorer, stretch, is_last))
                # One more than threads, so that none waits for what is done with the lines.
                if len(begun) > self._threads:
                    yield from self._take(begun.popleft())
            while begun:
                yield from self._take(begun.popleft())

    def _take(self, scored: "Future[tuple[list[Written], Tally]]") -> list[Written]:
        lines, tally = scored.result()
        self.tally.merge(tally)
        return lines

    def _stretches(self, pieces: Iterable[tuple[bytes, bool]]) -> Iterator[tuple[Scorer, bytes, bool]]:
        """Complete records to score, and whether they are the part's last, which may lack their line end."""
        rest, line, before = b"", self._line, self._before
        for piece, is_last in pieces:
            block = rest + piece if rest else piece
            ends = record_ends(block, self._layout.delimiter.encode()) if QUOTE in block else None
            edges = self._edges(block, ends, is_last=is_last)
            rest = block[edges[-1] :]
            for begin, end in itertools.pairwise(edges):
                stretch, is_end = block[begin:end], is_last and end == len(block)
                yield self._scorer(line=line, before=before, ends_file=is_end and self._ends_file), stretch, is_end
                lines = count_lines(stretch)
                line += lines
                before += lines if ends is None else int(ends.searchsorted(end + 1) - ends.searchsorted(begin + 1))

    def _scorer(self, *, line: int, before: int, ends_file: bool) -> Scorer:
        return Scorer(self._model, self._layout, bands=self._bands, line=line, before=before, ends_file=ends_file)

    def _edges(self, block: bytes, ends: Offsets | None, *, is_last: bool) -> list[int]:
        """Where stretches of about the same length begin and end. ends: of the records, where there are quotes."""
        complete = len(block) if is_last else last_end(block, ends)
        count = max(min(self._threads, complete // _STRETCH_MIN_BYTES), 1)
        edges = [0]
        for number in range(1, count):
            edge = first_end(block, ends, number * complete // count + 1, complete)
            if edge is not None and edges[-1] < edge < complete:
                edges.append(edge)
        return [*edges, complete] if complete else edges


def _score(scorer: Scorer, stretch: bytes, is_last: bool) -> tuple[list[Written], Tally]:
    return list(scorer.score(stretch, is_last=is_last)), scorer.tally


def _processors() -> int:
    """How many threads may work: as many as numpy's libraries were told, else as there are processors."""
    told = os.environ.get("OMP_NUM_THREADS", "")
    if told.isdigit() and int(told) > 0:
        return int(told)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
