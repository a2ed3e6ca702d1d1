"""From files to a tape, and from a tape and policies to what each would have done."""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from outwarden.detection.live import Judge, Policy
from outwarden.detection.replay.joining import Joining
from outwarden.detection.replay.outcome import Difference, Outcome, differences
from outwarden.detection.replay.player import Plan, Watch, learned_until, play
from outwarden.detection.replay.tape import Joined, Tape
from outwarden.service.event_reading import EventReading
from outwarden.service.log_reading import FileRead


class NothingToPlay(Exception):
    """There is no message of an account of ours, or nothing is left of it to judge; one line says so."""


class NamedPolicy(NamedTuple):
    """A policy and the name under which it was asked for."""

    name: str
    policy: Policy


class WhatWasRead(msgspec.Struct, frozen=True):
    """What the tape was made from; ``broken`` says where the first broken event of each file stands."""

    files: tuple[FileRead, ...]
    formats: tuple[str, ...]
    lines: int
    lines_not_understood: int
    broken: tuple[str, ...]
    damage: tuple[str, ...]
    joined: Joined


class Replay(msgspec.Struct, frozen=True):
    """What each policy would have done, and where the first two differ."""

    read: WhatWasRead
    tape: Tape
    outcomes: tuple[Outcome, ...]
    differences: tuple[Difference, ...]


def read_tape(reading: EventReading) -> tuple[Tape, WhatWasRead]:
    """Read everything.  Raises ``UnreadableLog``, ``NothingUnderstood`` and ``NothingToPlay``."""
    joining = Joining()
    for events in reading.events():
        for event in events:
            joining.record(event)
    tape = joining.tape()
    read = WhatWasRead(
        files=tuple(reading.files),
        formats=reading.formats,
        lines=reading.lines,
        lines_not_understood=reading.lines_not_understood,
        broken=tuple(reading.broken),
        damage=tuple(reading.damage),
        joined=tape.joined,
    )
    if not tape.messages:
        names = ", ".join(file.name for file in read.files)
        raise NothingToPlay(
            f"{names}: no message of an account of ours in it ({tape.joined.strangers:,} came in from outside); "
            "name a log or events that show who submitted what"
        )
    return tape, read


def replay(tape: Tape, read: WhatWasRead, policies: Sequence[NamedPolicy], plan: Plan, watch: Watch) -> Replay:
    """Play the tape to a fresh judge for each policy.  Raises ``NothingToPlay`` where all of it is learned from."""
    if learned_until(tape, plan.learn_days) > tape.to_at.timestamp():
        raise NothingToPlay(
            f"the recording ends at {tape.to_at:%Y-%m-%d %H:%M} UTC, before learning does; "
            "learn from less (--learn DAYS), or name a longer recording"
        )
    outcomes = []
    for place, (name, policy) in enumerate(policies):
        begun = place * len(tape.messages)

        def watch_all(done: int, each: int, begun: int = begun) -> None:
            watch(begun + done, each * len(policies))

        outcomes.append(play(tape, Judge(policy), plan, name, watch_all))
    differing = differences(outcomes[0], outcomes[1]) if len(outcomes) > 1 else ()
    return Replay(read, tape, tuple(outcomes), differing)
