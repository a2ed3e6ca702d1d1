"""The gate's other doors as a process of its own, with somebody who decides by the subject.

    python gate.py SEEN GROUP [DOOR=SOCKET|PORT ...]

Where no text is shown, the first recipient's local part says it.  What was asked is written to the file SEEN.
"""

import asyncio
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
from outwarden.filter.listener import Listener
from outwarden.filter.milter.listener import MilterListener
from outwarden.filter.policy_delegation.listener import PolicyListener
from outwarden.filter.readsocket.listener import ReadsocketListener
from outwarden.filter.rspamd_protocol.listener import RspamdListener

MARK = AddHeader("X-Mark", "of rosa\n\tfolded")
VERDICTS: dict[str, Verdict] = {
    "refuse": Refuse("The text of your message is spam; 100 % of $it. Case 17"),
    "defer": Defer("You have sent more than ever before; try again in an hour. Case 18"),
    "hold": Hold("Case 19", (MARK,)),
    "mark": Accept((MARK, AddHeader("X-Second", "two: parts"), ChangeHeader("X-Forged", 1, ""))),
    "inject": Refuse("No\r\n\r\naction=OK\n\nAction: no action"),
}

LISTENERS: dict[str, type[Listener]] = {
    "milter": MilterListener,
    "policy": PolicyListener,
    "rspamd": RspamdListener,
    "readsocket": ReadsocketListener,
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
        if envelope.helo == "held.example":
            return Hold("Case 20")
        return Accept()

    def decide_message(self, envelope: Envelope, message: Spool) -> Verdict:
        told = {"text": message.read(4000).decode(), "size": message.size, **msgspec.to_builtins(envelope)}
        with self._seen.open("a") as seen:
            seen.write(json.dumps(told) + "\n")
        _, subject, rest = message.read().partition(b"Subject: ")
        word = rest.split()[0].decode() if subject else envelope.recipients[0].partition("@")[0]
        if word == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        if word == "fail":
            raise KeyError(word)
        return VERDICTS.get(word, Accept())


async def main() -> None:
    seen, group, *places = sys.argv[1:]
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    decider, space = BySubject(Path(seen)), SpoolSpace(Path("/var/tmp"))  # noqa: S108

    def say(line: str) -> None:
        print(line, file=sys.stderr)  # noqa: T201

    doors: list[Listener] = []
    for name, _, place in (one.partition("=") for one in places):
        port = int(place) if place.isdigit() else 0
        endpoint: Endpoint = TcpEndpoint("127.0.0.1", port) if port else UnixEndpoint(Path(place), group=group)
        doors.append(LISTENERS[name](endpoint, decider, space, say))
    for door in doors:
        await door.start()
    await stop.wait()
    for door in doors:
        await door.stop()


if __name__ == "__main__":
    asyncio.run(main())
