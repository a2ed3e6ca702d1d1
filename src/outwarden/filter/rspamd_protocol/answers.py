"""What is answered, in each of the two dialects.

The action is one of rspamd's: ``no action``, ``quarantine``, ``soft reject`` or ``reject``.
"""

from collections.abc import Iterator
from enum import Enum

import msgspec

from outwarden.filter.verdicts import Accept, AddHeader, Defer, Edit, Hold, Refuse, Verdict
from outwarden.filter.words import ascii_line, header_name, header_value

MOST_WORDS = 400
"""So long may the text for people be.  RFC 5321 section 4.5.3.1.5: a line of a reply has 512 bytes."""

_ACTIONS: dict[type[Verdict], str] = {
    Accept: "no action",
    Hold: "quarantine",
    Defer: "soft reject",
    Refuse: "reject",
}
_SYMBOLS: dict[type[Verdict], str] = {Hold: "OUTWARDEN_HOLD", Defer: "OUTWARDEN_DEFER", Refuse: "OUTWARDEN_REFUSE"}
_REQUIRED = 15.0

# RFC 9110 section 15, RFC 6585 section 5 for 431.
_PHRASES = {
    200: "OK",
    400: "Bad Request",
    404: "Not Found",
    405: "Method Not Allowed",
    411: "Length Required",
    413: "Content Too Large",
    415: "Unsupported Media Type",
    431: "Request Header Fields Too Large",
}


class Dialect(Enum):
    """Which of the two is spoken."""

    RSPAMC = "RSPAMC/1.3"
    HTTP = "HTTP/1.1"


PONG = b"pong\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


def answer(dialect: Dialect, verdict: Verdict, *, lasting: bool) -> bytes:
    """Return the whole answer; ``lasting`` says whether the connection goes on.  Raises ``Unspeakable``."""
    if dialect is Dialect.HTTP:
        return http(200, _json(verdict), "application/json", lasting=lasting)
    return _rspamc(verdict)


def failure(dialect: Dialect, status: int) -> bytes:
    """Return the answer to what is no request."""
    if dialect is Dialect.HTTP:
        return http(status, f"{_PHRASES[status]}\r\n".encode(), "text/plain", lasting=False)
    # The number is that of sysexits.h, as spamd, whose protocol this was, answers.
    return b"RSPAMD/1.3 76 EX_PROTOCOL\r\n\r\n"


def http(status: int, body: bytes, kind: str, *, lasting: bool) -> bytes:
    """Return an answer of HTTP/1.1.  RFC 9112 section 6.3: its length is always said."""
    connection = "keep-alive" if lasting else "close"
    head = (
        f"HTTP/1.1 {status} {_PHRASES[status]}\r\nServer: outwarden\r\nContent-Type: {kind}\r\n"
        f"Content-Length: {len(body)}\r\nConnection: {connection}\r\n\r\n"
    )
    return head.encode() + body


def _json(verdict: Verdict) -> bytes:
    score = _score(verdict)
    symbols = {}
    if symbol := _SYMBOLS.get(type(verdict)):
        symbols[symbol] = {"name": symbol, "score": score, "metric_score": score}
    told: dict[str, object] = {
        "is_skipped": False,
        "score": score,
        "required_score": _REQUIRED,
        "action": _ACTIONS[type(verdict)],
        "symbols": symbols,
        "messages": {"smtp_message": _words(verdict)} if symbols else {},
    }
    if edits := _edits(verdict):
        told["milter"] = _milter(edits)
    return msgspec.json.encode(told)


def _milter(edits: tuple[Edit, ...]) -> dict[str, object]:
    """Return changes of headers as rspamd's clients make them: what gets another value is removed and added."""
    add: dict[str, list[dict[str, object]]] = {}
    remove: dict[str, int] = {}
    for edit in edits:
        name, value = header_name(edit.name), header_value(edit.value)
        if not isinstance(edit, AddHeader):
            remove[name] = edit.occurrence
        if value:
            # Rspamd's place of a header: -1 is after the last.
            add.setdefault(name, []).append({"value": value, "order": -1})
    return {"add_headers": add, "remove_headers": remove}


def _rspamc(verdict: Verdict) -> bytes:
    """Exim takes the first line and the metric apart; the rest becomes ``$spam_report``."""
    score = _score(verdict)
    lines = [
        "RSPAMD/1.3 0 EX_OK",
        f"Metric: default; {score >= _REQUIRED}; {score:.2f} / {_REQUIRED:.2f} / {_REQUIRED:.2f}",
        f"Action: {_ACTIONS[type(verdict)]}",
    ]
    if symbol := _SYMBOLS.get(type(verdict)):
        lines += [f"Symbol: {symbol}; {score:.2f}", f"Message: {_words(verdict)}"]
    lines += _header_lines(_edits(verdict))
    return "\r\n".join([*lines, "", ""]).encode("utf-8", "replace")


def _header_lines(edits: tuple[Edit, ...]) -> Iterator[str]:
    """Yield changes of headers; a value is unfolded (RFC 5322 section 2.2.3), as a line is a line here."""
    for edit in edits:
        name, value = header_name(edit.name), header_value(edit.value).replace("\n", "")
        if not isinstance(edit, AddHeader):
            yield f"Remove-Header: {name}"
        if value:
            yield f"Add-Header: {name}: {value}"


def _edits(verdict: Verdict) -> tuple[Edit, ...]:
    return verdict.edits if isinstance(verdict, Accept | Hold) else ()


def _score(verdict: Verdict) -> float:
    """Return the score for clients that know scores alone: they refuse what is refused, and nothing else."""
    return _REQUIRED if isinstance(verdict, Refuse) else 0.0


def _words(verdict: Verdict) -> str:
    return "" if isinstance(verdict, Accept) else ascii_line(verdict.text, MOST_WORDS)
