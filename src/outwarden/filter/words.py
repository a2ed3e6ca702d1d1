"""The words for people, as they may stand in a line: nothing that would end it and begin another can be said."""

import re
import textwrap

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
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
