"""The world that the real mail servers talk to: a sink that refuses on request, and a content filter.

Both are small SMTP servers (RFC 5321) on the loopback in one thread of the test.  The sink decides
by how the recipient's local part begins; the filter hands every message in again.
"""

import asyncio
import smtplib
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from lab.waiting import free_port, own_address

REFUSALS_AT_RCPT = {
    "blocked": "554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org;"
    " https://www.spamhaus.org/query/ip/192.0.2.1",
    "unknown": "550 5.1.1 <{recipient}>: Recipient address rejected: User unknown in virtual mailbox table",
    "full": "552 5.2.2 <{recipient}>: mailbox is over quota",
    "grey": "450 4.2.0 <{recipient}>: Recipient address rejected: Greylisted, please come back later",
    "busy": "451 4.3.2 Please try again later",
}
REFUSALS_AFTER_DATA = {
    "content": "550 5.7.1 Message content rejected, it looks like spam",
    "dmarc": "550-5.7.26 Unauthenticated mail from isp.example is not accepted\r\n550 5.7.26 due to its DMARC policy",
}


_LARGEST = 100 << 20
_KEPT = 1 << 16


@dataclass
class Transaction:
    """What a client has said so far."""

    sender: str = ""
    recipients: list[str] = field(default_factory=list)
    identity: list[str] = field(default_factory=list)
    message_id: str = ""


class SmtpServer:
    """A minimal SMTP server; what it says is up to ``at_rcpt`` and ``after_data``."""

    def __init__(
        self,
        address: str,
        at_rcpt: Callable[[str], str | None],
        after_data: Callable[[Transaction, bytes], str],
    ) -> None:
        self.address, self.port = address, free_port(address)
        self.accepted: list[Transaction] = []
        self.letters: list[bytes] = []
        self._at_rcpt, self._after_data = at_rcpt, after_data
        self._loop = asyncio.new_event_loop()
        ready = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(ready,), daemon=True)
        self._thread.start()
        ready.wait(10)

    def stop(self) -> None:
        """Close the server and end its thread."""
        self._loop.call_soon_threadsafe(self._stopped.set)
        self._thread.join(10)

    def _run(self, ready: threading.Event) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._serve(ready))
        self._loop.close()

    async def _serve(self, ready: threading.Event) -> None:
        self._stopped = asyncio.Event()
        self._talks: set[asyncio.Task[None]] = set()
        async with await asyncio.start_server(self._talk, self.address, self.port, limit=_LARGEST):
            ready.set()
            await self._stopped.wait()
            for talk in self._talks:
                talk.cancel()
            await asyncio.gather(*self._talks, return_exceptions=True)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._talks.add(task)
        try:
            await self._dialogue(reader, writer)
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            self._talks.discard(task)
            writer.close()

    async def _dialogue(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mx.bigmail.example ESMTP\r\n")
        transaction = Transaction()
        while line := (await reader.readline()).decode("latin-1").strip():
            verb = line[:4].upper()
            if verb == "DATA" and transaction.recipients:
                writer.write(b"354 Go on\r\n")
                body = await reader.readuntil(b"\r\n.\r\n")
                done, transaction = transaction, Transaction()
                done.message_id = _message_id(body)
                reply = await asyncio.to_thread(self._after_data, done, body)
                if reply.startswith("250"):
                    self.accepted.append(done)
                    self.letters.append(body if len(body) < _KEPT else b"")
            else:
                reply = self._command(verb, line, transaction)
            writer.write(reply.encode() + b"\r\n")
            if verb == "QUIT":
                return

    def _command(self, verb: str, line: str, transaction: Transaction) -> str:
        address = line.partition("<")[2].partition(">")[0]
        if verb == "EHLO":
            return "250-mx.bigmail.example\r\n250-ENHANCEDSTATUSCODES\r\n250 XFORWARD NAME ADDR IDENT"
        if verb == "XFOR":
            transaction.identity.append(line)
        elif verb == "MAIL":
            transaction.sender = address
        elif verb == "RCPT":
            refusal = self._at_rcpt(address)
            if refusal:
                return refusal
            transaction.recipients.append(address)
        elif verb == "DATA":
            return "554 5.5.1 No valid recipients"
        elif verb == "RSET":
            transaction.recipients.clear()
        return "221 2.0.0 Bye" if verb == "QUIT" else "250 2.0.0 Ok"


def _message_id(body: bytes) -> str:
    return body.partition(b"\nMessage-ID: <")[2].partition(b">")[0].decode("latin-1")


class Sink(SmtpServer):
    """The remote world.  ``patient`` is set once it takes what it has put off.

    ``looks_remote`` is False on a host that has no address but the loopback: what a relay there
    says is taken for the words of a local program, and no listing is read out of them.
    """

    def __init__(self) -> None:
        self.patient = False
        super().__init__(own_address(), self._refusal, self._judgement)
        self.looks_remote = self.address != "127.0.0.1"

    def _refusal(self, recipient: str) -> str | None:
        how = recipient.partition("-")[0]
        if self.patient and how == "grey":
            return None
        words = REFUSALS_AT_RCPT.get(how)
        return words.format(recipient=recipient) if words else None

    def _judgement(self, transaction: Transaction, _body: bytes) -> str:
        how = transaction.recipients[0].partition("-")[0]
        return REFUSALS_AFTER_DATA.get(how, "250 2.0.0 Ok: queued as 5F3A11C0DE")


class ContentFilter(SmtpServer):
    """A filter that hands every message in again at ``back_port``, as amavis does.

    ``tells_origin``: whether it passes on who the first client was (Postfix's XFORWARD).
    """

    def __init__(self, back_port: int) -> None:
        self.tells_origin = False
        self._back_port = back_port
        super().__init__("127.0.0.1", lambda _recipient: None, self._hand_in_again)

    def _hand_in_again(self, transaction: Transaction, body: bytes) -> str:
        with smtplib.SMTP("127.0.0.1", self._back_port, local_hostname="localhost") as client:
            client.ehlo()
            for line in transaction.identity if self.tells_origin else ():
                client.docmd(line)
            client.mail(transaction.sender)
            for recipient in transaction.recipients:
                client.rcpt(recipient)
            code, words = client.data(body.removesuffix(b".\r\n"))
        said = words.decode()
        return f"{code} 2.0.0 from MTA(smtp:[127.0.0.1]:{self._back_port}): {code} {said}"
