"""Who submitted how much, and what became of it: one row of counts per account.

The counts are those of ``outwarden logs``.  A row is filled either from events, whatever server's
log they come from, or by a counter that reads one server's log directly and faster than events
can be made.  Both give the same numbers; a test holds them to it.
"""

from collections.abc import Iterator

from outwarden.events import (
    AccountKind,
    Attempted,
    BounceReturned,
    Event,
    Outcome,
    RefusalClass,
    Submitted,
)


class AccountCounts:
    """The counts of one account.

    ``deferred_attempts`` counts attempts, not recipients.  ``refused`` counts final bounces by
    class.  ``expired`` counts messages given up after the queue's lifetime.
    """

    __slots__ = (
        "_clients",
        "account",
        "bounced",
        "bounces_returned",
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
        self.messages = 0
        self.recipients = 0
        self.delivered = 0
        self.deferred_attempts = 0
        self.bounced = 0
        self.expired = 0
        self.bounces_returned = 0
        self.refused: dict[RefusalClass, int] | None = None
        # Most accounts have one client address, and a set for each of them would be most of
        # the table's memory: so one address stands alone until a second one comes.
        self._clients: bytes | set[bytes] | None = None

    def saw_client(self, address: bytes) -> None:
        """Note a client address that submitted for this account."""
        clients = self._clients
        if clients is None:
            self._clients = address
        elif type(clients) is set:
            clients.add(address)
        elif clients != address:
            self._clients = {clients, address}  # type: ignore[arg-type]

    def count_refusal(self, refusal_class: RefusalClass) -> None:
        """Count one final bounce."""
        self.bounced += 1
        if self.refused is None:
            self.refused = {}
        self.refused[refusal_class] = self.refused.get(refusal_class, 0) + 1

    def clients(self) -> set[str]:
        """Return the distinct client addresses."""
        clients = self._clients
        if clients is None:
            return set()
        return {address.decode() for address in (clients if isinstance(clients, set) else (clients,))}

    def absorb(self, other: "AccountCounts") -> None:
        """Add another row's counts to this one."""
        self.messages += other.messages
        self.recipients += other.recipients
        self.add_deliveries(other)
        for address in other.clients():
            self.saw_client(address.encode())

    def add_deliveries(self, other: "AccountCounts") -> None:
        """Add what became of another row's messages, but not the messages themselves."""
        self.delivered += other.delivered
        self.bounced += other.bounced
        self.deferred_attempts += other.deferred_attempts
        self.expired += other.expired
        self.bounces_returned += other.bounces_returned
        for refusal_class, count in (other.refused or {}).items():
            if self.refused is None:
                self.refused = {}
            self.refused[refusal_class] = self.refused.get(refusal_class, 0) + count


def network_of(address: str) -> str:
    """Return the network of a client address: its /24 (IPv4) or /48 (IPv6), as a text prefix."""
    if ":" not in address:
        return address.rpartition(".")[0]
    head = address.partition("::")[0].split(":")
    return ":".join(head[:3])


class AccountTable:
    """All accounts' rows, by account and the way we know it."""

    def __init__(self) -> None:
        self._rows: dict[tuple[str, AccountKind], AccountCounts] = {}

    def __iter__(self) -> Iterator[AccountCounts]:
        return iter(self._rows.values())

    def __len__(self) -> int:
        return len(self._rows)

    def row(self, account: str, kind: AccountKind) -> AccountCounts:
        """Return the row of an account, made on first sight."""
        key = (account, kind)
        row = self._rows.get(key)
        if row is None:
            row = self._rows[key] = AccountCounts(account, kind)
        return row

    def absorb(self, other: "AccountTable") -> None:
        """Add another table's counts to this one."""
        for row in other:
            self.row(row.account, row.kind).absorb(row)

    def add(self, event: Event) -> None:
        """Count one event; a login is no part of this table."""
        if isinstance(event, Submitted):
            row = self.row(event.account, event.kind)
            row.messages += 1
            row.recipients += event.recipients
            if event.client_address:
                row.saw_client(event.client_address.encode())
        elif isinstance(event, Attempted):
            _count_attempt(self.row(event.account, event.kind), event)
        elif isinstance(event, BounceReturned):
            self.row(event.account, event.kind).bounces_returned += 1


def _count_attempt(row: AccountCounts, event: Attempted) -> None:
    match event.outcome:
        case Outcome.DELIVERED:
            row.delivered += 1
        case Outcome.DEFERRED:
            row.deferred_attempts += 1
        case Outcome.EXPIRED:
            row.expired += 1
        case Outcome.BOUNCED:
            row.count_refusal(event.refusal_class or RefusalClass.UNCLASSIFIED)
