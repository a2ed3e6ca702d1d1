"""What can be set about alarms: the command, the channels beside it, their quiet hours, and how much is told."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

_TIME = r"^(?:[01][0-9]|2[0-3]):[0-5][0-9]$"
_SPAN = r"^(?:(?:[01][0-9]|2[0-3]):[0-5][0-9]-(?:[01][0-9]|2[0-3]):[0-5][0-9])?$"


class AlarmChannel(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One channel ``[alarms.channels.NAME]``.

    ``mail`` wants ``to`` and ``sender``; ``syslog`` nothing; the others want ``url_file``, since whoever knows such a
    URL may write there; a ``webhook`` also ``body``, into whose strings ``{line}``, ``{text}``, ``{turn}`` and ``{id}``
    are put.  ``calls`` are those alarms for which a person is needed.
    """

    kind: Literal["mail", "webhook", "slack", "mattermost", "teams", "syslog", "apprise"]
    to: tuple[str, ...] = ()
    sender: str = ""
    server: str = "127.0.0.1:25"
    url_file: str = ""
    body: dict[str, Any] = {}
    socket: str = "/dev/log"
    tells: Literal["everything", "calls"] = "everything"
    after_minutes: Annotated[int, msgspec.Meta(ge=0, le=1440)] = 0
    quiet: Annotated[str, msgspec.Meta(pattern=_SPAN)] = ""


class AlarmSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who is told."""

    command: Annotated[
        tuple[str, ...],
        msgspec.Meta(
            description="A program and its arguments, run for alarms (no shell): `{line}` in an argument is what "
            "happened in one line, standard input its text, `OUTWARDEN_ALARM` in its environment all of it as JSON. "
            "Empty: stderr alone."
        ),
    ] = ()
    most_per_hour: Annotated[
        int,
        msgspec.Meta(
            ge=1,
            le=3600,
            description="How often the command is run, and each channel used, at most within an hour; the last one "
            "says so, and what comes after it waits and is told together.",
        ),
    ] = 12
    channels: Annotated[
        dict[str, AlarmChannel],
        msgspec.Meta(
            description="Whom to tell besides: mail, webhooks, chats, syslog, each a table `[alarms.channels.NAME]` "
            "with a `kind`."
        ),
    ] = {}
    digest_at: Annotated[
        str,
        msgspec.Meta(
            pattern=f"^$|{_TIME}",
            description="When, in local time (`08:00`), the day's digest of what still stands is told; empty for none.",
        ),
    ] = ""
