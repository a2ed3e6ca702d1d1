"""A syslog daemon for programs that can log in no other way: it writes what comes to /dev/log into a file.

Only where the host has no /dev/log of its own: its log must not lose a line to a test.
"""

import socket
import threading
from pathlib import Path

import pytest

_DEVICE = Path("/dev/log")


class Syslog:
    """Writes RFC 3164 lines with a host name, as rsyslog's classic form has them."""

    def __init__(self, log: Path, host: str) -> None:
        if _DEVICE.exists():
            pytest.skip("this host has a syslog daemon of its own")
        self._log, self._host = log, host
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(_DEVICE))
        _DEVICE.chmod(0o666)
        self._thread = threading.Thread(target=self._write, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Write what has come so far, and leave no trace on the host."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as own:
            own.sendto(b"", str(_DEVICE))
        self._thread.join(10)
        self._socket.close()
        _DEVICE.unlink()

    def _write(self) -> None:
        with self._log.open("ab", buffering=0) as log:
            while packet := self._socket.recv(65_536):
                # <PRI>Mmm dd hh:mm:ss program[pid]: text
                text = packet.partition(b">")[2].rstrip(b"\n\0")
                log.write(text[:16] + self._host.encode() + b" " + text[16:] + b"\n")
