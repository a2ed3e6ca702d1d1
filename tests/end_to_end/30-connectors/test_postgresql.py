"""PostfixAdmin's tables in a real PostgreSQL, from which a real Dovecot lets in."""

import os
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from lab import account_life as life
from lab import dovecot_imap, postfixadmin, postgresql
from lab.certificates import Certificates

from outwarden.responses.accounts.connector import Answer, Deed, OperatorFault, TemporaryFault
from outwarden.responses.accounts.secret import Secret
from outwarden.responses.accounts.sql import SqlAccounts
from outwarden.responses.accounts.sql_settings import SqlSettings

pytest.importorskip("psycopg", reason="psycopg is not installed")
pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="a real Dovecot needs root"),
    pytest.mark.skipif(not postgresql.INSTALLED, reason="postgresql is not installed"),
]
# As docs/reference/accounts.md has them.
RIGHTS = (
    "CREATE ROLE outwarden LOGIN PASSWORD 'connector'",
    "GRANT SELECT (username, password, active, smtp_active, modified, email_other) ON mailbox TO outwarden",
    "GRANT UPDATE (password, active, smtp_active) ON mailbox TO outwarden",
    "GRANT SELECT, INSERT, DELETE ON mailbox_app_password TO outwarden",
    "GRANT SELECT (address, goto, modified), UPDATE (goto) ON alias TO outwarden",
)


@pytest.fixture
def certificates(home: Path) -> Certificates:
    return Certificates(home / "certificates")


@pytest.fixture
def server(home: Path, certificates: Certificates) -> Iterator[postgresql.Postgresql]:
    server = postgresql.Postgresql(home, certificates)
    with server.connected() as connection:
        for statement in (*postfixadmin.statements("postgresql"), *RIGHTS):
            connection.execute(statement)
    yield server
    server.stop()


def settings(server: postgresql.Postgresql, **changes: str) -> SqlSettings:
    where = {"host": "127.0.0.1", "database": "mail", "login": "outwarden", "tables": "postfixadmin"}
    return SqlSettings(engine="postgresql", port=server.port, **{**where, **changes})  # type: ignore[arg-type]


@pytest.mark.skipif(not dovecot_imap.INSTALLED, reason="dovecot-imapd is not installed")
@pytest.mark.skipif(not dovecot_imap.has_driver("pgsql"), reason="dovecot-pgsql is not installed")
def test_an_account_in_postgresql(home: Path, server: postgresql.Postgresql, monkeypatch: pytest.MonkeyPatch) -> None:
    def raw() -> list[object]:
        with server.connected() as connection:
            return [connection.execute(question).fetchall() for question in postfixadmin.EVERYTHING]

    back_end = SqlAccounts("panel", settings(server), Secret("connector"))
    connect = f"host=127.0.0.1 port={server.port} dbname=mail user=postgres password=owner"
    dovecot = dovecot_imap.DovecotImap(home / "dovecot", postfixadmin.passdbs("pgsql", connect))
    try:
        life.whole_life(back_end, dovecot.lets_in, raw, app_passwords=True)
    finally:
        dovecot.stop()
    life.forward_goes_and_comes_back(back_end.forwards, raw)
    # Somebody else holds the row: asked again later, and nothing is left half done.
    with server.connected() as other, monkeypatch.context() as shorter:
        shorter.setattr("outwarden.responses.accounts.sql_databases._SECONDS", 1)
        other.execute("BEGIN")
        other.execute("SELECT * FROM mailbox FOR UPDATE")
        with pytest.raises(TemporaryFault, match=r"^panel: "):
            SqlAccounts("panel", settings(server), Secret("connector")).lock(life.ROSA)
    assert back_end.verify(life.ROSA, Deed.UNLOCK).answer is Answer.DONE
    SqlAccounts("panel", settings(server, host=str(home / "postgresql")), Secret("connector")).check()
    server.stop()
    life.is_down(back_end)
    server.start()
    back_end.check()


def test_what_a_person_must_change(home: Path, server: postgresql.Postgresql, certificates: Certificates) -> None:
    right = Secret("connector")
    life.is_refused(SqlAccounts("panel", settings(server), Secret("mistyped")), "password authentication failed")
    life.is_refused(SqlAccounts("panel", settings(server, login="nobody"), right), "authentication failed")
    life.is_refused(SqlAccounts("panel", settings(server, database="males"), right), "males", "does not exist")
    life.is_refused(SqlAccounts("panel", settings(server, tables="dovecot"), right), "users", "does not exist")
    SqlAccounts("panel", settings(server, ca_file=str(certificates.authority)), right).check()
    other = Certificates(home / "other").authority
    life.is_refused(SqlAccounts("panel", settings(server, ca_file=str(other)), right), "SSL")

    with server.connected() as connection:
        connection.execute("REVOKE UPDATE (active) ON mailbox FROM outwarden")
        connection.execute("ALTER TABLE mailbox ALTER password TYPE varchar(60)")
    back_end = SqlAccounts("panel", settings(server), right)
    with pytest.raises(OperatorFault, match=r"panel: .*permission denied for table mailbox"):
        back_end.lock(life.ROSA)
    with pytest.raises(OperatorFault, match=r"panel: .*value too long") as fault:
        back_end.set_password(life.ROSA, Secret("Kmp4-x7tz"))
    assert "$6$" not in str(fault.value)
    both = "SELECT password AS hash, active AS status FROM mailbox WHERE username = :account OR true"
    twice = SqlAccounts("panel", msgspec.structs.replace(settings(server), find=both), right)
    with pytest.raises(OperatorFault, match=f"find returns 2 rows for {life.ROSA}"):
        twice.find(life.ROSA)
    assert back_end.revoke_app_passwords(life.ROSA).answer is Answer.DONE
