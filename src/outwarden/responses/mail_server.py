"""What a mail server must be able to do for us, whichever it is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, Protocol

from outwarden.responses.steps import Step


class Queued(NamedTuple):
    """One message of a queue: ``login`` is who handed it in, where the mail server still knows.

    ``recipients`` may be the first ones alone; ``more_recipients`` are not named, and counted only by ``on_hold``.
    """

    queue_id: str
    on_hold: bool
    size: int
    sender: str
    login: str | None
    recipients: tuple[str, ...]
    more_recipients: int = 0
    arrived_at: datetime | None = None

    @property
    def account(self) -> str:
        """Whose it is, in lower case: its login where there is one, else its envelope sender."""
        return (self.sender if self.login is None else self.login).lower()

    def is_of(self, account: str) -> bool:
        """Return whether it is an account's: by its login where there is one, else by its envelope sender."""
        return self.account == account


@dataclass(frozen=True, slots=True)
class Pauses:
    """Everything that is to be paused, and what of ours there is to take away first.

    ``accounts`` gives each the number of its response, for the log.  ``undo`` is what ``undo_of_pause`` said when the
    whole server was paused, also where that pause is the one that ends.
    """

    whole_server: bool = False
    accounts: Mapping[str, int] = field(default_factory=dict)
    destinations: tuple[str, ...] = ()
    undo: Mapping[str, Sequence[str]] = field(default_factory=dict)


class MailServer(Protocol):
    """One mail server of this machine."""

    @property
    def name(self) -> str:
        """What it is called."""

    def undo_of_pause(self) -> Mapping[str, Sequence[str]]:
        """Return what a pause of the whole server will have to be undone by."""

    def steps(self, wanted: Pauses, flush: bool) -> list[Step]:
        """Return what brings the server from any state to this one; ``flush``: and delivers what waited."""

    def apply(self, wanted: Pauses, flush: bool) -> list[str]:
        """Take the steps and verify; returns what there is to say.  Raises ``CouldNotAct``."""

    def goes_on_from_before(self, moment: datetime) -> bool:
        """Return whether a session that began before a moment is still open, and so goes by the settings of then."""

    def queued(self, account: str | None = None) -> list[Queued]:
        """Return what waits, or at least what may be of an account.  Raises ``CouldNotAct``."""

    def on_hold(self, known: Mapping[str, Queued]) -> dict[str, Queued]:
        """Return what is on hold, by queue ID; what is ``known`` from an earlier look is not looked into again.

        Raises ``CouldNotAct``.
        """

    def hold(self, queue_ids: Sequence[str]) -> list[Step]:
        """Return the steps that put messages on hold."""

    def release(self, queue_ids: Sequence[str], flush: bool) -> list[Step]:
        """Return the steps that give messages back to delivery; ``flush``: at once."""

    def delete(self, queue_ids: Sequence[str]) -> list[Step]:
        """Return the steps that delete messages for good."""

    def message(self, queue_id: str) -> bytes:
        """Return a message with its envelope, as the server's own tool shows it.  Raises ``CouldNotAct``."""
