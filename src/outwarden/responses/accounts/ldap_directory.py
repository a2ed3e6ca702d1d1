"""One connection to a directory, encrypted, and whose fault it is when it says no.

Over a network only ``ldaps://`` or StartTLS with the server's certificate checked; ``ldapi://`` and the loopback do
without unless a ``ca_file`` is named.  A referral is not followed: it would hand our password to whoever it names.
The library is an extra: ``outwarden[ldap]``.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, NoReturn
from urllib.parse import urlsplit

from outwarden.responses.accounts.connector import OperatorFault, TemporaryFault
from outwarden.responses.accounts.ldap_settings import LdapSettings
from outwarden.responses.accounts.secret import Secret
from outwarden.responses.accounts.sql_databases import is_local

_SECONDS = 10
# RFC 4511 section 4.1.9: timeLimitExceeded, adminLimitExceeded, busy, unavailable.
_PASSING = frozenset({3, 11, 51, 52})
INVALID_CREDENTIALS = 49
NO_SUCH_OBJECT = 32
_SAID = {
    INVALID_CREDENTIALS: "the bind DN or its password is wrong",
    50: "the bind DN may not do this; give it the right",
    53: "the directory will not: unencrypted, or against its password policy",
    19: "against the directory's policy",
    10: "this server keeps a copy only; name the one that is written to in url",
    17: "the directory does not know the attribute; is ppolicy's schema loaded?",
}


class Directory:
    """Where the accounts are: an LDAP server, and whom to bind as."""

    def __init__(self, name: str, settings: LdapSettings, password: Secret | None) -> None:
        self._ldap3 = _library(name)
        self._name, self._bind_dn, self._password = name, settings.bind_dn, password
        self._url = settings.url
        parts = urlsplit(settings.url)
        if parts.scheme not in {"ldap", "ldaps", "ldapi"}:
            raise OperatorFault(f"{name}: url {settings.url!r} is no directory; write ldaps://HOST or ldap://HOST")
        if password is None and settings.bind_dn:
            # RFC 4513 section 5.1.2: a name without a password "succeeds", as nobody.
            raise OperatorFault(f"{name}: bind_dn {settings.bind_dn} needs a password_file")
        local = parts.scheme == "ldapi" or is_local(parts.hostname or "")
        # On this machine a certificate proves nothing, and is seldom made out for it.
        checked = bool(settings.ca_file) or not local
        self._starts_tls = parts.scheme == "ldap" and checked
        self._host = parts.hostname or ""
        self._context = _context(name, settings.ca_file)
        if not checked:
            self._context.check_hostname = False
            self._context.verify_mode = ssl.CERT_NONE

    @contextmanager
    def bound(self) -> Iterator[Any]:
        """Yield a connection bound as ourselves.  Raises ``TemporaryFault`` and ``OperatorFault``."""
        with self._opened(self._bind_dn, self._password) as connection:
            if not connection.bind():
                self.refuse(connection, "bind")
            yield connection

    def binds_as(self, dn: str, secret: Secret) -> tuple[int, str]:
        """Return the code and the words with which the directory answers a bind of an account itself."""
        with self._opened(dn, secret) as connection:
            connection.bind()
            return connection.result["result"], str(connection.result.get("message") or "")

    def refuse(self, connection: Any, what: str) -> NoReturn:  # noqa: ANN401 (ldap3 is untyped)
        """Raise what the last answer of a connection means.  Raises ``TemporaryFault`` or ``OperatorFault``."""
        result = connection.result
        code = result["result"]
        words = _SAID.get(code) or result.get("description") or f"code {code}"
        said = str(result.get("message") or "")[:200].strip()
        fault = TemporaryFault if code in _PASSING else OperatorFault
        raise fault(f"{self._name}: {what}: {words}" + (f" ({said})" if said else ""))

    @contextmanager
    def _opened(self, dn: str, secret: Secret | None) -> Iterator[Any]:
        external = not dn and self._url.startswith("ldapi:")
        how: dict[str, Any] = {"user": dn, "password": secret.reveal()} if secret is not None else {}
        if external:
            # RFC 4422 appendix A.1: an empty answer is "who I am by the socket".
            how |= {"authentication": self._ldap3.SASL, "sasl_mechanism": "EXTERNAL", "sasl_credentials": ""}
        with self._told_as_ours():
            connection = self._ldap3.Connection(
                self._server(), receive_timeout=_SECONDS, auto_referrals=False, check_names=False, **how
            )
            try:
                connection.open()
                if self._starts_tls and not connection.start_tls(read_server_info=False):
                    raise OperatorFault(f"{self._name}: {self._url}: no StartTLS; nothing is said unencrypted")
                yield connection
            finally:
                self._close(connection)

    def _close(self, connection: Any) -> None:  # noqa: ANN401 (ldap3 is untyped)
        """End a connection; one that failed while it was opened keeps its socket, and can take no leave."""
        with suppress(self._ldap3.core.exceptions.LDAPExceptionError):
            connection.unbind()
        if connection.socket is not None:
            connection.socket.close()

    def _server(self) -> Any:  # noqa: ANN401 (ldap3 is untyped)
        """Return the server afresh: ldap3 keeps away for a while from one that did not answer."""
        tls = self._ldap3.Tls()
        # Python's own check of a certificate, in the handshake; ldap3 makes one of its own afterwards.
        tls.wrap_socket = self._secure
        return self._ldap3.Server(
            self._url, tls=tls, connect_timeout=_SECONDS, get_info=self._ldap3.NONE, allowed_referral_hosts=[]
        )

    def _secure(self, connection: Any, do_handshake: bool) -> None:  # noqa: ANN401 (ldap3 is untyped)
        connection.socket = self._context.wrap_socket(
            connection.socket, server_hostname=self._host, do_handshake_on_connect=do_handshake
        )

    @contextmanager
    def _told_as_ours(self) -> Iterator[None]:
        faults = self._ldap3.core.exceptions
        try:
            yield
        except faults.LDAPExceptionError as error:
            words = str(error)[:200] or type(error).__name__
            wrong = "certificate" in words.lower() or not isinstance(error, faults.LDAPCommunicationError)
            raise (OperatorFault if wrong else TemporaryFault)(f"{self._name}: {self._url}: {words}") from None


def _context(name: str, ca_file: str) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca_file or None)
    except OSError as error:
        raise OperatorFault(f"{name}: ca_file {ca_file!r}: {error.strerror or error}") from None


def _library(name: str) -> Any:  # noqa: ANN401 (a library that need not be there)
    try:
        import ldap3
        import ldap3.core.exceptions
    except ImportError:
        raise OperatorFault(f"{name}: the directory's library is missing; install outwarden[ldap]") from None
    return ldap3
