"""A case: one kind of trouble of one subscriber, from its first evidence to its close.

Its *state* is one of five words that mean the same in every playbook; its *place* is the state of the playbook, which
says where exactly it stands.  A resolved case is still open: it waits for a relapse, and takes it up again.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec
import xxhash

from outwarden.cases.response_requests import Answer, ResponseName
from outwarden.cases.subscriber import Subject, SubjectKind
from outwarden.cases.troubles import Trouble

MOST_SUBJECTS = 200
"""A case names no more subjects than this; what comes on top is in its timeline."""
MOST_EVIDENCE = 1_000
"""Of so many pieces of evidence a case keeps the words; what comes on top is counted, as a flood says nothing new."""


class CaseState(StrEnum):
    """How a case stands, the same words in every playbook."""

    NEW = "new"
    IN_PROGRESS = "in-progress"
    WAITING = "waiting"
    RESOLVED = "resolved"
    CLOSED = "closed"


class Mark(StrEnum):
    """What is to be seen at once.

    *escalating*: it goes on though it was contained, or nobody answers.  *regressed*: it came back after it was
    resolved.  *mistaken*: it was no offence.
    """

    ESCALATING = "escalating"
    REGRESSED = "regressed"
    MISTAKEN = "mistaken"


class Asked(msgspec.Struct, frozen=True):
    """A response that was asked for, and what became of it."""

    request: str
    response: ResponseName
    subject: Subject | None
    place: str
    visit: int
    asked_at: datetime
    answer: Answer = Answer.WAITING
    answered_at: datetime | None = None
    expires_at: datetime | None = None


class Case(msgspec.Struct, frozen=True):
    """One case.  Times are UTC and never run backwards, whatever the clock does.

    ``visits`` counts how often each place was entered and ``taken`` how often each transition was.  ``offence`` is 1
    for the subscriber's first case of a kind that is an offence.  ``resolved_at`` is when it was resolved last;
    ``next_due_at`` when the clock moves it next, None where it waits for something else.  ``version`` counts changes.
    """

    id: str
    subscriber: str
    trouble: Trouble
    playbook: str
    state: CaseState
    place: str
    opened_at: datetime
    entered_at: datetime
    changed_at: datetime
    subjects: tuple[Subject, ...] = ()
    offence: int = 1
    points: float = 0.0
    evidence_count: int = 0
    last_evidence_at: datetime | None = None
    resolved_at: datetime | None = None
    next_due_at: datetime | None = None
    marks: tuple[Mark, ...] = ()
    visits: dict[str, int] = {}
    taken: dict[str, int] = {}
    asked: tuple[Asked, ...] = ()
    assigned_to: str = ""
    version: int = 0

    @property
    def is_open(self) -> bool:
        """Whether evidence is still taken up here."""
        return self.state is not CaseState.CLOSED

    @property
    def visit(self) -> int:
        """The number of the stay in the present place, from 1."""
        return self.visits.get(self.place, 0)

    @property
    def asked_here(self) -> tuple[Asked, ...]:
        """What was asked for in the present stay."""
        return tuple(one for one in self.asked if one.place == self.place and one.visit == self.visit)

    def named(self, kind: SubjectKind) -> tuple[str, ...]:
        """Return the names of the case's subjects of a kind."""
        return tuple(one.name for one in self.subjects if one.kind is kind)


def case_id(subscriber: str, trouble: Trouble, opened_by: str) -> str:
    """Return the id of the case that a happening opens: the same whoever works it out, ``C-`` and 10 letters."""
    number = xxhash.xxh3_64_intdigest("\x1f".join((subscriber, trouble, opened_by)).encode("utf-8", "backslashreplace"))
    letters = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base 32: no letter that is read as another.
    return "C-" + "".join(letters[number >> shift & 31] for shift in range(45, -5, -5))
