"""The seam between a case that asks and whoever carries it out.

The desk writes a request down, then has it carried out in the thread that acts; a request whose answer was not written
down, as the machine went down, is carried out again.  So every responder can be asked twice for the same request and
does it once.
"""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

import msgspec

from outwarden.cases.case import Case
from outwarden.cases.response_requests import Answer, ResponseName, ResponseRequest


class Verified(msgspec.Struct, frozen=True):
    """One line of the checklist: what was to be done, and whether it was seen to hold (None: nobody could look)."""

    deed: str
    holds: bool | None
    words: str


class CarriedOut(msgspec.Struct, frozen=True):
    """What became of a request, in words, and its checklist; ``WAITING`` says that a person or time is needed."""

    answer: Answer
    words: str
    checklist: tuple[Verified, ...] = ()


class Responder(Protocol):
    """Carries out some of the responses that a playbook may ask for.

    Its methods wait for programs and servers, up to a minute.  They may raise ``CouldNotAct``, for what is tried again
    later, and ``NotAllowed``, for what a person has to change first.
    """

    @property
    def responses(self) -> frozenset[ResponseName]:
        """What it was set up for."""

    def carry_out(self, request: ResponseRequest, case: Case, now: datetime) -> CarriedOut:
        """Do it, or find that it is done; the same request any number of times."""

    def undo(self, request: ResponseRequest, case: Case, now: datetime) -> CarriedOut:
        """Bring it back to how it was before; ``FAILED`` says what does not come back."""

    def dry_run(self, request: ResponseRequest, case: Case) -> tuple[str, ...]:
        """Say, line by line, what would be done; nothing is changed."""
