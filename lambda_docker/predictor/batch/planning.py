"""From an uploaded file to a layout and byte ranges, normalising the file on the way where it is not plain UTF-8."""

import contextlib
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, replace

from predictor import bucket, reading
from predictor.batch.layout import Layout, columns_of, read_layout
from predictor.batch.records import RangeCutter
from predictor.batch.wishes import Wishes
from predictor.errors import BatchRefused
from predictor.features import Feature, Output
from predictor.limits import PART_MIN_BYTES, limit
from predictor.reading import BytesSource, NotUtf8, ObjectSource

HEADER_ONLY = "The file has a header but no rows. It needs a row for each prediction."

_NO_WISHES = Wishes()


@dataclass(frozen=True, slots=True)
class Cut:
    """A file's layout and its byte ranges (start, end exclusive), which are of `source`."""

    source: str
    layout: Layout
    ranges: list[tuple[int, int]]


def cut_file(
    key: str,
    *,
    normalised_key: str,
    features: Sequence[Feature],
    output: Output,
    part_bytes: int,
    wishes: Wishes = _NO_WISHES,
) -> Cut:
    """Read the file once, in flat memory, and cut it.

    A file that is not plain UTF-8 CSV is written to `normalised_key` as that in the same pass.
    Raises: BatchRefused: it cannot be scored; ObjectMissing
    """
    file = ObjectSource(key)
    read_as, sample = reading.sniff(file, encoding=wishes.encoding, sheet=wishes.sheet)
    wanted = columns_of(output, bands=wishes.bands)
    while True:
        layout = read_layout(sample, features=features, wanted=wanted, wishes=wishes, reading=read_as)
        layout = replace(layout, notes=read_as.notes() + layout.notes)
        chunks = reading.read(file, read_as)
        source = key
        if not read_as.is_plain():
            source, chunks = normalised_key, _copied_to(normalised_key, chunks)
        try:
            # Closed at once where the file is refused, so that the copy's upload is dropped before the step ends.
            with contextlib.closing(chunks):
                return Cut(source=source, layout=layout, ranges=_cut(chunks, layout, part_bytes))
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


def part_bytes() -> int:
    return max(limit("PORTICO_BATCH_PART_BYTES"), PART_MIN_BYTES)


def _cut(chunks: Iterator[bytes], layout: Layout, size_bytes: int) -> list[tuple[int, int]]:
    cutter = RangeCutter(
        delimiter=layout.delimiter.encode(),
        start=layout.header_bytes,
        part_bytes=size_bytes,
        max_bytes=limit("PORTICO_BATCH_MAX_BYTES"),
    )
    ranges = cutter.cut(chunks)
    if not cutter.has_rows:
        raise BatchRefused(HEADER_ONLY)
    return ranges


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
            if len(waiting) >= 2 * PART_MIN_BYTES:
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
