"""SQLite, PostgreSQL and MariaDB behind one small face: connect, run one statement, say whose fault a fault is.

PostgreSQL and MariaDB over a network are spoken to under TLS with the server's certificate checked; on this machine,
by socket or loopback, only where a ``ca_file`` is named.  The drivers are extras: ``outwarden[sql-postgresql]`` and
``outwarden[sql-mariadb]``.
"""

from __future__ import annotations

import ipaddress
import sqlite3
import ssl
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from outwarden.responses.accounts.connector import OperatorFault, TemporaryFault
from outwarden.responses.accounts.secret import Secret
from outwarden.responses.accounts.sql_settings import SqlSettings

_SECONDS = 10
_BUNDLES = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt")
"""The system's list of certificates, on Debian and on Fedora: the driver of PostgreSQL brings an OpenSSL that looks
elsewhere."""
# What libpq says when there was no connection and yet trying again is of no use.
_REFUSALS = (
    "authentication failed",
    "does not exist",
    "pg_hba",
    "no password supplied",
    "certificate",
    "signature",
    "support SSL",
)
# PostgreSQL's classes of SQLSTATE: connection, transaction rolled back, no resources, in use, shut down, system.
_PASSING_STATES = ("08", "40", "53", "55", "57", "58")
# MariaDB: too many connections, shutdown, lock wait, deadlock, no connection, gone away, lost.
_PASSING_CODES = frozenset({1040, 1053, 1203, 1205, 1213, 2002, 2003, 2006, 2013})


class Connection(Protocol):
    """What the three drivers have in common (PEP 249)."""

    def cursor(self) -> Any:  # noqa: ANN401 (each driver has its own)
        """Return a cursor."""

    def commit(self) -> None:
        """Keep what was changed."""

    def rollback(self) -> None:
        """Drop what was changed."""

    def close(self) -> None:
        """End it."""


class Database(Protocol):
    """Where the site's tables are."""

    style: str
    errors: type[Exception]

    def connect(self) -> Connection:
        """Connect.  Raises one of ``errors``."""

    def fault(self, error: Exception) -> TemporaryFault | OperatorFault:
        """Return what an error of the driver means to us."""


class Place(NamedTuple):
    """Where a server is, and the name of a database in it."""

    host: str
    port: int
    name: str


class Sqlite:
    """A file."""

    style = "named"
    errors: type[Exception] = sqlite3.Error

    def __init__(self, file: Path) -> None:
        self._file = file

    def connect(self) -> Connection:
        """Open the file, which must be there."""
        return sqlite3.connect(f"{self._file.absolute().as_uri()}?mode=rw", uri=True, timeout=_SECONDS)

    def fault(self, error: Exception) -> TemporaryFault | OperatorFault:
        """A file that is in use is a passing fault, every other one the operator's."""
        busy = (getattr(error, "sqlite_errorcode", 0) or 0) & 0xFF in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
        return (TemporaryFault if busy else OperatorFault)(f"{self._file}: {error}")


class Postgresql:
    """A PostgreSQL server; a host that begins with a slash is the folder of its socket."""

    style = "pyformat"

    def __init__(self, place: Place, login: str, password: Secret | None, ca_file: str) -> None:
        self._driver = _psycopg()
        self.errors: type[Exception] = self._driver.Error
        self._where = f"PostgreSQL {place.host}:{place.port}/{place.name}"
        tls = {"sslmode": "verify-full", "sslrootcert": ca_file or _bundle()} if _checks(place.host, ca_file) else {}
        self._arguments: dict[str, Any] = {
            **{"host": place.host, "port": place.port, "dbname": place.name, "user": login},
            # A pooler between us and the server may keep no prepared statement for us.
            **{"connect_timeout": _SECONDS, "client_encoding": "UTF8", "prepare_threshold": None, **tls},
        }
        self._password = password

    def connect(self) -> Connection:
        """Connect."""
        secret = {"password": self._password.reveal()} if self._password else {}
        connection: Connection = self._driver.connect(**self._arguments, **secret)
        connection.cursor().execute(f"SET statement_timeout = '{_SECONDS}s'")
        return connection

    def fault(self, error: Exception) -> TemporaryFault | OperatorFault:
        """By the class of SQLSTATE; without one there was no connection."""
        state = getattr(error, "sqlstate", None) or ""
        told = getattr(getattr(error, "diag", None), "message_primary", None)
        words = told or (str(error).strip().splitlines() or ["no connection"])[-1]
        refused = not state and any(word in str(error) for word in _REFUSALS)
        passing = state.startswith(_PASSING_STATES) or (not state and not refused)
        return (TemporaryFault if passing else OperatorFault)(f"{self._where}: {words}")


class Mariadb:
    """A MariaDB or MySQL server; a host that begins with a slash is its socket."""

    style = "pyformat"

    def __init__(self, place: Place, login: str, password: Secret | None, ca_file: str) -> None:
        self._driver = _pymysql()
        self.errors: type[Exception] = self._driver.Error
        self._where = f"MariaDB {place.host}:{place.port}/{place.name}"
        where = {"unix_socket": place.host} if place.host.startswith("/") else {"host": place.host, "port": place.port}
        checks = _checks(place.host, ca_file)
        self._arguments: dict[str, Any] = {
            **where,
            **{"database": place.name, "user": login, "charset": "utf8mb4"},
            **{"connect_timeout": _SECONDS, "read_timeout": _SECONDS, "write_timeout": _SECONDS},
            # A value cut to the width of its column must be an error, not a hash that fits nothing; and an update
            # that changes nothing still tells that there was a row.
            **{"sql_mode": "TRADITIONAL", "client_flag": self._driver.constants.CLIENT.FOUND_ROWS},
            **({"ssl": ssl.create_default_context(cafile=ca_file or None)} if checks else {"ssl_disabled": True}),
        }
        self._password = password

    def connect(self) -> Connection:
        """Connect."""
        secret = {"password": self._password.reveal()} if self._password else {}
        connection: Connection = self._driver.connect(**self._arguments, **secret)
        return connection

    def fault(self, error: Exception) -> TemporaryFault | OperatorFault:
        """By the server's own number; a certificate that does not fit has the one of "cannot connect"."""
        code, words = (*error.args, "", "")[:2]
        passing = code in _PASSING_CODES and "CERTIFICATE" not in str(words)
        return (TemporaryFault if passing else OperatorFault)(f"{self._where}: {words or code}")


def is_local(host: str) -> bool:
    """Return whether a host is this machine: a socket, or the loopback."""
    if host.startswith("/") or host in {"", "localhost"}:
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def database(settings: SqlSettings, password: Secret | None) -> Database:
    """Return the database.  Raises ``OperatorFault`` where its driver is not installed or ``ca_file`` is unusable."""
    if settings.engine == "sqlite":
        return Sqlite(Path(settings.database))
    make, usual_port = _SERVERS[settings.engine]
    place = Place(settings.host, settings.port or usual_port, settings.database)
    try:
        return make(place, settings.login, password, settings.ca_file)
    except OSError as error:
        raise OperatorFault(f"ca_file {settings.ca_file!r}: {error.strerror or error}") from None


_Make = Callable[[Place, str, Secret | None, str], Database]
_SERVERS: Mapping[str, tuple[_Make, int]] = {"postgresql": (Postgresql, 5432), "mariadb": (Mariadb, 3306)}


def _checks(host: str, ca_file: str) -> bool:
    return bool(ca_file) or not is_local(host)


def _bundle() -> str:
    return next((file for file in _BUNDLES if Path(file).exists()), "system")


def _psycopg() -> Any:  # noqa: ANN401 (a module that need not be there)
    try:
        import psycopg
    except ImportError:
        raise OperatorFault("PostgreSQL's driver is missing; install outwarden[sql-postgresql]") from None
    return psycopg


def _pymysql() -> Any:  # noqa: ANN401 (a module that need not be there)
    try:
        import pymysql
    except ImportError:
        raise OperatorFault("MariaDB's driver is missing; install outwarden[sql-mariadb]") from None
    return pymysql
