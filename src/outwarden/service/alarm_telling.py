"""Tells one channel of one alarm.  A program of its own, run by a courier, which knows then how it ended.

    python -m outwarden.service.alarm_telling NAME

``OUTWARDEN_ALARM_CHANNEL`` has the channel's settings and ``OUTWARDEN_ALARM`` the alarm, both as JSON.  A URL is a
secret, so it stands in a file and is in no argument, no environment and no message.  Exit codes: 0 told, 75 sent and
not known whether it arrived, 1 failed, which is tried again.
"""

from __future__ import annotations

import os
import sys
from datetime import datetime
from pathlib import Path

import msgspec

from outwarden.responses.alarms.mail import tell_by_mail
from outwarden.responses.alarms.message import AlarmMessage, CouldNotTell, Unknown
from outwarden.responses.alarms.shapes import SHAPES, declared
from outwarden.responses.alarms.syslog import tell_syslog
from outwarden.responses.alarms.web import tell_apprise, tell_web
from outwarden.service.alarm_courier import UNKNOWN
from outwarden.service.alarm_settings import AlarmChannel

_MOST_IN_FILE = 8_192


def main(name: str) -> int:
    """Tell the channel of that name; returns the exit code."""
    channel = msgspec.json.decode(os.environ["OUTWARDEN_ALARM_CHANNEL"], type=AlarmChannel)
    message = msgspec.json.decode(os.environ["OUTWARDEN_ALARM"], type=AlarmMessage)
    try:
        tell(channel, message)
    except Unknown as fault:
        sys.stderr.write(f"outwarden: alarms.channels.{name}: not known whether it arrived: {fault}\n")
        return UNKNOWN
    except CouldNotTell as fault:
        sys.stderr.write(f"outwarden: alarms.channels.{name}: {fault}\n")
        return 1
    return 0


def tried(channel: AlarmChannel, now: datetime) -> str:
    """Tell a channel that this is a test; return "" where it was told, else why not."""
    message = AlarmMessage(0, "call", "this is a test of Outwarden's alarms", "If you read this, it works.\n", now)
    try:
        tell(channel, message)
    except (CouldNotTell, Unknown) as fault:
        return str(fault)
    return ""


def tell(channel: AlarmChannel, message: AlarmMessage) -> None:
    """Tell a channel.  Raises ``CouldNotTell`` and ``Unknown``."""
    if channel.kind == "mail":
        tell_by_mail(message, channel.server, channel.sender, channel.to)
    elif channel.kind == "syslog":
        tell_syslog(message, channel.socket)
    elif channel.kind == "apprise":
        tell_apprise(message, _secret(channel))
    elif channel.kind == "webhook":
        tell_web(_secret(channel), declared(channel.body, message))
    else:
        tell_web(_secret(channel), SHAPES[channel.kind](message))


def _secret(channel: AlarmChannel) -> str:
    folder = os.environ.get("CREDENTIALS_DIRECTORY", "")
    file = Path(channel.url_file) if "/" in channel.url_file else Path(folder) / channel.url_file
    try:
        with file.open(encoding="utf-8") as opened:
            return opened.read(_MOST_IN_FILE).strip()
    except (OSError, UnicodeDecodeError) as fault:
        raise CouldNotTell(f"{file}: {fault}; name a file that the service can read") from None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
