"""What the filter may say, as frames; nothing that would break out of its place in SMTP or in a header can be said."""

import textwrap
from enum import IntEnum

from outwarden.filter.milter.frames import frame
from outwarden.filter.words import Unspeakable, header_name, header_value, spoken


class Answer(IntEnum):
    """What the filter says (SMFIR)."""

    ADD_RECIPIENT = ord("+")
    DELETE_RECIPIENT = ord("-")
    ADD_RECIPIENT_WITH_PARAMETERS = ord("2")
    SHUT_DOWN = ord("4")
    ACCEPT = ord("a")
    REPLACE_BODY = ord("b")
    CONTINUE = ord("c")
    DISCARD = ord("d")
    CHANGE_SENDER = ord("e")
    CONNECTION_FAILS = ord("f")
    ADD_HEADER = ord("h")
    INSERT_HEADER = ord("i")
    SET_MACROS = ord("l")
    CHANGE_HEADER = ord("m")
    PROGRESS = ord("p")
    QUARANTINE = ord("q")
    REJECT = ord("r")
    SKIP = ord("s")
    TEMPORARY_FAILURE = ord("t")
    REPLY = ord("y")


CONTINUE = frame(Answer.CONTINUE)
ACCEPT = frame(Answer.ACCEPT)
PROGRESS = frame(Answer.PROGRESS)

# RFC 5321 section 4.5.3.1.5: with the code before it and the end of line after it, a line has 512 bytes at most.
_LINE = 480
_MOST_LINES = 8


def reply(code: int, status: str, words: str) -> bytes:
    """Return a reply in SMTP: its code, its enhanced status (RFC 3463) and words of any length, but of one line.

    Raises ``Unspeakable`` for words with control characters.
    """
    ascii_words = spoken(words).encode("ascii", "replace").decode()
    lines = textwrap.wrap(ascii_words, _LINE, max_lines=_MOST_LINES, placeholder=" ...") or [""]
    said = [f"{code}-{status} {line}" for line in lines[:-1]] + [f"{code} {status} {lines[-1]}"]
    # Sendmail takes the text as a format, so both servers make one percent sign of two.
    return frame(Answer.REPLY, "\r\n".join(said).replace("%", "%%").encode() + b"\0")


def quarantine(words: str) -> bytes:
    """Return the answer that puts the message into the hold queue.  Raises ``Unspeakable``."""
    if not words:
        raise Unspeakable("no reason")
    return frame(Answer.QUARANTINE, spoken(words).encode("utf-8", "replace") + b"\0")


def add_header(name: str, value: str, *, leading_space: bool) -> bytes:
    """Return the answer that adds a header at the end; ``leading_space`` as it was agreed on.

    Raises ``Unspeakable`` for a name that is none, and for a value that would end the header: lines are folded
    by a line feed and white space.
    """
    return frame(Answer.ADD_HEADER, _header(name, value, leading_space))


def change_header(name: str, occurrence: int, value: str, *, leading_space: bool) -> bytes:
    """Return the answer that changes the n-th header of this name, or removes it if the value is empty."""
    content = _header(name, value, leading_space and bool(value))
    return frame(Answer.CHANGE_HEADER, occurrence.to_bytes(4, "big") + content)


def _header(name: str, value: str, leading_space: bool) -> bytes:
    space = " " if leading_space else ""
    return f"{header_name(name)}\0{space}{header_value(value)}\0".encode("utf-8", "replace")
