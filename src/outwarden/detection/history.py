"""What every account, destination and blocklist did, hour by hour: the memory that is judged later.

``Histories.record`` is called for every event in log order and only counts, about a microsecond
each.  Memory follows the number of accounts and destinations and their active hours, never the
number of recipients: who wrote to whom is kept in one table of 8 MB (``acquaintances.py``).

Whose mail it is:

- a *login* and a *local* program are accounts of ours;
- a bare *address* is ours where it hands in from loopback or a private network (an application server);
- any other address came in from outside.  If its mail stays here it is only counted.  If it leaves
  again under another recipient, it was forwarded, and that is held against the forward.  If it leaves
  for the very recipient it named, somebody outside relays through us: judged by client address.

Logins seen without a submission are not used: they do not show mail leaving.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from outwarden.detection.account_history import AccountHistory, Column, SenderHistory
from outwarden.detection.acquaintances import Acquaintances
from outwarden.detection.client_networks import is_own
from outwarden.detection.destination_history import DestinationHistory, Flow
from outwarden.detection.hours import Hours, hour_of, start_of
from outwarden.detection.listings import Listings
from outwarden.detection.relaying import PUBLIC_RECEIVERS, Forward
from outwarden.events import AccountKind, Attempted, BounceReturned, Event, Outcome, RefusalClass, Stream, Submitted

AS_SPAM = frozenset(
    {
        RefusalClass.ADDRESS_BLOCKLISTED,
        RefusalClass.DOMAIN_BLOCKLISTED,
        RefusalClass.URL_BLOCKLISTED,
        RefusalClass.CONTENT_REFUSED,
        RefusalClass.MALWARE,
        RefusalClass.REPUTATION,
    }
)
"""Classes that say: we take this for spam, or its sender for a spammer."""

_MOST_FORWARDS = 5_000
_MOST_RELAYING = 10_000
_EARLIEST = datetime.min.replace(tzinfo=UTC)
_LATEST = datetime.max.replace(tzinfo=UTC)

# Names for the hot path: a look into an enum class costs more than a global.
_LOGIN, _LOCAL, _ADDRESS, _NULL = AccountKind.LOGIN, AccountKind.LOCAL, AccountKind.ADDRESS, AccountKind.NULL
_DELIVERED, _DEFERRED, _EXPIRED = Outcome.DELIVERED, Outcome.DEFERRED, Outcome.EXPIRED
_UNKNOWN = RefusalClass.UNKNOWN_RECIPIENT
_NEW, _RESULTS, _FLOW_DELIVERED = Column.NEW, Column.RESULTS, Flow.DELIVERED


class Histories:
    """All that was seen.  Feed it events in the order of the log; read it through ``assess``."""

    def __init__(self) -> None:
        self.logins: dict[str, SenderHistory] = {}
        self.locals: dict[str, SenderHistory] = {}
        self.others: dict[str, SenderHistory] = {}
        self.relaying: dict[str, AccountHistory] = {}
        self.forwards: dict[str, Forward] = {}
        self.destinations: dict[str, DestinationHistory] = {}
        self.listings = Listings()
        self.server = Hours(Flow.SERVER_WIDTH)
        self._server_rows, self._server_base = self.server.rows, 0
        # Mail relayed for strangers is no part of what is usual here: one row that nobody reads.
        self._strangers = array("I", [0] * Flow.SERVER_WIDTH)
        self._acquaintances = Acquaintances()
        self._nameless = SenderHistory("", _NULL)
        self._numbered = 0
        self._at: datetime | None = None
        self._hour = 0
        self._hour_from = self._hour_to = self._to_at = _EARLIEST
        self._from_at = _LATEST

    def record_all(self, events: Iterable[Event]) -> None:
        """Record many events in their order."""
        for event in events:
            self.record(event)

    def record(self, event: Event) -> None:
        """Count one event."""
        at = event.at
        if at is not self._at:
            self._at = at
            if not self._hour_from <= at < self._hour_to:
                self._turn(at)
            if at > self._to_at:
                self._to_at = at
        if type(event) is Attempted:
            self._attempted(event)
        elif type(event) is Submitted:
            self._submitted(event)
        elif type(event) is BounceReturned:
            self._bounce_returned(event)

    @property
    def from_at(self) -> datetime | None:
        """Time of the first event, None before there is one."""
        return self._from_at if self._at is not None else None

    @property
    def to_at(self) -> datetime | None:
        """Time of the last event, None before there is one."""
        return self._to_at if self._at is not None else None

    def _turn(self, at: datetime) -> None:
        # Within one hour time hardly runs back; the earliest event of all is the first of its hour.
        self._hour = hour_of(at)
        self._hour_from = start_of(self._hour)
        self._hour_to = self._hour_from + timedelta(hours=1)
        self.server.turn(self._hour)
        self._server_base = self.server.base
        self._from_at = min(self._from_at, at)

    def _sender(self, name: str, kind: AccountKind) -> SenderHistory:
        known = self.logins if kind is _LOGIN else self.locals if kind is _LOCAL else self.others
        return known.get(name) or self._meet(name, kind, known)

    def _meet(self, name: str, kind: AccountKind, known: dict[str, SenderHistory]) -> SenderHistory:
        if not name:
            # The log begins in the middle of this message: it counts for its destination only.
            return self._nameless
        sender = self._account(name, kind) if known is not self.others else SenderHistory(name, kind)
        known[name] = sender
        return sender

    def _account(self, name: str, kind: AccountKind) -> AccountHistory:
        self._numbered += 1
        return AccountHistory(name, kind, self._numbered)

    def _submitted(self, event: Submitted) -> None:
        sender = self._sender(event.account, event.kind)
        address = event.client_address
        if type(sender) is SenderHistory and event.kind is _ADDRESS and is_own(address) and event.account:
            sender = self.others[event.account] = self._account(event.account, _ADDRESS).continuing(sender)
        sender.messages += 1
        sender.recipients += event.recipients
        if type(sender) is AccountHistory:
            sender.submit(event, self._hour, self._hour_from)
        elif address is not None:
            sender.seen_at(address)

    def _bounce_returned(self, event: BounceReturned) -> None:
        sender = self._sender(event.account, event.kind)
        sender.bounces_returned += 1
        if type(sender) is AccountHistory:
            sender.count_returned(self._hour, event.line)

    def _attempted(self, event: Attempted) -> None:
        sender = self._sender(event.account, event.kind)
        outcome = event.outcome
        if outcome is _DELIVERED:
            sender.delivered += 1
        elif outcome is _DEFERRED:
            sender.deferred_attempts += 1
        elif outcome is _EXPIRED:
            sender.expired += 1
        else:
            sender.count_bounce(event.refusal_class)
        if event.outbound:
            if event.recipient:
                self._left(event)
            if event.kind is _ADDRESS and (type(sender) is SenderHistory or event.original_recipient is not None):
                self._passed_through(event, sender)
            elif type(sender) is AccountHistory:
                self._judged(event, sender, self._server_rows, self._server_base)
        elif type(sender) is AccountHistory and event.kind is not _ADDRESS and outcome is not _EXPIRED:
            # Mail that stays here makes acquaintances too, but no remote judges it.
            self._acquaintances.meet(sender.number, event.recipient)

    def _judged(self, event: Attempted, account: AccountHistory, server: array[int], flow: int) -> None:
        """Count what a remote made of an account's mail, for the account and in a row of the server's flow."""
        hours = account.hours
        if hours.hour != self._hour:
            hours.turn(self._hour)
        rows, base = hours.rows, hours.base
        outcome = event.outcome
        if outcome is _EXPIRED:
            rows[base + Column.BOUNCED] += 1
            return
        if self._acquaintances.meet(account.number, event.recipient):
            rows[base + _NEW] += 1
        if outcome is _DEFERRED:
            server[flow + Flow.DEFERRED] += 1
            account.count_deferred(event, self._hour)
            return
        results = rows[base + _RESULTS]
        if not results:
            server[flow + Flow.ACTIVE_ACCOUNTS] += 1
        rows[base + _RESULTS] = results + 1
        if outcome is _DELIVERED:
            server[flow + _FLOW_DELIVERED] += 1
            return
        server[flow + Flow.BOUNCED] += 1
        as_spam = event.refusal_class in AS_SPAM
        if as_spam:
            server[flow + Flow.REFUSED] += 1
            if not rows[base + Column.REFUSED]:
                server[flow + Flow.REFUSED_ACCOUNTS] += 1
        elif event.refusal_class is _UNKNOWN:
            server[flow + Flow.UNKNOWN] += 1
        account.count_refusal(event, self._hour, as_spam)

    def _left(self, event: Attempted) -> None:
        """Count the attempt for its destination, whoever sent it."""
        domain = event.recipient.rpartition("@")[2]
        destination = self.destinations.get(domain)
        if destination is None:
            domain = domain.lower()
            destination = self.destinations.get(domain)
            if destination is None:
                destination = self.destinations[domain] = DestinationHistory(domain)
        if event.outcome is _DELIVERED:
            destination.count_delivered(self._hour)
            return
        as_spam = event.refusal_class in AS_SPAM
        if event.outcome is _DEFERRED:
            destination.count_deferred(self._hour, event)
        elif event.outcome is not _EXPIRED:
            destination.count_bounced(self._hour, event, as_spam)
        if event.listing is not None:
            self.listings.seen(event, domain)

    def _passed_through(self, event: Attempted, sender: SenderHistory) -> None:
        """Count mail from outside that leaves again: forwarded, or relayed for a stranger."""
        if event.original_recipient is not None:
            forward = self.forwards.get(event.original_recipient)
            if forward is None:
                if len(self.forwards) >= _MOST_FORWARDS:
                    return
                forward = self.forwards[event.original_recipient] = Forward(event.original_recipient)
            forward.count(event, event.refusal_class in AS_SPAM)
        elif (client := sender.client) is not None:
            relaying = self.relaying.get(client)
            if relaying is None:
                if len(self.relaying) >= _MOST_RELAYING:
                    return
                relaying = self.relaying[client] = self._account(client, _ADDRESS)
            self._judged(event, relaying, self._strangers, 0)
            relaying.begin_run(event.at - self._hour_from)
            domain = event.recipient.rpartition("@")[2].lower()
            if domain in PUBLIC_RECEIVERS:
                relaying.public_receivers |= {domain}
            relaying.keep_line(Stream.VOLUME, self._hour, event.line)
