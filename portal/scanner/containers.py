"""What a file is, by its first bytes, and its contents as one counted stream whatever the compression."""

import bz2
import lzma
import zlib
from dataclasses import dataclass
from typing import Any, Protocol

from portal.scanner.limits import Limits
from portal.scanner.report import RefusedError, refuse_archive, refuse_form, refuse_size

CHUNK = 262_144
LZMA_MEMORY = 128 * 1024 * 1024
PREFIXES = {b"\x1f\x8b": "gzip", b"BZh": "bz2", b"\xfd7zXZ": "xz", b"\x5d\x00": "lzma", b"\x78": "zlib"}
OLD_OPCODES = b"(c]}lpdiIFVSLNg"

OTHERS = (
    (b"PK\x03\x04", "a ZIP archive"),
    (b"PK\x05\x06", "an empty ZIP archive"),
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file"),
    (b"\x89PNG\r\n\x1a\n", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF8", "a GIF picture"),
    (b"%PDF", "a PDF document"),
    (b"\x93NUMPY", "a numpy array file"),
    (b"PAR1", "a Parquet file"),
    (b"\x7fELF", "a Linux program"),
    (b"MZ", "a Windows program"),
    (b"SQLite format 3", "an SQLite database"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"Rar!", "a RAR archive"),
    (b"\x28\xb5\x2f\xfd", "a Zstandard file"),
    (b"RDX", "an R data file"),
    (b"ZF", "a joblib file of before 2016"),
    (b"#!", "a script"),
)
TEXTS = ((b"<!doctype html", "an HTML page"), (b"<html", "an HTML page"), (b"<?xml", "an XML or PMML file"))


class Source(Protocol):
    """Where a stream's bytes come from: a file, a part of one, or another stream."""

    def read(self, size: int, /) -> bytes: ...


def name_compression(head: bytes) -> str | None:
    """The compression that joblib would see in the first bytes, None for none. Raises: RefusedError: lz4"""
    if head.startswith(b"\x04\x22\x4d\x18"):
        raise RefusedError(
            "The file is compressed with lz4.",
            "Portico opens joblib files compressed with zlib, gzip, bz2, lzma or xz.",
            'Save it again with joblib.dump(model, "model.joblib", compress=3).',
        )
    return next((name for prefix, name in PREFIXES.items() if head.startswith(prefix)), None)


def refuse_head(head: bytes, tail: bytes, inside: str | None) -> RefusedError:
    """A sentence for what the file is, given that it is neither an archive nor a pickle of protocol 2 to 5."""
    where = f"Inside its {inside} compression, this is " if inside else "This is "
    if head[:1] and head[0] in OLD_OPCODES and tail.endswith(b"."):
        return RefusedError(
            "This is a pickle of protocol 0 or 1.",
            "These forms are as old as Python 2 and hide what they hold; Portico reads protocols 2 to 5.",
            "Save the model again with pickle.dump(model, file), without naming a protocol.",
        )
    return refuse_kind(f"{where}{name_other(head)}.")


def refuse_zip(names: set[str]) -> RefusedError:
    """A sentence for what an archive is, given that it is neither a skops file nor an MLflow model."""
    ends = {name.split("/")[-1] for name in names}
    if ends & {"model.weights.h5", "saved_model.pb"}:
        return refuse_kind("This is a ZIP archive with a Keras or TensorFlow model in it.")
    if "data.pkl" in ends:
        return refuse_kind("This is a PyTorch file.")
    if names and all(name.endswith(".npy") for name in names):
        return refuse_kind("This is an archive of numpy arrays (.npz).")
    if "[Content_Types].xml" in names:
        return refuse_kind("This is an Office document.")
    models = sorted(name for name in names if name.endswith((".pkl", ".pickle", ".joblib", ".skops")))
    if models:
        return refuse_kind(f"This is a ZIP archive that holds {models[0][:100]}; upload that file itself.")
    return refuse_kind("This is a ZIP archive that is neither a skops file nor an MLflow model.")


def refuse_kind(what: str) -> RefusedError:
    return RefusedError(
        what,
        "Portico takes fitted scikit-learn models as pickle, joblib and skops files, and zipped MLflow models.",
        'Save the fitted model with joblib.dump(model, "model.joblib"), and upload that file.',
    )


def name_other(head: bytes) -> str:
    if not head:
        return "an empty file"
    for prefix, name in OTHERS:
        if head.startswith(prefix):
            return name
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    for prefix, name in TEXTS:
        if text.startswith(prefix):
            return name
    if head[257:262] == b"ustar":
        return "a TAR archive"
    if head[:1] == b"\x08" and (b"onnx" in head.lower() or b"ai." in head):
        return "an ONNX file"
    if text[:1] in (b"{", b"["):
        return "a JSON file"
    if all(byte >= 32 or byte in b"\t\r\n" for byte in head):
        return "a text file"
    return "not a file that Portico knows"


@dataclass(frozen=True)
class Expected:
    """What an archive says about a member of it."""

    size_bytes: int
    crc32: int


class CountedStream:
    """Reads the contents front to back, decompressed on the way, never more than the limit; also what joblib would see
    as its file handle.
    """

    def __init__(
        self, file: Source, compression: str | None, limits: Limits, *, expected: Expected | None = None
    ) -> None:
        self.file = file
        self.expected = expected
        self.crc32 = 0
        self.limit = limits.uncompressed_bytes
        self.decompressor = start_decompressor(compression)
        self.buffer = b""
        self.offset = 0
        self.total = 0

    def fill(self) -> bool:
        """Fetch the next piece; False at the end."""
        while True:
            piece = self.file.read(CHUNK) if self.decompressor is None else self.decompress()
            if piece is None or (self.decompressor is None and not piece):
                self.compare(is_over=True)
                return False
            if piece:
                self.buffer, self.offset = piece, 0
                self.total += len(piece)
                self.compare(is_over=False)
                if self.total > self.limit:
                    raise refuse_size(f"Its contents are larger than {self.limit // 2**20} MiB.")
                return True

    def compare(self, *, is_over: bool) -> None:
        """Is the member of an archive as large as the archive says, and undamaged?"""
        if self.expected is None:
            return
        if not is_over:
            self.crc32 = zlib.crc32(self.buffer, self.crc32)
        is_right = self.total == self.expected.size_bytes and self.crc32 == self.expected.crc32
        if self.total > self.expected.size_bytes or (is_over and not is_right):
            raise refuse_archive("A member of it is damaged, or larger or smaller than its table of contents says.")

    def decompress(self) -> bytes | None:
        """The next piece, empty if more must be read first, None at the end of the one compressed stream."""
        if self.decompressor.eof:
            if self.decompressor.unused_data or self.file.read(1):
                raise refuse_form("Something follows after the end of its compressed contents.")
            return None
        pending = getattr(self.decompressor, "unconsumed_tail", b"")
        needs = not pending and getattr(self.decompressor, "needs_input", True)
        given = self.file.read(CHUNK) if needs else pending
        try:
            piece: bytes = self.decompressor.decompress(given, CHUNK)
        except (OSError, ValueError, zlib.error, lzma.LZMAError) as fault:
            raise refuse_form("Its compressed contents are damaged.") from fault
        if needs and not given and not piece and not self.decompressor.eof:
            raise refuse_form("Its compressed contents end too early.")
        return piece

    def read(self, size: int) -> bytes:
        """Up to `size` bytes; fewer only at the end. Many come as one growing bytearray, never twice in memory."""
        content: Any = b""
        while len(content) < size and (self.offset < len(self.buffer) or self.fill()):
            piece = self.buffer[self.offset : self.offset + size - len(content)]
            self.offset += len(piece)
            if content and size > CHUNK and type(content) is bytes:
                content = bytearray(content)
            content += piece
        return content

    def readline(self) -> bytes:
        """One line, for the names of globals: at most 1000 bytes."""
        line = bytearray()
        while len(line) < 1000 and not line.endswith(b"\n"):
            byte = self.read(1)
            if not byte:
                break
            line += byte
        return bytes(line)

    def skip(self, size: int) -> None:
        """Count and drop exactly `size` bytes."""
        missing = size
        while missing > 0:
            if self.offset >= len(self.buffer) and not self.fill():
                raise refuse_form("It is cut short: an array in it ends too early.")
            step = min(missing, len(self.buffer) - self.offset)
            self.offset += step
            missing -= step

    def is_at_end(self) -> bool:
        return self.offset >= len(self.buffer) and not self.fill()

    def peek(self, size: int) -> bytes:
        """The first bytes, without moving on; for use at the start only."""
        if not self.buffer:
            self.fill()
        return self.buffer[:size]


def start_decompressor(compression: str | None) -> Any:
    if compression in ("zlib", "gzip"):
        return zlib.decompressobj(31 if compression == "gzip" else 15)
    if compression == "deflate":
        return zlib.decompressobj(-15)
    if compression == "bz2":
        return bz2.BZ2Decompressor()
    if compression in ("lzma", "xz"):
        return lzma.LZMADecompressor(memlimit=LZMA_MEMORY)
    return None
