"""A part's bytes, checked against what the plan saw."""

import zlib
from collections.abc import Generator, Iterator

from predictor import bucket
from predictor.batch.ahead import ahead
from predictor.batch.records import Range
from predictor.errors import FILE_GONE, BatchRefused, ObjectMissing

_TRIES = 3


class RangeDamaged(Exception):
    """The bytes are not those that were planned."""


def read_pieces(key: str, cut: Range) -> Generator[tuple[bytes, bool], None, None]:
    """The range in pieces, and whether each is the last; while one is scored, the next is on its way.

    Raises: BatchRefused: the object is gone; RangeDamaged: after any of the pieces
    """
    return ahead(_check(_read(key, cut), cut))


def read_head(key: str, size_bytes: int) -> bytes:
    """The object's first bytes. Raises: BatchRefused: it is gone."""
    try:
        return bucket.read_range(key, start=0, end=size_bytes)
    except ObjectMissing:
        raise BatchRefused(FILE_GONE) from None


def _check(pieces: Iterator[bytes], cut: Range) -> Iterator[tuple[bytes, bool]]:
    at, crc32 = cut.start, 0
    for piece in pieces:
        at, crc32 = at + len(piece), zlib.crc32(piece, crc32)
        if at == cut.end and crc32 != cut.crc32:
            raise RangeDamaged
        yield piece, at == cut.end


def _read(key: str, cut: Range) -> Iterator[bytes]:
    at = cut.start
    for attempt in range(1, _TRIES + 1):
        try:
            for piece in bucket.stream_range(key, start=at, end=cut.end):
                yield piece
                at += len(piece)
            return
        except ObjectMissing:
            raise BatchRefused(FILE_GONE) from None
        except OSError:
            if attempt == _TRIES:
                raise
