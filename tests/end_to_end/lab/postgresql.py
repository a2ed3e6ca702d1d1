"""A real PostgreSQL on a port of its own, with a database ``mail`` that is reached by password."""

import signal
from pathlib import Path
from typing import Any

from lab.certificates import Certificates
from lab.one_server import OneServer, as_nobody, give, own_folder
from lab.waiting import free_port

_PROGRAMS = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: int(folder.parent.name))
INSTALLED = bool(_PROGRAMS) and (_PROGRAMS[-1] / "postgres").exists()


class Postgresql:
    """The server; its owner is ``postgres`` with the password ``owner``."""

    def __init__(self, home: Path, certificates: Certificates | None = None) -> None:
        programs = _PROGRAMS[-1]
        folder, self._log = own_folder(home / "postgresql"), home / "postgresql.log"
        password = home / "owner"
        password.write_text("owner")
        install = [programs / "initdb", "--no-sync", "-A", "scram-sha-256", "-U", "postgres"]
        install += [f"--pwfile={password}", "-E", "UTF8", "--no-locale", "-D", folder / "tables"]
        as_nobody(install, self._log)
        self.port = free_port()
        settings = {"listen_addresses": "127.0.0.1", "unix_socket_directories": folder, "fsync": "off"}
        if certificates is not None:
            settings |= {"ssl": "on", "ssl_cert_file": certificates.certificate, "ssl_key_file": certificates.key}
            give(certificates.key)
        self._command = [programs / "postgres", "-D", folder / "tables", "-p", str(self.port)]
        self._command += [word for key, value in settings.items() for word in ("-c", f"{key}={value}")]
        self.start()
        with self.connected("postgres") as connection:
            connection.execute("CREATE DATABASE mail")

    def start(self) -> None:
        """Start it, again after a stop."""
        self._server = OneServer(self._command, self._log, self._answers, signal.SIGINT)

    def stop(self) -> None:
        """End it at once."""
        self._server.stop()

    def connected(self, database: str = "mail") -> Any:  # noqa: ANN401 (the driver need not be there)
        """Return a connection of the owner's, which commits by itself."""
        import psycopg

        where = {"host": "127.0.0.1", "port": self.port, "user": "postgres", "password": "owner"}
        return psycopg.connect(**where, dbname=database, autocommit=True)

    def _answers(self) -> bool:
        import psycopg

        try:
            self.connected("postgres").close()
        except psycopg.OperationalError:
            return False
        return True
