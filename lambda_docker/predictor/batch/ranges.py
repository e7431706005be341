"""A part's bytes, checked against what the plan saw."""

import zlib
from collections.abc import Iterator

from predictor import bucket
from predictor.batch.records import Range
from predictor.errors import BatchRefused, ObjectMissing
from predictor.limits import MIB

# Parts of the usual size come in one piece; those of a file of terabytes are larger, and must not fill the memory.
_PIECE_BYTES = 16 * MIB
_TRIES = 3


def read_pieces(key: str, cut: Range) -> Iterator[tuple[bytes, bool]]:
    """The range in pieces, and whether each is the last.

    Raises: BatchRefused: the object is gone, or its bytes are not those that were planned
    """
    crc32 = 0
    for start in range(cut.start, cut.end, _PIECE_BYTES):
        end = min(start + _PIECE_BYTES, cut.end)
        piece, checked = _read(key, start, end), 0
        crc32 = zlib.crc32(piece, crc32)
        # A piece that is the whole range is fetched again where it is damaged: nothing of it has been scored yet.
        while crc32 != cut.crc32 and end - start == cut.end - cut.start and checked < _TRIES - 1:
            piece, checked = _read(key, start, end), checked + 1
            crc32 = zlib.crc32(piece)
        if end == cut.end and crc32 != cut.crc32:
            raise BatchRefused(
                "The file's bytes do not arrive as they were sent. Resume the batch, or upload it again."
            )
        yield piece, end == cut.end


def _read(key: str, start: int, end: int) -> bytes:
    for attempt in range(1, _TRIES + 1):
        try:
            return bucket.read_range(key, start=start, end=end)
        except ObjectMissing:
            raise BatchRefused("The file is no longer there. Upload it again.") from None
        except OSError:
            if attempt == _TRIES:
                raise
    raise AssertionError("unreachable")
