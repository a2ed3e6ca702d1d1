"""Tells an alarm to a URL that takes JSON, and to whatever Apprise knows, where that is installed."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

from outwarden.responses.accounts.connector import OperatorFault, TemporaryFault
from outwarden.responses.accounts.http_exchange import Server
from outwarden.responses.alarms.message import AlarmMessage, CouldNotTell

_SECONDS = 20.0


def tell_web(url: str, content: dict[str, Any], ca_file: str = "") -> None:
    """Post JSON to a URL, HTTPS or on this machine.  Raises ``CouldNotTell``, which never has the URL's path in it."""
    try:
        target = urlsplit(url)
        server = Server("webhook", f"{target.scheme}://{target.netloc}", _SECONDS, ca_file)
        path = (target.path or "/") + (f"?{target.query}" if target.query else "")
        reply = server.ask("POST", path, {}, json.dumps(content).encode())
    except (OperatorFault, TemporaryFault, ValueError) as fault:
        raise CouldNotTell(str(fault)) from None
    if reply.status >= 300:
        raise CouldNotTell(f"webhook: {target.hostname} answers {reply.status}")


def tell_apprise(message: AlarmMessage, urls: str) -> None:
    """Tell every address of Apprise, one a line.  Raises ``CouldNotTell``."""
    try:
        import apprise
    except ImportError:
        raise CouldNotTell("Apprise is not installed; install the extra outwarden[apprise]") from None
    told = apprise.Apprise()
    for number, url in enumerate(urls.split(), 1):
        if not told.add(url):
            raise CouldNotTell(f"Apprise does not understand address {number} of url_file")
    kind = apprise.NotifyType.WARNING if message.urgent else apprise.NotifyType.INFO
    if not told.notify(body=message.body, title=message.line, notify_type=kind):
        raise CouldNotTell("Apprise could not tell all of them; its log says which")
