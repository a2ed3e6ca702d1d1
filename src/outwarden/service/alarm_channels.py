"""Whom alarms are told besides the command, and when: at once, after quiet hours, or once nobody has answered.

A channel that is down holds up no other: each is told on its own, tried again on its own, and given up on its own.
During its quiet hours a channel hears only of what needs a person; the rest waits for their end.  One with
``after_minutes`` is for when nobody answers: it hears of a notice so long after it was made, unless somebody has taken
that up (``outwarden alarms answer``).
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, tzinfo

import msgspec

from outwarden.detection.listing_changes import Turn
from outwarden.responses.templates import places_in
from outwarden.service import alarm_courier
from outwarden.service.alarm_handover import FIRST_WAIT, MOST_TRIES, Handover
from outwarden.service.alarm_settings import AlarmChannel
from outwarden.service.settings import Configuration
from outwarden.service.time_zone import local_zone
from outwarden.store.alarms import Call, Notice
from outwarden.store.store import Store
from outwarden.store.tellings import Telling

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
_MAILBOX = re.compile(r"[!-?A-~]{1,64}@[A-Za-z0-9.-]{1,253}")
_PROGRAM = (sys.executable, "-P", "-m", "outwarden.service.alarm_telling")


class Channels:
    """The channels of a site, by name."""

    def __init__(
        self,
        store: Store,
        channels: Mapping[str, AlarmChannel],
        handover: Handover,
        environment: Callable[[Notice], Mapping[str, str]],
        zone: tzinfo | None = None,
    ) -> None:
        self._store, self._channels, self._handover, self._environment = store, channels, handover, environment
        self._zone = zone or local_zone()

    def plan(self, notice: int, turn: Turn | Call, now: datetime) -> None:
        """Write down who is to be told of a new notice, and when; only inside ``writing()``."""
        for name, channel in self._channels.items():
            if channel.tells == "calls" and turn is not Call.PERSON:
                continue
            at = now + timedelta(minutes=channel.after_minutes)
            self._store.tellings.plan(notice, name, at if turn is Call.PERSON else loud_at(channel, at, self._zone))

    def send(self, now: datetime) -> int:
        """Tell what is due; returns how many tellings were settled.  Raises ``StoreUnusable``."""
        return sum(self._told(telling, now) for telling in self._store.tellings.due(now))

    def _told(self, telling: Telling, now: datetime) -> bool:
        tellings, channel = self._store.tellings, self._channels.get(telling.channel)
        if channel is None:
            tellings.settle(telling, "there is no such channel any more", now)
            return True
        if channel.after_minutes and (answer := tellings.answered(telling.notice.id)) is not None:
            tellings.settle(telling, f"not told: {answer.by} had answered", now)
            return True
        code = self._hand_over(telling, channel)
        if code in (0, alarm_courier.UNKNOWN):
            tellings.settle(telling, "told" if code == 0 else "begun, and not known how it ended", now)
        elif telling.attempts + 1 < MOST_TRIES:
            tellings.try_again(telling, f"failed with {code}", now + FIRST_WAIT * (1 << telling.attempts))
            return False
        else:
            tellings.settle(telling, f"given up: failed with {code}", now)
        return True

    def _hand_over(self, telling: Telling, channel: AlarmChannel) -> int:
        notice = telling.notice
        environment = {
            **self._environment(notice),
            "OUTWARDEN_ALARM_CHANNEL": msgspec.json.encode(channel).decode(),
            "OUTWARDEN_ALARM_LOG": "",
        }
        receipt = f"{notice.receipt}-{telling.channel}-{telling.attempts + 1}"
        return self._handover.hand_over(receipt, (*_PROGRAM, telling.channel), environment)


def checked(configuration: Configuration) -> Mapping[str, AlarmChannel]:
    """Return the channels of a site.  Raises ``ConfigurationError`` for one that could tell nobody."""
    channels = configuration.settings.alarms.channels
    for name, channel in channels.items():
        what = _wrong(name, channel)
        if what:
            raise configuration.wrong(f"alarms.channels.{name}", what)
    return channels


def _wrong(name: str, channel: AlarmChannel) -> str:
    """Return what a channel lacks, and the cure; "" where it will do."""
    host, colon, port = channel.server.rpartition(":")
    if not _NAME.fullmatch(name):
        return "a channel's name is of small letters, digits and hyphens"
    if channel.kind == "mail":
        if not channel.to or not channel.sender:
            return "kind mail wants to = [...] and sender"
        if wrong := next((each for each in (*channel.to, channel.sender) if not _MAILBOX.fullmatch(each)), None):
            return f"{wrong!r} is no address"
        if not (host and colon and port.isdigit() and 0 < int(port) < 65536):
            return f"server {channel.server!r} is not HOST:PORT"
    elif channel.kind != "syslog" and not channel.url_file:
        return f"kind {channel.kind} wants url_file, the file with the URL: whoever knows that may write there"
    if channel.kind == "webhook" and not {"line", "text"} & places_in(channel.body):
        return "body has neither {line} nor {text}, so nobody would be told anything"
    return ""


def loud_at(channel: AlarmChannel, at: datetime, zone: tzinfo) -> datetime:
    """Return when a channel may be told: then, or at the end of the quiet hours that it falls into.

    >>> from datetime import UTC
    >>> night = AlarmChannel("syslog", quiet="22:00-07:00")
    >>> f"{loud_at(night, datetime(2026, 11, 25, 3, tzinfo=UTC), UTC):%d %H:%M}"
    '25 07:00'
    """
    if not channel.quiet:
        return at
    begin, end = (timedelta(hours=int(each[:2]), minutes=int(each[3:])) for each in channel.quiet.split("-"))
    local = at.astimezone(zone)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    since = local - midnight
    if begin <= end:
        return (midnight + end).astimezone(at.tzinfo) if begin <= since < end else at
    if since >= begin:
        return (midnight + timedelta(days=1) + end).astimezone(at.tzinfo)
    return (midnight + end).astimezone(at.tzinfo) if since < end else at
