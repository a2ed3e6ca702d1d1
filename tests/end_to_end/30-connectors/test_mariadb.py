"""PostfixAdmin's tables in a real MariaDB, from which a real Dovecot lets in."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from lab import account_life as life
from lab import dovecot_imap, mariadb, postfixadmin
from lab.certificates import Certificates

from outwarden.responses.accounts.connector import Answer, Deed, OperatorFault, TemporaryFault
from outwarden.responses.accounts.secret import Secret
from outwarden.responses.accounts.sql import SqlAccounts
from outwarden.responses.accounts.sql_settings import SqlSettings

pytest.importorskip("pymysql", reason="pymysql is not installed")
pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="a real Dovecot needs root"),
    pytest.mark.skipif(not mariadb.INSTALLED, reason="mariadb-server-core or mariadb-client-core is not installed"),
]
# As docs/reference/accounts.md has them.
RIGHTS = (
    "CREATE USER outwarden@'127.0.0.1' IDENTIFIED BY 'connector'",
    "GRANT SELECT, UPDATE (password, active, smtp_active) ON mail.mailbox TO outwarden@'127.0.0.1'",
    "GRANT SELECT, INSERT, DELETE ON mail.mailbox_app_password TO outwarden@'127.0.0.1'",
    "GRANT SELECT, UPDATE (goto) ON mail.alias TO outwarden@'127.0.0.1'",
)


@pytest.fixture
def certificates(home: Path) -> Certificates:
    return Certificates(home / "certificates")


@pytest.fixture
def server(home: Path, certificates: Certificates) -> Iterator[mariadb.Mariadb]:
    server = mariadb.Mariadb(home, certificates)
    with server.connected() as connection:
        for statement in (*postfixadmin.statements("mariadb"), *RIGHTS):
            connection.cursor().execute(statement)
    yield server
    server.stop()


def settings(server: mariadb.Mariadb, **changes: str) -> SqlSettings:
    where = {"host": "127.0.0.1", "database": "mail", "login": "outwarden", "tables": "postfixadmin"}
    return SqlSettings(engine="mariadb", port=server.port, **{**where, **changes})  # type: ignore[arg-type]


@pytest.mark.skipif(not dovecot_imap.INSTALLED, reason="dovecot-imapd is not installed")
@pytest.mark.skipif(not dovecot_imap.has_driver("mysql"), reason="dovecot-mysql is not installed")
def test_an_account_in_mariadb(home: Path, server: mariadb.Mariadb, monkeypatch: pytest.MonkeyPatch) -> None:
    def raw() -> list[object]:
        with server.connected() as connection, connection.cursor() as cursor:
            return [cursor.execute(question) and cursor.fetchall() for question in postfixadmin.EVERYTHING]

    back_end = SqlAccounts("panel", settings(server), Secret("connector"))
    found = back_end.find(life.ROSA)
    assert found is not None
    assert found.changed_at == datetime(2026, 11, 20, 8).astimezone(UTC)
    connect = f"host=127.0.0.1 port={server.port} dbname=mail user=dovecot password=reads"
    with server.connected() as connection:
        connection.cursor().execute("GRANT SELECT ON mail.* TO dovecot@'127.0.0.1' IDENTIFIED BY 'reads'")
    dovecot = dovecot_imap.DovecotImap(home / "dovecot", postfixadmin.passdbs("mysql", connect))
    try:
        life.whole_life(back_end, dovecot.lets_in, raw, app_passwords=True)
    finally:
        dovecot.stop()
    life.forward_goes_and_comes_back(back_end.forwards, raw)
    # Somebody else holds the row: asked again later, and nothing is left half done.
    with server.connected() as other, monkeypatch.context() as shorter:
        shorter.setattr("outwarden.responses.accounts.sql_databases._SECONDS", 1)
        other.begin()
        other.cursor().execute("SELECT * FROM mailbox FOR UPDATE")
        with pytest.raises(TemporaryFault, match=r"^panel: "):
            SqlAccounts("panel", settings(server), Secret("connector")).lock(life.ROSA)
    assert back_end.verify(life.ROSA, Deed.UNLOCK).answer is Answer.DONE
    server.stop()
    life.is_down(back_end)
    server.start()
    back_end.check()


def test_what_a_person_must_change(home: Path, server: mariadb.Mariadb, certificates: Certificates) -> None:
    right = Secret("connector")
    life.is_refused(SqlAccounts("panel", settings(server), Secret("mistyped")), "Access denied")
    life.is_refused(SqlAccounts("panel", settings(server, database="males"), right), "males", "denied")
    life.is_refused(SqlAccounts("panel", settings(server, tables="dovecot"), right), "users", "denied")
    SqlAccounts("panel", settings(server, ca_file=str(certificates.authority)), right).check()
    socket = str(home / "mariadb" / "socket")
    SqlAccounts(
        "panel", SqlSettings(engine="mariadb", host=socket, database="mail", login="root", tables="postfixadmin")
    ).check()
    other = Certificates(home / "other").authority
    life.is_refused(SqlAccounts("panel", settings(server, ca_file=str(other)), right), "CERTIFICATE")

    with server.connected() as connection, connection.cursor() as cursor:
        cursor.execute("REVOKE UPDATE (active) ON mail.mailbox FROM outwarden@'127.0.0.1'")
        cursor.execute("ALTER TABLE mailbox MODIFY password varchar(60)")
    back_end = SqlAccounts("panel", settings(server), right)
    with pytest.raises(OperatorFault, match=r"panel: .*UPDATE command denied .*'active'"):
        back_end.lock(life.ROSA)
    with pytest.raises(OperatorFault, match=r"panel: .*Data too long for column 'password'") as fault:
        back_end.set_password(life.ROSA, Secret("Kmp4-x7tz"))
    assert "$6$" not in str(fault.value)
    both = "SELECT password AS hash, active AS status FROM mailbox WHERE username = :account OR true"
    twice = SqlAccounts("panel", msgspec.structs.replace(settings(server), find=both), right)
    with pytest.raises(OperatorFault, match=f"find returns 2 rows for {life.ROSA}"):
        twice.find(life.ROSA)
    # In its usual collations this is the same text to the database, and another account to everybody else.
    for lookalike in ("rósa@isp.example", "rosa@isp.example "):
        assert back_end.find(lookalike) is None
        assert back_end.set_password(lookalike, Secret("Kmp4-x7tz")).answer is Answer.COULD_NOT
    assert back_end.find("Rosa@ISP.example") is not None
