"""Hands messages in at a submission port, as fast as it is let, and prints what came of it as JSON.

    python -m gate_parts.submission PORT SESSIONS MESSAGES 2k|20k SEED ACCOUNTS PACE   (with bench/ on the path)

A process of its own.  ``PACE`` is how many a second are begun at most, 0 for as many as there can be.  Everything is
written before the clock starts; then every message has a connection of its own from its account's address, with a
login.
"""

import base64
import json
import socket
import sys
import threading
import time
from collections import Counter

from gate_parts.letters import Letter, Letters, accounts

PASSWORD = "secret"  # noqa: S105 (of accounts that live as long as the benchmark)
_GREETING = b"EHLO laptop.example\r\n"


def client_of(number: int) -> str:
    """Return the address that an account's mail comes from."""
    return f"198.51.100.{number % 200 + 10}"


def written(size: str, messages: int, seed: int, count: int) -> list[Letter]:
    """Return so many messages: 2 kB of plain text with a link, or 20 kB with a page and ten."""
    letters = Letters(seed, accounts(count), [client_of(number) for number in range(count)])
    return [letters.plain(2_048, 1) if size == "2k" else letters.with_page(20_480, 10) for _ in range(messages)]


class Session:
    """One who hands in message after message until none is left."""

    def __init__(
        self, port: int, left: list[tuple[str, list[tuple[bytes, int]]]], outcomes: Counter[str], pace: int
    ) -> None:
        self._port, self._left, self._outcomes = port, left, outcomes
        self._pace, self._begun, self._all = pace, time.perf_counter(), len(left)

    def run(self) -> None:
        """Hand in what is left."""
        while self._left:
            try:
                client, steps = self._left.pop()
            except IndexError:
                return
            if self._pace:
                due = self._begun + (self._all - len(self._left)) / self._pace
                time.sleep(max(0.0, due - time.perf_counter()))
            with socket.create_connection(("127.0.0.1", self._port), 60, (client, 0)) as connection:
                self._outcomes[self._said(connection, steps)] += 1

    def _said(self, connection: socket.socket, steps: list[tuple[bytes, int]]) -> str:
        """Take the steps; return ``250``, or what the server said when it would not go on."""
        self._answers(connection, 1)
        for spoken, answers in steps:
            connection.sendall(spoken)
            last = self._answers(connection, answers)
            if last[:1] not in (b"2", b"3"):
                return last.decode(errors="replace")
        connection.sendall(b"QUIT\r\n")
        return "250"

    def _answers(self, connection: socket.socket, count: int) -> bytes:
        """Return the last of so many answers."""
        heard = b""
        while True:
            heard += connection.recv(4096) or sys.exit("the server hung up")  # type: ignore[operator]
            if heard.endswith(b"\n"):
                lines = [line for line in heard.splitlines() if line[3:4] == b" "]
                # Where the sender is refused, the rest of what went with it is too.
                if len(lines) >= count:
                    return next((line for line in lines if line[:1] in b"45"), lines[-1])


def steps_of(letter: Letter) -> list[tuple[bytes, int]]:
    """Return what is said, and how many answers there are to each."""
    login = base64.b64encode(f"\0{letter.account}\0{PASSWORD}".encode())
    envelope = f"MAIL FROM:<{letter.account}>\r\nRCPT TO:<{letter.recipient}>\r\nDATA\r\n".encode()
    text = letter.octets.replace(b"\r\n.", b"\r\n..") + b".\r\n"
    return [(_GREETING, 1), (b"AUTH PLAIN " + login + b"\r\n", 1), (envelope, 3), (text, 1)]


def main(port: int, sessions: int, messages: int, size: str, seed: int, count: int, pace: int) -> None:
    """Hand in and print."""
    left = [(letter.client, steps_of(letter)) for letter in written(size, messages, seed, count)]
    outcomes: Counter[str] = Counter()
    threads = [threading.Thread(target=Session(port, left, outcomes, pace).run) for _ in range(sessions)]
    begun = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(json.dumps({"seconds": time.perf_counter() - begun, "outcomes": outcomes}))


if __name__ == "__main__":
    main(*(int(each) if each.isdigit() else each for each in sys.argv[1:]))  # type: ignore[arg-type]
