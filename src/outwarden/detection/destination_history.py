"""What one domain made of our mail: totals, and hour by hour once there is enough to compare."""

from __future__ import annotations

from outwarden.detection.behind import Behind, HourBehind
from outwarden.detection.hours import Hours
from outwarden.events import Attempted, RefusalClass

_ENOUGH_FOR_HOURS = 20


class Flow:
    """The columns of a destination's and of the server's rows (the first is the hour itself)."""

    DELIVERED = 1
    DEFERRED = 2
    BOUNCED = 3
    UNKNOWN = 4
    REFUSED = 5
    """Bounced as spam, or because we or our links are blocklisted."""
    REFUSED_ACCOUNTS = 6
    """Accounts of ours of which something was refused as spam (server only)."""
    ACTIVE_ACCOUNTS = 7
    """Accounts of ours that got a final answer (server only)."""
    WIDTH = 6
    SERVER_WIDTH = 8


class DestinationHistory:
    """One destination.  Rows begin with its twentieth attempt: most domains get a letter a week."""

    __slots__ = ("bounced", "bounced_by", "deferred_attempts", "deferred_by", "delivered", "domain", "hours", "refused")

    def __init__(self, domain: str) -> None:
        self.domain = domain
        self.delivered = self.deferred_attempts = self.bounced = 0
        self.refused: dict[RefusalClass | None, int] | None = None
        self.hours: Hours | None = None
        self.bounced_by: Behind | None = None
        self.deferred_by: Behind | None = None

    def count_delivered(self, hour: int) -> None:
        """Count a recipient delivered."""
        self.delivered += 1
        hours = self.hours
        if hours is None:
            self._consider_hours()
            return
        if hours.hour != hour:
            hours.turn(hour)
        hours.rows[hours.base + 1] += 1

    def count_deferred(self, hour: int, event: Attempted) -> None:
        """Count an attempt put off."""
        self.deferred_attempts += 1
        self._count(hour, Flow.DEFERRED)
        if self.hours is not None:
            if self.deferred_by is None:
                self.deferred_by = Behind(HourBehind(hour))
            self.deferred_by.add(hour, event.account, event.line)

    def count_bounced(self, hour: int, event: Attempted, as_spam: bool) -> None:
        """Count a final refusal."""
        self.bounced += 1
        refusal_class = event.refusal_class
        if self.refused is None:
            self.refused = {}
        self.refused[refusal_class] = self.refused.get(refusal_class, 0) + 1
        self._count(hour, Flow.BOUNCED)
        if as_spam:
            self._count(hour, Flow.REFUSED)
        elif refusal_class is RefusalClass.UNKNOWN_RECIPIENT:
            self._count(hour, Flow.UNKNOWN)
        if self.hours is not None:
            if self.bounced_by is None:
                self.bounced_by = Behind(HourBehind(hour))
            self.bounced_by.add(hour, event.account, event.line)

    def _consider_hours(self) -> None:
        if self.delivered + self.deferred_attempts + self.bounced >= _ENOUGH_FOR_HOURS:
            self.hours = Hours(Flow.WIDTH)

    def _count(self, hour: int, column: int) -> None:
        hours = self.hours
        if hours is None:
            self._consider_hours()
            return
        if hours.hour != hour:
            hours.turn(hour)
        hours.rows[hours.base + column] += 1
