"""Where the mail server finds the filter: a UNIX socket, which is the faster one, or a TCP port."""

import grp
import os
import socket
import stat
from contextlib import suppress
from pathlib import Path

import msgspec

WAITING_TO_BE_ACCEPTED = 1024
"""A UNIX socket refuses at once whoever comes beyond it, and Postfix then puts the message off; the kernel may allow
fewer (``net.core.somaxconn``)."""


class CannotListen(Exception):
    """The operator's to cure: nobody can be heard there.  Says where, why, and what helps."""


class UnixEndpoint(msgspec.Struct, frozen=True):
    """A socket in the file system: only ``group`` and whoever else ``mode`` lets in can speak to it.

    Without a group it keeps that of the process.
    """

    path: Path
    mode: int = 0o660
    group: str | None = None

    def listen(self) -> socket.socket:
        """Return the listening socket; a file that a filter left there which is no more is replaced.

        Raises ``CannotListen``.
        """
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self._remove_leftover()
            listening.bind(str(self.path))
            # Nobody can connect before it listens, so nobody can before it has these rights.
            if self.group is not None:
                _give_to(self.path, self.group)
            self.path.chmod(self.mode)
            listening.listen(WAITING_TO_BE_ACCEPTED)
        except OSError as error:
            listening.close()
            raise CannotListen(f"cannot listen at {self.path}: {error.strerror or error}") from error
        except CannotListen:
            listening.close()
            raise
        return listening

    def close(self) -> None:
        """Remove the socket's file."""
        with suppress(OSError):
            self.path.unlink()

    def _remove_leftover(self) -> None:
        if not self.path.exists():
            return
        if not stat.S_ISSOCK(self.path.stat().st_mode):
            raise CannotListen(f"cannot listen at {self.path}: there is a file that is no socket; name another path")
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            if probe.connect_ex(str(self.path)) == 0:
                raise CannotListen(f"cannot listen at {self.path}: another program does; stop it or name another path")
        self.path.unlink()


class TcpEndpoint(msgspec.Struct, frozen=True):
    """A TCP port.  Whoever reaches it is believed, so it belongs on the loopback or between hosts that are trusted."""

    host: str
    port: int

    def listen(self) -> socket.socket:
        """Return the listening socket.  Raises ``CannotListen``."""
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        try:
            return socket.create_server((self.host, self.port), family=family, backlog=WAITING_TO_BE_ACCEPTED)
        except OSError as error:
            raise CannotListen(f"cannot listen at {self.host} port {self.port}: {error.strerror or error}") from error

    def close(self) -> None:
        """Nothing is left of a port."""


Endpoint = UnixEndpoint | TcpEndpoint


def _give_to(path: Path, group: str) -> None:
    """Give the file to the group.  Raises ``CannotListen``."""
    try:
        os.chown(path, -1, grp.getgrnam(group).gr_gid)
    except KeyError:
        raise CannotListen(f"cannot listen at {path}: there is no group {group!r}") from None
