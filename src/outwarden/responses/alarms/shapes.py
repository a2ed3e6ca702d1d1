"""The JSON that each chat wants of an incoming webhook, and the one that a site declares itself.

Slack: https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks (``text``, in which ``&``, ``<`` and
``>`` are escaped).  Mattermost: the same field, in Markdown.  Teams: a workflow's webhook takes an Adaptive Card.  What
a remote server said stands in the text, so none of it may address people (``@channel``, ``<!here>``) or make a link.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from outwarden.responses.alarms.message import AlarmMessage
from outwarden.responses.templates import filled

MOST_TEXT = 3_000
"""Characters; Slack cuts a text at 40,000 and advises 4,000, Mattermost takes 16,383 and a Teams card 28 kB."""
# Between @ and a name stands a space of no width: no program takes it for somebody who is to be called.
_CALLS, _NO_CALL = re.compile(r"@(?=\w)"), "@\u200b"


def slack(message: AlarmMessage) -> dict[str, Any]:
    """Return what Slack's incoming webhook takes."""
    line, body = (
        text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;") for text in (message.line, _body(message))
    )
    return {"text": f"*{line.replace('*', '')}*\n```{body}```"}


def mattermost(message: AlarmMessage) -> dict[str, Any]:
    """Return what Mattermost's incoming webhook takes."""
    priority = {"priority": {"priority": "urgent"}} if message.urgent else {}
    line, body = _plain(_CALLS.sub(_NO_CALL, message.line)), _CALLS.sub(_NO_CALL, _body(message))
    return {"text": f"{line}\n\n```\n{body}\n```", **priority}


def teams(message: AlarmMessage) -> dict[str, Any]:
    """Return what a Teams workflow's webhook takes: one Adaptive Card."""
    lines = [
        {"type": "TextBlock", "text": _plain(message.line), "weight": "Bolder", "wrap": True, "size": "Medium"},
        {
            "type": "TextBlock",
            "text": _plain(_body(message)).replace("\n", "\n\n"),
            "wrap": True,
            "fontType": "Monospace",
        },
    ]
    if message.urgent:
        lines[0]["color"] = "Attention"
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": lines,
    }
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "content": card}
    return {"type": "message", "attachments": [attachment]}


def declared(template: Mapping[str, Any], message: AlarmMessage) -> dict[str, Any]:
    """Return a site's own JSON with ``{line}``, ``{text}``, ``{turn}`` and ``{id}`` put into its strings."""
    values = {"line": message.line, "text": _body(message), "turn": message.turn, "id": str(message.id)}
    found: dict[str, Any] = filled(template, values)
    return found


def _body(message: AlarmMessage) -> str:
    text = message.body.strip().replace("```", "'''")
    return text if len(text) <= MOST_TEXT else f"{text[:MOST_TEXT]}\n[...] see: outwarden alarms show {message.id}"


def _plain(text: str) -> str:
    """Return text in which Markdown finds nothing to do."""
    return re.sub(r"([\\`*_{}\[\]<>()#+!|~])", r"\\\1", text)


SHAPES: dict[str, Callable[[AlarmMessage], dict[str, Any]]] = {"slack": slack, "mattermost": mattermost, "teams": teams}
