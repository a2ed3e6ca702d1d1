"""Sessions in Dovecot: ended with ``doveadm kick``, then looked for with ``doveadm who`` until none is left.

A password that is changed ends no session, and Dovecot may remember for an hour that the old one was right
(``auth_cache_ttl``); so both are taken away, the memory first: else the thief's program, thrown out, is let in again.

Not covered:

- SMTP sessions of Postfix, which asked Dovecot once: the gate refuses what they hand in;
- several Dovecot servers behind a director or proxy: only those of this machine are seen;
- a session whose process serves many people (``client_limit`` above 1) is ended only when all of them are kicked, so it
  is counted as left.
"""

from __future__ import annotations

import time
from pathlib import Path

from outwarden.responses.accounts.connector import Answer, Outcome
from outwarden.responses.accounts.doveadm import NOT_LET_IN, NOTHING_FOUND, Doveadm, masked
from outwarden.responses.accounts.secret import Secret

_LEAVE_SECONDS = 10.0
_LOOK_SECONDS = 0.1


class DovecotSessions:
    """A ``SessionPlace``."""

    name = "dovecot"

    def __init__(self, config: Path | None = None) -> None:
        """``config`` is Dovecot's file of settings, None for its default."""
        self._doveadm = Doveadm(config)

    def open_sessions(self, account: str) -> list[str]:
        """Return the sessions that are open, each as its protocol and the client's address."""
        said = self._doveadm.ask("-f", "tab", "who", "-1", masked(account))
        rows = [line.split("\t") for line in said.out.splitlines()[1:]]
        # Dovecot takes names as masks: only whom we asked about counts.
        return [f"{row[1]} from {row[3]}" for row in rows if len(row) > 3 and row[0].lower() == account.lower()]

    def end_sessions(self, account: str) -> Outcome:
        """Kick until nobody is left, for some seconds: a program that comes back by itself may be just logging in."""
        there = self.open_sessions(account)
        ends_at = time.monotonic() + _LEAVE_SECONDS
        left = there
        while left and time.monotonic() < ends_at:
            self._doveadm.ask("kick", masked(account), codes=(0, NOTHING_FOUND))
            time.sleep(_LOOK_SECONDS)
            left = self.open_sessions(account)
        if left:
            return Outcome(Answer.COULD_NOT, f"dovecot: {len(left)} sessions are open still: {', '.join(left[:5])}")
        ended = f"{len(there)} ended ({', '.join(there[:5])}), " if there else ""
        return Outcome(Answer.DONE, f"dovecot: {ended}no session is open")

    def forget_logins(self, account: str) -> None:
        """Take the account out of the memory of right passwords."""
        self._doveadm.ask("auth", "cache", "flush", masked(account))

    def lets_in(self, account: str, secret: Secret) -> bool:
        """Return whether Dovecot lets the account in with this password, which it gets on its standard input."""
        said = self._doveadm.ask(
            "auth", "test", "-x", "service=imap", masked(account), given=f"{secret.reveal()}\n", codes=(0, NOT_LET_IN)
        )
        return said.code == 0
