"""Macros of SPF: ``%{d}`` and the like, checked and expanded (RFC 7208 section 7).

Syntax is checked in the record, before expansion; what a macro expands to is never checked again.
"""

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple
from urllib.parse import quote

_LONGEST_NAME = 253

# One piece of a macro-string: a macro, one of the three escapes, or visible characters but "%".
_PIECE = re.compile(
    r"%\{(?P<letter>[a-zA-Z])(?P<digits>[0-9]*+)(?P<reverse>[rR]?)(?P<delimiters>[.\-+,/_=]*+)\}"
    r"|%(?P<escape>[%_-])|(?P<literal>[\x21-\x24\x26-\x7e]++)"
)
_TOP_LABEL = re.compile(r"[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?")
_ESCAPED = {"%": "%", "_": " ", "-": "%20"}
_LETTERS = frozenset("slodiphv")
_EXPLANATION_LETTERS = frozenset("slodiphvcrt")


class MalformedMacro(ValueError):
    """A macro-string that RFC 7208 section 7.1 does not know."""


class _Piece(NamedTuple):
    """A piece of text, or a macro with its letter; ``literal`` is text that stands as written."""

    text: str = ""
    literal: bool = False
    letter: str = ""
    keep: int | None = None
    reverse: bool = False
    delimiters: str = "."


def _pieces(text: str, letters: frozenset[str]) -> list[_Piece]:
    pieces: list[_Piece] = []
    at = 0
    while at < len(text):
        found = _PIECE.match(text, at)
        if not found:
            raise MalformedMacro(f"cannot be read from character {at + 1} on")
        pieces.append(_piece(found, letters))
        at = found.end()
    return pieces


def _piece(found: re.Match[str], letters: frozenset[str]) -> _Piece:
    if found["literal"] is not None:
        return _Piece(found["literal"], literal=True)
    if found["escape"] is not None:
        return _Piece(_ESCAPED[found["escape"]])
    if found["letter"].lower() not in letters:
        raise MalformedMacro(f"no macro %{{{found['letter']}}} may stand here")
    digits = found["digits"]
    # RFC 7208 section 7.1: a count of labels is not zero; more digits than any name has labels mean all.
    if digits and not digits.strip("0"):
        raise MalformedMacro("a macro that keeps no label")
    keep = int(digits) if digits and len(digits) < 4 else None
    return _Piece("", False, found["letter"], keep, bool(found["reverse"]), found["delimiters"] or ".")


def check_macro_string(text: str) -> None:
    """Raise MalformedMacro where ``text`` is no macro-string."""
    _pieces(text, _LETTERS)


def check_domain_spec(text: str) -> None:
    """Raise MalformedMacro where ``text`` is no domain-spec: it ends in a macro or a top label."""
    pieces = _pieces(text, _LETTERS)
    if not pieces:
        raise MalformedMacro("the domain is missing")
    # RFC 7208 section 7.1: domain-end is a macro, an escape, or a dot and a top label.
    if pieces[-1].literal and not _ends_in_top_label(text):
        raise MalformedMacro(f'"{text}" is no whole domain name')


def _ends_in_top_label(text: str) -> bool:
    _, dot, label = text.removesuffix(".").rpartition(".")
    return bool(dot) and _TOP_LABEL.fullmatch(label) is not None and not label.isdigit()


def has_macro(text: str) -> bool:
    """Return whether expanding ``text`` needs a message."""
    return any(piece.letter for piece in _pieces(text, _EXPLANATION_LETTERS))


def expand(text: str, values: Mapping[str, Callable[[], str]]) -> str:
    """Return ``text`` with its macros expanded.

    ``values`` has a function for each letter that may stand here, in lower case; each is called only
    where its macro stands, because ``%{p}`` costs look-ups.  Raises MalformedMacro.
    """
    return "".join(piece.text or _expanded(piece, values) for piece in _pieces(text, frozenset(values)))


def _expanded(piece: _Piece, values: Mapping[str, Callable[[], str]]) -> str:
    parts = re.split(f"[{re.escape(piece.delimiters)}]", values[piece.letter.lower()]())
    if piece.reverse:
        parts.reverse()
    text = ".".join(parts if piece.keep is None else parts[-piece.keep :])
    # RFC 7208 section 7.3: an upper-case letter asks for URL escapes.
    return quote(text, safe="-._~") if piece.letter.isupper() else text


def expand_domain(text: str, values: Mapping[str, Callable[[], str]]) -> str:
    """Return the domain that a domain-spec names, without final dot; too long a name loses labels on the left."""
    name = expand(text, values).removesuffix(".")
    while len(name) > _LONGEST_NAME and "." in name:
        name = name.partition(".")[2]
    return name.lower()


def expand_explanation(text: str, values: Mapping[str, Callable[[], str]]) -> str:
    """Return the explanation of a refusal, in which spaces may stand (RFC 7208 section 6.2)."""
    return " ".join(expand(word, values) for word in text.split(" "))
