"""What stands in the answers of an HTTP interface: rows, times, and what it says for itself."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from outwarden.responses.accounts.http_exchange import Reply, pointed

_MOST_ROWS = 1000


def rows_of(content: Any, pointer: str) -> list[Any]:  # noqa: ANN401 (JSON)
    """Return the rows that a pointer points to, of a list or of a table by number."""
    rows = pointed(content, pointer)
    if isinstance(rows, Mapping):
        rows = list(rows.values())
    return rows[:_MOST_ROWS] if isinstance(rows, list) else []


def moment_or_none(text: Any) -> datetime | None:  # noqa: ANN401 (JSON)
    """Return a time of RFC 3339, or of seconds since 1970; None where it is none."""
    try:
        if isinstance(text, int | float) and not isinstance(text, bool):
            return datetime.fromtimestamp(text, UTC)
        found = datetime.fromisoformat(str(text))
    except (ValueError, OverflowError, OSError):
        return None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def fits(row: Any, wanted: Mapping[str, str]) -> bool:  # noqa: ANN401 (JSON)
    """Return whether a row has these texts at these pointers, in any case of letters."""
    return all(str(pointed(row, pointer)).lower() == value.lower() for pointer, value in wanted.items())


def said(reply: Reply) -> str:
    """Return what an interface says for itself, in a line."""
    for pointer in ("/error/message", "/message", "/error", "/errors/0", "/0/msg", "/result"):
        if (told := pointed(reply.content, pointer)) is not None and not isinstance(told, dict):
            return f": {str(told)[:200]}"
    return ""
