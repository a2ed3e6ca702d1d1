"""The forwards of an account in SQL tables: listed by one statement, switched by two more."""

from __future__ import annotations

from datetime import UTC, datetime

from outwarden.responses.accounts.connector import Answer, Before, Leftover, Outcome
from outwarden.responses.accounts.sql_tables import Tables


class SqlForwards:
    """A ``LeftoverPlace``."""

    def __init__(self, name: str, tables: Tables) -> None:
        self.name = name
        self._tables = tables

    def leftovers(self, account: str, since: datetime) -> list[Leftover]:
        """Return the forwards that are not certainly older; one whose time has no zone is not certain."""
        with self._tables.connected() as connection:
            rows = self._tables.rows(connection, "forwards", account)
        found = []
        for row in rows:
            changed_at = moment(row.get("changed_at"))
            if changed_at is None or changed_at >= since:
                name = str(row.get("name"))
                found.append(Leftover("forward", name, str(row.get("words", name)), changed_at, True, Before(row)))
        return found

    def disable(self, account: str, leftover: Leftover) -> Outcome:
        """Make a forward do nothing; it is done when the list of forwards has it no more."""
        return self._switch(account, leftover, "disable_forward", wanted=False)

    def enable(self, account: str, leftover: Leftover) -> Outcome:
        """Bring a forward back."""
        return self._switch(account, leftover, "restore_forward", wanted=True)

    def _switch(self, account: str, leftover: Leftover, statement: str, wanted: bool) -> Outcome:
        if statement not in self._tables:
            return Outcome(Answer.COULD_NOT, f"{self.name}: no {statement} is set")
        if self._stands(account, leftover) is not wanted:
            with self._tables.connected() as connection:
                self._tables.change(connection, statement, account, leftover.before.kept)
                connection.commit()
        stands = self._stands(account, leftover)
        words = f"{self.name}: the forward {leftover.words} {'stands' if stands else 'is off'}"
        return Outcome(Answer.DONE if stands is wanted else Answer.COULD_NOT, words)

    def _stands(self, account: str, leftover: Leftover) -> bool:
        with self._tables.connected() as connection:
            rows = self._tables.rows(connection, "forwards", account)
        kept = leftover.before.kept
        # What it says counts too: a forward to somebody else under the same name is another one.
        return any((row.get("name"), row.get("words")) == (kept.get("name"), kept.get("words")) for row in rows)


def moment(value: object) -> datetime | None:
    """Return a time; None for one that has no zone and so could be any of 24.  A number counts seconds since 1970."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return datetime.fromtimestamp(value, UTC) if 0 < value < 1e11 else None
    try:
        read = datetime.fromisoformat(str(value)) if value else None
    except ValueError:
        return None
    return read.astimezone(UTC) if read is not None and read.tzinfo is not None else None
