"""A stretch of one account's time, beside its own record before it and what others did meanwhile."""

from __future__ import annotations


class Window:
    """What the streams are judged from.  Hours are hours since 1970, both ends included.

    All counts are those of ``account_history.Column``.  ``record_*`` is the most the account ever did
    before the window; ``*_before`` are sums over all the time before it.
    """

    __slots__ = (
        "bounced",
        "busiest_new",
        "busiest_recipients",
        "first_hour",
        "hours_before",
        "last_hour",
        "messages",
        "network_record",
        "networks_before",
        "new",
        "new_networks",
        "others_networks",
        "others_refused_rate",
        "others_unknown_rate",
        "recipients",
        "record_new",
        "record_new_day",
        "record_recipients",
        "record_same",
        "refused",
        "refused_before",
        "results",
        "results_before",
        "returned",
        "same",
        "unknown",
        "unknown_before",
    )

    def __init__(self, first_hour: int, last_hour: int) -> None:
        self.first_hour = first_hour
        self.last_hour = last_hour
        self.messages = self.recipients = self.new = self.results = self.unknown = self.refused = 0
        self.bounced = self.returned = self.same = self.busiest_new = self.busiest_recipients = 0
        self.hours_before = self.results_before = self.unknown_before = self.refused_before = 0
        self.record_new = self.record_new_day = self.record_recipients = self.record_same = 0
        self.new_networks = self.networks_before = self.network_record = 0
        self.others_unknown_rate = 0.04
        self.others_refused_rate = 0.01
        self.others_networks = 1

    @property
    def hours(self) -> int:
        """Length in hours."""
        return self.last_hour - self.first_hour + 1


def span(hours: int) -> str:
    """Say a length of time in words."""
    return "an hour" if hours == 1 else f"{hours} hours"


def share(part: int, whole: int) -> str:
    """Say a share as a percentage with one digit, or that there is none."""
    return f"{100 * part / whole:.1f} %" if whole else "none yet"
