"""Counting what is handed in against the limits of a policy.

A message that would go over a limit is not counted, so whoever tries again is let in as soon as the window has moved
on.  The same events give the same answers, also when the state was saved and restored between any two of them.  Of
each kind at most ``most_subjects`` are remembered; whoever was heard of least recently is forgotten, and begins anew.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime
from itertools import pairwise
from typing import NamedTuple

import msgspec

from outwarden.detection.limits.settings import LimitSettings, Most, Quantities
from outwarden.detection.limits.window import MOST_COUNTED, SPANS, Counted, Span
from outwarden.events import AccountKind, Finding, Submitted, domain_of

VERSION = 1
MOST_SUBJECTS = 50_000
_LONGEST_SUBJECT = 512
_LONGEST_QUEUE_ID = 64
_LAST_MOMENT = 253_402_300_799


class MalformedLimits(ValueError):
    """Bytes that are no saved counts, or of a version that this program does not know."""


class _Limit(NamedTuple):
    """One limit of a table: so ``much`` of a ``quantity`` within a ``span``."""

    quantity: str
    span: Span
    much: int

    @property
    def key(self) -> str:
        return f"{self.quantity}.{self.span.name}"


class _Table:
    """The limits of one kind of subject, and what is counted of each, least recently heard of first."""

    def __init__(self, of_whom: str, quantities: Quantities, most_subjects: int) -> None:
        self.of_whom = of_whom
        self.limits = tuple(_limits_of(quantities))
        self.counted: dict[str, list[Counted]] = {}
        self._most_subjects = most_subjects

    def of(self, subject: str) -> list[Counted]:
        """Return what is counted of a subject, one for each limit; it is the most recently heard of now."""
        counted = self.counted.pop(subject, None)
        if counted is None:
            counted = [[] for _ in self.limits]
            if len(self.counted) >= self._most_subjects:
                del self.counted[next(iter(self.counted))]
        self.counted[subject] = counted
        return counted


class _Reached(NamedTuple):
    """A limit that a message would go over."""

    of_whom: str
    subject: str
    limit: _Limit
    used: int
    adds: int
    free_at: int | None


class _SavedTable(msgspec.Struct, array_like=True):
    """Which limits a table had, and what was counted for each of them."""

    limits: list[str]
    counted: dict[str, list[Counted]]


class Limits:
    """The counts of one site; ``bulk_accounts`` are those that the policy declares."""

    def __init__(
        self, settings: LimitSettings, bulk_accounts: Collection[str] = (), most_subjects: int = MOST_SUBJECTS
    ) -> None:
        self._bulk_accounts = frozenset(map(_name, bulk_accounts))
        self._tables = {
            table: _Table(of_whom, getattr(settings, table), most_subjects) for table, of_whom in _OF_WHOM.items()
        }

    def reached(self, event: Submitted, new_recipients: int, at: float) -> Finding | None:
        """Return the limit that a message would go over, the one that is free last; else count it and return None.

        ``new_recipients`` is how many of its recipients the account has not written to before; ``at`` is POSIX seconds.
        """
        adds = {
            "messages": 1,
            "recipients": min(max(len(event.recipient_addresses), event.recipients, 0), MOST_COUNTED),
            "new_recipients": min(max(new_recipients, 0), MOST_COUNTED),
        }
        found: list[_Reached] = []
        counts: list[tuple[_Limit, Counted]] = []
        for table, subject in self._subjects_of(event):
            for limit, counted in zip(table.limits, table.of(subject), strict=True):
                one = _over(table.of_whom, subject, limit, counted, adds.get(limit.quantity, 0), at)
                if one is not None:
                    found.append(one)
                counts.append((limit, counted))
        if found:
            return _finding(max(found, key=lambda one: one.free_at or _LAST_MOMENT), event)
        for limit, counted in counts:
            if amount := adds.get(limit.quantity, 0):
                limit.span.count(counted, at, amount)
        return None

    def unknown(self, account: str, at: float, n: int) -> None:
        """Hear that ``n`` recipients of an account were said not to exist."""
        amount = min(n, MOST_COUNTED)
        for table, subject in self._of_account(account, domain_of(account)) if amount > 0 else ():
            for limit, counted in zip(table.limits, table.of(subject), strict=True):
                if limit.quantity == "unknown_recipients":
                    limit.span.slide(counted, at)
                    limit.span.count(counted, at, amount)

    def saved(self) -> bytes:
        """Return all counts as bytes."""
        tables = {
            name: _SavedTable([limit.key for limit in table.limits], table.counted)
            for name, table in self._tables.items()
        }
        return bytes((VERSION,)) + msgspec.msgpack.encode(tables)

    @classmethod
    def restored(
        cls,
        saved: bytes,
        settings: LimitSettings,
        bulk_accounts: Collection[str] = (),
        most_subjects: int = MOST_SUBJECTS,
    ) -> Limits:
        """Return limits that go on from saved counts; what the settings limit no more is dropped.

        Raises ``MalformedLimits``.
        """
        limits = cls(settings, bulk_accounts, most_subjects)
        for name, was in _read(saved).items():
            table = limits._tables.get(name)
            if table is None or not table.limits:
                continue
            places = [was.limits.index(limit.key) if limit.key in was.limits else None for limit in table.limits]
            for subject, counted in list(was.counted.items())[-most_subjects:]:
                table.counted[subject] = [[] if place is None else counted[place] for place in places]
        return limits

    def _subjects_of(self, event: Submitted) -> list[tuple[_Table, str]]:
        account = _name(event.account)
        subjects = self._of_account(account, domain_of(event.account) or domain_of(event.sender))
        if account in self._bulk_accounts:
            return subjects
        if event.kind is AccountKind.LOCAL:
            subjects.append((self._tables["script"], _name(f"{event.account} {event.script or ''}".rstrip())))
        if event.client_address is not None:
            subjects.append((self._tables["client"], _name(event.client_address)))
        return [one for one in subjects if one[0].limits]

    def _of_account(self, account: str, domain: str) -> list[tuple[_Table, str]]:
        """A declared bulk sender counts for itself alone: it must not use up what its whole domain may send."""
        account = _name(account)
        if account in self._bulk_accounts:
            found = [(self._tables["bulk"], account)]
        else:
            found = [(self._tables["account"], account)]
            if domain:
                found.append((self._tables["domain"], _name(domain)))
        return [one for one in found if one[0].limits]


_OF_WHOM = {"account": "", "domain": "domain ", "script": "script ", "client": "client ", "bulk": "bulk sender "}
"""The tables, and what stands before a subject in words."""


def _limits_of(quantities: Quantities) -> list[_Limit]:
    found = []
    for field in msgspec.structs.fields(quantities):
        most: Most = getattr(quantities, field.name)
        for span in SPANS:
            much = getattr(most, span.name)
            if much is not None:
                found.append(_Limit(field.name, span, much))
    return found


def _over(of_whom: str, subject: str, limit: _Limit, counted: Counted, adds: int, at: float) -> _Reached | None:
    used = limit.span.slide(counted, at)
    # What comes back is counted afterwards: the limit is reached when it is used up.
    needed = 1 if limit.quantity == "unknown_recipients" else adds
    if not needed or used + needed <= limit.much:
        return None
    return _Reached(of_whom, subject, limit, used, adds, limit.span.free_at(counted, limit.much - needed))


def _finding(reached: _Reached, event: Submitted) -> Finding:
    limit = reached.limit
    what = limit.quantity.replace("_", " ")
    whose = f"{what} of {reached.of_whom}{reached.subject}"
    allowed = f"the limit is {limit.much:,} per {limit.span.name}"
    used = f"{reached.used:,} in the last {limit.span.name}"
    if reached.free_at is None:
        text = f"{whose}: this message has {reached.adds:,}, and {allowed}: it can never pass whole"
    else:
        more = f", this message has {reached.adds:,} more" if reached.adds and limit.quantity != "messages" else ""
        free = datetime.fromtimestamp(min(reached.free_at, _LAST_MOMENT), UTC)
        text = f"{whose}: {used}{more}, and {allowed}; free again at {free:%Y-%m-%d %H:%M:%S} UTC"
    queue_id = _written(event.queue_id)[:_LONGEST_QUEUE_ID]
    return Finding(rule="limit", points=0.0, text=text, at=event.at, evidence=(queue_id,) if queue_id else ())


def _read(saved: bytes) -> dict[str, _SavedTable]:
    if not saved or saved[0] != VERSION:
        raise MalformedLimits(f"counts of version {saved[0]}" if saved else "no counts")
    try:
        tables = msgspec.msgpack.decode(memoryview(saved)[1:], type=dict[str, _SavedTable])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise MalformedLimits(f"counts that cannot be read: {error}") from error
    for table in tables.values():
        for counted in table.counted.values():
            if len(counted) != len(table.limits) or not all(map(_can_be, counted)):
                raise MalformedLimits("counts that cannot be")
    return tables


def _can_be(counted: Counted) -> bool:
    steps, amounts = counted[::2], counted[1::2]
    in_order = all(one < next_one for one, next_one in pairwise(steps))
    return len(steps) == len(amounts) and in_order and all(0 < amount <= MOST_COUNTED for amount in amounts)


def _name(subject: str) -> str:
    return _written(subject)[:_LONGEST_SUBJECT]


def _written(text: str) -> str:
    """Return a text as it can be saved: what is no character is written as an escape."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()
