"""What the service begins with: the judge and all else that is remembered, the policy, and the logs to follow."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from outwarden.detection.baseline.server_record import MalformedServerRecord, ServerRecord, decode_server_record
from outwarden.detection.filter_watch import FilterWatch, MalformedFilterWatch
from outwarden.detection.limits import Limits, MalformedLimits
from outwarden.detection.live import Judge, Policy, PolicyError, read_policy, shipped_policy
from outwarden.detection.live.encoding import RecordError
from outwarden.detection.live.policy import SHIPPED_POLICIES
from outwarden.service.automatic.book import Book
from outwarden.service.live.accounts import Accounts
from outwarden.service.local_mta import LocalMta, Programs, find_local_mta, predecessors
from outwarden.service.settings import Configuration, ConfigurationError
from outwarden.sources.message import known_filter_headers
from outwarden.store.store import Store

LEARNS_BUT_THE_LAST_SECONDS = 86_400
"""At the first start the past is taken for clean, but for its last day, which is judged."""

Say = Callable[[str], None]


class Remembered(NamedTuple):
    """What the store held; ``places`` is empty at the very first start."""

    records: list[tuple[str, bytes]]
    shared_state: bytes | None
    states: dict[str, bytes]
    places: dict[str, bytes]


def remembered(store: Store) -> Remembered:
    """Return what the store holds of the last run.  Raises ``StoreUnusable``."""
    return Remembered(
        list(store.account_records.all()),
        store.account_records.shared_state(),
        store.ingest.states(),
        store.ingest.positions(),
    )


def policy_of(configuration: Configuration) -> Policy:
    """Return the policy that the settings name.  Raises ``ConfigurationError``."""
    named = configuration.settings.judging.policy
    if named in SHIPPED_POLICIES:
        return shipped_policy(named)
    try:
        return read_policy(Path(named).read_text(encoding="utf-8"))
    except PolicyError as fault:
        raise configuration.wrong("judging.policy", f"{named}: {fault}") from None
    except (OSError, UnicodeDecodeError) as fault:
        why = fault.strerror if isinstance(fault, OSError) else "not UTF-8 text"
        known = ", ".join(SHIPPED_POLICIES)
        raise configuration.wrong("judging.policy", f"{named}: {why}; name a file, or one of {known}") from None


def verdict_headers_of(configuration: Configuration) -> tuple[str, ...]:
    """Return the headers of content filters that the settings name.  Raises ``ConfigurationError``."""
    named = configuration.settings.gate.verdict_headers
    known = known_filter_headers()
    for each in named:
        if each.lower() not in known:
            raise configuration.wrong(
                "gate.verdict_headers", f"{each!r} is not known; known are {', '.join(sorted(known))}"
            )
    return named


def accounts_of(kept: Remembered, policy: Policy, now: datetime, say: Say) -> Accounts:
    """Return the accounts as they were; what cannot be read begins anew, and that is said."""
    try:
        judge = Judge.resume(kept.records, kept.shared_state, policy)
    except RecordError as fault:
        say(f"what accounts share begins anew: {fault}")
        judge = Judge.resume(kept.records, None, policy)
    if kept.shared_state is None:
        judge.learn_until(now.timestamp() - LEARNS_BUT_THE_LAST_SECONDS)
    host = kept.states.get("host", b"").decode(errors="replace")
    accounts = Accounts(judge, _limits(kept, policy, say), _server(kept, say), _watch(kept, say), host)
    accounts.past_is_read = bool(kept.states.get("past"))
    return accounts


def take_up(judge: Judge, book: Book, now: datetime) -> None:
    """Tell the judge what is in force about accounts.

    The journal is written before the mail server is told, a record up to half a second later: after a crash it may lack
    what the journal has, and the next probe would let all of the held mail go.
    """
    for held in book.held():
        judge.held(held.account, held.since.timestamp(), held.why)
    for blocked in book.blocked():
        judge.blocked(blocked.account, now.timestamp())


def logs_of(configuration: Configuration, now: datetime) -> tuple[tuple[str, ...], LocalMta | None]:
    """Return the logs to follow, and what was looked at where the settings name none."""
    named = configuration.settings.logs.follow
    if named:
        return named, None
    found = find_local_mta(now, Programs())
    if found.log_files:
        return (found.log_files[-1],), found
    return (("journal",) if found.journal else ()), found


def history_of(log: str, now: datetime) -> Sequence[str]:
    """Return the rotated files of the last week that came before a log, oldest first."""
    return [] if log == "journal" else [str(path) for path in predecessors(Path(log), now)]


def nothing_to_do(looked_at: Sequence[str]) -> ConfigurationError:
    """Return the error for settings that ask for nothing, on a machine where no log is found."""
    return ConfigurationError(
        "nothing to watch: no mail log was found on this machine "
        f'(looked at {"; ".join(looked_at)}); name it: [logs] follow = ["/var/log/mail.log"]'
    )


def _server(kept: Remembered, say: Say) -> ServerRecord:
    raw = kept.states.get("server-record")
    try:
        return ServerRecord() if raw is None else decode_server_record(raw)
    except MalformedServerRecord as fault:
        say(f"the server's own past begins anew: {fault}")
        return ServerRecord()


def _watch(kept: Remembered, say: Say) -> FilterWatch:
    raw = kept.states.get("filter-watch")
    try:
        return FilterWatch() if raw is None else FilterWatch.restored(raw)
    except MalformedFilterWatch as fault:
        say(f"the filter's record of its mistakes begins anew: {fault}")
        return FilterWatch()


def _limits(kept: Remembered, policy: Policy, say: Say) -> Limits:
    raw = kept.states.get("limits")
    try:
        if raw is not None:
            return Limits.restored(raw, policy.limits, policy.bulk)
    except MalformedLimits as fault:
        say(f"limits are counted anew: {fault}")
    return Limits(policy.limits, policy.bulk)
