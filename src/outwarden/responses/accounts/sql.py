"""Accounts in the tables of an SQL database, by statements that the site writes for its own tables.

Every change runs in a transaction, touches one account or is taken back, and is read again in a new one.  What a
statement is allowed to be: ``statements``; ready ones: ``sql_settings``.

App passwords are listed by one statement, ended by a second and brought back by a third, which may use every column
that the first one returned.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from outwarden.responses.accounts.connector import Answer, Before, Deed, Found, Outcome, not_set_up
from outwarden.responses.accounts.hashes import Scheme, fits, hashed
from outwarden.responses.accounts.secret import Secret
from outwarden.responses.accounts.sql_forwards import SqlForwards, moment
from outwarden.responses.accounts.sql_settings import SqlSettings, Value, settled
from outwarden.responses.accounts.sql_tables import Tables

_NEEDS = {
    Deed.LOCK: "set_lock",
    Deed.UNLOCK: "set_lock",
    Deed.SET_PASSWORD: "set_password",
    Deed.REVOKE_APP_PASSWORDS: "revoke_app_password",
}


class SqlAccounts:
    """An ``AccountBackEnd``; ``forwards`` is a ``LeftoverPlace`` where the site has statements for it.

    Raises ``OperatorFault`` where a statement is not usable or the driver is not installed.
    """

    def __init__(self, name: str, settings: SqlSettings, password: Secret | None = None) -> None:
        self.name = name
        self._settings = settled(settings)
        self._locked, self._unlocked = self._settings.locked, self._settings.unlocked
        self._tables = Tables(name, self._settings, password)
        self.forwards = SqlForwards(name, self._tables) if "forwards" in self._tables else None

    @property
    def abilities(self) -> frozenset[Deed]:
        """By the statements that there are."""
        return frozenset(deed for deed, statement in _NEEDS.items() if statement in self._tables)

    def check(self) -> None:
        """Run each SELECT for an account that is nobody's, and look which columns it has."""
        self._tables.check()

    def find(self, account: str) -> Found | None:
        """Return the account; two rows of one name are the operator's fault."""
        with self._tables.connected() as connection:
            row = self._tables.row(connection, account)
            if row is None:
                return None
            rows = self._tables.rows(connection, "app_passwords", account)
        kept: dict[str, Any] = {key: row[key] for key in ("hash", "status") if key in row}
        kept["app_passwords"] = rows
        lost = rows and Deed.REVOKE_APP_PASSWORDS in self.abilities and "restore_app_password" not in self._tables
        return Found(
            Before(kept),
            locked=_same(row["status"], self._locked) if "status" in row else None,
            changed_at=moment(row.get("changed_at")),
            contacts=(str(row["contact"]),) if row.get("contact") else (),
            app_passwords=len(rows) if "app_passwords" in self._tables else None,
            cannot_undo="app passwords that were revoked: no restore_app_password is set" if lost else "",
        )

    def lock(self, account: str) -> Outcome:
        """Write the value for "may not log in"."""
        return self._set(account, Deed.LOCK, {"status": self._locked})

    def unlock(self, account: str) -> Outcome:
        """Write the value for "may log in"."""
        return self._set(account, Deed.UNLOCK, {"status": self._unlocked})

    def set_password(self, account: str, secret: Secret) -> Outcome:
        """Write a fresh hash."""
        new = hashed(secret, Scheme(self._settings.scheme), self._settings.prefix)
        return self._set(account, Deed.SET_PASSWORD, {"hash": new}, secret)

    def revoke_app_passwords(self, account: str) -> Outcome:
        """Switch off each that works."""
        if Deed.REVOKE_APP_PASSWORDS not in self.abilities:
            return not_set_up(self.name, Deed.REVOKE_APP_PASSWORDS)
        with self._tables.connected() as connection:
            for row in self._tables.rows(connection, "app_passwords", account):
                self._tables.change(connection, "revoke_app_password", account, row)
            connection.commit()
        return self.verify(account, Deed.REVOKE_APP_PASSWORDS)

    def verify(self, account: str, deed: Deed, secret: Secret | None = None) -> Outcome:
        """Read the row again."""
        with self._tables.connected() as connection:
            row = self._tables.row(connection, account)
            left = self._tables.rows(connection, "app_passwords", account)
        if row is None:
            return self._missing(account)
        if deed is Deed.SET_PASSWORD:
            return self._judged_hash(str(row["hash"]), secret)
        if deed is Deed.REVOKE_APP_PASSWORDS:
            return self._said(not left, "no app password works any more", f"{len(left)} app passwords still work")
        wanted = self._locked if deed is Deed.LOCK else self._unlocked
        holds = "status" in row and _same(row["status"], wanted)
        return self._said(holds, f"{deed} stands in the table", f"{deed} does not stand in the table")

    def restore(self, account: str, before: Before) -> Outcome:
        """Write hash, status and app passwords as they were, in one transaction."""
        with self._tables.connected() as connection:
            if self._tables.row(connection, account) is None:
                return self._missing(account)
            for key, statement in (("hash", "set_password"), ("status", "set_lock")):
                if key in before.kept and statement in self._tables:
                    self._tables.change(connection, statement, account, {key: before.kept[key]})
            works = self._tables.rows(connection, "app_passwords", account)
            for each in before.kept.get("app_passwords", ()):
                if each not in works and "restore_app_password" in self._tables:
                    self._tables.change(connection, "restore_app_password", account, each)
            connection.commit()
        again = self.find(account)
        holds = again is not None and _holds(again.before.kept, before.kept)
        yes, no = "password, lock and app passwords are as they were", "not everything is as it was; compare the row"
        return self._said(holds, yes, no)

    def _set(self, account: str, deed: Deed, values: Mapping[str, Any], secret: Secret | None = None) -> Outcome:
        if deed not in self.abilities:
            return not_set_up(self.name, deed)
        with self._tables.connected() as connection:
            if self._tables.row(connection, account) is None:
                return self._missing(account)
            self._tables.change(connection, _NEEDS[deed], account, values)
            connection.commit()
        return self.verify(account, deed, secret)

    def _judged_hash(self, stored: str, secret: Secret | None) -> Outcome:
        verdict = fits(secret, stored) if secret is not None else None
        if verdict is None:
            return Outcome(Answer.UNKNOWN, f"{self.name}: the stored hash cannot be held against the password")
        yes, no = "the stored hash fits the new password", "the stored hash is another; is the column long enough?"
        return self._said(verdict, yes, no)

    def _missing(self, account: str) -> Outcome:
        return Outcome(Answer.COULD_NOT, f"{self.name}: no account {account}")

    def _said(self, holds: bool, yes: str, no: str) -> Outcome:
        return Outcome(Answer.DONE if holds else Answer.COULD_NOT, f"{self.name}: {yes if holds else no}")


def _holds(now: Mapping[str, Any], before: Mapping[str, Any]) -> bool:
    """Return whether all is as it was; what the owner made meanwhile may be there too."""
    single = all(now.get(key) == value for key, value in before.items() if key != "app_passwords")
    return single and all(row in now.get("app_passwords", ()) for row in before.get("app_passwords", ()))


def _same(stored: object, wanted: Value | None) -> bool:
    """Compare as databases do, which have no one type for yes and no."""
    return _as_text(stored) == _as_text(wanted)


def _as_text(value: object) -> str:
    return str(int(value) if isinstance(value, bool) else value)
