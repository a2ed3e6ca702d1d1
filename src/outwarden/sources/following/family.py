"""The files of one log in its directory, as they lie there at this moment: those rotated away, and the current one.

Not done: predecessors that were moved to another directory (``olddir`` of logrotate) are not looked for.
"""

import os
import stat
from collections.abc import Sequence
from typing import NamedTuple

from outwarden.sources.files import rotated_files
from outwarden.sources.following.log_file import FileId, LogFile, PackedFile, opened
from outwarden.sources.following.position import Position, digest_of

_MOST_FILES = 1000


class Member(NamedTuple):
    """A file of the log, whether it is the one written to now, and what was known of it when the directory was read."""

    path: str
    id: FileId
    is_current: bool
    size: int
    written_ns: int


def family_of(path: str) -> list[Member]:
    """Return the files of a log, oldest first; the current one, where it is there, is the last.

    Where the path is a symbolic link, its predecessors lie beside the file that it leads to.
    """
    current = member_at(path)
    try:
        paths = rotated_files(os.path.realpath(path))[-_MOST_FILES:]
    except OSError:
        paths = []
    rotated = [member for each in paths if (member := member_at(each, is_current=False)) is not None]
    if current is None:
        return rotated
    return [*(member for member in rotated if member.id != current.id), current]


def member_at(path: str, *, is_current: bool = True) -> Member | None:
    """Return what lies at the path; None where it is no regular file, or not there."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    if not stat.S_ISREG(status.st_mode):
        return None
    return Member(path, FileId(status.st_dev, status.st_ino), is_current, status.st_size, status.st_mtime_ns)


def place_of(position: Position, family: Sequence[Member]) -> int | None:
    """Return which file of the family is the one of the position; None where none is.

    The inode says where to look first, then come the current file and the rotated ones, youngest first; the
    head decides.  Raises ``OSError`` where the file of that inode, or the current one, cannot be read.
    """
    own = FileId(position.device, position.inode)
    order = sorted(range(len(family)), key=lambda place: (family[place].id != own, -place))
    for place in order:
        member = family[place]
        try:
            if _is_of(position, member):
                return place
        except FileNotFoundError:
            continue
        except OSError:
            if member.is_current or member.id == own:
                raise
    return None


def younger_than(position: Position, family: Sequence[Member]) -> Member | None:
    """Return the oldest file that was written to after the position; where there is none, the current file.

    A file that begins as that of the position does is a part of it, and not meant.
    """
    for member in family:
        if member.is_current or (member.written_ns >= position.written_ns and not _begins_as(position, member)):
            return member
    return None


def _is_of(position: Position, member: Member) -> bool:
    """Return whether the file is the one of the position.  How much a compressed one holds its size does not say."""
    if not position.head_length:
        return member.id == (position.device, position.inode)
    file = opened(member.path, 0, position.head_at)
    try:
        return _has_head(position, file) and (isinstance(file, PackedFile) or member.size >= position.offset)
    finally:
        file.close()


def _begins_as(position: Position, member: Member) -> bool:
    try:
        file = opened(member.path, 0, position.head_at)
    except OSError:
        return False
    try:
        return _has_head(position, file)
    finally:
        file.close()


def _has_head(position: Position, file: LogFile) -> bool:
    head = file.head[: position.head_length]
    return bool(head) and file.head_at == position.head_at and digest_of(head) == position.head
