"""gzip, zstd and zip: what is inside comes out, what is broken or a bomb is refused before it does harm."""

import gzip
import io
import zipfile

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from predictor.errors import BatchRefused
from predictor.limits import MIB
from predictor.reading import BytesSource
from predictor.reading.packings import packing_of, unpack
from tests.predictor.files import xlsx, zipped, zstd
from tests.predictor.reading.reading_files import read_all, refusal_of

CSV = b"a,b\n1,x\n2,y\n"
SKIPPED_FRAME = b"\x50\x2a\x4d\x18\x04\x00\x00\x00\x00\x00\x00\x00"


class Chunked(BytesSource):
    """A file that comes in chunks of a few bytes."""

    def __init__(self, body: bytes, size: int) -> None:
        super().__init__(body)
        self._size = size

    def chunks(self):
        for begin in range(0, self.size_bytes, self._size):
            yield self.range(begin, begin + self._size)


@pytest.mark.parametrize(
    "pack",
    [
        gzip.compress,
        lambda content: gzip.compress(content[:5]) + gzip.compress(content[5:]),
        zstd,
        lambda content: zstd(content[:5]) + zstd(content[5:]),
        lambda content: SKIPPED_FRAME + zstd(content) + SKIPPED_FRAME,
        lambda content: zipped({"data.csv": content}),
        lambda content: zipped({"data.csv": content}, zipfile.ZIP_STORED),
        lambda content: zipped({"folder/": b"", "folder/data.csv": content, "__MACOSX/folder/._data.csv": b"x"}),
    ],
    ids=["gzip", "gzip-members", "zstd", "zstd-frames", "zstd-skipped", "zip", "zip-stored", "zip-of-macos"],
)
def test_read_packed_file_gives_what_is_inside(pack):
    assert read_all(pack(CSV)) == CSV.decode()


@given(content=st.binary(max_size=3000), size=st.integers(1, 50), pack=st.sampled_from([gzip.compress, zstd]))
def test_unpack_in_chunks_of_any_size_gives_the_same(content, size, pack):
    packed = pack(content)

    assert b"".join(unpack(Chunked(packed, size), packing_of(packed))) == content


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (gzip.compress(CSV * 50, mtime=0)[:-12], "The gzip file ends too early. Upload it again"),
        (b"\x1f\x8bjunk-junk-junk", "The gzip file is damaged"),
        (zstd(CSV * 50)[:-4], "The zstd file ends too early"),
        (zstd(CSV * 50)[:9] + b"junk" * 9, "The zstd file is damaged"),
        (b"PK\x03\x04rest", "The zip file is damaged"),
        (zipped({"a.csv": CSV * 50})[:-30], "The zip file is damaged"),
        (zipped({"a.csv": CSV}, zipfile.ZIP_STORED).replace(b"1,x", b"9,x"), "The zip file is damaged"),
        (zipped({}), "The zip archive holds no file. Pack exactly one file"),
        (zipped({"a.csv": CSV, "b.csv": CSV}), "holds 2 files: 'a.csv', 'b.csv'. Pack exactly one file"),
        (zipped({f"{n}.csv": CSV for n in range(9)}), "'0.csv', '1.csv', '2.csv', '3.csv', '4.csv' and 4 more."),
        (zipped({"a.csv": CSV}, zipfile.ZIP_BZIP2), "packed by a method that is not read here"),
        (gzip.compress(gzip.compress(CSV, mtime=0), mtime=0), "The gzip file holds another archive or an Excel"),
        (zipped({"a.xlsx": xlsx({"A": [["a"]]})}), "The zip file holds another archive or an Excel workbook. Send it"),
        (gzip.compress(b"PAR1rest", mtime=0), "The gzip file holds a Parquet file. Send it as it is, not packed."),
        (gzip.compress(b"", mtime=0), "The file is empty"),
    ],
)  # fmt: skip
def test_read_broken_or_wrong_archive_refused_in_one_clear_sentence(content, message):
    assert message in refusal_of(content)


def test_read_locked_zip_refused():
    content = bytearray(zipped({"a.csv": CSV}))
    for place in (content.index(b"PK\x03\x04") + 6, content.index(b"PK\x01\x02") + 8):
        content[place] |= 1

    assert "'a.csv' in the zip archive is locked by a password" in refusal_of(bytes(content))


def test_read_zstd_of_a_huge_window_refused():
    parameters = zstandard.ZstdCompressionParameters(window_log=28, compression_level=1)
    stream = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    packed = stream.compress(b"1,2\n" * MIB) + stream.flush()

    assert "needs too much memory to be unpacked" in refusal_of(packed)


@pytest.mark.parametrize("pack", [gzip.compress, zstd, lambda content: zipped({"a.csv": content})])
def test_unpack_bomb_comes_in_pieces_that_are_bounded(pack):
    packed = pack(b"\n" * (64 * MIB))

    sizes = [len(piece) for piece in unpack(BytesSource(packed), packing_of(packed))]

    assert len(packed) < MIB
    assert max(sizes) <= 8 * MIB
    assert sum(sizes) == 64 * MIB


def test_read_zip_whose_table_of_contents_fills_the_memory_refused():
    stream = io.BytesIO(zipped({"a.csv": CSV}))
    end = stream.getvalue().rindex(b"PK\x05\x06")
    content = bytearray(stream.getvalue()[:end] + b"\0" * (65 * MIB) + stream.getvalue()[end:])
    place = content.rindex(b"PK\x05\x06")
    content[place + 12 : place + 16] = (65 * MIB).to_bytes(4, "little")

    with pytest.raises(BatchRefused, match="table of contents is far too long"):
        read_all(bytes(content))
