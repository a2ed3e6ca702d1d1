"""What mail server and filter agree on when a connection begins.

The server offers; what the filter wants and was not offered it does without.  So every step is answered for
which the server has not promised to expect no answer.
"""

from enum import IntFlag
from functools import lru_cache

import msgspec

from outwarden.filter.milter.frames import Command, MalformedMilter, frame

VERSION = 6
_OLDEST = 2
OFFER_BYTES = 12
"""What an offer consists of; what may follow means nothing."""


class Action(IntFlag):
    """What the filter may ask for (SMFIF)."""

    ADD_HEADERS = 1 << 0
    CHANGE_BODY = 1 << 1
    ADD_RECIPIENTS = 1 << 2
    DELETE_RECIPIENTS = 1 << 3
    CHANGE_HEADERS = 1 << 4
    QUARANTINE = 1 << 5
    CHANGE_SENDER = 1 << 6
    ADD_RECIPIENTS_WITH_PARAMETERS = 1 << 7
    SET_MACROS = 1 << 8


class Step(IntFlag):
    """Steps that are left out or not answered, and the like (SMFIP)."""

    NO_CONNECT = 1 << 0
    NO_HELO = 1 << 1
    NO_MAIL = 1 << 2
    NO_RECIPIENT = 1 << 3
    NO_BODY = 1 << 4
    NO_HEADERS = 1 << 5
    NO_END_OF_HEADERS = 1 << 6
    NO_ANSWER_TO_HEADER = 1 << 7
    NO_UNKNOWN = 1 << 8
    NO_DATA = 1 << 9
    SKIP = 1 << 10
    REJECTED_RECIPIENTS = 1 << 11
    NO_ANSWER_TO_CONNECT = 1 << 12
    NO_ANSWER_TO_HELO = 1 << 13
    NO_ANSWER_TO_MAIL = 1 << 14
    NO_ANSWER_TO_RECIPIENT = 1 << 15
    NO_ANSWER_TO_DATA = 1 << 16
    NO_ANSWER_TO_UNKNOWN = 1 << 17
    NO_ANSWER_TO_END_OF_HEADERS = 1 << 18
    NO_ANSWER_TO_BODY = 1 << 19
    LEADING_SPACE = 1 << 20


UNANSWERED = {
    int(Command.CONNECT): Step.NO_ANSWER_TO_CONNECT,
    int(Command.HELO): Step.NO_ANSWER_TO_HELO,
    int(Command.RECIPIENT): Step.NO_ANSWER_TO_RECIPIENT,
    int(Command.DATA): Step.NO_ANSWER_TO_DATA,
    int(Command.UNKNOWN): Step.NO_ANSWER_TO_UNKNOWN,
    int(Command.HEADER): Step.NO_ANSWER_TO_HEADER,
    int(Command.END_OF_HEADERS): Step.NO_ANSWER_TO_END_OF_HEADERS,
    int(Command.BODY): Step.NO_ANSWER_TO_BODY,
}
"""Commands about which nothing is decided, and what must be granted for one to stay unanswered."""

WANTED_ACTIONS = Action.ADD_HEADERS | Action.CHANGE_HEADERS | Action.QUARANTINE | Action.SET_MACROS

# The end of the headers shows by itself, and of DATA and of unknown commands there is nothing to learn.
_NOT_SENT = Step.NO_UNKNOWN | Step.NO_DATA | Step.NO_END_OF_HEADERS
WANTED_STEPS = _NOT_SENT | Step.LEADING_SPACE
for _step in UNANSWERED.values():
    WANTED_STEPS |= _step

# Whoever runs the mail server may have chosen other macros for its other filters.
# The numbers of the stages are libmilter's: connection, envelope sender, end of message.
MACROS = {0: "j {daemon_name}", 2: "{auth_authen} {auth_type}", 5: "i"}


class Agreement(msgspec.Struct, frozen=True):
    """What was agreed on: ``answered`` are the commands that get an answer though nothing is decided about them."""

    version: int
    actions: Action
    steps: Step
    answered: frozenset[int]


# Servers offer the same each time.
@lru_cache(maxsize=64)
def agree(offer: bytes, *, senders_answered: bool = True) -> Agreement:
    """Return what to agree on; ``senders_answered``: the server is to wait for an answer to each envelope sender.

    Raises ``MalformedMilter`` for an offer that is none, or from before version 2.
    """
    if len(offer) < OFFER_BYTES:
        raise MalformedMilter("an offer that is too short")
    version, actions, steps = (int.from_bytes(offer[at : at + 4], "big") for at in range(0, OFFER_BYTES, 4))
    if version < _OLDEST:
        raise MalformedMilter(f"version {version} of the protocol, which nobody speaks")
    wanted = WANTED_STEPS if senders_answered else WANTED_STEPS | Step.NO_ANSWER_TO_MAIL
    granted = wanted & Step(steps)
    answered = frozenset(command for command, step in UNANSWERED.items() if step not in granted)
    return Agreement(min(version, VERSION), WANTED_ACTIONS & Action(actions), granted, answered)


@lru_cache(maxsize=64)
def negotiated(agreement: Agreement) -> bytes:
    """Return the answer that says what was agreed on, and which macros are wanted where that may be said."""
    numbers = (agreement.version, agreement.actions, agreement.steps)
    content = b"".join(number.to_bytes(4, "big") for number in numbers)
    if Action.SET_MACROS in agreement.actions:
        content += b"".join(stage.to_bytes(4, "big") + f"{names}\0".encode() for stage, names in MACROS.items())
    return frame(Command.NEGOTIATE, content)
