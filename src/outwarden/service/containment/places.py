"""The places that a site has set up: where passwords are kept, where people are logged in, where rules lie."""

from __future__ import annotations

from typing import NamedTuple

from outwarden.responses.accounts.connector import AccountBackEnd, LeftoverPlace
from outwarden.responses.accounts.session_place import SessionPlace
from outwarden.responses.accounts.sessions import DovecotSessions


class Places(NamedTuple):
    """``dovecot`` is the one among ``sessions`` that can be asked whether it lets somebody in; None for none."""

    accounts: tuple[AccountBackEnd, ...] = ()
    sessions: tuple[SessionPlace, ...] = ()
    leftovers: tuple[LeftoverPlace, ...] = ()
    dovecot: DovecotSessions | None = None

    def account_place(self, name: str) -> AccountBackEnd | None:
        """Return the back end of a name."""
        return next((each for each in self.accounts if each.name == name), None)

    def leftover_place(self, name: str) -> LeftoverPlace | None:
        """Return the place of a name where rules lie."""
        return next((each for each in self.leftovers if each.name == name), None)
