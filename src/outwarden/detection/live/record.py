"""The record of one account: what it did in the last day, what is usual for it, and how it stands.

A few hundred bytes to four kilobytes, whatever the account or its recipients do.  Whatever else is
needed to judge the next message is shared by the whole site (``site.py``).  All times are POSIX seconds.

No part of it points back at another, so the garbage collector need not look at them (``gc=False``): at a large site
they are millions, and everything waits for it.
"""

from __future__ import annotations

import msgspec

from outwarden.detection.live.block import Block
from outwarden.detection.live.counts import WIDTH, Window, window
from outwarden.detection.live.known_recipients import KnownRecipients, Unmet
from outwarden.events import AccountKind, Standing

HOUR = 3600
DAY = 86_400
HALF_LIFE = 30 * DAY
"""After so many seconds what is usual weighs half."""

WEEKS_REMEMBERED = 6
MOST_NETWORKS = 24
MOST_COUNTRIES = 12
MOST_LINKS = 24
MOST_TEXTS = 12
MOST_OFFENCES = 8
MOST_OWN = 2.0**63


class NetworkUse(msgspec.Struct, array_like=True, gc=False):
    """How the account uses one client network.

    Until ``new_until`` the network is new to it; the counts are of messages handed in from it while it was: all, those
    to strangers, and those with a fresh link.
    """

    last_at: float
    new_until: float
    messages: int = 0
    to_strangers: int = 0
    fresh_linked: int = 0


class TextUse(msgspec.Struct, array_like=True, gc=False):
    """How the account uses one text: since when, how often, to how many new recipients, as reply, and called spam."""

    first_at: float
    last_at: float
    messages: int = 0
    new: int = 0
    replies: int = 0
    spam: int = 0


class LinkUse(msgspec.Struct, array_like=True, gc=False):
    """Since when the account links to a target, when it last did, and whether it was on a blocklist then."""

    first_at: float
    last_at: float
    listed: bool = False


class Most(msgspec.Struct, array_like=True, gc=False):
    """The most the account did of something, in one day or on one day of a week; ``period`` is its number."""

    period: int
    new_hour: int = 0
    new_day: int = 0
    recipients_hour: int = 0
    fresh_targets_day: int = 0
    listed_targets_day: int = 0
    same_text: int = 0

    def raise_to(self, other: Most) -> None:
        """Take the larger of each two."""
        if other.new_hour > self.new_hour:
            self.new_hour = other.new_hour
        if other.new_day > self.new_day:
            self.new_day = other.new_day
        if other.recipients_hour > self.recipients_hour:
            self.recipients_hour = other.recipients_hour
        if other.fresh_targets_day > self.fresh_targets_day:
            self.fresh_targets_day = other.fresh_targets_day
        if other.listed_targets_day > self.listed_targets_day:
            self.listed_targets_day = other.listed_targets_day
        if other.same_text > self.same_text:
            self.same_text = other.same_text


class SharedWithOthers(msgspec.Struct, array_like=True, gc=False):
    """What the account shares with other suspicious accounts: points, since when, what it is, and how many they are."""

    points: float
    at: float
    what: str
    others: int


class Hold(msgspec.Struct, array_like=True, gc=False):
    """How a hold goes: since when, how many recipients the next probe lets out, and what came of those before.

    ``bad`` counts unknown and refused recipients, ``refused`` only the latter.  ``why`` says in words what led to it.
    """

    since: float
    step: int
    released: int = 0
    probed_at: float = 0.0
    good: int = 0
    bad: int = 0
    refused: int = 0
    why: str = ""

    @property
    def answers(self) -> int:
        """How many recipients were answered for since the hold began."""
        return self.good + self.bad

    def hear(self, accepted: int, unknown: int, refused: int) -> None:
        """Count answers, no more than were probed: mail from before is answered late, and mail to friends goes on.

        Which answer is to which mail is not known; where there are too many the bad ones count.
        """
        room = max(0, self.released - self.answers)
        bad = min(unknown + refused, room)
        self.bad += bad
        self.refused += min(refused, bad)
        self.good += min(accepted, room - bad)


class AccountRecord(msgspec.Struct, array_like=True, gc=False):
    """All that is remembered of one account.

    ``own`` are the counts of all days before the last, each weighing half after thirty days.  ``weeks`` are the
    most of each of the last weeks, ``today`` that of the day that goes on.  ``suspected_at`` is when hard evidence
    was last seen: nothing up to then becomes usual.  ``cleared_until``: so long only hard evidence holds mail, because
    a probe came to nothing.  ``allowed`` is how many recipients an hour a hold of today ended with,
    ``released_today`` how many left by probes.  ``told_*``
    is what it added to what is known of refusals elsewhere in the two hours ``told_slot``.
    ``given_back_at`` is when probation began, 0 where there is none.  ``blocked_by`` is the decision that blocked it.
    ``unmet`` are recipients that were new in mail that was held or refused: until a person or good answers say
    otherwise, or probation ends, who is written to again is no acquaintance yet.
    """

    account: str
    kind: AccountKind
    first_at: float
    hour: Window
    day: Window
    recipients: KnownRecipients
    messages: int = 0
    own: list[float] = msgspec.field(default_factory=lambda: [0.0] * WIDTH)
    own_at: float = 0.0
    weeks: list[Most] = msgspec.field(default_factory=list)
    today: Most = msgspec.field(default_factory=lambda: Most(0))
    networks: dict[str, NetworkUse] = msgspec.field(default_factory=dict)
    countries: dict[str, float] = msgspec.field(default_factory=dict)
    links: dict[int, LinkUse] = msgspec.field(default_factory=dict)
    texts: dict[int, TextUse] = msgspec.field(default_factory=dict)
    shared: SharedWithOthers | None = None
    standing: Standing = Standing.NORMAL
    standing_at: float = 0.0
    hold: Hold | None = None
    offences: list[float] = msgspec.field(default_factory=list)
    suspected_at: float = 0.0
    cleared_until: float = 0.0
    allowed: int = 0
    released_today: int = 0
    told_slot: int = 0
    told_results: int = 0
    told_refused: int = 0
    given_back_at: float = 0.0
    blocked_by: Block | None = None
    unmet: Unmet = msgspec.field(default_factory=Unmet)

    def __post_init__(self) -> None:
        """Refuse what was saved by another program.  Raises ``ValueError``."""
        if len(self.own) != WIDTH or not all(0.0 <= count < MOST_OWN for count in self.own):
            raise ValueError("counters that cannot be")

    def days_known(self, now: float) -> float:
        """Return for how many days the account is known, as far back as what is usual weighs."""
        # A clock that was set back must not make it unborn.
        return max(0.0, min((now - self.first_at) / DAY, 1.44 * HALF_LIFE / DAY))

    def most(self) -> Most:
        """Return the most of all weeks remembered."""
        weeks = self.weeks
        if len(weeks) == 1:
            return weeks[0]
        of_all = Most(0)
        for week in weeks:
            of_all.raise_to(week)
        return of_all

    def from_new_networks(self, now: float) -> NetworkUse:
        """Return the counts of all messages from networks that are new to the account."""
        of_all = NetworkUse(0.0, 0.0)
        for use in self.networks.values():
            if use.new_until > now:
                of_all.messages += use.messages
                of_all.to_strangers += use.to_strangers
                of_all.fresh_linked += use.fresh_linked
        return of_all


def new_record(account: str, kind: AccountKind, at: float) -> AccountRecord:
    """Return the record of an account that nothing is known of yet."""
    return AccountRecord(
        account=account,
        kind=kind,
        first_at=at,
        hour=window(HOUR // 4, 4),
        day=window(4 * HOUR, 6),
        recipients=KnownRecipients(at),
        own_at=at,
    )
