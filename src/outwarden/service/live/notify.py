"""Tells systemd that the service is ready, alive, or stopping (sd_notify(3)); says nothing where nobody listens."""

import os
import socket
from contextlib import suppress


def notify(state: str) -> None:
    """Send one state, such as ``READY=1``."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    if address.startswith("@"):
        address = f"\0{address[1:]}"
    # The service must not die of a manager that does not listen.
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as manager:
        manager.connect(address)
        manager.sendall(state.encode())


def watchdog_seconds() -> float | None:
    """Return how often systemd is told that the service is alive, half of what it allows; None where it is not."""
    allowed = os.environ.get("WATCHDOG_USEC", "")
    ours = os.environ.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
    return int(allowed) / 2e6 if allowed.isdigit() and ours else None
