"""Sums of what was handed in and what became of it: for each account, each destination and the whole server.

They are made as events are written, in steps of 5 minutes, an hour and a day (UTC), so that no question about a long
time reads single messages.  A destination is the registered domain of a recipient.  What is handed in does not say
where it goes, so a destination has no messages, only what became of its recipients.
"""

from __future__ import annotations

from datetime import datetime
from enum import IntEnum
from functools import lru_cache

import msgspec

from outwarden.detection.client_networks import network_of
from outwarden.detection.history import AS_SPAM
from outwarden.events import Attempted, BounceReturned, ComplaintReceived, Login, Outcome, RefusalClass, Submitted
from outwarden.store.database import Database, microseconds, moment
from outwarden.store.names import Names, fitted

_MINUTE = 60_000_000
_MOST_IN_ONE_SUM = 1 << 40
"""So that no number that a stranger writes into a log makes a sum too large to be kept."""
_LONGEST_DOMAIN = 253  # RFC 1035 section 2.3.4.
_LONGEST_LOGIN = 320


class Step(IntEnum):
    """How long a time one sum is about, in minutes."""

    FIVE_MINUTES = 5
    HOUR = 60
    DAY = 1440

    def begin(self, at: int) -> int:
        """Return the begin of the step that a time in microseconds is in."""
        return at - at % (self * _MINUTE)


class Counts(msgspec.Struct, frozen=True):
    """What is counted.

    ``messages`` and ``recipients`` were handed in.  Of the delivery attempts ``delivered``, ``bounced`` (refused for
    good) and ``expired`` are ends, ``deferred`` is not.  ``kept_here`` is the part of ``delivered`` that stayed on our
    own system; ``as_spam`` and ``unknown`` are the parts of ``bounced`` that were called spam or blocklisted, or had an
    unknown recipient.  ``returned`` are bounces that our server sent back, ``complaints`` those of recipients.
    """

    messages: int = 0
    recipients: int = 0
    delivered: int = 0
    kept_here: int = 0
    deferred: int = 0
    bounced: int = 0
    as_spam: int = 0
    unknown: int = 0
    expired: int = 0
    returned: int = 0
    complaints: int = 0


class SumsOfStep(msgspec.Struct, frozen=True):
    """The counts of the time that begins at ``at``, UTC."""

    at: datetime
    counts: Counts


class SumsOfAccount(msgspec.Struct, frozen=True):
    """The counts of an account, over the time that was asked for."""

    account: str
    counts: Counts


class LoginsOfNetwork(msgspec.Struct, frozen=True):
    """How often an account was logged in to from one client network on one day, and how often that failed."""

    at: datetime
    network: str
    ok: int
    failed: int


_COLUMNS = Counts.__struct_fields__
_MESSAGES, _RECIPIENTS, _DELIVERED, _KEPT_HERE, _DEFERRED, _BOUNCED = range(6)
_AS_SPAM, _UNKNOWN, _EXPIRED, _RETURNED, _COMPLAINTS = range(6, 11)
_SERVER, _ACCOUNT, _DESTINATION = range(3)

_ADD = (
    f"INSERT INTO sums (step, at, subject, name, {', '.join(_COLUMNS)}) "  # noqa: S608 (our own words)
    f"VALUES (?, ?, ?, ?{', ?' * len(_COLUMNS)}) ON CONFLICT (step, at, subject, name) DO UPDATE SET "
    + ", ".join(f"{column} = {column} + excluded.{column}" for column in _COLUMNS)
)
# The begins of the steps that have rows, found by one look into the index each.
_BEGINS = (
    "WITH RECURSIVE begin (at) AS (SELECT min(at) FROM sums WHERE step = ?1 AND at >= ?2 UNION ALL "
    "SELECT (SELECT min(at) FROM sums WHERE step = ?1 AND at > begin.at) FROM begin WHERE begin.at IS NOT NULL) "
)


class SumsInMaking:
    """What the events of one checkpoint add, put together in memory and written once."""

    def __init__(self, names: Names, now: int) -> None:
        """``now`` is the time of the checkpoint, in microseconds."""
        self._names, self._now = names, now
        self._added: dict[tuple[int, int, int], list[int]] = {}
        self._logins: dict[tuple[str, int, str], list[int]] = {}

    def add(self, event: Submitted | Attempted | BounceReturned | ComplaintReceived | Login, at: int) -> None:
        """Count one event of the time ``at``, in microseconds."""
        begin = at - at % (Step.FIVE_MINUTES * _MINUTE)
        if type(event) is Attempted:
            self._attempted(event, begin)
        elif type(event) is Submitted:
            for counts in self._ours(event.account, begin):
                counts[_MESSAGES] += 1
                counts[_RECIPIENTS] = min(counts[_RECIPIENTS] + event.recipients, _MOST_IN_ONE_SUM)
        elif type(event) is Login:
            self._login(event, at)
        else:
            column = _RETURNED if type(event) is BounceReturned else _COMPLAINTS
            for counts in self._ours(event.account, begin):
                counts[column] += 1

    def write(self, database: Database) -> None:
        """Add all of it to what the store has; only inside ``writing()``."""
        for step in Step:
            folded: dict[tuple[int, int, int], list[int]] = {}
            for (begin, subject, name), counts in self._added.items():
                key = step.begin(begin), subject, name
                so_far = folded.get(key)
                folded[key] = counts if so_far is None else list(map(int.__add__, so_far, counts))
            database.write_each(_ADD, ((int(step), *key, *counts) for key, counts in sorted(folded.items())))
        database.write_each(
            "INSERT INTO login_sums (account, at, network, ok, failed) VALUES (?, ?, ?, ?, ?) "
            "ON CONFLICT (account, at, network) DO UPDATE SET ok = ok + excluded.ok, failed = failed + excluded.failed",
            ((*key, *counts) for key, counts in self._logins.items()),
        )

    def _attempted(self, event: Attempted, begin: int) -> None:
        columns = _columns(event)
        counted = self._ours(event.account, begin)
        if event.outbound and event.recipient:
            destination = self._names.number(destination_of(event.recipient), max(self._now, begin))
            counted.append(self._counts(begin, _DESTINATION, destination))
        for counts in counted:
            for column in columns:
                counts[column] += 1

    def _ours(self, account: str, begin: int) -> list[list[int]]:
        server = self._counts(begin, _SERVER, 0)
        if not account:
            return [server]
        return [server, self._counts(begin, _ACCOUNT, self._names.number(account, max(self._now, begin)))]

    def _counts(self, begin: int, subject: int, name: int) -> list[int]:
        key = begin, subject, name
        counts = self._added.get(key)
        if counts is None:
            counts = self._added[key] = [0] * len(_COLUMNS)
        return counts

    def _login(self, event: Login, at: int) -> None:
        network = fitted(network_of(event.client_address or ""), _LONGEST_LOGIN)
        key = fitted(event.account, _LONGEST_LOGIN), Step.DAY.begin(at), network
        self._logins.setdefault(key, [0, 0])[not event.ok] += 1


class Sums:
    """The sums in the store.  A time that is asked for begins with the step that it is in."""

    def __init__(self, database: Database, names: Names) -> None:
        self._database, self._names = database, names

    def of_account(self, account: str, step: Step, since: datetime) -> list[SumsOfStep]:
        """Return the sums of an account, oldest first, without the steps in which nothing was."""
        return self._of(_ACCOUNT, self._names.found(account), step, since)

    def of_destination(self, destination: str, step: Step, since: datetime) -> list[SumsOfStep]:
        """Return the sums of the registered domain that a domain or address is of, oldest first."""
        return self._of(_DESTINATION, self._names.found(destination_of(destination)), step, since)

    def of_server(self, step: Step, since: datetime) -> list[SumsOfStep]:
        """Return the sums of all that was handed in here, oldest first."""
        return self._of(_SERVER, 0, step, since)

    def largest_accounts(self, since: datetime, most: int, step: Step = Step.HOUR) -> list[SumsOfAccount]:
        """Return the accounts that handed in most recipients, largest first; for many weeks ask by the day."""
        added = ", ".join(f"sum({column})" for column in _COLUMNS)
        rows = self._database.rows(
            f"{_BEGINS} SELECT name, {added} FROM begin JOIN sums ON step = ?1 AND sums.at = begin.at "  # noqa: S608
            "AND subject = ?3 GROUP BY name ORDER BY sum(recipients) DESC, sum(delivered) DESC, name LIMIT ?4",
            int(step), step.begin(microseconds(since)), _ACCOUNT, most,
        )  # fmt: skip
        return [SumsOfAccount(self._names.word(name), Counts(*counts)) for name, *counts in rows]

    def logins_of_account(self, account: str, since: datetime) -> list[LoginsOfNetwork]:
        """Return from where an account was logged in to, by the day, oldest first."""
        rows = self._database.rows(
            "SELECT at, network, ok, failed FROM login_sums WHERE account = ? AND at >= ? ORDER BY at, network",
            fitted(account, _LONGEST_LOGIN), Step.DAY.begin(microseconds(since)),
        )  # fmt: skip
        return [LoginsOfNetwork(moment(at), network, ok, failed) for at, network, ok, failed in rows]

    def _of(self, subject: int, name: int | None, step: Step, since: datetime) -> list[SumsOfStep]:
        if name is None:
            return []
        rows = self._database.rows(
            f"{_BEGINS} SELECT sums.at, {', '.join(_COLUMNS)} FROM begin JOIN sums ON step = ?1 "  # noqa: S608
            "AND sums.at = begin.at AND subject = ?3 AND name = ?4 ORDER BY sums.at",
            int(step), step.begin(microseconds(since)), subject, name,
        )  # fmt: skip
        return [SumsOfStep(moment(at), Counts(*counts)) for at, *counts in rows]


def destination_of(recipient: str) -> str:
    """Return the registered domain of a domain or an address, lower-cased."""
    return _registered(recipient.rpartition("@")[2][:_LONGEST_DOMAIN].lower())


@lru_cache(maxsize=8192)
def _registered(domain: str) -> str:
    # Only whoever counts waits for the list of public suffixes: commands that open the store do not.
    from outwarden.sources.message.hosts import registered_domain

    return registered_domain(domain)


def _columns(event: Attempted) -> tuple[int, ...]:
    outcome = event.outcome
    if outcome is Outcome.DELIVERED:
        return (_DELIVERED,) if event.outbound else (_DELIVERED, _KEPT_HERE)
    if outcome is Outcome.DEFERRED:
        return (_DEFERRED,)
    if outcome is Outcome.EXPIRED:
        return (_EXPIRED,)
    if event.refusal_class in AS_SPAM:
        return _BOUNCED, _AS_SPAM
    return (_BOUNCED, _UNKNOWN) if event.refusal_class is RefusalClass.UNKNOWN_RECIPIENT else (_BOUNCED,)
