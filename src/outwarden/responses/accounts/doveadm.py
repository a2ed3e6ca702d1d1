"""Dovecot's own command: run for one account, with its answers told apart.

An account is handed over as a *mask* by some of its verbs and as an address by others, so what Dovecot would read as
either is refused: ``*`` would end everybody's sessions.
"""

from __future__ import annotations

import subprocess
from ipaddress import ip_network
from pathlib import Path
from typing import NamedTuple

from outwarden.responses.accounts.connector import OperatorFault, TemporaryFault
from outwarden.responses.steps import found, is_here
from outwarden.responses.subjects import MalformedSubject
from outwarden.responses.subjects import account as judged_account

NO_ACCOUNT, NOTHING_FOUND, LATER, NOT_LET_IN = 67, 68, 75, 77
"""Exit codes of doveadm, after sysexits(3)."""
_SECONDS = 30.0


class Said(NamedTuple):
    """What it answered: exit code and standard output."""

    code: int
    out: str


class Doveadm:
    """The command with one instance's settings; ``config`` None is Dovecot's own default."""

    def __init__(self, config: Path | None = None) -> None:
        self._settings = ("-c", str(config)) if config else ()

    @staticmethod
    def installed() -> bool:
        """Return whether there is a Dovecot here."""
        return is_here("doveadm")

    def has(self, verb: str) -> bool:
        """Return whether it knows a verb; some come with packages of their own."""
        try:
            done = subprocess.run(  # noqa: S603 (a list of arguments, no shell)
                [found("doveadm"), verb], capture_output=True, timeout=_SECONDS, check=False
            )
        except (OSError, subprocess.TimeoutExpired):
            return False
        # Of a verb that it does not know it prints the usage of them all.
        return f" {verb} <command>".encode() in done.stdout + done.stderr

    def ask(self, *arguments: str, given: str = "", codes: tuple[int, ...] = (0,)) -> Said:
        """Run it; any exit code but these raises ``TemporaryFault`` or ``OperatorFault``."""
        verb = " ".join(each for each in arguments[:4] if not each.startswith("-"))
        try:
            done = subprocess.run(  # noqa: S603 (a list of arguments, no shell)
                [found("doveadm"), *self._settings, *arguments],
                input=given.encode(),
                capture_output=True,
                timeout=_SECONDS,
                check=False,
            )
        except OSError as fault:
            raise OperatorFault(f"dovecot: doveadm: {fault.strerror}") from None
        except subprocess.TimeoutExpired:
            raise TemporaryFault(f"dovecot: doveadm {verb}: no end after {_SECONDS:.0f} seconds") from None
        complaint = done.stderr.decode(errors="replace").strip()
        words = complaint.splitlines()[-1][:300] if complaint else f"exit code {done.returncode}"
        if "reading configuration" in complaint or "Unknown command" in complaint:
            raise OperatorFault(f"dovecot: {words}")
        # `auth cache flush` ends with 0 also where it reached nobody.
        if done.returncode == LATER or "connect(" in complaint:
            raise TemporaryFault(f"dovecot: {words}")
        if done.returncode not in codes:
            raise OperatorFault(f"dovecot: doveadm {verb}: {words}")
        return Said(done.returncode, done.stdout.decode(errors="replace"))

    def home(self, account: str) -> Path | None:
        """Return the account's home as the user database has it; None where there is no account, or no home."""
        said = self.ask("user", "-f", "home", masked(account), codes=(0, NO_ACCOUNT))
        home = said.out.strip()
        return Path(home) if said.code == 0 and home.startswith("/") else None


def masked(account: str) -> str:
    """Return an account that Dovecot reads as that one and no other.  Raises ``OperatorFault``."""
    try:
        judged_account(account)
    except MalformedSubject as fault:
        raise OperatorFault(f"dovecot: {fault}") from None
    if {"*", "?"} & set(account) or _is_address(account):
        raise OperatorFault(f"dovecot: {account[:60]!r} would be read as a mask or an address; do it by hand")
    return account


def _is_address(text: str) -> bool:
    if text.isdigit():
        return True
    try:
        ip_network(text, strict=False)
    except ValueError:
        return False
    return True
