"""The journal of systemd, as ``journalctl -o json`` writes it, becomes lines as syslog writes them.

One JSON object stands on each line; all values are strings, but a value that is not valid UTF-8 is a list
of byte values, one that is too long is null, and a field that occurs twice is a list of strings (systemd's
"Journal Export Formats", section "Journal JSON Format").  What is taken: ``__REALTIME_TIMESTAMP``
(microseconds), ``_HOSTNAME``, ``SYSLOG_IDENTIFIER`` (else ``_COMM``), ``SYSLOG_PID`` (else ``_PID``) and ``MESSAGE``.

Each line stays one line, so that lines are counted alike in all formats: a newline inside a
message becomes the two characters backslash and n.  A line that is no such object stays as it is.
"""

from datetime import UTC, datetime, timedelta

import msgspec

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_Value = str | list[str | int] | None


class _Entry(msgspec.Struct):
    microseconds: str = msgspec.field(name="__REALTIME_TIMESTAMP")
    message: _Value = msgspec.field(name="MESSAGE")
    host: _Value = msgspec.field(name="_HOSTNAME", default=None)
    identifier: _Value = msgspec.field(name="SYSLOG_IDENTIFIER", default=None)
    command: _Value = msgspec.field(name="_COMM", default=None)
    syslog_pid: _Value = msgspec.field(name="SYSLOG_PID", default=None)
    pid: _Value = msgspec.field(name="_PID", default=None)


_decoder = msgspec.json.Decoder(_Entry)


def is_journal(block: str) -> bool:
    """Return whether a line of the block looks like an entry of the journal."""
    return "{" in block and (block.startswith("{") or "\n{" in block) and '"MESSAGE"' in block


def syslog_lines(block: str) -> str:
    """Return the block with each journal entry in it written as syslog writes it."""
    return "\n".join([_syslog_line(line) if line.startswith("{") else line for line in block.split("\n")])


def _syslog_line(line: str) -> str:
    try:
        entry = _decoder.decode(line)
        at = _EPOCH + timedelta(microseconds=int(entry.microseconds))
    except (msgspec.DecodeError, ValueError, OverflowError, RecursionError):
        return line
    host = _word(entry.host) or "localhost"
    program = _word(entry.identifier) or _word(entry.command) or "unknown"
    pid = _word(entry.syslog_pid) or _word(entry.pid)
    tag = f"{program}[{pid}]" if pid else program
    return f"{at.isoformat()} {host} {tag}: {_on_one_line(_text(entry.message))}"


def _text(value: _Value) -> str:
    if isinstance(value, list):
        if value and isinstance(value[0], str):
            return value[0]
        octets = bytes(octet for octet in value if isinstance(octet, int) and 0 <= octet < 256)
        return octets.decode("utf-8", "backslashreplace")
    return value or ""


def _word(value: _Value) -> str:
    """Return the value as one word, fit to stand in a syslog line's head."""
    return "_".join(_text(value).split())


def _on_one_line(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\n", "\\n") if "\n" in text else text
