"""Words that come again and again, kept once each: a row that names an account holds a small number.

What is known is remembered in memory up to a bound.  Names that no row has any more are forgotten by when they were
last used, as looking through all rows for each would take longer than keeping them.
"""

from outwarden.store.database import Database

_DAY = 86_400_000_000
_LONGEST = 320  # RFC 5321 section 4.5.3.1: a local part of 64, a domain of 255, and the sign between them.
_MOST_REMEMBERED = 100_000


class Names:
    """The names in the store."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: dict[str, tuple[int, int]] = {}
        self._words: dict[int, str] = {}

    def number(self, name: str, until: int) -> int:
        """Return the number of a name that a row of the time ``until`` has; only inside ``writing()``.

        ``until`` is in microseconds.
        """
        known = self._known.get(name)
        if known is not None and until <= known[1] + _DAY:
            return known[0]
        number, used_at = self._used(fitted(name, _LONGEST), until)
        if len(self._known) >= _MOST_REMEMBERED:
            self._known.clear()
        self._known[name] = number, used_at
        return number

    def found(self, name: str) -> int | None:
        """Return the number of a name, None where no row has it."""
        known = self._known.get(name)
        if known is not None:
            return known[0]
        rows = self._database.rows("SELECT number FROM name WHERE name = ?", fitted(name, _LONGEST))
        return int(rows[0][0]) if rows else None

    def word(self, number: int) -> str:
        """Return the name of a number that a row has."""
        word = self._words.get(number)
        if word is None:
            ((word,),) = self._database.rows("SELECT name FROM name WHERE number = ?", number)
            if len(self._words) >= _MOST_REMEMBERED:
                self._words.clear()
            self._words[number] = word
        return word

    def word_or_none(self, number: int | None) -> str | None:
        """Return the name of a number, None where there is none."""
        return None if number is None else self.word(number)

    def forget_before(self, before: int, most: int) -> int:
        """Forget names that no row has used since; only inside ``writing()``.  Returns how many they were.

        Two days are added, by which a sum may begin, and ``used_at`` be noted, before the row that has the name.
        """
        gone = self._database.change(
            "DELETE FROM name WHERE number IN (SELECT number FROM name WHERE used_at < ? LIMIT ?)",
            before - 2 * _DAY,
            most,
        )
        if gone:
            self.unlearn()
        return gone

    def unlearn(self) -> None:
        """Drop what is remembered in memory: of a transaction that failed nothing may be left, least of all numbers."""
        self._known.clear()
        self._words.clear()

    def _used(self, name: str, until: int) -> tuple[int, int]:
        rows = self._database.rows("SELECT number, used_at FROM name WHERE name = ?", name)
        if not rows:
            ((number,),) = self._database.rows(
                "INSERT INTO name (name, used_at) VALUES (?, ?) RETURNING number", name, until
            )
            return number, until
        number, used_at = rows[0]
        if until > used_at + _DAY:
            self._database.rows("UPDATE name SET used_at = ? WHERE number = ?", until, number)
            used_at = until
        return number, used_at


def fitted(text: str, longest: int) -> str:
    """Return a text cut to so many characters, in a form that SQLite can hold."""
    if len(text) > longest:
        text = text[:longest]
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode("utf-8")
