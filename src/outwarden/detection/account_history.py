"""What one sender did: plain totals for strangers, and for accounts of ours also hour by hour.

The rows are what the ledger is judged from; the lines kept beside them are its proof: for each
kind of evidence the first three lines of the worst hour so far, and of the current one.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from outwarden.detection.client_networks import network_of
from outwarden.detection.hours import Hours
from outwarden.events import AccountKind, Attempted, RefusalClass, Stream, Submitted

_SAME_RUN_GAP = timedelta(minutes=10)
_MOST_NETWORKS = 256
_MOST_ADDRESSES = 4096
_FEW_ADDRESSES = 8
_MOST_CLIENTS_OF_A_STRANGER = 8
_LOUD = 6
_MOST_RECIPIENTS = 2**31

# One for all: an empty frozenset of its own would cost each account 216 bytes.
_NOBODY: frozenset[str] = frozenset()


class Column:
    """The columns of an account's rows (the first is the hour itself)."""

    MESSAGES = 1
    RECIPIENTS = 2
    NEW = 3
    """Recipients this account had not written to before."""
    RESULTS = 4
    """Final answers of remotes: delivered or bounced."""
    UNKNOWN = 5
    REFUSED = 6
    """Refused as spam, or because we or our links are blocklisted."""
    BOUNCED = 7
    """All final refusals, and expiries."""
    RETURNED = 8
    """Bounces our own server returned to the sender."""
    SAME = 9
    """Messages of the same size and subject as the one before."""
    RUN_FROM = 10
    """When the largest run of the hour began: second of the hour plus 1, or ``EARLIER``."""
    DEFERRED = 11
    """Attempts that a remote put off."""
    WIDTH = 12


EARLIER = 3601
"""Value of ``RUN_FROM``: the run began in an hour before."""


# Names for the hot path: a look into a class costs more than a global.
_MESSAGES, _RECIPIENTS, _RUN_FROM = Column.MESSAGES, Column.RECIPIENTS, Column.RUN_FROM


_BETWEEN = "\0"


class Lines:
    """Proof for one kind of evidence: at most three lines each of the worst and the current hour.

    Three lines are kept as one text: there are a hundred thousand of these, and each string costs 57 bytes more.
    """

    __slots__ = ("_count", "_hour", "_lines", "_worst_count", "_worst_hour", "_worst_lines")

    def __init__(self) -> None:
        self._hour = self._worst_hour = -1
        self._count = self._worst_count = 0
        self._lines = self._worst_lines = ""

    def add(self, hour: int, line: str) -> None:
        """Keep the line if it is among the first three of its hour."""
        if hour != self._hour:
            if self._count > self._worst_count:
                self._worst_hour, self._worst_count, self._worst_lines = self._hour, self._count, self._lines
            self._hour, self._count, self._lines = hour, 0, ""
        self._count += 1
        if self._count <= 3 and line:
            self._lines = f"{self._lines}{_BETWEEN}{line}" if self._lines else line

    def within(self, first_hour: int, last_hour: int) -> tuple[str, ...]:
        """Return up to three lines, those of the given hours first, the worst hour before others."""
        kept = [(-self._worst_count, self._worst_hour, self._worst_lines), (-self._count, self._hour, self._lines)]
        kept.sort(key=lambda one: (not first_hour <= one[1] <= last_hour, one[0], one[1]))
        lines = dict.fromkeys(line for _, _, text in kept for line in text.split(_BETWEEN) if line)
        return tuple(lines)[:3]


class NetworkUse:
    """How one account used one client network."""

    __slots__ = ("first_at", "first_hour", "line", "messages")

    def __init__(self, first_at: datetime, first_hour: int, line: str) -> None:
        self.first_at = first_at
        self.first_hour = first_hour
        self.line = line
        self.messages = 0


class SenderHistory:
    """Totals of one sender; for a stranger also the last client address, and the first few different ones."""

    __slots__ = (
        "account",
        "bounced",
        "bounces_returned",
        "client",
        "clients",
        "deferred_attempts",
        "delivered",
        "expired",
        "kind",
        "messages",
        "recipients",
        "refused",
    )

    def __init__(self, account: str, kind: AccountKind) -> None:
        self.account = account
        self.kind = kind
        self.messages = self.recipients = self.delivered = self.deferred_attempts = 0
        self.bounced = self.expired = self.bounces_returned = 0
        self.refused: dict[RefusalClass | None, int] | None = None
        self.client: str | None = None
        self.clients: tuple[str, ...] = ()

    def count_bounce(self, refusal_class: RefusalClass | None) -> None:
        """Count a final bounce by its class."""
        self.bounced += 1
        if self.refused is None:
            self.refused = {}
        self.refused[refusal_class] = self.refused.get(refusal_class, 0) + 1

    def seen_at(self, address: str) -> None:
        """Note the client address of a stranger."""
        self.client = address
        if address not in self.clients and len(self.clients) < _MOST_CLIENTS_OF_A_STRANGER:
            self.clients += (address,)


class AccountHistory(SenderHistory):
    """One account of ours: totals, rows by the hour, networks, and lines that prove it.

    ``number`` tells accounts apart among the acquaintances.  ``networks`` holds the first 256 in order of
    appearance, ``more_networks`` counts changes to yet others.
    """

    __slots__ = (
        "_address",
        "_loudest",
        "_network",
        "_run_began",
        "_run_hour",
        "_run_recipients",
        "_size",
        "_subject",
        "_submitted_at",
        "addresses",
        "hours",
        "lines",
        "more_networks",
        "networks",
        "number",
        "public_receivers",
        "script",
    )

    def __init__(self, account: str, kind: AccountKind, number: int) -> None:
        super().__init__(account, kind)
        self.number = number
        self.hours = Hours(Column.WIDTH)
        self.lines: dict[Stream, Lines] = {}
        self.networks: dict[str, NetworkUse] = {}
        self.more_networks = 0
        self.addresses: set[str] | tuple[str, ...] = ()
        self.public_receivers = _NOBODY
        self.script: str | None = None
        self._address: str | None = None
        self._network: NetworkUse | None = None
        self._size = 0
        self._subject: str | None = None
        self._submitted_at: datetime | None = None
        self._run_began = EARLIER
        self._run_recipients = self._loudest = 0
        self._run_hour = -1

    def continuing(self, sender: SenderHistory) -> AccountHistory:
        """Take over the totals of what was held for a stranger until now."""
        for name in SenderHistory.__slots__:
            if name != "kind":
                setattr(self, name, getattr(sender, name))
        return self

    def submit(self, event: Submitted, hour: int, hour_from: datetime) -> None:
        """Count a message handed in."""
        hours = self.hours
        if hours.hour != hour:
            hours.turn(hour)
        if self._run_hour != hour:
            self._run_hour, self._run_began, self._loudest = hour, EARLIER, 0
        rows, base = hours.rows, hours.base
        rows[base + _MESSAGES] += 1
        # A log line may claim any number.
        recipients = max(0, min(rows[base + _RECIPIENTS] + event.recipients, _MOST_RECIPIENTS))
        rows[base + _RECIPIENTS] = recipients
        at = event.at
        if self._submitted_at is None or at - self._submitted_at > _SAME_RUN_GAP:
            self._run_began = (at - hour_from).seconds + 1
            self._run_recipients = 0
        self._submitted_at = at
        self._run_recipients += event.recipients
        if self._run_recipients > self._loudest:
            self._loudest = self._run_recipients
            rows[base + _RUN_FROM] = self._run_began
        if recipients > _LOUD:
            self.keep_line(Stream.VOLUME, hour, event.line)
        if event.size == self._size and event.subject == self._subject and event.size:
            rows[base + Column.SAME] += 1
            self.keep_line(Stream.SAME_MESSAGE, hour, event.line)
        self._size, self._subject = event.size, event.subject
        if event.script is not None:
            self.script = event.script
        if event.client_address is not None:
            self._use(event.client_address, event, hour)

    def begin_run(self, into_the_hour: timedelta) -> None:
        """Note when the current hour's mail began, where no submission shows it."""
        rows, place = self.hours.rows, self.hours.base + _RUN_FROM
        if not rows[place]:
            rows[place] = into_the_hour.seconds + 1

    def _use(self, address: str, event: Submitted, hour: int) -> None:
        if address != self._address:
            self._address = address
            self._meet(address)
            network = network_of(address)
            use = self.networks.get(network)
            if use is None:
                use = NetworkUse(event.at, hour, event.line if self.networks else "")
                if len(self.networks) < _MOST_NETWORKS:
                    self.networks[network] = use
                else:
                    self.more_networks += 1
            self._network = use
        if self._network is not None:
            self._network.messages += 1

    def _meet(self, address: str) -> None:
        """Note a client address: most accounts have a few, and a set costs as much as twenty."""
        addresses = self.addresses
        if isinstance(addresses, set):
            if len(addresses) < _MOST_ADDRESSES:
                addresses.add(address)
        elif address not in addresses:
            self.addresses = (*addresses, address) if len(addresses) < _FEW_ADDRESSES else {*addresses, address}

    def keep_line(self, stream: Stream, hour: int, line: str) -> None:
        """Keep a line as proof for a stream, if it is among the worst."""
        lines = self.lines.get(stream)
        if lines is None:
            lines = self.lines[stream] = Lines()
        lines.add(hour, line)

    def count_refusal(self, event: Attempted, hour: int, as_spam: bool) -> None:
        """Count a final refusal in the current row (the caller has turned to it)."""
        rows, base = self.hours.rows, self.hours.base
        rows[base + Column.BOUNCED] += 1
        if as_spam:
            rows[base + Column.REFUSED] += 1
            self.keep_line(Stream.REFUSED, hour, event.line)
        elif event.refusal_class is RefusalClass.UNKNOWN_RECIPIENT:
            rows[base + Column.UNKNOWN] += 1
            self.keep_line(Stream.UNKNOWN_RECIPIENTS, hour, event.line)

    def count_deferred(self, event: Attempted, hour: int) -> None:
        """Count an attempt put off in the current row (the caller has turned to it)."""
        rows, place = self.hours.rows, self.hours.base + Column.DEFERRED
        rows[place] += 1
        if rows[place] > _LOUD:
            self.keep_line(Stream.SERVER, hour, event.line)

    def count_returned(self, hour: int, line: str) -> None:
        """Count a bounce that our own server returned to the sender."""
        if self.hours.hour != hour:
            self.hours.turn(hour)
        self.hours.rows[self.hours.base + Column.RETURNED] += 1
        self.keep_line(Stream.BOUNCES_RETURNED, hour, line)
