"""Accounts in a passwd-file as Dovecot reads it.

A locked account keeps its hash behind ``{CRYPT}!``, which no password fits and which names its scheme, so that a site
whose default scheme is plain text does not take the mark for a password.

Not covered: app passwords, as Dovecot takes one line for each account.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from outwarden.responses.accounts.connector import Answer, Before, Deed, Found, OperatorFault, Outcome, not_set_up
from outwarden.responses.accounts.hashes import Scheme, fits, hashed
from outwarden.responses.accounts.passwd_file_settings import PasswdFileSettings
from outwarden.responses.accounts.passwd_lines import Line, lines_of, with_password
from outwarden.responses.accounts.replaced_file import ReplacedFile
from outwarden.responses.accounts.secret import Secret

_MARK = b"{CRYPT}!"


class PasswdFile:
    """An ``AccountBackEnd``."""

    abilities = frozenset({Deed.LOCK, Deed.UNLOCK, Deed.SET_PASSWORD})

    def __init__(self, name: str, settings: PasswdFileSettings) -> None:
        self.name = name
        self._file = ReplacedFile(name, Path(settings.file))
        self._scheme = Scheme(settings.scheme)
        self._whole_address = settings.named_by == "address"

    def check(self) -> None:
        """Read the file, and look whether it may be replaced."""
        self._file.check()

    def find(self, account: str) -> Found | None:
        """Return the account; two lines of one name are the operator's fault."""
        line = self._line(self._file.content(), account)
        if line is None:
            return None
        kept = {"password": line.password.decode("utf-8", "surrogateescape")}
        return Found(Before(kept), locked=line.password.startswith(_MARK) and not line.takes_any)

    def lock(self, account: str) -> Outcome:
        """Put the mark before the hash."""
        return self._change(account, lambda old: old if old.startswith(_MARK) else _MARK + old, Deed.LOCK)

    def unlock(self, account: str) -> Outcome:
        """Take the mark away."""
        return self._change(account, lambda old: old.removeprefix(_MARK), Deed.UNLOCK)

    def set_password(self, account: str, secret: Secret) -> Outcome:
        """Write a fresh hash, behind the mark where there is one."""
        new = hashed(secret, self._scheme).encode()
        return self._change(
            account, lambda old: (_MARK if old.startswith(_MARK) else b"") + new, Deed.SET_PASSWORD, secret
        )

    def revoke_app_passwords(self, account: str) -> Outcome:
        """Say that there is no such thing in this file."""
        del account
        return not_set_up(self.name, Deed.REVOKE_APP_PASSWORDS)

    def verify(self, account: str, deed: Deed, secret: Secret | None = None) -> Outcome:
        """Read the file again."""
        if deed not in self.abilities:
            return not_set_up(self.name, deed)
        line = self._line(self._file.content(), account)
        if line is None:
            return self._missing(account)
        if line.takes_any and deed is not Deed.UNLOCK:
            return self._said(Answer.COULD_NOT, "the line says nopassword, so that every password is taken")
        if deed is Deed.SET_PASSWORD:
            return self._judged_hash(line, secret)
        holds = line.password.startswith(_MARK) is (deed is Deed.LOCK)
        if holds:
            return self._said(Answer.DONE, f"{deed} stands in the file")
        return self._said(Answer.COULD_NOT, f"{deed} does not stand in the file; does another program change it?")

    def restore(self, account: str, before: Before) -> Outcome:
        """Write the password field as it was."""
        old = str(before.kept["password"]).encode("utf-8", "surrogateescape")
        self._replace(account, lambda _: old)
        line = self._line(self._file.content(), account)
        if line is None:
            return self._missing(account)
        if line.password == old:
            return self._said(Answer.DONE, "password and lock are as they were")
        return self._said(Answer.COULD_NOT, "it is not as it was; does another program change the file?")

    def _judged_hash(self, line: Line, secret: Secret | None) -> Outcome:
        stored = line.password.removeprefix(_MARK).decode("utf-8", "replace")
        verdict = fits(secret, stored) if secret is not None else None
        if verdict is None:
            return self._said(Answer.UNKNOWN, "the stored hash cannot be held against the password")
        if verdict:
            return self._said(Answer.DONE, "the stored hash fits the new password")
        return self._said(Answer.COULD_NOT, "the stored hash is another; does another program change the file?")

    def _change(
        self, account: str, change: Callable[[bytes], bytes], deed: Deed, secret: Secret | None = None
    ) -> Outcome:
        self._replace(account, change)
        return self.verify(account, deed, secret)

    def _replace(self, account: str, change: Callable[[bytes], bytes]) -> None:
        with self._file.locked():
            content = self._file.content()
            line = self._line(content, account)
            if line is not None and change(line.password) != line.password:
                self._file.replace(with_password(content, line, change))

    def _line(self, content: bytes, account: str) -> Line | None:
        name = account if self._whole_address else account.rpartition("@")[0] or account
        found = lines_of(content, name.encode("utf-8", "surrogatepass"))
        if len(found) > 1:
            where = " and ".join(str(line.number + 1) for line in found)
            raise OperatorFault(f"{self.name}: file: {self._file.path}: {account} stands in lines {where}; keep one")
        return found[0] if found else None

    def _missing(self, account: str) -> Outcome:
        return self._said(Answer.COULD_NOT, f"no account {account}")

    def _said(self, answer: Answer, words: str) -> Outcome:
        return Outcome(answer, f"{self.name}: {words}")
