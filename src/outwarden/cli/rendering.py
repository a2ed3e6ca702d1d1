"""Text for a terminal: tables, times, counts, and log text made harmless.

Everything that came out of a log passes through ``plain`` before it is shown: a subject line or
an account name may hold escape sequences that colour, move or rename the reader's terminal.
Widths are counted in characters; a name in full-width letters may push its row out of line.
"""

import re
import sys
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

import click

# C0, DEL and C1 controls; marks and overrides of writing direction (Unicode Standard Annex 9),
# invisible characters and line separators; lone surrogates; tag characters.
_HARMFUL = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff\U000e0000-\U000e007f]"
)


def plain(text: str) -> str:
    r"""Return ``text`` on one line, each control character written as ``\xNN`` or ``\uNNNN``."""
    return _HARMFUL.sub(_escaped, text)


def _escaped(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def print_json(value: object) -> None:
    """Print one JSON document on one line."""
    import msgspec

    click.echo(harmless_json(msgspec.json.encode(value)))


def harmless_json(document: bytes) -> str:
    """Return a JSON document with nothing in it that could move a terminal.

    JSON leaves DEL, C1 and direction controls as they are; inside strings, the only place where they
    can stand, their escapes mean the same (RFC 8259 section 7).
    """
    return _HARMFUL.sub(_json_escaped, document.decode())


def _json_escaped(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code < 0x10000:
        return f"\\u{code:04x}"
    return f"\\u{0xD800 + (code - 0x10000 >> 10):04x}\\u{0xDC00 + (code & 0x3FF):04x}"


def unicode_terminal() -> bool:
    """Return whether standard output can show block characters."""
    return (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"


def cut(text: str, width: int) -> str:
    """Return ``text`` in at most ``width`` characters, its end marked where some were left off."""
    if len(text) <= width:
        return text
    mark = "…" if unicode_terminal() else "~"
    return text[: max(width - 1, 0)] + mark


def number(count: int) -> str:
    """Return a count with its thousands set apart: ``12,345``."""
    return f"{count:,}"


def stamp(at: datetime) -> str:
    """Return a UTC time to the minute: ``2026-11-23 03:12 UTC``."""
    return f"{at:%Y-%m-%d %H:%M} UTC"


def listed(address: str) -> str:
    """Return what a remote said is listed; some name only the list."""
    return plain(address) or "something of ours"


def duration(span: timedelta) -> str:
    """Return a length of time in its two largest units: ``7 h 40 min``, ``3 d 4 h``."""
    minutes = max(int(span.total_seconds()) // 60, 0)
    hours, days = minutes // 60, minutes // 1440
    if days:
        return f"{days} d {hours % 24} h"
    return f"{hours} h {minutes % 60} min" if hours else f"{minutes} min"


def hanging(head: str, text: str, width: int) -> list[str]:
    """Return ``text`` wrapped to the right of ``head``."""
    from textwrap import wrap

    first, *rest = wrap(text, max(width - len(head), 20)) or [""]
    return [head + first, *(" " * len(head) + line for line in rest)]


def wrapped(lines: Iterable[str], width: int) -> list[str]:
    """Return each line in as many as it takes at this width."""
    return [row for line in lines for row in hanging("", line, width)]


_LEAST_WIDTH = 8


class Column(NamedTuple):
    """A column of a table: its head, a shorter head for narrow terminals, numbers to the right."""

    head: str
    short: str = ""
    right: bool = True


def table(columns: Sequence[Column], rows: Iterable[Sequence[str]], width: int) -> list[str]:
    """Return the lines of a table, head first, no wider than ``width``.

    Where it is too wide it takes its short heads, then narrower gaps, then cuts the first column.
    """
    body = [list(row) for row in rows]
    long, short = [column.head for column in columns], [column.short or column.head for column in columns]
    for heads, gap in ((long, 2), (short, 2), (short, 1)):
        widths = [max(map(len, cells)) for cells in zip(heads, *body, strict=True)]
        too_wide = sum(widths) + gap * (len(widths) - 1) - width
        if too_wide <= 0:
            break
    if too_wide > 0:
        widths[0] = max(widths[0] - too_wide, _LEAST_WIDTH)
    return [_row(columns, row, widths, " " * gap) for row in [heads, *body]]


def _row(columns: Sequence[Column], cells: Sequence[str], widths: Sequence[int], gap: str) -> str:
    padded = (
        cut(cell, width).rjust(width) if column.right else cut(cell, width).ljust(width)
        for column, cell, width in zip(columns, cells, widths, strict=True)
    )
    return gap.join(padded).rstrip()
