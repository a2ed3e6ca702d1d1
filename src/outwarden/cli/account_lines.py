"""What ``logs`` prints for people: accounts by their counts, destinations, listings, what was read.

It shows the very document that ``--json`` prints, so that both say the same.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import click

from outwarden.cli.documents import LoggedAccount
from outwarden.cli.log_options import Screen
from outwarden.cli.rendering import Column, listed, number, plain, stamp, table

_ACCOUNT_COLUMNS = (
    Column("account", right=False),
    Column("kind", right=False),
    Column("messages", "msgs"),
    Column("recipients", "rcpts"),
    Column("delivered", "sent"),
    Column("deferred", "defer"),
    Column("bounced", "bounce"),
    Column("expired", "exp"),
    Column("returned", "ndr"),
    Column("networks", "nets"),
    Column("points", "pts"),
)
_COUNTS = (
    "messages",
    "recipients",
    "delivered",
    "deferred_attempts",
    "bounced",
    "expired",
    "bounces_returned",
    "networks",
)
_DESTINATION_COLUMNS = (
    Column("destination", right=False),
    Column("delivered"),
    Column("deferred"),
    Column("bounced"),
    Column("mostly because", right=False),
)
_ROWS_OF_A_TERMINAL = 10


def account_lines(document: dict[str, Any], screen: Screen) -> list[str]:
    """Return the lines that show a document of ``logs``; on a terminal the first rows of each table."""
    most = None if screen.height is None else max(screen.height // 2, _ROWS_OF_A_TERMINAL)
    sections = [
        _table(_ACCOUNT_COLUMNS, map(_account_row, document["accounts"]), most, screen.width),
        _table(_DESTINATION_COLUMNS, map(_destination_row, document["destinations"] or ()), most, screen.width),
        [_listing(seen) for seen in document["listings_seen"] or ()][:most],
        [_what_was_read(document)],
    ]
    return [line for section in sections if section for line in [*section, ""]][:-1]


def _table(columns: Sequence[Column], cells: Iterable[list[str]], most: int | None, width: int) -> list[str]:
    rows = list(cells)
    if not rows:
        return []
    head, *lines = table(columns, rows[:most], width)
    if most is not None and len(rows) > most:
        lines.append(click.style(f"and {number(len(rows) - most)} more (all of them: -v)", dim=True))
    return [click.style(head, dim=True), *lines]


def _account_row(account: LoggedAccount) -> list[str]:
    return [
        plain(account.account) or "(begun before the log)",
        account.kind,
        *(number(getattr(account, name)) for name in _COUNTS),
        "" if account.points is None else f"{account.points:.1f}",
    ]


def _destination_row(destination: Any) -> list[str]:  # noqa: ANN401 (a record of the document)
    refused = sorted(destination.refused.items(), key=lambda item: -item[1])
    return [
        plain(destination.destination),
        number(destination.delivered),
        number(destination.deferred_attempts),
        number(destination.bounced),
        f"{refused[0][0]} ({number(refused[0][1])})" if refused else "",
    ]


def _listing(seen: Any) -> str:  # noqa: ANN401 (a record of the document)
    when = f"{stamp(seen.first)} to {stamp(seen.last)}"
    return f"{listed(seen.address)} on {plain(seen.list)}: {number(seen.count)} times, {when}"


def _what_was_read(document: dict[str, Any]) -> str:
    read = f"{number(document['lines'])} lines"
    if document["lines_not_understood"] is not None:
        read += f", {number(document['lines_not_understood'])} not understood"
    if document["from"] is not None:
        read += f"; {stamp(document['from'])} to {stamp(document['to'])}"
    return read
