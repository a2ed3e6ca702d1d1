"""A site's own statements, run: one account at a time, in a transaction that is dropped unless all of it was right.

No message repeats a value that was written: hashes are among them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from outwarden.responses.accounts.connector import OperatorFault, TemporaryFault
from outwarden.responses.accounts.secret import Secret
from outwarden.responses.accounts.sql_databases import Connection, database
from outwarden.responses.accounts.sql_settings import SqlSettings
from outwarden.responses.accounts.statements import Statement, UnusableStatement

Row = dict[str, Any]

_NOBODY = "nobody@outwarden.invalid"
_WHO = frozenset({"account", "local", "domain"})
_MOST_ROWS = 1000
_TELLING = 8
"""So many signs of a value in a message give it away."""


class Tables:
    """The tables of one site, by its ``settled`` settings; raises ``OperatorFault`` where a statement is unusable."""

    def __init__(self, name: str, settings: SqlSettings, password: Secret | None) -> None:
        self.name = name
        self._statements = dict(_judged(name, settings))
        try:
            self._database = database(settings, password)
        except OperatorFault as fault:
            raise OperatorFault(f"{name}: {fault}") from None

    def __contains__(self, statement: str) -> bool:
        return statement in self._statements

    @contextmanager
    def connected(self) -> Iterator[Connection]:
        """Yield a connection whose faults are ours; what was not committed is dropped."""
        try:
            connection = self._database.connect()
            try:
                yield connection
            finally:
                connection.close()
        except self._database.errors as error:
            raise self._fault(error, {}) from None

    def row(self, connection: Connection, account: str) -> Row | None:
        """Return the account's row; None where there is none.  Raises ``OperatorFault`` where there are two."""
        rows = self.rows(connection, "find", account)
        if len(rows) > 1:
            raise OperatorFault(f"{self.name}: find returns {len(rows)} rows for {account}; it must name one account")
        # A database may take é for e, and a blank at the end for nothing: that is not this account.
        if not rows or str(rows[0].get("account", account)).casefold() != account.casefold():
            return None
        self.must_have(set(rows[0]))
        return rows[0]

    def rows(self, connection: Connection, statement: str, account: str) -> list[Row]:
        """Return what a statement that looks finds; nothing where there is no such statement."""
        if statement not in self or not _is_text(account):
            return []
        cursor = connection.cursor()
        cursor.execute(self._text(statement), _values(account))
        names = [str(column[0]) for column in cursor.description or ()]
        found = cursor.fetchmany(_MOST_ROWS)
        cursor.close()
        return [
            {name: self._plain(statement, name, value) for name, value in zip(names, row, strict=True)} for row in found
        ]

    def change(self, connection: Connection, statement: str, account: str, values: Mapping[str, Any]) -> None:
        """Run a statement that changes one row or none.  Raises ``OperatorFault`` before more are changed."""
        wanted = {**values, **_values(account)}
        if missing := sorted(self._statements[statement].names - set(wanted)):
            raise OperatorFault(f"{self.name}: {statement} wants :{missing[0]}, which no column gave")
        cursor = connection.cursor()
        try:
            cursor.execute(self._text(statement), wanted)
        except self._database.errors as error:
            # `from None`: the driver's own error would carry the values on.
            raise self._fault(error, values) from None
        changed = cursor.rowcount
        cursor.close()
        if changed > 1:
            connection.rollback()
            raise OperatorFault(f"{self.name}: {statement} would change {changed} rows; nothing was changed")

    def check(self) -> None:
        """Run each statement that looks for an account that is nobody's, and look which columns it has."""
        with self.connected() as connection:
            self.must_have(self._columns(connection, "find"))
            for rows, changes in (
                ("app_passwords", ("revoke_app_password", "restore_app_password")),
                ("forwards", ("disable_forward", "restore_forward")),
            ):
                columns = self._columns(connection, rows)
                if rows == "forwards" and rows in self and "name" not in columns:
                    raise OperatorFault(f"{self.name}: forwards returns no column `name`; write SELECT ... AS name")
                self._check_changes(changes, rows, columns)

    def must_have(self, columns: set[str]) -> None:
        """Raise ``OperatorFault`` where ``find`` returns less than undoing needs."""
        for column, statement in (("hash", "find"), ("status", "set_lock")):
            if statement in self and column not in columns:
                why = "" if column == "hash" else ", so no lock could be undone"
                raise OperatorFault(
                    f"{self.name}: find returns no column `{column}`{why}; write SELECT ... AS {column}"
                )

    def _check_changes(self, changes: tuple[str, ...], rows: str, columns: set[str]) -> None:
        for change in changes:
            if change in self and (unknown := self._statements[change].names - columns - _WHO):
                raise OperatorFault(f"{self.name}: {change} wants :{min(unknown)}, which {rows} does not return")

    def _columns(self, connection: Connection, statement: str) -> set[str]:
        if statement not in self:
            return set()
        cursor = connection.cursor()
        cursor.execute(self._text(statement), _values(_NOBODY))
        columns = {str(column[0]) for column in cursor.description or ()}
        cursor.close()
        return columns

    def _plain(self, statement: str, column: str, value: object) -> object:
        """Return a value as JSON knows it, so that what was read can be kept and written back."""
        if isinstance(value, bytes | bytearray):
            try:
                return bytes(value).decode()
            except UnicodeDecodeError:
                words = (
                    f"{self.name}: {statement}: {column} holds bytes that are no text; write CAST(... AS CHAR) AS ..."
                )
                raise OperatorFault(words) from None
        return value if isinstance(value, str | int | float | None) else str(value)

    def _fault(self, error: Exception, values: Mapping[str, Any]) -> TemporaryFault | OperatorFault:
        """Return an error as ours, without the values that were written."""
        fault = self._database.fault(error)
        words = str(fault)
        for key, value in values.items():
            if key not in _WHO and isinstance(value, str) and len(value) >= _TELLING and value[:_TELLING] in words:
                words = "the database refused the value, in words that repeat it; does the column take a hash?"
        return type(fault)(f"{self.name}: {words}")

    def _text(self, statement: str) -> str:
        return self._statements[statement].for_driver(self._database.style)


def _judged(name: str, settings: SqlSettings) -> Iterator[tuple[str, Statement]]:
    """Yield the statements that there are.  Raises ``OperatorFault``."""
    if not settings.find:
        raise OperatorFault(f"{name}: find is missing; write the SELECT of one account, or name ready `tables`")
    for key, reads, places, needs in (
        ("find", True, _WHO, ""),
        ("set_password", False, _WHO | {"hash"}, "hash"),
        ("set_lock", False, _WHO | {"status"}, "status"),
        ("app_passwords", True, _WHO, ""),
        ("revoke_app_password", False, None, ""),
        ("restore_app_password", False, None, ""),
        ("forwards", True, _WHO, ""),
        ("disable_forward", False, None, ""),
        ("restore_forward", False, None, ""),
    ):
        if text := getattr(settings, key):
            try:
                yield key, Statement(text, reads, places, needs)
            except UnusableStatement as fault:
                raise OperatorFault(f"{name}: {key}: {fault}") from None


def _is_text(account: str) -> bool:
    """Return whether a database can hold it; what no column can hold is no account."""
    try:
        account.encode()
    except UnicodeEncodeError:
        return False
    return "\0" not in account


def _values(account: str) -> dict[str, str]:
    local, _, domain = account.rpartition("@")
    return {"account": account, "local": local or account, "domain": domain if local else ""}
