"""The mail server's side of the milter protocol: what it sends, and what it makes of the answers."""

import struct

OFFER = (6, 0x1FF, 0x1FFFFF)
"""What Postfix 3.7 offers: every action, every step."""


def frame(command: str, content: bytes = b"") -> bytes:
    return struct.pack(">I", 1 + len(content)) + command.encode() + content


def offer(version: int = OFFER[0], actions: int = OFFER[1], steps: int = OFFER[2]) -> bytes:
    return frame("O", struct.pack(">III", version, actions, steps))


def macros(stage: str, **values: str) -> bytes:
    pairs = [(name if len(name) == 1 else f"{{{name}}}", value) for name, value in values.items()]
    return frame("D", stage.encode() + b"".join(f"{name}\0{value}\0".encode() for name, value in pairs))


def connect(address: str = "192.0.2.7", name: str = "client.example") -> bytes:
    family = b"6" if ":" in address else b"4"
    return frame("C", name.encode() + b"\0" + family + b"\x9c\x40" + address.encode() + b"\0")


def strings(command: str, *words: str) -> bytes:
    return frame(command, b"".join(word.encode() + b"\0" for word in words))


def hello() -> bytes:
    """All that comes before the first message."""
    return (
        offer()
        + macros("C", j="mail.isp.example", daemon_name="submission")
        + connect()
        + strings("H", "laptop.example")
    )


def sender(login: str = "rosa@isp.example", address: str = "<rosa@isp.example>") -> bytes:
    return macros("M", auth_authen=login, auth_type="PLAIN") + strings("M", address, "SIZE=100")


def rest(
    *recipients: str, body: bytes = b"Hello.\r\n", queue_id: str = "4jYgM74ky5zJbNv", subject: str = "hi"
) -> bytes:
    """The message after its sender."""
    return (
        b"".join(
            macros("R", rcpt_addr=one) + strings("R", f"<{one}>") for one in recipients or ("ann@bigmail.example",)
        )
        + strings("L", "From", " rosa@isp.example")
        + strings("L", "Subject", f" {subject}\n\tand more")
        + b"".join(frame("B", body[at : at + 65_535]) for at in range(0, len(body), 65_535))
        + macros("E", i=queue_id)
        + frame("E")
    )


def answers_in(octets: bytes) -> list[tuple[str, bytes]]:
    """What was answered: the letter and the rest of each frame."""
    found = []
    while octets:
        length = int.from_bytes(octets[:4], "big")
        found.append((chr(octets[4]), octets[5 : 4 + length]))
        octets = octets[4 + length :]
    return found
