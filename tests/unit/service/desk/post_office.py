"""A mail server on the loopback that takes notices, refuses some recipients, and can be away."""

from __future__ import annotations

import socket
import threading
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any


class PostOffice:
    """``taken`` is what it took: envelope sender, recipient, message."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, str, EmailMessage]] = []
        self.refuses: set[str] = set()
        self.falls_silent = False
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        threading.Thread(target=self._run, daemon=True).start()

    def close(self) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def recipients(self) -> list[str]:
        return [recipient for _, recipient, _ in self.taken]

    def _run(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            with connection, connection.makefile("rb") as lines:
                try:
                    self._talk(connection, lines)
                except OSError:
                    continue

    def _talk(self, connection: socket.socket, lines: Any) -> None:  # noqa: ANN401
        sender = recipient = ""
        message: list[bytes] | None = None
        connection.sendall(b"220 mail.isp.example\r\n")
        for line in lines:
            if message is not None and line != b".\r\n":
                message.append(line)
                continue
            said = line.decode().strip()
            answer = "250 2.0.0 fine"
            if message is not None:
                read = message_from_bytes(b"".join(message), policy=default)
                assert isinstance(read, EmailMessage)
                self.taken.append((sender, recipient, read))
                if self.falls_silent:
                    return
                answer, message = f"250 2.0.0 Ok: queued as 4A1B2C{len(self.taken):04d}", None
            elif said.upper().startswith("MAIL"):
                sender = said.partition("<")[2].partition(">")[0]
            elif said.upper().startswith("RCPT"):
                recipient = said.partition("<")[2].partition(">")[0]
                if recipient in self.refuses:
                    answer = "550 5.1.1 nobody here"
            elif said.upper().startswith("DATA"):
                answer, message = "354 go on", []
            connection.sendall(f"{answer}\r\n".encode())
