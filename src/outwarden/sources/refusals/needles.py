"""Many strings are looked for in one reply at once.

Each is filed under the rarest of its characters, so that one look for that character spares all that
cannot be there.
"""

from collections.abc import Iterable
from typing import Generic, TypeVar

Meaning = TypeVar("Meaning")

# What is not in here is rarer still.
_FROM_RARE = "~=#_(zq)[]'xj9378640-2:/k51v.bywgpfmucdlhrsnioate "


class Needles(Generic[Meaning]):
    """Strings, each with what it means."""

    def __init__(self, entries: Iterable[tuple[str, Meaning]]) -> None:
        filed: dict[str, list[tuple[int, str, Meaning]]] = {}
        for place, (needle, meaning) in enumerate(entries):
            filed.setdefault(min(needle, key=_FROM_RARE.find), []).append((place, needle, meaning))
        self._filed = tuple(filed.items())

    def found_in(self, text: str) -> list[tuple[int, str, Meaning]]:
        """Return those that stand in a text, in the order in which they were given, with their number in it."""
        found = [entry for rarest, entries in self._filed if rarest in text for entry in entries if entry[1] in text]
        found.sort(key=_number)
        return found


def _number(entry: tuple[int, str, object]) -> int:
    return entry[0]
