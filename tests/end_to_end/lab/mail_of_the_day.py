"""The mail that every server is handed on its day, and how it is asserted what ``outwarden`` tells of it.

Rosa and Jan are people with an account; strangers write to them and to an alias that is forwarded,
somebody guesses a password and somebody tries to relay.  What a server does in its own way stays
in its story.
"""

import smtplib
from collections.abc import Callable
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from lab.smtp_world import Sink

Login = tuple[str, str]
# The secrets are what the Exim of lab/exim.py takes without keeping a list.
ROSA: Login = ("rosa@isp.example", "secret of rosa@isp.example")
JAN: Login = ("jan@isp.example", "secret of jan@isp.example")


def submit(
    port: int, sender: str, recipients: list[str], login: Login | None = None, client: str = "127.0.0.1"
) -> None:
    """Hand in one message over SMTP, logged in or not, from an address of the loopback."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, ", ".join(recipients), "A message"
    message.set_content("Hello.\n")
    with smtplib.SMTP("127.0.0.1", port, "client.example", source_address=(client, 0)) as session:
        if login:
            session.login(*login)
        session.send_message(message, sender, recipients)


def rosa_and_jan_write(port: int) -> None:
    """Hand in, logged in, what is refused: once for a full mailbox, once for our address, once for DMARC."""
    submit(port, "Rosa@ISP.example", ["full-dora@bigmail.example"], ROSA, client="127.0.9.2")
    submit(port, JAN[0], ["blocked-eva@bigmail.example", "ann@bigmail.example"], JAN, client="127.0.7.3")
    submit(port, JAN[0], ["dmarc-gil@bigmail.example"], JAN, client="127.0.7.3")


def strangers_write(port: int) -> None:
    """Hand in a stranger's letter to Rosa, and a stranger's spam to the forwarded alias."""
    submit(port, "Hal@Far.example", ["rosa@isp.example"], client="127.0.8.2")
    submit(port, "offers@far.example", ["club@isp.example"], client="127.0.8.3")


def a_password_is_guessed(port: int) -> None:
    """Log in as Rosa with a wrong password, which leaves lines that are nobody's messages."""
    with pytest.raises(smtplib.SMTPAuthenticationError):
        submit(port, ROSA[0], ["ann@bigmail.example"], (ROSA[0], "wrong"), client="127.0.8.9")


def a_relay_is_sought(port: int) -> None:
    """Try to relay without a login, which leaves lines that are nobody's messages."""
    with pytest.raises(smtplib.SMTPRecipientsRefused):
        submit(port, "spam@far.example", ["ann@bigmail.example"], client="127.0.8.9")


def told_to_wait(outwarden: Callable[..., Any], listing: Path, shown: str) -> set[str]:
    """Return to whom mail waits, as ``outwarden`` tells it of the queue that the server has shown.

    It must wait for Rosa and Jan and for nobody else.
    """
    listing.write_text(shown)
    waiting = outwarden("queue", "list", "--json", listing)
    assert {message["sender"] for message in waiting} == {ROSA[0], JAN[0]}
    return {recipient["address"] for message in waiting for recipient in message["recipients"]}


def account(
    kind: str,
    messages: int,
    recipients: int,
    delivered: int,
    *,
    deferred: int = 0,
    expired: int = 0,
    returned: int = 0,
    **refused: int,
) -> dict[str, Any]:
    """Return what must be told of one account; each refusal by its reason, and all of them are bounces."""
    return {
        "kind": kind,
        "messages": messages,
        "recipients": recipients,
        "delivered": delivered,
        "deferred_attempts": deferred,
        "bounced": sum(refused.values()),
        "expired": expired,
        "bounces_returned": returned,
        "refused": {name.replace("_", "-"): count for name, count in refused.items()},
    }


OF_STRANGERS = {
    "Hal@far.example": account("address", 1, 1, 1),
    "offers@far.example": account("address", 1, 1, 0, returned=1, content_refused=1),
}
OF_A_SCRIPT = {"web@isp.example": account("local", 1, 2, 1, returned=1, unknown_recipient=1)}


def assert_told(answer: dict[str, Any], expected_of_all: dict[str, dict[str, Any]], sink: Sink) -> None:
    """Assert that these accounts are told of, no others, and the one blocklist that has refused mail."""
    told = {one["account"]: one for one in answer["accounts"]}
    assert set(told) == set(expected_of_all)
    for name, expected in expected_of_all.items():
        assert {field: told[name][field] for field in expected} == expected, name
    listings = [(seen["list"], seen["address"], seen["count"]) for seen in answer["listings_seen"]]
    assert listings == ([("spamhaus-zen", "192.0.2.1", 1)] if sink.looks_remote else [])
