"""gzip, zstd and zip → the one file inside, never more than a few MB of it at a time."""

import zipfile
import zlib
from collections.abc import Iterator

from predictor.coercion import quoted
from predictor.errors import BatchRefused
from predictor.limits import MIB
from predictor.reading.source import SeekableFile, Source

GZIP, ZSTD, ZIP = "gzip", "zstd", "zip"

_UNPACKED_BYTES = 4 * MIB
# What is left behind a member's end is copied for the next one, and members can be tiny.
_GZIP_FED_BYTES = 64 * 1024
# A block of four bytes may stand for 128 KiB: what is fed bounds what comes out.
_ZSTD_FED_BYTES = 1024
# The most that zstd's own programs open without being told to.
_ZSTD_WINDOW_BYTES = 128 * MIB
_NAMED_AT_MOST = 5
_IS_ENCRYPTED = 0x1
# What macOS adds to every archive.
_NO_FILES = ("__MACOSX/", ".DS_Store")


def packing_of(head: bytes) -> str | None:
    """How a file that begins so is packed."""
    if head.startswith(b"\x1f\x8b"):
        return GZIP
    # Parallel packers begin with a frame that is to be skipped.
    if head.startswith(b"\x28\xb5\x2f\xfd") or (head[1:4] == b"\x2a\x4d\x18" and head[0] & 0xF0 == 0x50):
        return ZSTD
    return ZIP if head.startswith((b"PK\x03\x04", b"PK\x05\x06")) else None


def unpack(source: Source, packing: str | None) -> Iterator[bytes]:
    """The file's bytes, unpacked. Raises: BatchRefused: damaged, locked, or not exactly one file."""
    if packing == GZIP:
        return _in_large_chunks(_gunzip(_sliced(source.chunks(), _GZIP_FED_BYTES)))
    if packing == ZSTD:
        return _in_large_chunks(_unzstd(_sliced(source.chunks(), _ZSTD_FED_BYTES)))
    return _unzip(source) if packing == ZIP else source.chunks()


def members_of(source: Source) -> list[zipfile.ZipInfo]:
    """The files in a zip archive. Raises: BatchRefused: it is damaged."""
    try:
        with zipfile.ZipFile(SeekableFile(source)) as archive:
            return [
                member
                for member in archive.infolist()
                if not member.is_dir() and not member.filename.startswith(_NO_FILES[0])
                and member.filename.rpartition("/")[2] != _NO_FILES[1]
            ]  # fmt: skip
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OverflowError) as problem:
        raise _damaged(ZIP) from problem


def _gunzip(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Several members, as `cat` makes them, are one file."""
    member = zlib.decompressobj(wbits=31)
    try:
        for chunk in chunks:
            packed = chunk
            while packed:
                if member.eof:
                    member = zlib.decompressobj(wbits=31)
                yield member.decompress(packed, _UNPACKED_BYTES)
                packed = member.unconsumed_tail or member.unused_data
    except zlib.error:
        raise _damaged(GZIP) from None
    if not member.eof:
        raise _too_short(GZIP)


def _unzstd(chunks: Iterator[bytes]) -> Iterator[bytes]:
    # Imported by files that need it alone: every start pays for what this module imports.
    import zstandard

    unpacker = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW_BYTES)
    frame = unpacker.decompressobj()
    try:
        for chunk in chunks:
            packed = chunk
            while packed:
                if frame.eof:
                    frame = unpacker.decompressobj()
                yield frame.decompress(packed)
                packed = frame.unused_data if frame.eof else b""
    except zstandard.ZstdError as problem:
        if "memory" in str(problem):
            raise BatchRefused(
                "The zstd file needs too much memory to be unpacked. Pack it without --long or --ultra."
            ) from problem
        raise _damaged(ZSTD) from problem
    if not frame.eof:
        raise _too_short(ZSTD)


def _sliced(chunks: Iterator[bytes], size_bytes: int) -> Iterator[bytes]:
    for chunk in chunks:
        for begin in range(0, len(chunk), size_bytes):
            yield chunk[begin : begin + size_bytes]


def _in_large_chunks(pieces: Iterator[bytes]) -> Iterator[bytes]:
    waiting = bytearray()
    for piece in pieces:
        waiting += piece
        while len(waiting) >= _UNPACKED_BYTES:
            yield bytes(waiting[:_UNPACKED_BYTES])
            del waiting[:_UNPACKED_BYTES]
    yield bytes(waiting)


def _unzip(source: Source) -> Iterator[bytes]:
    member = _only_member(source)
    try:
        with zipfile.ZipFile(SeekableFile(source)) as archive, archive.open(member) as file:
            while chunk := file.read(_UNPACKED_BYTES):
                yield chunk
    except EOFError as problem:
        raise _too_short(ZIP) from problem
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, ValueError) as problem:
        raise _damaged(ZIP) from problem


def _only_member(source: Source) -> zipfile.ZipInfo:
    members = members_of(source)
    if len(members) != 1:
        names = ", ".join(quoted(member.filename) for member in members[:_NAMED_AT_MOST])
        rest = f" and {len(members) - _NAMED_AT_MOST} more" if len(members) > _NAMED_AT_MOST else ""
        holds = f"{len(members)} files: {names}{rest}" if members else "no file"
        raise BatchRefused(f"The zip archive holds {holds}. Pack exactly one file, or send it as it is.")
    member = members[0]
    if member.flag_bits & _IS_ENCRYPTED:
        raise BatchRefused(f"{quoted(member.filename)} in the zip archive is locked by a password. Pack it without.")
    # The others' unpackers cannot be bounded.
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise BatchRefused(
            f"{quoted(member.filename)} in the zip archive is packed by a method that is not read here. "
            "Use the ordinary one, Deflate."
        )
    return member


def _damaged(packing: str) -> BatchRefused:
    return BatchRefused(f"The {packing} file is damaged and cannot be unpacked. Send the file itself, not packed.")


def _too_short(packing: str) -> BatchRefused:
    return BatchRefused(f"The {packing} file ends too early. Upload it again, or send the file itself, not packed.")
