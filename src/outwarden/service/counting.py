"""Accounts counted without judging them: the fastest answer to "who sends how much?".

A log of Postfix alone is counted straight from its bytes (``postfix_counts``), by several processes
side by side where it is asked for and the file can be cut; any other log is read as events and
those are counted.  Both give the same table.  What the log is shows in its first block; a later
block with nothing of Postfix in it is looked at too, and whatever else is found there makes the
whole log be read as events.
"""

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING, NamedTuple

from outwarden.service.log_reading import LogReading, LogSource, Watcher
from outwarden.sources.logs.account_table import AccountTable
from outwarden.sources.logs.postfix_counts import PostfixCounts
from outwarden.sources.parts import Part, cut_at_lines, is_plain, read_part

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.process import BaseProcess

_POSTFIX_ALONE = {"postfix", "logins"}
_POSTFIX = (b"/qmgr[", b"/smtpd[", b"/cleanup[", b"/smtp[")
# Signs of another server's log, or of a journal; only where one stands is the block looked at closely.
_MAY_BE_ANOTHER = re.compile(
    rb"sendmail\[|sm-mta|exim|event=|__REALTIME|#Fields|mta delivery| (?:<=|=>|\*\*|==) |\0", re.IGNORECASE
)
# What a log is does not depend on when it was written.
_SOME_DAY = datetime(2000, 1, 1, tzinfo=UTC)


class Counting(NamedTuple):
    """The table, and what it was counted from.

    ``lines_not_understood`` is None where the lines were counted without being looked at.
    """

    table: AccountTable
    lines: int
    lines_not_understood: int | None
    damage: tuple[str, ...] = ()


class _NotPostfixAlone(Exception):
    """The log holds something else too: it has to be read as events."""


def count_accounts(
    sources: Sequence[LogSource], zone: tzinfo = UTC, jobs: int = 1, watch: Watcher | None = None
) -> Counting:
    """Count all accounts of these logs, which are read as one log in this order.

    Raises ``UnreadableLog`` and ``NothingUnderstood``.
    """
    if all(source.size is not None and is_plain(source.name) for source in sources):
        try:
            return _count_postfix(sources, jobs, watch)
        except _NotPostfixAlone:
            pass
    reading = LogReading(sources, zone, watch)
    table = AccountTable()
    for events in reading.events():
        for event in events:
            table.add(event)
    return Counting(table, reading.log.lines, reading.log.lines_not_understood, tuple(reading.damage))


# -- Postfix alone ---------------------------------------------------------------------------------


def _count_postfix(sources: Sequence[LogSource], jobs: int, watch: Watcher | None) -> Counting:
    parts = [part for source in sources for part in cut_at_lines(source.name, jobs)]
    head = next(read_part(parts[0]), b"")
    if not any(program in head for program in _POSTFIX):
        raise _NotPostfixAlone
    if _MAY_BE_ANOTHER.search(head):
        _refuse_other_formats(head)
    shares = _shares(parts, jobs)
    children = [_begin_child(share) for share in shares[1:]]
    counts, lines = _count_share(shares[0], False, _progress(parts, watch))
    for child, connection in children:
        later = connection.recv()
        child.join()
        if isinstance(later, Exception):
            raise later
        counts.follow_with(later[0])
        lines += later[1]
    return Counting(counts.finish(), lines, None)


def _shares(parts: list[Part], jobs: int) -> list[list[Part]]:
    """Give each process a run of parts of about the same number of bytes, in the order of the log."""
    whole = sum(part.end - part.begin for part in parts)
    shares: list[list[Part]] = [[]]
    given = 0
    for part in parts:
        if shares[-1] and given >= whole * len(shares) // jobs:
            shares.append([])
        shares[-1].append(part)
        given += part.end - part.begin
    return shares


def _begin_child(share: list[Part]) -> "tuple[BaseProcess, Connection]":
    import multiprocessing

    # A fork costs a few milliseconds where a new interpreter would cost a tenth of a second.
    context = multiprocessing.get_context("fork")
    here, there = context.Pipe(duplex=False)
    child = context.Process(target=_count_in_child, args=(share, there), daemon=True)
    child.start()
    there.close()
    return child, here


def _count_in_child(share: list[Part], connection: "Connection") -> None:
    try:
        connection.send(_count_share(share, True, None))
    except Exception as fault:  # noqa: BLE001 - whatever it is, the parent raises it
        connection.send(fault)


def _count_share(
    share: list[Part], put_aside: bool, progress: Callable[[int], None] | None
) -> tuple[PostfixCounts, int]:
    counts = PostfixCounts(put_aside)
    lines = 0
    for part in share:
        for block in read_part(part):
            before = counts.lines_counted
            counts.feed(block)
            # Half the time of counting them: what is cut out is found as memchr finds it.
            lines += len(block) - len(block.replace(b"\n", b""))
            if counts.lines_counted == before and _MAY_BE_ANOTHER.search(block):
                _refuse_other_formats(block)
            if progress is not None:
                progress(len(block))
    # Here and not when the parts are joined, so that each process judges its own.
    counts.judge_bounces()
    return counts, lines


def _progress(parts: list[Part], watch: Watcher | None) -> Callable[[int], None] | None:
    """Return what tells the watcher how far this process is, as if the others were as far."""
    if watch is None:
        return None
    whole = parts[-1].end - parts[-1].begin
    read = 0

    def tell(size: int) -> None:
        nonlocal read
        read += size
        watch(min(read, whole), whole)

    return tell


def _refuse_other_formats(block: bytes) -> None:
    """Raise unless this is a block of Postfix, or of nothing that is a mail server's, after all."""
    from outwarden.sources.logs.reading import MixedLog

    probe = MixedLog(_SOME_DAY)
    probe.feed(block)
    if not set(probe.formats) <= _POSTFIX_ALONE:
        raise _NotPostfixAlone
