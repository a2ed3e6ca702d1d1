"""The JSON documents of ``check`` and ``logs``: names and shapes that other programs rely on."""

from typing import TYPE_CHECKING, Any

import msgspec

from outwarden.events import AccountKind, Finding
from outwarden.service.counting import Counting
from outwarden.sources.logs.account_table import AccountCounts, network_of

if TYPE_CHECKING:
    # Counting needs neither.
    from outwarden.detection.assessment import AccountAssessment, Assessment
    from outwarden.service.examine import Examination

_COUNTS = (
    "messages",
    "recipients",
    "delivered",
    "deferred_attempts",
    "bounced",
    "expired",
    "refused",
    "bounces_returned",
    "client_addresses",
    "networks",
)


def check_document(examination: "Examination") -> dict[str, Any]:
    """Return the answer of ``check``."""
    from outwarden.cli.listing_words import listings_document

    assessment = examination.assessment
    return {
        "verdict": assessment.verdict,
        "since": assessment.since,
        "because": assessment.because,
        "accounts": [
            {
                "account": account.account,
                "standing": account.standing,
                "points": account.points,
                "findings": account.findings,
                "since": account.since,
                "cause": account.cause,
                "kind": account.kind,
                **{name: getattr(account, name) for name in _COUNTS},
            }
            for account in assessment.accounts
        ],
        "blocklists": [listings_document(one) for one in examination.blocklists],
        "queue": examination.queue,
        "authentication": [],
        "next_steps": assessment.next_steps,
        **_what_was_read(examination),
        "listings_seen": assessment.listings_seen,
        "looked_at": examination.looked_at,
    }


def logs_document(examination: "Examination") -> dict[str, Any]:
    """Return the answer of ``logs``."""
    assessment = examination.assessment
    return {
        **_what_was_read(examination),
        "accounts": [_account(account) for account in assessment.accounts],
        **_elsewhere(assessment),
    }


def _what_was_read(examination: "Examination") -> dict[str, Any]:
    return {
        "from": examination.assessment.from_at,
        "to": examination.assessment.to_at,
        "lines": examination.lines,
        "lines_not_understood": examination.lines_not_understood,
        "formats": examination.formats,
        "files": examination.files,
        "clock_set_back": examination.clock_set_back,
    }


class LoggedAccount(msgspec.Struct, frozen=True, gc=False):
    """One account in the answer of ``logs``; ``points`` and ``findings`` are None where nothing was judged.

    A record and not a dictionary: a provider has accounts by the ten thousand.
    """

    account: str
    kind: AccountKind
    messages: int
    recipients: int
    delivered: int
    deferred_attempts: int
    bounced: int
    expired: int
    refused: dict[str, int]
    bounces_returned: int
    client_addresses: int
    networks: int
    points: float | None = None
    findings: tuple[Finding, ...] | None = None


def _account(account: "AccountAssessment") -> LoggedAccount:
    counts = {name: getattr(account, name) for name in _COUNTS}
    return LoggedAccount(account.account, account.kind, **counts, points=account.points, findings=account.findings)


def _elsewhere(assessment: "Assessment") -> dict[str, Any]:
    return {"destinations": assessment.destinations, "listings_seen": assessment.listings_seen}


def counts_document(counting: Counting) -> dict[str, Any]:
    """Return the answer of ``logs --counts-only``: what was not looked at is null."""
    return {
        "from": None,
        "to": None,
        "lines": counting.lines,
        "lines_not_understood": counting.lines_not_understood,
        "accounts": [_counted(row) for row in sorted(counting.table, key=lambda row: (-row.recipients, row.account))],
        "destinations": None,
        "listings_seen": None,
    }


def _counted(row: AccountCounts) -> LoggedAccount:
    clients = row.clients()
    return LoggedAccount(
        account=row.account,
        kind=row.kind,
        messages=row.messages,
        recipients=row.recipients,
        delivered=row.delivered,
        deferred_attempts=row.deferred_attempts,
        bounced=row.bounced,
        expired=row.expired,
        refused={refusal_class.value: count for refusal_class, count in (row.refused or {}).items()},
        bounces_returned=row.bounces_returned,
        client_addresses=len(clients),
        networks=len({network_of(address) for address in clients}),
    )
