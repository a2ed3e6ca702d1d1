"""The site's own SQL, with named places for values: judged before it is ever run.

A place is written ``:account``; values are bound by the driver and never pasted into the text.  What looks like an
attempt at pasting, what would change every row, and what the drivers would read differently from us is refused.
"""

from __future__ import annotations

import re
from collections.abc import Collection

_PIECES = re.compile(
    r"(?P<quoted>'[^']*+'|\"[^\"]*+\"|`[^`]*+`)"
    r"|(?P<comment>--|/\*|\#)"
    r"|(?P<cast>::)"
    r"|:(?P<name>[A-Za-z_][A-Za-z0-9_]*+)"
    r"|(?P<pasted>%\(?[a-z]|\?|\$|\{)"
    r"|(?P<end>;)"
    r"|(?P<stray>['\"`\\])"
)
_PLACE_INSIDE = re.compile(r":(?:account|local|domain|hash|status)\b")
_WORDS = re.compile(r"[a-z_]+")


class UnusableStatement(ValueError):
    """The statement is not run; one line says what is wrong and what to write."""


class Statement:
    """One statement: ``reads`` says whether it must ask or must change.

    ``places`` are the names that it may use, None for the columns of a row that was read; ``needs`` is one that it
    must.  Raises ``UnusableStatement``.
    """

    def __init__(self, text: str, reads: bool, places: Collection[str] | None = None, needs: str = "") -> None:
        self.text = text.strip().rstrip(";").rstrip()
        self.names = frozenset(self._judged_names())
        verb = self._judged_verb(reads)
        # A row that is brought back names its account itself.
        brought_back = places is None and verb == "insert"
        if not brought_back and not self.names & {"account", "local"}:
            raise UnusableStatement("it does not say for which account; write ... WHERE username = :account")
        if needs and needs not in self.names:
            raise UnusableStatement(f"it does not use :{needs}")
        if places is not None and (unknown := sorted(self.names - set(places))):
            raise UnusableStatement(
                f":{unknown[0]} is not known here; use {', '.join(f':{p}' for p in sorted(places))}"
            )

    def _judged_names(self) -> list[str]:
        names = []
        for piece in _PIECES.finditer(self.text):
            found = piece.group()
            if piece["name"]:
                names.append(piece["name"])
            elif piece["quoted"] and _PLACE_INSIDE.search(found):
                raise UnusableStatement(f"{found} is a fixed text, not a value: write the place without quotes")
            elif piece["pasted"]:
                raise UnusableStatement(f"{found!r} is not how a value is put in; write :account, :hash and so on")
            elif piece["end"]:
                raise UnusableStatement("one statement only, without ';' inside")
            elif piece["comment"]:
                raise UnusableStatement("no comments; write them in the file beside it")
            elif piece["stray"] or "\\" in found:
                raise UnusableStatement(f"{found} has no end, or is a backslash, which each database reads differently")
        return names

    def _judged_verb(self, reads: bool) -> str:
        bare = _PIECES.sub(" ", self.text).lower()
        words = _WORDS.findall(bare)
        verb = words[0] if words else "nothing"
        if reads and verb not in {"select", "with"}:
            raise UnusableStatement(f"it begins with {verb.upper()}; a statement that looks begins with SELECT")
        if not reads and verb not in {"update", "insert", "delete", "call"}:
            raise UnusableStatement(
                f"it begins with {verb.upper()}; one that changes with UPDATE, INSERT, DELETE or CALL"
            )
        if verb in {"update", "delete"} and "where" not in words:
            raise UnusableStatement(f"{verb.upper()} without WHERE would change every account")
        return verb

    def for_driver(self, style: str) -> str:
        """Return the text with its places as a driver wants them: ``named`` (``:name``) or ``pyformat``."""
        if style == "named":
            return self.text
        return _PIECES.sub(
            lambda piece: f"%({piece['name']})s" if piece["name"] else piece.group(), self.text.replace("%", "%%")
        )
