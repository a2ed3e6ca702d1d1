"""Tells an alarm to the machine's own syslog: one line, as local programs write it (RFC 3164 section 4.1)."""

from __future__ import annotations

import socket

from outwarden.responses.alarms.message import AlarmMessage, CouldNotTell
from outwarden.responses.notices.wording import one_line

_MAIL, _ALERT, _NOTICE = 2 << 3, 1, 5
"""Facility and severities of RFC 3164 section 4.1.1."""
_LONGEST = 900


def tell_syslog(message: AlarmMessage, path: str) -> None:
    """Write a line to the socket.  Raises ``CouldNotTell``."""
    severity = _ALERT if message.urgent else _NOTICE
    line = f"<{_MAIL | severity}>outwarden: alarm {message.id} {message.turn}: {one_line(message.line, _LONGEST)}"
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as log:
            log.settimeout(5.0)
            log.sendto(line.encode(), path)
    except OSError as fault:
        raise CouldNotTell(f"{path}: {fault.strerror or fault}") from None
