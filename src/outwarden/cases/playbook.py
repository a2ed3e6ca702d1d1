"""A playbook: what is done in one kind of trouble, as states with steps, and transitions between them.

On entering a state its steps are asked for, once.  A transition leaves it by event, by time, by a person's word or by a
program's: the first that fits, in the order of the file.  Nothing here waits; when the clock is due is worked out.
"""

from __future__ import annotations

import re
from datetime import timedelta
from enum import StrEnum
from functools import cache

import msgspec

from outwarden.cases.case import CaseState, Mark
from outwarden.cases.conditions import Condition
from outwarden.cases.policy import Role
from outwarden.cases.response_requests import ResponseName
from outwarden.cases.troubles import Trouble

BY_HAND = "by-hand"
"""``expires`` of what lasts until a person ends it."""

_SPAN = re.compile(r"([1-9][0-9]{0,3})([mhd])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


class Trigger(StrEnum):
    """Events that may move a case.

    The first four are worked out: evidence that is newer than the stay in the state, and the answers to the state's own
    steps.  The others are told from outside (``happening.Signal``).
    """

    EVIDENCE = "evidence"
    STEPS_DONE = "steps-done"
    STEP_DONE = "step-done"
    STEP_FAILED = "step-failed"
    OWNER_ANSWERED = "owner-answered"
    OWNER_PUT_RIGHT = "owner-put-right"
    NOTICE_BOUNCED = "notice-bounced"
    ACCOUNT_GIVEN_BACK = "account-given-back"
    LISTING_ENDED = "listing-ended"
    QUEUE_NORMAL = "queue-normal"
    TAKEDOWN_ANSWERED = "takedown-answered"


OF_ITS_OWN = frozenset({Trigger.STEPS_DONE, Trigger.STEP_DONE, Trigger.STEP_FAILED})
"""Answers to what the playbook asked itself: a loop of nothing else would turn by itself."""


class Step(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"parameters": "with"}):
    """One response to ask for on entering a state, with its conditions; ``expires`` for what lasts."""

    ask: ResponseName
    expires: str = ""
    parameters: dict[str, str] = {}
    when: tuple[Condition, ...] = ()
    unless: tuple[Condition, ...] = ()
    why: str = ""

    @property
    def lasts_for(self) -> timedelta | None:
        """How long it stays, None where it is over once done or stays until a person ends it."""
        return span_of(self.expires) if self.expires and self.expires != BY_HAND else None


class Transition(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One way out of a state: exactly one of ``on``, ``after``, ``quiet``, ``hand`` and ``api`` is given.

    ``after`` is time since the state was entered, ``quiet`` since that and the last evidence.  ``step`` says whose
    answer ``step-done`` and ``step-failed`` are about, ``who`` the least role that may say ``hand``; ``at_most`` how
    often in a case it is taken.
    """

    to: str
    on: Trigger | None = None
    step: ResponseName | None = None
    after: str = ""
    quiet: str = ""
    hand: str = ""
    api: str = ""
    who: Role = Role.DESK
    when: tuple[Condition, ...] = ()
    unless: tuple[Condition, ...] = ()
    at_most: int | None = None
    mark: Mark | None = None
    why: str = ""

    @property
    def by_clock(self) -> timedelta | None:
        """How long it waits, None where it waits for something else."""
        return span_of(self.after or self.quiet) if self.after or self.quiet else None

    @property
    def label(self) -> str:
        """What it waits for, in words as short as a graph needs."""
        if self.on is not None:
            said = f"{self.on.value} ({self.step.value})" if self.step else self.on.value
        elif self.after:
            said = f"after {self.after}"
        elif self.quiet:
            said = f"quiet for {self.quiet}"
        else:
            said = f"say {self.hand}" if self.hand else f"api {self.api}"
        return said + (f" [{self.who.value}]" if self.hand and self.who is not Role.DESK else "")

    @property
    def guard(self) -> str:
        """Its conditions and limits in words, empty where it has none."""
        parts = [f"if {one.value}" for one in self.when] + [f"unless {one.value}" for one in self.unless]
        return ", ".join(parts + ([f"at most {self.at_most} times"] if self.at_most else []))


class State(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One state: the word for the case in it, what it is for, what is asked, and the ways out."""

    case: CaseState
    about: str
    steps: tuple[Step, ...] = ()
    transitions: tuple[Transition, ...] = ()


class Playbook(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One playbook.  ``everywhere`` are ways out of every state but the closed ones."""

    name: str
    trouble: Trouble
    title: str
    about: str
    begins: str
    states: dict[str, State]
    everywhere: tuple[Transition, ...] = ()

    def ways_out(self, place: str) -> tuple[Transition, ...]:
        """Return the transitions of a state, its own first; none for a place that is no state of this playbook."""
        state = self.states.get(place)
        if state is None or state.case is CaseState.CLOSED:
            return ()
        return (*state.transitions, *(one for one in self.everywhere if one.to != place))

    def first(self, state: CaseState) -> str:
        """Return the first place in which a case has a state; the checker sees to it that there is one."""
        return next(name for name, one in self.states.items() if one.case is state)


@cache
def span_of(text: str) -> timedelta:
    """Return a length of time from ``15m``, ``24h`` or ``7d``.  Raises ``ValueError``."""
    match = _SPAN.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is no length of time; write it as 15m, 24h or 7d")
    return timedelta(**{_UNITS[match[2]]: int(match[1])})
