"""The words for people, as they may stand in a line: nothing that would end it and begin another can be said."""

import re
import textwrap

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_CONTROL_BUT_FOLDS = re.compile(r"\n(?![ \t])|[\x00-\x08\x0b-\x1f\x7f]")
# RFC 5322 section 2.2: printable ASCII but the colon.
_HEADER_NAME = re.compile(r"[!-9;-~]+")
_CUT = " ..."


class Unspeakable(ValueError):
    """A text that would end its line, its string or its header and begin another: our own mistake, or an attack."""


def spoken(words: str) -> str:
    """Return the words, of which nothing ends a line.  Raises ``Unspeakable``."""
    if _CONTROL.search(words):
        raise Unspeakable(f"words with control characters: {words!r}")
    return words


def ascii_line(words: str, most: int) -> str:
    """Return the words as one line of ASCII, a question mark for what is not, cut to ``most`` characters.

    Raises ``Unspeakable``.
    """
    said = spoken(words).encode("ascii", "replace").decode()
    return textwrap.shorten(said, most, placeholder=_CUT) if len(said) > most else said.strip()


def header_name(name: str) -> str:
    """Return the name of a header.  Raises ``Unspeakable`` for one that is none."""
    if not _HEADER_NAME.fullmatch(name):
        raise Unspeakable(f"no name of a header: {name!r}")
    return name


def header_value(value: str) -> str:
    """Return the value of a header, whose lines are folded by a line feed and white space.

    Raises ``Unspeakable`` for one that would end the header.
    """
    if _CONTROL_BUT_FOLDS.search(value):
        raise Unspeakable(f"a header with control characters: {value!r}")
    return value
