"""What a place must be able to do where people are logged in: end what is open, and forget logins that it remembers."""

from __future__ import annotations

from typing import Protocol

from outwarden.responses.accounts.connector import Outcome


class SessionPlace(Protocol):
    """One place that holds sessions: a mail server, a web mail, a service in front.

    Every method may raise ``TemporaryFault`` and ``OperatorFault``.
    """

    @property
    def name(self) -> str:
        """What it is called."""

    def end_sessions(self, account: str) -> Outcome:
        """End every session of the account, and look whether one is left; any number of times."""

    def forget_logins(self, account: str) -> None:
        """Forget that the account's old password was right, where the place remembers such a thing."""
