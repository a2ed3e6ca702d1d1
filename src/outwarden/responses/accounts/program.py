"""Accounts behind a program of the site's own.

It is called with a list of arguments (no shell), in which ``{account}`` and ``{deed}`` are put in; a new password comes
on its standard input, as one line, and nowhere else.  ``find`` and ``restore`` speak JSON.  It has a time, its output a
size, and its exit code is the answer: 0 done and verified, 10 done but not verified, 1 could not, 3 no such account,
75 try again later; every other one is the operator's to look into.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime
from typing import IO, Any

import msgspec

from outwarden.responses.accounts.connector import (
    Answer,
    Before,
    Deed,
    Found,
    OperatorFault,
    Outcome,
    TemporaryFault,
    not_set_up,
    seen_in,
)
from outwarden.responses.accounts.program_settings import ProgramSettings
from outwarden.responses.accounts.secret import Secret
from outwarden.responses.steps import found as found_program
from outwarden.responses.subjects import MalformedSubject
from outwarden.responses.subjects import account as judged_account

END_SESSIONS = "end-sessions"
"""A deed beside those of ``Deed``: it is no matter of passwords."""
_MOST_BYTES = 65_536
_DONE, _COULD_NOT, _NO_ACCOUNT, _NOT_VERIFIED, _LATER = 0, 1, 3, 10, 75
_LOOK_SECONDS = 0.05
_NOBODY = "nobody@outwarden.invalid"


class _Answered(msgspec.Struct, frozen=True):
    """What ``find`` prints."""

    locked: bool | None = None
    changed_at: datetime | None = None
    contacts: tuple[str, ...] = ()
    app_passwords: int | None = None
    before: dict[str, Any] = {}
    cannot_undo: str = ""


class AccountProgram:
    """An ``AccountBackEnd`` and a ``SessionPlace``; raises ``OperatorFault`` for a command that cannot be right."""

    def __init__(self, name: str, settings: ProgramSettings) -> None:
        arguments = settings.command[1:]
        if not any("{account}" in each for each in arguments) or not any("{deed}" in each for each in arguments):
            raise OperatorFault(f"{name}: command must have {{account}} and {{deed}} among its arguments")
        try:
            self.abilities = frozenset(Deed(each) for each in settings.deeds if each != END_SESSIONS)
        except ValueError as fault:
            raise OperatorFault(f"{name}: deeds: {fault}; known are {', '.join(Deed)}, {END_SESSIONS}") from None
        self.ends_sessions = END_SESSIONS in settings.deeds
        self.name = name
        self._settings = settings

    def check(self) -> None:
        """Let it look for nobody."""
        if self.find(_NOBODY) is not None:
            raise OperatorFault(f"{self.name}: it finds {_NOBODY}; exit with {_NO_ACCOUNT} where there is no account")

    def find(self, account: str) -> Found | None:
        """Return what it prints about the account."""
        code, out, words = self._run("find", account)
        if code == _NO_ACCOUNT:
            return None
        if code != _DONE:
            raise self._fault("find", code, words)
        try:
            answered = msgspec.json.decode(out or b"{}", type=_Answered)
        except msgspec.DecodeError as fault:
            raise OperatorFault(f"{self.name}: find printed no JSON as it should be: {fault}") from None
        return Found(
            Before(answered.before),
            answered.locked,
            answered.changed_at,
            answered.contacts,
            answered.app_passwords,
            answered.cannot_undo,
        )

    def lock(self, account: str) -> Outcome:
        """Have it lock the account."""
        return self._do(account, Deed.LOCK)

    def unlock(self, account: str) -> Outcome:
        """Have it unlock the account."""
        return self._do(account, Deed.UNLOCK)

    def set_password(self, account: str, secret: Secret) -> Outcome:
        """Hand it the new password on its standard input."""
        return self._do(account, Deed.SET_PASSWORD, secret)

    def revoke_app_passwords(self, account: str) -> Outcome:
        """Have it end the app passwords."""
        return self._do(account, Deed.REVOKE_APP_PASSWORDS)

    def verify(self, account: str, deed: Deed, secret: Secret | None = None) -> Outcome:
        """Have it look: ``find`` knows about locks and app passwords, and for a password only it could know."""
        del secret
        found = self.find(account)
        if found is None:
            return Outcome(Answer.COULD_NOT, f"{self.name}: no account {account}")
        holds = seen_in(found, deed)
        if holds is None:
            return Outcome(Answer.UNKNOWN, f"{self.name}: whether {deed} holds, its program does not say")
        return Outcome(
            Answer.DONE if holds else Answer.COULD_NOT, f"{self.name}: {deed} {'holds' if holds else 'does not hold'}"
        )

    def restore(self, account: str, before: Before) -> Outcome:
        """Hand it back what its ``find`` printed as ``before``."""
        code, _, words = self._run("restore", account, msgspec.json.encode(before.kept))
        return self._outcome("restore", account, code, words)

    def end_sessions(self, account: str) -> Outcome:
        """Have it end what is open of the account."""
        code, _, words = self._run(END_SESSIONS, account)
        return self._outcome(END_SESSIONS, account, code, words)

    def forget_logins(self, account: str) -> None:
        """Nothing: whether a program's server remembers logins, the program knows."""

    def _do(self, account: str, deed: Deed, secret: Secret | None = None) -> Outcome:
        if deed not in self.abilities:
            return not_set_up(self.name, deed)
        code, _, words = self._run(deed, account, b"" if secret is None else secret.reveal().encode() + b"\n", secret)
        return self._outcome(deed, account, code, words)

    def _outcome(self, deed: str, account: str, code: int, words: str) -> Outcome:
        said = f": {words}" if words else ""
        if code == _DONE:
            return Outcome(Answer.DONE, f"{self.name}: {deed}, and its program has verified it{said}")
        if code == _NOT_VERIFIED:
            return Outcome(Answer.UNKNOWN, f"{self.name}: {deed} is done, and not verified{said}")
        if code == _NO_ACCOUNT:
            return Outcome(Answer.COULD_NOT, f"{self.name}: no account {account}")
        if code == _COULD_NOT:
            return Outcome(Answer.COULD_NOT, f"{self.name}: {deed} could not be done{said}")
        raise self._fault(deed, code, words)

    def _fault(self, deed: str, code: int, words: str) -> TemporaryFault | OperatorFault:
        kind = TemporaryFault if code == _LATER else OperatorFault
        ended = f"was ended by signal {-code}" if code < 0 else f"exited with {code}"
        return kind(f"{self.name}: {deed}: its program {ended}" + (f": {words}" if words else ""))

    def _run(self, deed: str, account: str, given: bytes = b"", secret: Secret | None = None) -> tuple[int, bytes, str]:
        """Return the exit code, what it printed, and its last line of complaint without the secret."""
        try:
            judged_account(account)
        except MalformedSubject as fault:
            raise OperatorFault(f"{self.name}: {fault}") from None
        program, *arguments = (
            # In one pass: an account that is itself called {deed} stays what it is.
            each.replace("{deed}", deed).replace("{account}", account)
            for each in self._settings.command
        )
        with ExitStack() as open_ones:
            stdin, out, complaints = (open_ones.enter_context(_in_memory()) for _ in range(3))
            stdin.write(given)
            stdin.seek(0)  # Which writes it out, too.
            code = self._wait([found_program(program), *arguments], stdin, (out, complaints))
            out.seek(0)
            complaints.seek(0)
            printed = out.read(_MOST_BYTES + 1)
            lines = complaints.read(_MOST_BYTES).decode(errors="replace").strip().splitlines()
        if len(printed) > _MOST_BYTES:
            raise OperatorFault(f"{self.name}: its program printed more than {_MOST_BYTES} bytes")
        words = lines[-1][:300] if lines else ""
        return code, printed, words if secret is None else words.replace(secret.reveal(), "<secret>")

    def _wait(self, arguments: list[str], stdin: IO[bytes], outputs: tuple[IO[bytes], IO[bytes]]) -> int:
        try:
            program = subprocess.Popen(  # noqa: S603 (a list of arguments, no shell)
                arguments,
                stdin=stdin,
                stdout=outputs[0],
                stderr=outputs[1],
                start_new_session=True,
                env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8"},
            )
        except OSError as fault:
            raise OperatorFault(f"{self.name}: {arguments[0]}: {fault.strerror}") from None
        ends_at = time.monotonic() + self._settings.seconds
        while program.poll() is None:
            spoke = max(os.fstat(output.fileno()).st_size for output in outputs)
            if spoke <= _MOST_BYTES and time.monotonic() < ends_at:
                with suppress(subprocess.TimeoutExpired):
                    program.wait(_LOOK_SECONDS)
                continue
            os.killpg(program.pid, signal.SIGKILL)
            program.wait()
            if spoke > _MOST_BYTES:
                raise OperatorFault(f"{self.name}: its program printed more than {_MOST_BYTES} bytes, and was ended")
            raise TemporaryFault(f"{self.name}: no end after {self._settings.seconds:g} seconds")
        return program.returncode


@contextmanager
def _in_memory() -> Iterator[IO[bytes]]:
    """Yield a file that never lies on a disk, as passwords and their hashes pass through it."""
    with os.fdopen(os.memfd_create("outwarden", os.MFD_CLOEXEC), "w+b") as file:
        yield file
