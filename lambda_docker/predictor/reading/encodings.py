"""Bytes of any of the known encodings → UTF-8, in chunks."""

import codecs
import itertools
from collections.abc import Iterator

from predictor.errors import BatchRefused

UTF8_BOM = b"\xef\xbb\xbf"
UTF16_BOMS = (b"\xff\xfe", b"\xfe\xff")


class NotUtf8(Exception):
    """The bytes are not UTF-8 after all."""


def to_utf8(chunks: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    """The chunks as UTF-8, byte for byte where they are.

    Args:   encoding: "utf-8", "utf-16" or "cp1252"
    Raises: NotUtf8: they were to be UTF-8 and are not; BatchRefused: they are no UTF-16, or binary
    """
    for chunk in _validate(chunks) if encoding == "utf-8" else _decode(chunks, encoding):
        if b"\0" in chunk:
            raise BatchRefused("The file is not text: it holds NUL bytes. Save it as CSV with the encoding UTF-8.")
        yield chunk


def looks_like_utf16(head: bytes) -> bool:
    """Whether text begins with UTF-16's mark, or, as some programs leave that out, every second byte is NUL."""
    if head.startswith(UTF16_BOMS):
        return True
    pairs = head[: len(head[:200]) // 2 * 2]
    return len(pairs) >= 8 and not any(pairs[1::2]) and all(pairs[0::2])


def _validate(chunks: Iterator[bytes]) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for chunk in chunks:
            # ASCII needs no look at each character, unless one was begun.
            if not chunk.isascii() or decoder.getstate()[0]:
                decoder.decode(chunk)
            yield chunk
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as problem:
        raise NotUtf8 from problem


def _decode(chunks: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder(encoding)("portico-latin1" if encoding == "cp1252" else "strict")
    first = next((chunk for chunk in chunks if chunk), b"")
    if encoding == "utf-16" and not first.startswith(UTF16_BOMS):
        # The decoder insists on a mark; what comes without one is Windows's.
        first = UTF16_BOMS[0] + first
    try:
        for chunk in itertools.chain([first], chunks):
            yield decoder.decode(chunk).encode()
        yield decoder.decode(b"", final=True).encode()
    except UnicodeError:
        raise BatchRefused(
            "The file is not the UTF-16 that it seems. Save it as CSV with the encoding UTF-8."
        ) from None


def _as_latin1(problem: UnicodeError) -> tuple[str, int]:
    """Five bytes mean nothing in Windows-1252; they are taken for the control characters that they are in Latin-1."""
    if not isinstance(problem, UnicodeDecodeError):
        raise problem
    return problem.object[problem.start : problem.end].decode("latin-1"), problem.end


codecs.register_error("portico-latin1", _as_latin1)
