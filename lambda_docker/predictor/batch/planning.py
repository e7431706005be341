"""From an uploaded file to a layout and byte ranges, normalising the file on the way where it is not plain UTF-8."""

import contextlib
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from predictor import bucket, reading
from predictor.batch.ahead import ahead
from predictor.batch.layout import Layout, columns_of, read_layout
from predictor.batch.records import Range, RangeCutter
from predictor.batch.wishes import Wishes
from predictor.errors import BatchRefused
from predictor.features import Feature
from predictor.limits import PART_MIN_BYTES, limit
from predictor.loaded_model import LoadedModel
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


@dataclass(frozen=True, slots=True)
class Cutting:
    """A plain file that is cut up to somewhere: what the next step goes on with. state: the cutter's."""

    layout: Layout
    state: dict[str, Any]

    @classmethod
    def from_json(cls, entry: Mapping[str, Any]) -> "Cutting":
        return cls(layout=Layout.from_json(entry["layout"]), state=entry["state"])


@dataclass(frozen=True)
class FileCutter:
    """Reads a file once, in flat memory, and cuts it.

    A file that is not plain UTF-8 CSV is written to `normalised_key` as that in the same pass.
    watch: is told now and then how many bytes were read; stop: says when it is time to stop, where the file is plain
    """

    key: str
    normalised_key: str
    model: LoadedModel
    part_bytes: int
    wishes: Wishes = _NO_WISHES
    watch: Watch = _nobody
    stop: Callable[[], bool] = bool

    def cut(self) -> Cut | Cutting:
        """Raises: BatchRefused: it cannot be scored; ObjectMissing."""
        file = ObjectSource(self.key)
        return self._cut_as(*reading.sniff(file, encoding=self.wishes.encoding, sheet=self.wishes.sheet))

    def go_on(self, earlier: Cutting) -> Cut | Cutting:
        """From where an earlier call was stopped. Raises: as cut."""
        read_as = Reading(is_encoding_chosen=self.wishes.encoding is not None)
        cutter = self._cutter(earlier.layout, read_as)
        cutter.go_on(earlier.state)
        rest = ObjectSource(self.key, start=cutter.position)
        try:
            return self._take(reading.read(rest, read_as), earlier.layout, cutter, source=self.key, stop=self.stop)
        except NotUtf8:
            return self._cut_as(*reading.sample_of(ObjectSource(self.key), read_as.as_latin1()))

    def _cut_as(self, read_as: Reading, sample: bytes) -> Cut | Cutting:
        file = ObjectSource(self.key)
        wanted = columns_of(self.model.output, bands=self.wishes.bands)
        layout = read_layout(sample, features=self.model.features, wanted=wanted, wishes=self.wishes, reading=read_as)
        layout = replace(layout, notes=read_as.notes() + layout.notes)
        chunks, source, stop = reading.read(file, read_as), self.key, self.stop
        if not read_as.is_plain():
            # A copy that is half written cannot be gone on with.
            chunks, source, stop = _copied_to(self.normalised_key, chunks), self.normalised_key, bool
        try:
            # Closed at once where the file is refused, so that the copy's upload is dropped before the step ends.
            with contextlib.closing(chunks):
                return self._take(chunks, layout, self._cutter(layout, read_as), source=source, stop=stop)
        except NotUtf8:
            # Bytes that are no UTF-8 may come a gigabyte after the sample.
            return self._cut_as(*reading.sample_of(file, read_as.as_latin1()))

    def _cutter(self, layout: Layout, read_as: Reading) -> RangeCutter:
        most = limit("PORTICO_BATCH_MAX_BYTES")
        return RangeCutter(
            delimiter=layout.delimiter.encode(),
            start=layout.header_bytes,
            part_bytes=self.part_bytes,
            max_bytes=most if read_as.is_plain() else min(most, limit("PORTICO_UNPACKED_MAX_BYTES")),
        )

    def _take(
        self,
        chunks: Iterator[bytes],
        layout: Layout,
        cutter: RangeCutter,
        *,
        source: str,
        stop: Callable[[], bool],
    ) -> Cut | Cutting:
        offset = cutter.position
        # Closed before `chunks` can be: a thread may be in the midst of it.
        with contextlib.closing(ahead(chunks)) as arriving:
            ranges = cutter.cut(_watched(arriving, self.watch, read_bytes=offset), offset=offset, stop=stop)
        if ranges is None:
            return Cutting(layout=layout, state=cutter.to_json())
        if not cutter.has_rows:
            raise BatchRefused(HEADER_ONLY)
        return Cut(source=source, layout=layout, ranges=ranges)


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


def _watched(chunks: Iterator[bytes], watch: Watch, *, read_bytes: int) -> Iterator[bytes]:
    told = time.monotonic()
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
