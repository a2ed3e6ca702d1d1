"""What ``status`` prints for people: the verdict first, then what does not work, what waits, who, and what was done.

On a terminal it is made to fit the screen: each list gives up its last entries, and says how many; ``-v`` shows all.
"""

from collections.abc import Sequence
from datetime import datetime

import click

from outwarden.cli.log_options import Screen
from outwarden.cli.pause import standing_line
from outwarden.cli.rendering import Column, cut, duration, number, plain, stamp, table
from outwarden.service.control.status import AccountStatus, Deed, GateStatus, LogStatus, OpenListing, Status, Waiting

_COLOURS = {"no": "green", "maybe": "yellow", "yes": "red", "unknown": "magenta"}
_CLAIMS = {
    "no": "this server is not sending spam",
    "maybe": "this server could be sending spam",
    "yes": "this server is sending spam",
    "unknown": "it cannot be told yet",
}
_MOST = 12
_ACCOUNT_COLUMNS = (
    Column("account", right=False),
    Column("standing", right=False),
    Column("points", "pts"),
    Column("waiting", "wait"),
    Column("since", right=False),
    Column("why", right=False),
)
_LEAST_WHY = 20


def status_lines(status: Status, screen: Screen) -> list[str]:
    """Return the lines of the screen, the fullest that fits."""
    if screen.height is None:
        return _compose(status, screen.width, None)
    for most in range(_MOST, 0, -1):
        lines = _compose(status, screen.width, most)
        # One line is the prompt's.
        if len(lines) < screen.height:
            break
    return lines


def _compose(status: Status, width: int, most: int | None) -> list[str]:
    lines = [
        _headline(status),
        *_few([f"  {plain(each)}" for each in status.because], most, width),
        *(_cut_styled(line, width) for line in _machine(status)),
        *_section("does not work", [_fault(each.what, each.text, each.since) for each in status.faults], most, width),
        *_section("waits for you", [line for each in status.waits_for_me for line in _waiting(each)], most, width, 2),
        *_accounts(status, most, width),
        *_section("done by itself", [line for each in status.done_by_itself for line in _deed(each)], most, width, 2),
        *_section("listed", [_listing(each) for each in status.listings], most, width),
    ]
    return lines


def _headline(status: Status) -> str:
    word = click.style(status.sending_spam.upper(), fg=_COLOURS[status.sending_spam], bold=True)
    return f"{word}, {_CLAIMS[status.sending_spam]} ({stamp(status.at)})"


def _machine(status: Status) -> list[str]:
    modes = ", ".join(f"{kind}: {mode}" for kind, mode in status.modes.items())
    lines = [f"service  up {duration(status.at - status.running_since)}, {plain(status.version)}; {plain(modes)}"]
    if status.gate is not None:
        lines += _gate(status.gate)
    lines += [f"log      {_log(each)}" for each in status.logs]
    if status.queue is not None:
        waits = "1 message" if status.queue.messages == 1 else f"{number(status.queue.messages)} messages"
        held = f", {number(status.queue.on_hold)} on hold" if status.queue.on_hold else ""
        oldest = "" if status.queue.oldest_minutes is None else f", oldest {_minutes(status.queue.oldest_minutes)}"
        trend = f"; {plain(status.queue.trend)}" if status.queue.trend else ""
        lines.append(f"queue    {waits}{held}{oldest}{trend}")
    for each in status.pauses:
        reason = f": {each.reason}" if each.reason else ""
        words = plain(f"paused   {standing_line(each)}, by {each.asked_by}{reason}")
        lines.append(click.style(words, fg="yellow"))
    return lines


def _gate(gate: GateStatus) -> list[str]:
    doors = ", ".join(plain(f"{door.kind} {door.address}") for door in gate.doors) or "shut"
    counts = {
        "accepted": gate.accepted,
        "held": gate.held,
        "deferred": gate.deferred,
        "refused": gate.refused + gate.refused_early,
        "undecided": gate.undecided,
    }
    said = ", ".join(f"{number(count)} {word}" for word, count in counts.items() if count or word == "accepted")
    took = ""
    if gate.p50_milliseconds is not None and gate.p99_milliseconds is not None:
        took = f"; {gate.p50_milliseconds:.1f} ms, p99 {gate.p99_milliseconds:.1f} ms"
    return [f"gate     {doors}", f"         {said}{took}"]


def _log(log: LogStatus) -> str:
    if log.caught_up:
        behind = "read to its end"
    elif log.lag_seconds is not None:
        behind = f"{log.lag_seconds:.0f} s behind"
    elif log.lag_bytes is not None:
        behind = f"{number(log.lag_bytes)} bytes behind"
    else:
        behind = "still being read"
    odd = f", {number(log.lines_not_understood)} not understood" if log.lines_not_understood else ""
    remark = f"; {plain(log.remark)}" if log.remark else ""
    return f"{plain(log.log)}: {behind}; {number(log.lines)} lines{odd}{remark}"


def _minutes(minutes: int) -> str:
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h"


def _fault(what: str, text: str, since: datetime | None) -> str:
    return click.style(plain(f"{what}: {text}") + _since(since), fg="red")


def _since(at: datetime | None) -> str:
    return "" if at is None else f", since {stamp(at)}"


def _waiting(waiting: Waiting) -> list[str]:
    why = f": {waiting.why}" if waiting.why else ""
    return [click.style(plain(f"{waiting.what}{why}"), fg="yellow"), *_command(waiting.command)]


def _deed(deed: Deed) -> list[str]:
    reference = f" ({deed.reference})" if deed.reference else ""
    why = f": {deed.why}" if deed.why else ""
    return [
        plain(f"{deed.at:%d %b %H:%M} {deed.what} {deed.whom}{reference}{why}"),
        *(_command(f"undo: {deed.undo}") if deed.undo else [""]),
    ]


def _command(command: str) -> list[str]:
    # What is to be typed is never cut short.
    return [f"  {plain(command)}" if command else ""]


def _accounts(status: Status, most: int | None, width: int) -> list[str]:
    if not status.accounts:
        return []
    shown = status.accounts[:most]
    rows = [_account(each) for each in shown]
    taken = [
        max(len(column.short or column.head), *map(len, cells))
        for column, *cells in zip(_ACCOUNT_COLUMNS, *rows, strict=True)
    ]
    room = max(width - sum(taken[:-1]) - len(taken) + 1, _LEAST_WHY)
    rows = [[*row[:-1], cut(row[-1], room)] for row in rows]
    head, *body = table(_ACCOUNT_COLUMNS, rows, width)
    lines = [click.style(head, dim=True), *body]
    more = max(status.accounts_in_all, len(status.accounts)) - len(shown)
    return lines + ([click.style(f"and {number(more)} more accounts", dim=True)] if more else [])


def _account(account: AccountStatus) -> list[str]:
    would = "" if account.in_force or account.standing not in ("held", "blocked") else "would be "
    return [
        plain(account.account),
        would + account.standing,
        f"{account.points:.1f}",
        number(account.held_recipients) if account.held_recipients else "",
        "" if account.since is None else f"{account.since:%d %b %H:%M}",
        plain(account.finding or account.cause or ""),
    ]


def _listing(listing: OpenListing) -> str:
    return plain(f"{listing.target} on {listing.list}, since {stamp(listing.since)}")


def _section(title: str, lines: Sequence[str], most: int | None, width: int, each: int = 1) -> list[str]:
    """Return a list under its title; ``each`` entry has so many lines, the second of which is a command."""
    if not lines:
        return []
    shown = list(lines if most is None else lines[: most * each])
    more = (len(lines) - len(shown)) // each
    body = [
        f"  {line}" if each == 2 and place % 2 else f"  {_cut_styled(line, width - 2)}"
        for place, line in enumerate(shown)
        if line
    ]
    return [
        click.style(title, bold=True),
        *body,
        *([click.style(f"  and {number(more)} more", dim=True)] if more else []),
    ]


def _few(lines: Sequence[str], most: int | None, width: int) -> list[str]:
    shown = [cut(line, width) for line in lines[:most]]
    more = len(lines) - len(shown)
    return shown + ([f"  and {number(more)} more reasons"] if more else [])


def _cut_styled(line: str, width: int) -> str:
    """Cut a line that may be coloured as a whole."""
    bare = click.unstyle(line)
    return line if len(bare) <= width else line.replace(bare, cut(bare, width))
