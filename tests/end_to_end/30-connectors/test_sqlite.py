"""PostfixAdmin's tables in a SQLite file that a real Dovecot reads."""

import os
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from lab import account_life as life
from lab import dovecot_imap, postfixadmin

from outwarden.responses.accounts.sql import SqlAccounts
from outwarden.responses.accounts.sql_settings import SqlSettings

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="a real Dovecot needs root"),
    pytest.mark.skipif(not dovecot_imap.INSTALLED, reason="dovecot-imapd is not installed"),
    pytest.mark.skipif(not dovecot_imap.has_driver("sqlite"), reason="dovecot-sqlite is not installed"),
]


def test_an_account_in_sqlite(home: Path) -> None:
    file = home / "accounts.db"
    with closing(sqlite3.connect(file)) as made:
        for statement in postfixadmin.statements("sqlite"):
            made.execute(statement)
        made.commit()
    file.chmod(0o644)

    def raw() -> list[str]:
        with closing(sqlite3.connect(file)) as opened:
            return list(opened.iterdump())

    back_end = SqlAccounts("panel", SqlSettings(engine="sqlite", database=str(file), tables="postfixadmin"))
    found = back_end.find(life.ROSA)
    assert found is not None
    assert (found.contacts, found.app_passwords) == (("rosa@home.example",), 1)
    assert found.changed_at == datetime(2026, 11, 20, 8, tzinfo=UTC)
    dovecot = dovecot_imap.DovecotImap(home / "dovecot", postfixadmin.passdbs("sqlite", str(file)))
    try:
        life.whole_life(back_end, dovecot.lets_in, raw, app_passwords=True)
    finally:
        dovecot.stop()
