"""ZIP archives read strictly: every member accounted for, in the order and at the place the table of contents says.

The loaders (skops, numpy, scipy) read with Python's own zipfile, which takes the last table of contents it finds and
trusts its numbers. Here the members must fill the file from its first byte to that table without gap or overlap, so
that there is one way only to read it, and no byte is unpacked twice.
"""

import struct
import zipfile
from typing import BinaryIO

from portal.scanner.allowed import show
from portal.scanner.containers import CountedStream, Expected
from portal.scanner.limits import Limits
from portal.scanner.report import RefusedError, refuse_archive, refuse_size

END = struct.Struct("<4s4H2LH")
LOCAL_HEADER = struct.Struct("<4s5H3L2H")
MAX_MEMBERS = 65_534
MAX_NAME = 500
METHODS = {zipfile.ZIP_STORED: None, zipfile.ZIP_DEFLATED: "deflate"}
# Bit 0: encrypted; 5: patched; 6: strongly encrypted; 13: names hidden.
UNREADABLE_FLAGS = 0x1 | 0x20 | 0x40 | 0x2000
HAS_DESCRIPTOR = 0x8
DESCRIPTOR_SIZES = {12, 16, 20, 24}


class Archive:
    """The members of one ZIP file by name.

    Raises: RefusedError: sizes, names or places of members that no ordinary tool writes, or more than the limits
    """

    def __init__(self, file: BinaryIO, limits: Limits, *, free_bytes: int | None = None) -> None:
        self.file, self.limits = file, limits
        self.free_bytes = limits.uncompressed_bytes if free_bytes is None else free_bytes
        self.opened_bytes = 0
        contents_at = check_end(file)
        try:
            self.zip = zipfile.ZipFile(file)
        except (zipfile.BadZipFile, NotImplementedError, struct.error, UnicodeError, ValueError) as fault:
            raise refuse_archive("Its table of contents is damaged.") from fault
        if self.zip.start_dir != contents_at:
            raise refuse_archive("Something stands before its first member.")
        self.members: dict[str, zipfile.ZipInfo] = {}
        for member in self.zip.infolist():
            self.check_member(member)
        self.check_places(contents_at)

    def check_member(self, member: zipfile.ZipInfo) -> None:
        name = member.orig_filename
        if not is_safe_name(name) or name != member.filename:
            raise refuse_archive(f"Its member {name[:100]!r} would leave the folder it is unpacked to.")
        if name in self.members:
            raise refuse_archive(f"It holds {name[:100]} twice.")
        if member.flag_bits & UNREADABLE_FLAGS:
            raise RefusedError(
                "Its members are encrypted.",
                "What cannot be read cannot be checked before it is loaded.",
                "Save it again without a password.",
            )
        if member.compress_type not in METHODS:
            raise RefusedError(
                f"Its member {name[:100]} is compressed in a way that is rare in ZIP files.",
                "Portico reads members that are stored as they are or compressed with Deflate.",
                "Save it again without compression or with zipfile.ZIP_DEFLATED.",
            )
        if member.compress_type == zipfile.ZIP_STORED and member.file_size != member.compress_size:
            raise refuse_archive(f"It says two sizes of its member {name[:100]}.")
        self.free_bytes -= member.file_size
        if self.free_bytes < 0:
            raise refuse_size(f"Its contents are larger than {self.limits.uncompressed_bytes // 2**20} MiB.")
        self.members[name] = member

    def check_places(self, contents_at: int) -> None:
        """Each member begins where the one before it ends; the table of contents follows the last."""
        ordered = sorted(self.members.values(), key=lambda each: each.header_offset)
        starts = [member.header_offset for member in ordered]
        if starts[:1] not in ([], [0]):
            raise refuse_archive("Something stands before its first member.")
        for member, following in zip(ordered, [*starts[1:], contents_at], strict=True):
            gap = following - (self.find_start(member) + member.compress_size)
            # A writer that did not know the sizes beforehand repeats them after the member, in one of four lengths.
            if gap and not (member.flag_bits & HAS_DESCRIPTOR and gap in DESCRIPTOR_SIZES):
                raise refuse_archive("Its members overlap, or something stands between them.")

    def find_start(self, member: zipfile.ZipInfo) -> int:
        """Where the member's own bytes begin, behind its header, which must agree with the table of contents."""
        self.file.seek(member.header_offset)
        header = self.file.read(LOCAL_HEADER.size)
        if len(header) != LOCAL_HEADER.size:
            raise refuse_archive("It is cut short.")
        mark, _version, flags, method, *_numbers, name_size, extra_size = LOCAL_HEADER.unpack(header)
        name = self.file.read(name_size)
        spelt = name.decode("utf-8" if flags & 0x800 else "cp437", "replace")
        if mark != b"PK\x03\x04" or method != member.compress_type or spelt != member.orig_filename:
            raise refuse_archive("Its table of contents says something else than its members.")
        return member.header_offset + LOCAL_HEADER.size + name_size + extra_size

    def open(self, name: str) -> CountedStream:
        """The member's contents, counted. Raises: RefusedError: there is no such member"""
        member = self.members.get(name)
        if member is None or name.endswith("/"):
            raise refuse_archive(f"It lacks its member {show(name)}.")
        piece = Slice(self.file, self.find_start(member), member.compress_size)
        # The same member again is unpacked again by the loader, into another array.
        self.opened_bytes += member.file_size
        if self.opened_bytes > self.limits.uncompressed_bytes:
            raise refuse_size(f"Its contents are larger than {self.limits.uncompressed_bytes // 2**20} MiB.")
        expected = Expected(member.file_size, member.CRC)
        return CountedStream(piece, METHODS[member.compress_type], self.limits, expected=expected)

    def read(self, name: str, *, at_most: int) -> bytes:
        """The whole member. Raises: RefusedError: damaged, or larger than it may be"""
        stream = self.open(name)
        size_bytes = self.members[name].file_size
        if size_bytes > at_most:
            raise refuse_size(f"Its member {name[:100]} is larger than {at_most // 1024} KiB.")
        content = stream.read(size_bytes)
        stream.is_at_end()
        return content


class Slice:
    """A part of a file as a file of its own."""

    def __init__(self, file: BinaryIO, start: int, size: int) -> None:
        self.file, self.position, self.end = file, start, start + size

    def read(self, size: int) -> bytes:
        # Another member may have been read in between.
        self.file.seek(self.position)
        piece = self.file.read(max(0, min(size, self.end - self.position)))
        self.position += len(piece)
        return piece


def check_end(file: BinaryIO) -> int:
    """The record at the very end of the file. Returns: where the table of contents begins"""
    size = file.seek(0, 2)
    file.seek(max(0, size - END.size))
    record = file.read(END.size)
    if len(record) < END.size or not record.startswith(b"PK\x05\x06"):
        raise refuse_archive("It does not end as a ZIP archive does: it is cut short, or something follows.")
    _mark, disk, first_disk, here, members, contents_size, contents_at, comment_size = END.unpack(record)
    if members > MAX_MEMBERS:
        raise refuse_size(f"It has more than {MAX_MEMBERS:,} members.")
    if disk or first_disk or here != members or comment_size or contents_at + contents_size + END.size != size:
        raise refuse_archive("Its table of contents does not fit the file.")
    return contents_at


def is_safe_name(name: str) -> bool:
    parts = name.removesuffix("/").split("/")
    is_plain = 0 < len(name) <= MAX_NAME and "\\" not in name and ":" not in name and name.isprintable()
    return is_plain and not any(part in ("", ".", "..") for part in parts)
