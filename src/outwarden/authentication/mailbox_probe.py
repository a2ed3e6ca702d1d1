"""Asks a mail exchanger whether it would take mail for a mailbox: MAIL, RCPT, and away without a message.

It is only done when the operator asks for it, once per mailbox, with the null sender.
"""

import smtplib
import socket
from collections.abc import Callable
from contextlib import suppress

from outwarden.authentication.answers import RecordSource
from outwarden.authentication.domain_names import Address
from outwarden.authentication.public_addresses import find_addresses
from outwarden.authentication.role_mailboxes import Probe
from outwarden.dns.public_addresses import is_public

SMTP_PORT = 25
PROBE_SECONDS = 15.0
_LONGEST_REPLY = 200


class SmtpMailboxProbe:
    """A ``MailboxProbe``.  ``helo`` is our own name; ``seconds`` is for each step of the conversation."""

    def __init__(
        self,
        records: RecordSource,
        helo: str,
        may_connect: Callable[[Address], bool] = is_public,
        port: int = SMTP_PORT,
        seconds: float = PROBE_SECONDS,
    ) -> None:
        self._records = records
        self._helo = helo
        self._may_connect = may_connect
        self._port = port
        self._seconds = seconds

    def __call__(self, host: str, mailbox: str) -> Probe:
        """Return what ``host`` says of ``mailbox``."""
        found = find_addresses(host, self._records, self._may_connect)
        if not found.addresses:
            return Probe(None, f"{found.fault}")
        try:
            return self._ask(str(found.addresses[0]), mailbox)
        except (OSError, smtplib.SMTPException) as error:
            return Probe(None, f"{host} could not be asked: {_words(error)}")

    def _ask(self, address: str, mailbox: str) -> Probe:
        conversation = smtplib.SMTP(timeout=self._seconds, local_hostname=self._helo)
        try:
            conversation.connect(address, self._port)
            conversation.ehlo_or_helo_if_needed()
            conversation.mail("")
            code, reply = conversation.rcpt(mailbox)
            with suppress(OSError, smtplib.SMTPException):
                conversation.docmd("QUIT")  # What it says to that does not matter any more.
        finally:
            conversation.close()
        accepted = {2: True, 5: False}.get(code // 100)
        return Probe(accepted, f"{code} {reply[:_LONGEST_REPLY].decode('utf-8', 'replace')}")


def _words(error: Exception) -> str:
    if isinstance(error, TimeoutError | socket.timeout):
        return "no answer in time"
    return str(error)[:_LONGEST_REPLY] or type(error).__name__
