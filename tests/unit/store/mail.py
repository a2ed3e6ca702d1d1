"""Made-up mail for the tests of the store."""

from datetime import UTC, datetime, timedelta

from outwarden.events import (
    AccountKind,
    Attempted,
    BounceReturned,
    ComplaintReceived,
    Event,
    Login,
    Outcome,
    RefusalClass,
    Submitted,
)

NOW = datetime(2026, 11, 25, 3, 12, 40, 123456, tzinfo=UTC)
SECOND, HOUR, DAY = timedelta(seconds=1), timedelta(hours=1), timedelta(days=1)
ROSA, HUGO, HOST = "rosa@isp.example", "hugo@isp.example", "mx1"


def submitted(queue_id: str = "3A", account: str = ROSA, at: datetime = NOW, **more: object) -> Submitted:
    return Submitted(at, HOST, queue_id, account, AccountKind.LOGIN, sender=account, recipients=2, size=900, **more)  # type: ignore[arg-type]


def attempted(
    queue_id: str = "3A",
    recipient: str = "eva@mail.far.example",
    outcome: Outcome = Outcome.DELIVERED,
    refusal: RefusalClass | None = None,
    account: str = ROSA,
    at: datetime = NOW + SECOND,
    **more: object,
) -> Attempted:
    return Attempted(
        at, HOST, queue_id, account, AccountKind.LOGIN, recipient, outcome, refusal, sender=account, **more
    )  # type: ignore[arg-type]


def returned(queue_id: str = "3A", account: str = ROSA, at: datetime = NOW + 2 * SECOND) -> BounceReturned:
    return BounceReturned(at, HOST, queue_id, account, AccountKind.LOGIN, "9F")


def complained(queue_id: str = "3A", account: str = ROSA, at: datetime = NOW + HOUR) -> ComplaintReceived:
    return ComplaintReceived(at, HOST, account, AccountKind.LOGIN, queue_id, "eva@far.example")


def login(account: str = ROSA, ok: bool = True, address: str = "192.0.2.7", at: datetime = NOW) -> Login:
    return Login(at, HOST, account, ok, "imap", address)


def one_of_each() -> list[Event]:
    """A message to two, of whom one is unknown, with a bounce, a complaint, and a login."""
    return [
        login(),
        submitted(),
        attempted(),
        attempted(recipient="nobody@far.example", outcome=Outcome.BOUNCED, refusal=RefusalClass.UNKNOWN_RECIPIENT),
        returned(),
        complained(),
    ]
