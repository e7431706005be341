"""The records of a part, a stretch of them for each processor: what works here leaves Python's lock alone.

What comes out does not depend on how many stretches there are.
"""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from predictor.batch.layout import Layout
from predictor.batch.scoring import Scorer
from predictor.batch.structure import count_lines, find_ends
from predictor.batch.tally import Tally
from predictor.batch.wishes import Band
from predictor.batch.writing import Written
from predictor.limits import MIB
from predictor.model_store import LoadedModel

# Less is scored before a second thread has begun.
_STRETCH_MIN_BYTES = 1 * MIB


class PartScorer:
    """Scores the records of a part, given in pieces of any size; `tally` counts along. Args: as of Scorer."""

    def __init__(
        self, model: LoadedModel, layout: Layout, *, bands: Sequence[Band], line: int, before: int, ends_file: bool
    ) -> None:
        self.tally = Tally()
        self._model, self._layout, self._bands = model, layout, bands
        self._line, self._before, self._ends_file = line, before, ends_file
        self._rest = b""
        self._threads = _processors() if model.engine.is_thread_safe else 1

    def score(self, data: bytes, *, is_last: bool) -> list[Written]:
        """Output lines of the records that are complete by now; with `is_last` of all."""
        stretches = self._cut(self._rest + data if self._rest else data)
        scorers = self._scorers(stretches, is_last=is_last)
        # Every stretch but the last ends with a record.
        tasks = [
            (scorer, stretch, is_last or scorer is not scorers[-1])
            for scorer, stretch in zip(scorers, stretches, strict=True)
        ]
        if len(tasks) == 1:
            outputs = [_score(*tasks[0])]
        else:
            with ThreadPoolExecutor(len(tasks)) as threads:
                outputs = list(threads.map(lambda task: _score(*task), tasks))
        for scorer in scorers:
            self.tally.merge(scorer.tally)
        self._rest, self._line = scorers[-1].rest, scorers[-1].line
        return [lines for output in outputs for lines in output]

    def _scorers(self, stretches: Sequence[bytes], *, is_last: bool) -> list[Scorer]:
        scorers, line = [], self._line
        for stretch in stretches:
            ends_file = self._ends_file and is_last and stretch is stretches[-1]
            before = self._before + self.tally.rows + line - self._line
            scorers.append(
                Scorer(self._model, self._layout, bands=self._bands, line=line, before=before, ends_file=ends_file)
            )
            line += count_lines(stretch) if stretch is not stretches[-1] else 0
        return scorers

    def _cut(self, block: bytes) -> list[bytes]:
        """The block in stretches of about the same length that end with records."""
        count = min(self._threads, len(block) // _STRETCH_MIN_BYTES)
        ends = find_ends(block, delimiter=self._layout.delimiter) if count > 1 and b'"' in block else None
        if count < 2 or (b'"' in block and ends is None):
            return [block]
        edges = [0]
        for number in range(1, count):
            wanted = number * len(block) // count
            if ends is None:
                edge = block.find(b"\n", wanted) + 1
            else:
                edge = int(ends[min(int(ends.searchsorted(wanted)), len(ends) - 1)]) if len(ends) else 0
            if edge > edges[-1]:
                edges.append(edge)
        return [block[begin:end] for begin, end in zip(edges, [*edges[1:], len(block)], strict=True)]


def _score(scorer: Scorer, stretch: bytes, is_last: bool) -> list[Written]:
    return list(scorer.score(stretch, is_last=is_last))


def _processors() -> int:
    """How many threads may work: as many as numpy's libraries were told, else as there are processors."""
    told = os.environ.get("OMP_NUM_THREADS", "")
    if told.isdigit() and int(told) > 0:
        return int(told)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
