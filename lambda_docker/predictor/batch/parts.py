"""One part of a batch: its range read, scored, and uploaded as one part of the result."""

import contextlib
import tempfile
from typing import IO

from predictor import bucket
from predictor.batch.job import Job, Part, Plan
from predictor.batch.ranges import RangeDamaged, read_head, read_pieces
from predictor.batch.scoring import header_line
from predictor.batch.stretches import PartScorer
from predictor.batch.tally import Tally
from predictor.batch.writing import Written
from predictor.errors import BatchRefused, ObjectMissing
from predictor.limits import MIB
from predictor.loaded_model import LoadedModel

# A part's output is held in memory up to here, on the disk beyond.
_HELD_BYTES = 64 * MIB
# A smaller part tells little of the file's rows as a whole.
_GIVES_UP_FROM_ROWS = 1000
_TRIES = 3


def score_part(job: Job, planned: Plan, number: int, *, model: LoadedModel) -> None:
    """Score the part and leave what it counts. Raises: BatchRefused: too many of its rows are bad, or it is damaged."""
    for _ in range(_TRIES):
        # Damage shows at a range's end only, when some of it is scored.
        with contextlib.suppress(RangeDamaged):
            return _score_part(job, planned, number, model=model)
    raise BatchRefused("The file's bytes do not arrive as they were sent. Resume the batch, or upload it again.")


def _score_part(job: Job, planned: Plan, number: int, *, model: LoadedModel) -> None:
    layout, cut = planned.layout, planned.ranges[number - 1]
    scorer = PartScorer(
        model,
        layout,
        bands=job.wishes.bands,
        line=cut.line,
        # Lines, which are rows but for blank ones and those within quotes.
        before=cut.line - planned.ranges[0].line,
        ends_file=number == planned.parts,
    )
    with _Held() as output, contextlib.closing(read_pieces(planned.source, cut)) as pieces:
        if number == 1:
            output.add(header_line(read_head(planned.source, layout.header_bytes), layout))
        for lines in scorer.score(pieces):
            output.add(lines)
        _check_share(scorer.tally, job)
        try:
            etag = bucket.put_part(job.output_key, output.body(), upload=planned.upload, number=number)
        except ObjectMissing:
            raise BatchRefused("The batch was stopped while this part was scored. Start it again.") from None
    Part(planned.upload, etag, scorer.tally).save(job, number)


class _Held(contextlib.ExitStack):
    """A part's output: in memory, and on the disk where it is large."""

    def __init__(self) -> None:
        super().__init__()
        self._lines: list[Written] = []
        self._size_bytes = 0
        self._file: IO[bytes] | None = None

    def add(self, lines: Written) -> None:
        self._lines.append(lines)
        self._size_bytes += len(lines)
        if self._size_bytes > _HELD_BYTES:
            self._file = self._file or self.enter_context(tempfile.TemporaryFile())  # noqa: SIM115  # closed by the stack
            self._file.writelines(self._lines)
            self._lines, self._size_bytes = [], 0

    def body(self) -> bytes | IO[bytes]:
        if self._file is None:
            return b"".join(self._lines)
        self._file.writelines(self._lines)
        self._file.seek(0)
        return self._file


def _check_share(tally: Tally, job: Job) -> None:
    allowed, failed = job.wishes.give_up_share, tally.rows - tally.scored
    if allowed is None or tally.rows < _GIVES_UP_FROM_ROWS or failed <= allowed * tally.rows:
        return
    first = tally.errors[0]
    raise BatchRefused(
        f"{failed:,} of {tally.rows:,} rows looked at cannot be scored, so the batch was given up. "
        f"The first, in line {first['line']:,}: {first['error']}. Look at how the file is read, and start again."
    )
