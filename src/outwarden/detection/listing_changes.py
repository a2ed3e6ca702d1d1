"""When a listing begins and when it ends, from one answer after the other.

A list that could not be asked tells of neither.  The first answer "listed" begins a listing, and the
first believed "not listed" ends it: who waits for good or bad news waits no longer than he must.  But a
target that comes back within 48 hours flaps: from then on a listing ends only after a quiet time, which doubles
with every return, so that a list that cannot make up its mind does not ring all night.
"""

from datetime import datetime, timedelta
from enum import StrEnum

import msgspec
from msgspec.structs import replace

from outwarden.events import ListAnswerKind

RETURNS_WITHIN = timedelta(hours=48)
FIRST_QUIET = timedelta(hours=3)
LONGEST_QUIET = timedelta(hours=48)
_MOST_DOUBLINGS = 4


class Turn(StrEnum):
    """What an answer changed."""

    BEGAN = "began"
    ENDED = "ended"


class ListingState(msgspec.Struct, frozen=True):
    """One listing of one target by one list; all times UTC.

    ``quiet_since`` is the first "not listed" since it was last seen, and becomes ``ended_at`` when the quiet lasted
    long enough.  ``returns`` counts how often it was back within 48 hours.
    """

    began_at: datetime
    last_seen_at: datetime
    quiet_since: datetime | None = None
    ended_at: datetime | None = None
    returns: int = 0


def follow(
    state: ListingState | None, answer: ListAnswerKind, now: datetime
) -> tuple[ListingState | None, Turn | None]:
    """Return the listing after this answer, and what changed; ``state`` is the newest listing of the pair."""
    if answer is ListAnswerKind.COULD_NOT_ASK:
        return state, None
    if answer is ListAnswerKind.LISTED:
        return _listed(state, now)
    if state is None or state.ended_at is not None:
        return state, None
    since = state.quiet_since or now
    if now - since < quiet_needed(state.returns):
        return replace(state, quiet_since=since), None
    return replace(state, quiet_since=since, ended_at=since), Turn.ENDED


def quiet_needed(returns: int) -> timedelta:
    """Return how long a list must say "not listed" until the listing has ended."""
    if returns == 0:
        return timedelta(0)
    doublings = min(returns - 1, _MOST_DOUBLINGS)
    return min(FIRST_QUIET * (1 << doublings), LONGEST_QUIET)


def _listed(state: ListingState | None, now: datetime) -> tuple[ListingState, Turn | None]:
    if state is None:
        return ListingState(now, now), Turn.BEGAN
    if state.ended_at is not None:
        back = now - state.ended_at <= RETURNS_WITHIN
        return ListingState(now, now, returns=state.returns + 1 if back else 0), Turn.BEGAN
    returns = state.returns + (state.quiet_since is not None)
    return replace(state, last_seen_at=now, quiet_since=None, returns=returns), None
