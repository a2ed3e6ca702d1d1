"""The names that an archive gives for its members, read from its directory without unpacking it.

ZIP (and so Office documents and Java archives), tar, and the one name that gzip keeps; of a tar inside gzip the
first 64 kilobytes are unpacked.  Names are what the archive says: nothing is opened, and no name is used as a path.
Known limits: RAR, 7-Zip and disk images are not looked into, and a ZIP whose directory is encrypted says nothing.
"""

import struct
import zlib
from typing import NamedTuple

MOST_MEMBERS = 100
_LONGEST_NAME = 255
_MOST_UNPACKED = 65_536
_GZIP_NAME = 0x08

# PKWARE's APPNOTE sections 4.3.12 and 4.3.16.
_ZIP_END = b"PK\x05\x06"
_ZIP_ENTRY = b"PK\x01\x02"
_ZIP_MEMBER = b"PK\x03\x04"
_ZIP_TAIL = 65_536 + 22
_ENCRYPTED, _UTF8 = 0x001, 0x800


class Holding(NamedTuple):
    """What an archive says it holds; whether its directory was whole; whether a member needs a password."""

    names: tuple[str, ...] = ()
    whole: bool = True
    encrypted: bool = False


def held_by(content: bytes) -> Holding:
    """Return what an archive says it holds.  What is no archive holds nothing."""
    if content.startswith(_ZIP_MEMBER) or content.startswith(_ZIP_END):
        return _zip_names(content)
    if content.startswith(b"\x1f\x8b\x08"):
        return Holding(_gzip_names(content))
    if content[257:262] == b"ustar":
        return Holding(_tar_names(content))
    return Holding()


def _zip_names(content: bytes) -> Holding:
    """Read the directory at the end; where it is missing or leads nowhere, the members' own headers."""
    end = content.rfind(_ZIP_END, max(0, len(content) - _ZIP_TAIL))
    members: list[tuple[str, int]] = []
    if 0 <= end <= len(content) - 22:
        size, offset = struct.unpack_from("<II", content, end + 12)
        # What stands before the archive moves it, as in a program that unpacks itself.
        place = offset if content.startswith(_ZIP_ENTRY, offset) else max(0, end - size)
        members = _zip_entries(content, place)
    whole = bool(members) or content.startswith(_ZIP_END)
    members = members or _zip_members(content)
    return Holding(tuple([name for name, _ in members]), whole, any(flags & _ENCRYPTED for _, flags in members))


def _zip_entries(content: bytes, place: int) -> list[tuple[str, int]]:
    names: list[tuple[str, int]] = []
    while content.startswith(_ZIP_ENTRY, place) and place + 46 <= len(content) and len(names) < MOST_MEMBERS:
        flags = struct.unpack_from("<H", content, place + 8)[0]
        name, extra, comment = struct.unpack_from("<HHH", content, place + 28)
        names.append((_name(content[place + 46 : place + 46 + name], flags), flags))
        place += 46 + name + extra + comment
    return names


def _zip_members(content: bytes) -> list[tuple[str, int]]:
    names: list[tuple[str, int]] = []
    place = content.find(_ZIP_MEMBER)
    while 0 <= place <= len(content) - 30 and len(names) < MOST_MEMBERS:
        flags = struct.unpack_from("<H", content, place + 6)[0]
        length = struct.unpack_from("<H", content, place + 26)[0]
        names.append((_name(content[place + 30 : place + 30 + length], flags), flags))
        place = content.find(_ZIP_MEMBER, place + 30)
    return names


def _name(written: bytes, flags: int) -> str:
    utf8 = flags & _UTF8 or not written.isascii()
    return written[:_LONGEST_NAME].decode("utf-8" if utf8 else "ascii", "replace")


def _gzip_names(content: bytes) -> tuple[str, ...]:
    """RFC 1952 section 2.3: an original file name may follow the ten bytes of the header."""
    names: tuple[str, ...] = ()
    if content[3] & _GZIP_NAME if len(content) > 3 else False:
        start = 10
        if content[3] & 0x04 and len(content) >= 12:
            start += 2 + struct.unpack_from("<H", content, 10)[0]
        written = content[start : start + _LONGEST_NAME + 1].partition(b"\0")[0]
        names = (written.decode("latin-1"),) if written else ()
    try:
        # 16 more than the window of 15 bits: with a gzip header.
        begun = zlib.decompressobj(31).decompress(content[:_MOST_UNPACKED], _MOST_UNPACKED)
    except zlib.error:
        return names
    return names + (_tar_names(begun) if begun[257:262] == b"ustar" else ())


def _tar_names(content: bytes) -> tuple[str, ...]:
    names: list[str] = []
    place = 0
    while content[place + 257 : place + 262] == b"ustar" and len(names) < MOST_MEMBERS:
        names.append(content[place : place + 100].partition(b"\0")[0].decode("utf-8", "replace"))
        octal = content[place + 124 : place + 136].strip(b" \0")
        size = int(octal, 8) if octal.isdigit() and not set(octal) & set(b"89") else 0
        place += 512 + (size + 511) // 512 * 512
    return tuple(names)
