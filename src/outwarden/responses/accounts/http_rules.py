"""The forwards and rules of accounts behind an HTTP interface: listed, switched off and on again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Protocol

from outwarden.responses.accounts.connector import Answer, Before, Leftover, Outcome
from outwarden.responses.accounts.http_answers import moment_or_none
from outwarden.responses.accounts.http_exchange import Reply, pointed
from outwarden.responses.accounts.http_settings import ListRequest, Request


class Interface(Protocol):
    """What the accounts of an interface lend to their rules."""

    def listed(self, request: ListRequest, account: str) -> Iterator[tuple[str, Any]]:
        """Yield what works of a list."""

    def ask(self, request: Request, account: str, more: Mapping[str, str] | None = None) -> Reply:
        """Send a request."""

    def refused(self, request: Request, reply: Reply) -> str:
        """Return why an answer is not a good one; empty where it is."""


class HttpRules:
    """A ``LeftoverPlace``."""

    def __init__(
        self, name: str, accounts: Interface, rules: ListRequest, disable: Request | None, enable: Request | None
    ) -> None:
        self.name, self._accounts, self._list = name, accounts, rules
        self._disable, self._enable = disable, enable

    def leftovers(self, account: str, since: datetime) -> list[Leftover]:
        """List what works, but for what certainly was there before."""
        found = []
        for key, row in self._accounts.listed(self._list, account):
            changed_at = moment_or_none(pointed(row, self._list.changed_at)) if self._list.changed_at else None
            if changed_at is None or changed_at >= since:
                shown = ", ".join(str(pointed(row, each)) for each in self._list.words if pointed(row, each))
                words = f"rule {key}" + (f": {shown[:300]}" if shown else "")
                found.append(Leftover("rule", key, words, changed_at, active=True, before=Before({"item": key})))
        return found

    def disable(self, account: str, leftover: Leftover) -> Outcome:
        """Ask for it, then list the rules again."""
        return self._switched(account, leftover, self._disable, wanted=False)

    def enable(self, account: str, leftover: Leftover) -> Outcome:
        """Ask for it, then list the rules again."""
        return self._switched(account, leftover, self._enable, wanted=True)

    def _switched(self, account: str, leftover: Leftover, request: Request | None, *, wanted: bool) -> Outcome:
        done = "enable" if wanted else "disable"
        if request is None:
            return Outcome(Answer.COULD_NOT, f"{self.name}: no {done}_rule is declared; do it there")
        if self._works(account, leftover) is not wanted:
            reply = self._accounts.ask(request, account, {"item": leftover.key})
            if fault := self._accounts.refused(request, reply):
                return Outcome(Answer.COULD_NOT, f"{self.name}: {fault}")
        holds = self._works(account, leftover) is wanted
        words = f"{self.name}: rule {leftover.key} {'works' if wanted is holds else 'does not work'}"
        return Outcome(Answer.DONE if holds else Answer.COULD_NOT, words)

    def _works(self, account: str, leftover: Leftover) -> bool:
        return any(key == leftover.key for key, _ in self._accounts.listed(self._list, account))
