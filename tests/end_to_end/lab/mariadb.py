"""A real MariaDB on a port of its own, with a database ``mail``."""

import shutil
from pathlib import Path
from typing import Any

from lab.certificates import Certificates
from lab.one_server import OneServer, as_nobody, give, own_folder
from lab.waiting import free_port

_SERVER = shutil.which("mariadbd", path="/usr/sbin:/usr/libexec:/usr/bin")
_INSTALL = shutil.which("mariadb-install-db", path="/usr/bin")
INSTALLED = bool(_SERVER and _INSTALL and shutil.which("my_print_defaults", path="/usr/bin"))


class Mariadb:
    """The server; its owner is ``root``, who has no password."""

    def __init__(self, home: Path, certificates: Certificates | None = None) -> None:
        folder, self._log = own_folder(home / "mariadb"), home / "mariadb.log"
        tables = f"--datadir={folder}/tables"
        as_nobody(
            [_INSTALL or "", "--no-defaults", tables, "--skip-test-db", "--auth-root-authentication-method=normal"],
            self._log,
        )
        self.port = free_port()
        self._command = [_SERVER or "", "--no-defaults", tables, f"--socket={folder}/socket", f"--port={self.port}"]
        self._command += ["--bind-address=127.0.0.1", "--skip-name-resolve", "--innodb-flush-log-at-trx-commit=0"]
        self._command += [f"--pid-file={folder}/pid", "--skip-log-bin"]
        if certificates is not None:
            self._command += [f"--ssl-cert={certificates.certificate}", f"--ssl-key={certificates.key}"]
            give(certificates.key)
        self.start()
        with self.connected(None) as connection:
            connection.cursor().execute("CREATE DATABASE mail CHARACTER SET utf8mb4")

    def start(self) -> None:
        """Start it, again after a stop."""
        self._server = OneServer(self._command, self._log, self._answers)

    def stop(self) -> None:
        """End it."""
        self._server.stop()

    def connected(self, database: str | None = "mail") -> Any:  # noqa: ANN401 (the driver need not be there)
        """Return a connection of the owner's, which commits by itself."""
        import pymysql

        return pymysql.connect(host="127.0.0.1", port=self.port, user="root", database=database, autocommit=True)

    def _answers(self) -> bool:
        import pymysql

        try:
            self.connected(None).close()
        except pymysql.OperationalError:
            return False
        return True
