"""Bounces that a sending service tells as JSON in a mail, after the manner of Amazon SES through its notifications."""

from __future__ import annotations

from typing import Any

import msgspec

from outwarden.sources.reports.records import Action

_LONGEST = 131_072


class NotifiedRecipient(msgspec.Struct, frozen=True):
    """One recipient of a notification."""

    address: str
    action: Action
    status: str | None
    said: str


class Notified(msgspec.Struct, frozen=True):
    """A notification: ``kind`` is ``bounce``, ``complaint``, ``delivery`` or ``delay``."""

    kind: str
    recipients: tuple[NotifiedRecipient, ...]
    message_id: str | None
    sender: str | None
    subject: str | None


_KINDS = {"bounce": "bounce", "complaint": "complaint", "delivery": "delivery", "deliverydelay": "delay"}
_LISTS = {
    "bounce": ("bounce", "bouncedRecipients", Action.FAILED),
    "complaint": ("complaint", "complainedRecipients", Action.DELIVERED),
    "delivery": ("delivery", "recipients", Action.DELIVERED),
    "delay": ("deliveryDelay", "delayedRecipients", Action.DELAYED),
}


def read_notification(text: str) -> Notified | None:
    """Return what a text tells that begins with a JSON object of that form; None where it does not."""
    begun = text.lstrip()[:_LONGEST]
    if not begun.startswith("{"):
        return None
    found = _object(begun)
    inner = found.get("Message")
    if isinstance(inner, str):
        found = _object(inner) or found
    kind = _KINDS.get(_word(found, "notificationType", "eventType").lower())
    if kind is None:
        return None
    part, named, action = _LISTS[kind]
    listed = _dict(found, part).get(named)
    mail = _dict(found, "mail")
    common = _dict(mail, "commonHeaders")
    recipients = (
        tuple(filter(None, (_recipient(one, action) for one in listed[:1000]))) if isinstance(listed, list) else ()
    )
    own_id = _header(mail, "message-id") or _word(common, "messageId")
    return Notified(
        kind,
        recipients,
        own_id or _word(mail, "messageId") or None,
        _word(mail, "source") or None,
        _word(common, "subject") or None,
    )


def _recipient(entry: object, action: Action) -> NotifiedRecipient | None:
    if isinstance(entry, str):
        return NotifiedRecipient(entry, action, None, "") if "@" in entry else None
    if not isinstance(entry, dict):
        return None
    address = _word(entry, "emailAddress")
    told = _word(entry, "action")
    status = _word(entry, "status")
    if "@" not in address:
        return None
    named = Action(told) if told in tuple(Action) else action
    return NotifiedRecipient(address, named, status or None, _word(entry, "diagnosticCode"))


def _header(mail: dict[str, Any], name: str) -> str:
    headers = mail.get("headers")
    for one in headers[:200] if isinstance(headers, list) else ():
        if isinstance(one, dict) and _word(one, "name").lower() == name:
            return _word(one, "value")
    return ""


def _object(text: str) -> dict[str, Any]:
    """Return the object that a text begins with; whatever follows is left out.  A line may have been broken in it."""
    end = text.rfind("}") + 1
    first_end = text.find("}\n") + 1
    joined = text.replace("!\n ", "").replace("\n", "")
    for candidate in (text[:end], text[:first_end] if first_end else "", joined[: joined.rfind("}") + 1]):
        try:
            found = msgspec.json.decode(candidate)
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            continue
        if isinstance(found, dict):
            return found
    return {}


def _dict(found: dict[str, Any], name: str) -> dict[str, Any]:
    inner = found.get(name)
    return inner if isinstance(inner, dict) else {}


def _word(found: dict[str, Any], *names: str) -> str:
    for name in names:
        value = found.get(name)
        if isinstance(value, str):
            return value
    return ""
