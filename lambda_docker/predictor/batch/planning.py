"""From an uploaded file to a layout and byte ranges, normalising the file on the way where it is not plain UTF-8."""

import contextlib
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, replace

from predictor import bucket, reading
from predictor.batch.layout import Layout, columns_of, read_layout
from predictor.batch.records import Range, RangeCutter
from predictor.batch.wishes import Wishes
from predictor.errors import BatchRefused
from predictor.features import Feature
from predictor.limits import PART_MIN_BYTES, limit
from predictor.model_store import LoadedModel
from predictor.reading import BytesSource, NotUtf8, ObjectSource, Reading

HEADER_ONLY = "The file has a header but no rows. It needs a row for each prediction."

Watch = Callable[[int], None]

_NO_WISHES = Wishes()
_PARTS_AT_MOST = 9_000
_PACKED_AT_MOST = 20
_TELL_EVERY_S = 2.0


def _nobody(read_bytes: int) -> None:
    """Nobody wants to know."""


@dataclass(frozen=True, slots=True)
class Cut:
    """A file's layout and its byte ranges, which are of `source`."""

    source: str
    layout: Layout
    ranges: list[Range]


def cut_file(
    key: str,
    *,
    normalised_key: str,
    model: LoadedModel,
    part_bytes: int,
    wishes: Wishes = _NO_WISHES,
    watch: Watch = _nobody,
) -> Cut:
    """Read the file once, in flat memory, and cut it.

    A file that is not plain UTF-8 CSV is written to `normalised_key` as that in the same pass.
    Args:   watch: is told now and then how many bytes were read
    Raises: BatchRefused: it cannot be scored; ObjectMissing
    """
    file = ObjectSource(key)
    read_as, sample = reading.sniff(file, encoding=wishes.encoding, sheet=wishes.sheet)
    wanted = columns_of(model.output, bands=wishes.bands)
    while True:
        layout = read_layout(sample, features=model.features, wanted=wanted, wishes=wishes, reading=read_as)
        layout = replace(layout, notes=read_as.notes() + layout.notes)
        chunks = reading.read(file, read_as)
        source = key
        if not read_as.is_plain():
            source, chunks = normalised_key, _copied_to(normalised_key, chunks)
        try:
            # Closed at once where the file is refused, so that the copy's upload is dropped before the step ends.
            with contextlib.closing(chunks):
                return Cut(
                    source=source,
                    layout=layout,
                    ranges=_cut(_watched(chunks, watch), layout, part_bytes, _most_bytes(read_as)),
                )
        except NotUtf8:
            # Bytes that are no UTF-8 may come a gigabyte after the sample.
            read_as, sample = reading.sample_of(file, read_as.as_latin1())


def layout_of(body: bytes, *, features: Sequence[Feature], wanted: Sequence[tuple[str, str]]) -> tuple[Layout, bytes]:
    """The layout of a small file, and the file as UTF-8 CSV. Raises: BatchRefused."""
    file = BytesSource(body)
    read_as, sample = reading.sniff(file)
    try:
        text = b"".join(_bounded(reading.read(file, read_as)))
    except NotUtf8:
        read_as, sample = reading.sample_of(file, read_as.as_latin1())
        text = b"".join(_bounded(reading.read(file, read_as)))
    layout = read_layout(sample, features=features, wanted=wanted, reading=read_as)
    return replace(layout, notes=read_as.notes() + layout.notes), text


def part_bytes(size_bytes: int) -> int:
    """How much of a file of that size one part takes: S3 puts at most 10,000 of them together."""
    # What is packed may be many times as large, yet never larger than the limit.
    most = min(limit("PORTICO_BATCH_MAX_BYTES"), size_bytes * _PACKED_AT_MOST)
    return max(limit("PORTICO_BATCH_PART_BYTES"), PART_MIN_BYTES, -(-most // _PARTS_AT_MOST))


def _most_bytes(read_as: Reading) -> int:
    most = limit("PORTICO_BATCH_MAX_BYTES")
    return most if read_as.is_plain() else min(most, limit("PORTICO_UNPACKED_MAX_BYTES"))


def _cut(chunks: Iterator[bytes], layout: Layout, size_bytes: int, max_bytes: int) -> list[Range]:
    cutter = RangeCutter(
        delimiter=layout.delimiter.encode(),
        start=layout.header_bytes,
        part_bytes=size_bytes,
        max_bytes=max_bytes,
    )
    ranges = cutter.cut(chunks)
    if not cutter.has_rows:
        raise BatchRefused(HEADER_ONLY)
    return ranges


def _watched(chunks: Iterator[bytes], watch: Watch) -> Iterator[bytes]:
    read_bytes, told = 0, time.monotonic()
    for chunk in chunks:
        read_bytes += len(chunk)
        if time.monotonic() - told > _TELL_EVERY_S:
            watch(read_bytes)
            told = time.monotonic()
        yield chunk


def _bounded(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The chunks of a file that is held in memory; a packed one may turn out to be much larger."""
    allowed = 4 * limit("PORTICO_INLINE_BATCH_MAX_BYTES")
    for chunk in chunks:
        allowed -= len(chunk)
        if allowed < 0:
            raise BatchRefused("The file is too large once unpacked. Split it, or use the batch page.")
        yield chunk


def _copied_to(key: str, chunks: Iterator[bytes]) -> Generator[bytes, None, None]:
    """The chunks, uploaded to `key` on their way; the upload is dropped where the reader stops early."""
    upload = bucket.start_upload(key, content_type="text/csv; charset=utf-8")
    etags: dict[int, str] = {}
    waiting = bytearray()
    try:
        for chunk in chunks:
            waiting += chunk
            # Ever larger ones: 10,000 parts of one size would hold 100 GB.
            if len(waiting) >= 2 * PART_MIN_BYTES * (1 + len(etags) // 1000):
                number = len(etags) + 1
                etags[number] = bucket.put_part(key, bytes(waiting), upload=upload, number=number)
                waiting.clear()
            yield chunk
        if waiting or not etags:
            number = len(etags) + 1
            etags[number] = bucket.put_part(key, bytes(waiting), upload=upload, number=number)
        bucket.complete_upload(key, upload=upload, etags=etags)
    except BaseException:
        bucket.abort_upload(key, upload=upload)
        raise
