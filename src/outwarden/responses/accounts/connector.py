"""What a place that holds passwords must be able to do for us, whichever it is.

A deed is done and then verified; its outcome is one of three: done, could not, unknown.  Each can be done again without
harm.  What undoing needs is read by ``find`` before anything changes, and must be kept before anything changes: after a
crash half way, a second look would find our own lock and take it for the site's.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

import msgspec

from outwarden.responses.accounts.secret import Secret


class TemporaryFault(Exception):
    """It cannot be asked just now; the caller tries again, a limited number of times.  One line says why."""


class OperatorFault(Exception):
    """It will not work until a person changes a setting, a right or a table; one line says which."""


class Answer(StrEnum):
    """How a deed ended."""

    DONE = "done"
    COULD_NOT = "could-not"
    UNKNOWN = "unknown"


class Deed(StrEnum):
    """What can be done to an account."""

    LOCK = "lock"
    UNLOCK = "unlock"
    SET_PASSWORD = "set-password"  # noqa: S105 (a name)
    REVOKE_APP_PASSWORDS = "revoke-app-passwords"


class Outcome(msgspec.Struct, frozen=True):
    """How it ended, and in a line what was verified or why not."""

    answer: Answer
    words: str


class Before(msgspec.Struct, frozen=True):
    """How an account was before: what ``restore`` needs, in the back end's own words.

    Hashes of passwords are in it.  Whoever stores it keeps it as secrets are kept, and drops it when the undo expires;
    nothing shows it.
    """

    kept: dict[str, Any]

    def __repr__(self) -> str:
        return f"Before({', '.join(sorted(self.kept))})"


class Found(msgspec.Struct, frozen=True):
    """An account as its back end knows it; None is "it does not say".

    ``contacts`` are other ways to reach the owner; ``cannot_undo`` says what ``restore`` will not bring back.
    """

    before: Before
    locked: bool | None = None
    changed_at: datetime | None = None
    contacts: tuple[str, ...] = ()
    app_passwords: int | None = None
    cannot_undo: str = ""


class AccountBackEnd(Protocol):
    """One place that holds passwords.  Every method may raise ``TemporaryFault`` and ``OperatorFault``."""

    @property
    def name(self) -> str:
        """What the site calls it."""

    @property
    def abilities(self) -> frozenset[Deed]:
        """What it was set up for; the rest is answered with ``COULD_NOT``."""

    def check(self) -> None:
        """Ask it, and change nothing: can it be reached, do the settings fit it?"""

    def find(self, account: str) -> Found | None:
        """Return the account, None where this back end has no such one."""

    def lock(self, account: str) -> Outcome:
        """Let nobody log in as it any more."""

    def unlock(self, account: str) -> Outcome:
        """Let it log in again."""

    def set_password(self, account: str, secret: Secret) -> Outcome:
        """Give it this password and no other; whether it is locked stays as it is."""

    def revoke_app_passwords(self, account: str) -> Outcome:
        """End every further password that it has for single programs."""

    def verify(self, account: str, deed: Deed, secret: Secret | None = None) -> Outcome:
        """Look whether a deed holds; ``secret`` is the one that was set."""

    def restore(self, account: str, before: Before) -> Outcome:
        """Bring it back to how it was, password, lock and app passwords; from any state between."""


class Leftover(msgspec.Struct, frozen=True):
    """Something that forwards, sorts or hides an account's mail, and may be an intruder's.

    ``key`` names it to whoever found it.  ``active`` is False for what does nothing at present.
    """

    kind: str
    key: str
    words: str
    changed_at: datetime | None
    active: bool
    before: Before


class LeftoverPlace(Protocol):
    """Where such things lie.  Every method may raise ``TemporaryFault`` and ``OperatorFault``."""

    @property
    def name(self) -> str:
        """What it is called."""

    def leftovers(self, account: str, since: datetime) -> list[Leftover]:
        """Return what is there, unless it certainly was there before ``since``."""

    def disable(self, account: str, leftover: Leftover) -> Outcome:
        """Make it do nothing, and keep it."""

    def enable(self, account: str, leftover: Leftover) -> Outcome:
        """Make it do what it did."""


def seen_in(found: Found, deed: Deed) -> bool | None:
    """Return whether a deed holds by what was found of the account; None where that does not say."""
    if deed in {Deed.LOCK, Deed.UNLOCK} and found.locked is not None:
        return found.locked is (deed is Deed.LOCK)
    if deed is Deed.REVOKE_APP_PASSWORDS and found.app_passwords is not None:
        return found.app_passwords == 0
    return None


def not_set_up(name: str, deed: Deed) -> Outcome:
    """Return what a back end answers to a deed that it has no settings for."""
    return Outcome(Answer.COULD_NOT, f"{name}: not set up for {deed}")
