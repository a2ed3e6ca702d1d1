"""The gate's milter as a process of its own, with somebody who decides by the subject.

    python gate.py unix:PATH|PORT SEEN

What it was asked about is written to the file SEEN, a line for each message.
"""

import asyncio
import hashlib
import json
import os
import signal
import sys
from pathlib import Path

import msgspec

from outwarden.filter import (
    Accept,
    AddHeader,
    ChangeHeader,
    Defer,
    Envelope,
    Hold,
    Refuse,
    Spool,
    SpoolSpace,
    Verdict,
)
from outwarden.filter.endpoint import Endpoint, TcpEndpoint, UnixEndpoint
from outwarden.filter.milter.listener import MilterListener

VERDICTS: dict[str, Verdict] = {
    "refuse": Refuse("The text of your message is spam; 100 % of it. Case 17"),
    "defer": Defer("You have sent more than ever before; try again in an hour. Case 18"),
    "hold": Hold("Case 19"),
    "mark": Accept((AddHeader("X-Mark", "of rosa\n\tfolded"), ChangeHeader("X-Forged", 1, ""))),
}


class BySubject:
    """Blocks Jan, and does with every other message what its subject says."""

    def __init__(self, seen: Path) -> None:
        self._seen = seen

    def may_refuse_senders(self) -> bool:
        """Return whether a sender may be refused."""
        return True

    def decide_sender(self, envelope: Envelope) -> Verdict:
        if envelope.login == "jan@isp.example":
            return Refuse("Your account is blocked until its password is changed. Case 16")
        return Accept()

    def decide_message(self, envelope: Envelope, message: Spool) -> Verdict:
        digest = hashlib.sha256()
        letter = message.open()
        while part := letter.read(1 << 16):
            digest.update(part)
        told = {"size": message.size, "digest": digest.hexdigest(), **msgspec.to_builtins(envelope)}
        head = message.read(1 << 16)
        with self._seen.open("a") as seen:
            seen.write(json.dumps(told) + "\n")
        subject = head.partition(b"Subject: ")[2].partition(b"\r\n")[0].decode()
        if subject == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        if subject == "fail":
            raise KeyError(subject)
        return VERDICTS.get(subject, Accept())


async def main() -> None:
    where, seen = sys.argv[1:]
    path = where.removeprefix("unix:")
    endpoint: Endpoint = (
        UnixEndpoint(Path(path), group="postfix") if path != where else TcpEndpoint("127.0.0.1", int(where))
    )
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    space = SpoolSpace(Path("/var/tmp"))  # noqa: S108
    listener = MilterListener(endpoint, BySubject(Path(seen)), space, lambda line: print(line, file=sys.stderr))  # noqa: T201
    await listener.start()
    await stop.wait()
    await listener.stop()


if __name__ == "__main__":
    asyncio.run(main())
