"""Following logs as they are written: files through rotation and restarts, and the journal of systemd.

A follower gives pieces of raw bytes, each with the position after it.  Whoever saves that position together with
what the bytes meant, and begins there after a restart, reads each byte once.
"""

from outwarden.sources.following.file_follower import FileFollower
from outwarden.sources.following.journal_follower import JournalFollower, journal_follow_command
from outwarden.sources.following.position import (
    JournalPosition,
    MalformedPosition,
    Piece,
    Position,
    restored,
    saved,
)

__all__ = [
    "FileFollower",
    "JournalFollower",
    "JournalPosition",
    "MalformedPosition",
    "Piece",
    "Position",
    "journal_follow_command",
    "restored",
    "saved",
]
