"""The tape: the messages of the past in the order of their submission, each with what became of it.

What a remote answered is kept as *how long after* the message left: a message that is held back on the replay
leaves later, and is answered as much later.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from outwarden.detection.client_networks import is_own
from outwarden.events import AccountKind, Outcome, RefusalClass, Submitted

MOST_RECIPIENTS = 100_000
"""No message has more recipients than this, whatever an event claims."""


class Answer(msgspec.Struct, frozen=True, gc=False):
    """The first final answer for one recipient, so many seconds after the message was handed in."""

    after_seconds: float
    outcome: Outcome
    refusal_class: RefusalClass | None = None
    status: str | None = None
    listing: str | None = None
    outbound: bool = True


class Message(msgspec.Struct, frozen=True):
    """One message of an account of ours.

    ``submitted`` has the addresses of its recipients, from its attempts where it did not have them itself;
    ``answers`` has one entry for each address, None where no final answer is known.  ``unnamed`` recipients were
    counted but are known by no address.  ``complaints`` are so many seconds after submission.
    """

    submitted: Submitted
    answers: tuple[Answer | None, ...]
    unnamed: int = 0
    complaints: tuple[float, ...] = ()

    @property
    def recipients(self) -> int:
        """How many recipients it has, named or not."""
        return len(self.answers) + self.unnamed


class Joined(msgspec.Struct):
    """What the events were, and what could not be joined.

    ``strangers`` are messages that came in from outside.  ``by_sender`` were answered under another queue ID than
    they were handed in under (a content filter gave them back) and were found by account, sender and order.
    ``attempts_alone`` belong to no message that is known, ``attempts_elsewhere`` to recipients that a message did
    not name, ``complaints_alone`` to no message that can be told.  ``unanswered`` recipients have no final answer.
    ``closed_early`` messages were given up as too old or too many, ``out_of_time`` events are of no year of mail.
    """

    events: int = 0
    messages: int = 0
    recipients: int = 0
    strangers: int = 0
    by_sender: int = 0
    attempts_alone: int = 0
    attempts_elsewhere: int = 0
    complaints_alone: int = 0
    unanswered: int = 0
    closed_early: int = 0
    out_of_time: int = 0


class Tape(msgspec.Struct, frozen=True):
    """Messages in the order in which they were handed in, and how they were joined."""

    messages: tuple[Message, ...]
    joined: Joined

    @property
    def from_at(self) -> datetime:
        """When the first message was handed in."""
        return self.messages[0].submitted.at

    @property
    def to_at(self) -> datetime:
        """When the last message was handed in."""
        return self.messages[-1].submitted.at


def is_ours(event: Submitted) -> bool:
    """Say whether an account of ours handed the message in.

    That is a login, a local program, or an application server on loopback or a private network; a bare address
    from anywhere else is a stranger's, whose mail came in.
    """
    if event.kind is AccountKind.LOGIN or event.kind is AccountKind.LOCAL:
        return bool(event.account)
    return event.kind is AccountKind.ADDRESS and bool(event.account) and is_own(event.client_address)
