"""A journal of invented accounts, and decisions about them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from outwarden.events import AccountCause, Action, Decision, Finding
from outwarden.service.automatic import automatic
from outwarden.service.automatic.automatic import Begun
from outwarden.service.automatic.book import Book
from outwarden.service.settings import ActingSettings
from outwarden.store.store import Store

NOW = datetime(2026, 11, 25, 3, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
ROSA = "rosa@isp.example"
JAN = "jan@isp.example"

T = TypeVar("T")


def decided(action: Action, account: str = ROSA, cause: AccountCause | None = AccountCause.STOLEN_PASSWORD) -> Decision:
    findings = (
        Finding("network", 4.0, "used from 2 networks new to it within a day", NOW, ("4C9D2E1A",)),
        Finding("unknown-recipients", 3.2, "6 of 40 recipients unknown", NOW),
    )
    return Decision(account, action, NOW, 7.2, findings, cause, ("used from 2 networks new to it within a day",))


class Journal:
    """A store and its book; ``restart`` closes the one and loads the other anew."""

    def __init__(self, path: Path, **settings: Any) -> None:  # noqa: ANN401
        self.path, self.now = path, NOW
        self.settings = ActingSettings(**{"hold": "act", "block": "act", **settings})
        self.store = Store(path)
        self.book = Book.load(self.store)

    def restart(self, **settings: Any) -> None:  # noqa: ANN401
        self.store.close()
        if settings:
            self.settings = ActingSettings(**{"hold": "act", "block": "act", **settings})
        self.store = Store(self.path)
        self.book = Book.load(self.store)

    def later(self, step: timedelta) -> Journal:
        self.now += step
        return self

    def begin(self, action: Action, account: str = ROSA) -> Begun:
        return automatic.begin(self.store, self.book, self.settings, decided(action, account), self.now)

    def alarms(self) -> list[str]:
        return [alarm.line for alarm in self.store.alarms.waiting()]

    def said(self, book: Book | None = None) -> tuple[object, ...]:
        """All that a book says."""
        book = self.book if book is None else book
        return (
            book.all_standing(),
            {each.account: each for each in (*book.held(), *book.blocked())},
            book.waiting(),
            book.recent(NOW - HOUR),
            book.unfinished(),
        )
