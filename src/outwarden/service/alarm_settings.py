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

    kind: Annotated[
        Literal["mail", "webhook", "slack", "mattermost", "teams", "syslog", "apprise"],
        msgspec.Meta(description="What it is."),
    ]
    to: Annotated[tuple[str, ...], msgspec.Meta(description="Mail: to whom.")] = ()
    sender: Annotated[str, msgspec.Meta(description="Mail: in whose name.")] = ""
    server: Annotated[str, msgspec.Meta(description="Mail: the server that it is handed to, `HOST:PORT`.")] = (
        "127.0.0.1:25"
    )
    url_file: Annotated[str, msgspec.Meta(description="The file with the URL, which is a secret.")] = ""
    body: Annotated[dict[str, Any], msgspec.Meta(description="Webhook: the JSON that is posted.")] = {}
    socket: Annotated[str, msgspec.Meta(description="Syslog: its socket.")] = "/dev/log"
    tells: Annotated[
        Literal["everything", "calls"], msgspec.Meta(description="Everything, or only what needs a person.")
    ] = "everything"
    after_minutes: Annotated[
        int, msgspec.Meta(ge=0, le=1440, description="So long after it was made, unless somebody has answered.")
    ] = 0
    quiet: Annotated[
        str, msgspec.Meta(pattern=_SPAN, description="`22:00-07:00`: what needs nobody waits for the end of them.")
    ] = ""


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
