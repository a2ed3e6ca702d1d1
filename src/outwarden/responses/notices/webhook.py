"""A text message by somebody's HTTP gateway: what it wants is declared, not programmed.

HTTPS, or HTTP to this machine itself; redirects are not followed, the answer is read within bounds of time and size,
and the gateway's secret stands in one header field and nowhere else.  A text has no link to the owner's page.
"""

from __future__ import annotations

import http.client
import json
import re
import ssl
from ipaddress import ip_address
from typing import Annotated, Any, Literal
from urllib.parse import SplitResult, urlsplit

import msgspec

from outwarden.responses.notices.bounded import bounded
from outwarden.responses.notices.smtp import HandedOver, Handover
from outwarden.responses.notices.wording import one_line
from outwarden.responses.templates import filled

MOST_ANSWER = 65_536
"""Bytes; nothing of the answer counts but its status."""
_SECONDS = 15.0
_LONGEST_TEXT = 480
# ITU-T E.164: up to fifteen figures.
_NUMBER = re.compile(r"\+[1-9][0-9]{5,14}")
# RFC 9110 section 5.1 and 5.5: the name of a field, and what its value may hold.
_FIELD = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}")
_SECRET = re.compile(r"[\x21-\x7e]{1,4096}")


class UnusableWebhook(ValueError):
    """Settings that cannot be used; the text says which and what would do.  It never has the secret in it."""


class Webhook(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a gateway is asked.

    In the strings of ``body``, which is sent as JSON, ``{number}``, ``{text}`` and ``{reference}`` are put in.  The
    field ``secret_header`` gets ``secret_prefix`` and the secret.
    """

    url: str
    body: dict[str, Any]
    method: Literal["POST", "PUT"] = "POST"
    secret_header: str = "Authorization"  # noqa: S105
    secret_prefix: str = "Bearer "  # noqa: S105
    seconds: Annotated[float, msgspec.Meta(gt=0, le=60)] = _SECONDS


def check_webhook(webhook: Webhook) -> None:
    """Raise ``UnusableWebhook`` where a setting does not do."""
    _target(webhook)
    if not _FIELD.fullmatch(webhook.secret_header):
        raise UnusableWebhook(f"secret_header {webhook.secret_header!r} is no name of a header field")
    if not webhook.secret_prefix.isprintable() or not webhook.secret_prefix.isascii():
        raise UnusableWebhook("secret_prefix is not printable ASCII")
    told = json.dumps(webhook.body)
    for name in ("{number}", "{text}"):
        if name not in told:
            raise UnusableWebhook(f"body has no {name}, so nobody would be told anything")


def send_text(
    webhook: Webhook,
    secret: str,
    number: str,
    text: str,
    reference: str,
    certificates: ssl.SSLContext | None = None,
) -> HandedOver:
    """Ask the gateway to send a text; never longer than its ``seconds``.  Raises ``UnusableWebhook``."""
    check_webhook(webhook)
    if not _NUMBER.fullmatch(number):
        raise UnusableWebhook(f"{number[:20]!r} is no telephone number; write it as +390551234567")
    if secret and not _SECRET.fullmatch(secret):
        raise UnusableWebhook("the secret is not one word of printable ASCII")
    target = _target(webhook)
    values = {"number": number, "text": one_line(text, _LONGEST_TEXT), "reference": one_line(reference)}
    body = json.dumps(filled(webhook.body, values)).encode()
    fields = {"Content-Type": "application/json", "Accept": "application/json"}
    if secret:
        fields[webhook.secret_header] = webhook.secret_prefix + secret
    connection = _connection(target, webhook.seconds, certificates)
    path = (target.path or "/") + (f"?{target.query}" if target.query else "")
    begun = False
    try:
        with bounded(webhook.seconds, lambda: connection.sock):
            connection.connect()
            begun = True
            connection.request(webhook.method, path, body, fields)
            answer = connection.getresponse()
            # Read so far that a gateway which wants to be heard has been, and no further.
            answer.read(MOST_ANSWER)
        return _judged(answer.status)
    except (OSError, http.client.HTTPException) as fault:
        return HandedOver(
            Handover.UNKNOWN if begun else Handover.TRY_AGAIN, one_line(str(fault) or type(fault).__name__)
        )
    finally:
        connection.close()


def _target(webhook: Webhook) -> SplitResult:
    try:
        target = urlsplit(webhook.url)
        host, _ = target.hostname or "", target.port
    except ValueError:
        raise UnusableWebhook(f"url {webhook.url[:80]!r} is no URL") from None
    if not webhook.url.isascii() or not webhook.url.isprintable() or " " in webhook.url or not host:
        raise UnusableWebhook(f"url {webhook.url[:80]!r} is no URL")
    if target.username or target.password:
        raise UnusableWebhook("url has a name or password in it; put the secret into a file of its own")
    if target.scheme != "https" and not (target.scheme == "http" and _is_here(host)):
        raise UnusableWebhook(f"url {webhook.url[:80]!r} is not https, and not on this machine")
    return target


def _is_here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _connection(target: SplitResult, seconds: float, certificates: ssl.SSLContext | None) -> http.client.HTTPConnection:
    if target.scheme == "http":
        return http.client.HTTPConnection(target.hostname or "", target.port, timeout=seconds)
    context = certificates or ssl.create_default_context()
    return http.client.HTTPSConnection(target.hostname or "", target.port, timeout=seconds, context=context)


def _judged(status: int) -> HandedOver:
    words = f"the gateway answered {status}"
    if 200 <= status < 300:
        return HandedOver(Handover.TAKEN, words)
    if 300 <= status < 400:
        return HandedOver(Handover.REFUSED, f"{words}: it sends us elsewhere, which we do not follow; correct the url")
    later = status in (408, 425, 429) or status >= 500
    return HandedOver(Handover.TRY_AGAIN if later else Handover.REFUSED, words)
