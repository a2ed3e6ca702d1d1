"""May a list be asked to take us off?  Not before the cause is fixed, not twice, not when it came back.

Each list limits how often it can be asked, and asking while spam still flows uses up what will be needed later.
So every listing is a task with three steps: the cause is marked as fixed, the list is asked, the listing ends.
A refusal says why, and what would change it.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

import msgspec

from outwarden.detection.diagnosis import ListingPeriod, delisting_blocked

ANSWERED_WITHIN = timedelta(hours=48)
"""How long a list has to act on a request before it may be asked again; most say 12 to 24 hours."""

BLOCKED_FOR = timedelta(hours=48)
"""How long nobody is asked after a listing came back within 48 hours of its delisting."""


class DelistingTask(msgspec.Struct, frozen=True):
    """The way off one list for one target: one listing, from its begin to its end; all times UTC.

    ``page`` is where a person asks.
    """

    target: str
    list: str
    began_at: datetime
    ended_at: datetime | None = None
    fixed_at: datetime | None = None
    cause: str | None = None
    requests: tuple[datetime, ...] = ()
    page: str | None = None

    @property
    def step(self) -> str:
        """The step that comes next, in words."""
        if self.ended_at is not None:
            return "done"
        if self.fixed_at is None:
            return "fix the cause"
        return "wait for the list" if self.requests else "ask the list"


def refusal_of_request(task: DelistingTask, history: Iterable[ListingPeriod], now: datetime) -> str | None:
    """Return why the list must not be asked now, and what would change that; None where it may be asked."""
    if task.ended_at is not None:
        return f"{task.list} no longer has {task.target}; there is nothing to ask for"
    back = delisting_blocked(history, task.target, task.list)
    if back is not None and now - task.began_at < BLOCKED_FOR:
        return f"{back}; not before {_at(task.began_at + BLOCKED_FOR)}, and the cause must be marked as fixed anew"
    if task.fixed_at is None:
        return f"too early: the cause of the listing by {task.list} is not marked as fixed; find it, end it, mark it"
    if task.requests and now - task.requests[-1] < ANSWERED_WITHIN:
        return (
            f"already asked for at {_at(task.requests[-1])}; {task.list} is not asked again "
            f"before {_at(task.requests[-1] + ANSWERED_WITHIN)}"
        )
    return None


def _at(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
