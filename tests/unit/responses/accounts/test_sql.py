"""Accounts in a real SQLite database, in tables as Dovecot's and PostfixAdmin's pages show them."""

import sqlite3
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from outwarden.responses.accounts.connector import Answer, Before, Deed, OperatorFault, TemporaryFault
from outwarden.responses.accounts.hashes import fits
from outwarden.responses.accounts.secret import Secret
from outwarden.responses.accounts.sql import SqlAccounts
from outwarden.responses.accounts.sql_forwards import moment
from outwarden.responses.accounts.sql_settings import SqlSettings

TABLES = """
CREATE TABLE mailbox (username TEXT PRIMARY KEY, password TEXT, active INTEGER, modified TEXT, email_other TEXT,
  smtp_active INTEGER DEFAULT 1);
CREATE TABLE mailbox_app_password (id INTEGER PRIMARY KEY, username TEXT, description TEXT, password_hash TEXT);
CREATE TABLE alias (address TEXT PRIMARY KEY, goto TEXT, modified TEXT, active INTEGER);
INSERT INTO mailbox (username, password, active, modified, email_other)
  VALUES ('rosa@isp.example', '{PLAIN}old', 1, '2026-11-20 08:00:00', 'rosa@home.example');
INSERT INTO mailbox (username, password, active, modified, email_other)
  VALUES ('carl@isp.example', '{PLAIN}carls', 1, '2026-11-20 08:00:00', '');
INSERT INTO mailbox_app_password VALUES (7, 'rosa@isp.example', 'phone', '{PLAIN}phone');
INSERT INTO mailbox_app_password VALUES (8, 'carl@isp.example', 'phone', '{PLAIN}carls phone');
INSERT INTO alias VALUES ('rosa@isp.example', 'rosa@isp.example,thief@evil.example', '2026-11-25 03:00:00', 1);
"""
SETTINGS = SqlSettings(engine="sqlite", database="", tables="postfixadmin")
ROSA = "rosa@isp.example"
SINCE = datetime(2026, 11, 25, 2, tzinfo=UTC)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "accounts.db"
    with sqlite3.connect(file) as made:
        made.executescript(TABLES)
    made.close()
    return file


@pytest.fixture
def accounts(file: Path) -> SqlAccounts:
    return SqlAccounts("panel", msgspec.structs.replace(SETTINGS, database=str(file)))


def dump(file: Path) -> str:
    with sqlite3.connect(file) as opened:
        text = "\n".join(opened.iterdump())
    opened.close()
    return text


def test_check_and_find(accounts: SqlAccounts) -> None:
    accounts.check()
    found = accounts.find(ROSA)
    assert found is not None
    assert (found.locked, found.contacts, found.app_passwords) == (False, ("rosa@home.example",), 1)
    assert found.changed_at == datetime(2026, 11, 20, 8, tzinfo=UTC)
    assert accounts.find("nobody@isp.example") is None
    assert accounts.find("' OR 1=1 --") is None
    assert "old" not in repr(found)


def test_each_deed_is_verified_repeatable_and_undone(accounts: SqlAccounts, file: Path) -> None:
    at_first = dump(file)
    found = accounts.find(ROSA)
    assert found is not None
    kept = msgspec.json.decode(msgspec.json.encode(found.before), type=Before)
    secret = Secret("Kmp4-x7tz")
    for _ in range(2):
        assert accounts.lock(ROSA).answer is Answer.DONE
        assert accounts.set_password(ROSA, secret).answer is Answer.DONE
        assert accounts.revoke_app_passwords(ROSA).answer is Answer.DONE
    locked = accounts.find(ROSA)
    assert locked is not None
    assert (locked.locked, locked.app_passwords) == (True, 0)
    assert fits(secret, locked.before.kept["hash"]) is True
    assert accounts.verify(ROSA, Deed.SET_PASSWORD, Secret("another")).answer is Answer.COULD_NOT
    assert "carls phone" in dump(file)
    assert accounts.unlock(ROSA).answer is Answer.DONE
    for _ in range(2):
        assert accounts.restore(ROSA, kept).answer is Answer.DONE
    assert dump(file) == at_first


def test_forwards(accounts: SqlAccounts, file: Path) -> None:
    at_first = dump(file)
    forwards = accounts.forwards
    assert forwards is not None
    assert forwards.leftovers(ROSA, datetime(2026, 11, 25, 4, tzinfo=UTC)) == []
    (forward,) = forwards.leftovers(ROSA, SINCE)
    assert "thief@evil.example" in forward.words
    for _ in range(2):
        assert forwards.disable(ROSA, forward).answer is Answer.DONE
        assert forwards.leftovers(ROSA, SINCE) == []
    for _ in range(2):
        assert forwards.enable(ROSA, forward).answer is Answer.DONE
        assert dump(file) == at_first


def test_the_owner_s_own_forward_since_is_left_alone(accounts: SqlAccounts, file: Path) -> None:
    forwards = accounts.forwards
    assert forwards is not None
    (forward,) = forwards.leftovers(ROSA, SINCE)
    with sqlite3.connect(file) as opened:
        opened.execute("UPDATE alias SET goto = 'rosa@home.example'")
    opened.close()
    assert forwards.disable(ROSA, forward).answer is Answer.DONE
    assert "rosa@home.example" in dump(file)


MOMENTS = [
    ("seconds", 1764061200, datetime(2025, 11, 25, 9, tzinfo=UTC)),
    ("a zone", "2026-11-25 10:00:00+01:00", datetime(2026, 11, 25, 9, tzinfo=UTC)),
    ("no zone", "2026-11-25 10:00:00", None),
    ("never", "0000-00-00 00:00:00", None),
    ("nothing", None, None),
    ("yes", True, None),
    ("too large", 1e300, None),
]


@pytest.mark.parametrize(("name", "value", "expected"), MOMENTS, ids=[case[0] for case in MOMENTS])
def test_moment(name: str, value: object, expected: datetime | None) -> None:
    assert moment(value) == expected


@pytest.mark.parametrize(("active", "smtp_active"), [(1, 1), (1, 0), (0, 1), (0, 0)])
def test_both_flags_are_locked_and_each_comes_back(
    active: int, smtp_active: int, accounts: SqlAccounts, file: Path
) -> None:
    with sqlite3.connect(file) as opened:
        opened.execute("UPDATE mailbox SET active = ?, smtp_active = ?", (active, smtp_active))
    opened.close()
    at_first = dump(file)
    found = accounts.find(ROSA)
    assert found is not None
    assert found.locked is ((active, smtp_active) == (0, 0))
    assert accounts.lock(ROSA).answer is Answer.DONE
    assert "'rosa@home.example',0)" in dump(file)
    assert "'{PLAIN}old',0," in dump(file)
    assert accounts.restore(ROSA, found.before).answer is Answer.DONE
    assert dump(file) == at_first


def test_postfixadmin_3(file: Path) -> None:
    with sqlite3.connect(file) as opened:
        opened.executescript("DROP TABLE mailbox_app_password; ALTER TABLE mailbox DROP COLUMN smtp_active;")
    opened.close()
    at_first = dump(file)
    accounts = SqlAccounts("panel", msgspec.structs.replace(SETTINGS, database=str(file), tables="postfixadmin-3"))
    accounts.check()
    found = accounts.find(ROSA)
    assert found is not None
    assert accounts.abilities == {Deed.LOCK, Deed.UNLOCK, Deed.SET_PASSWORD}
    assert accounts.lock(ROSA).answer is Answer.DONE
    assert accounts.restore(ROSA, found.before).answer is Answer.DONE
    assert dump(file) == at_first
    with pytest.raises(OperatorFault, match=r"panel: .*smtp_active"):
        SqlAccounts("panel", msgspec.structs.replace(SETTINGS, database=str(file))).check()


def test_dovecot_s_table(tmp_path: Path) -> None:
    file = tmp_path / "users.db"
    with sqlite3.connect(file) as made:
        made.executescript(
            "CREATE TABLE users (username TEXT, domain TEXT, password TEXT, active CHAR(1) DEFAULT 'Y' NOT NULL);"
            "INSERT INTO users VALUES ('rosa', 'isp.example', '{PLAIN}old', 'Y'), ('rosa', 'b.example', 'b', 'Y');"
        )
    made.close()
    at_first = dump(file)
    accounts = SqlAccounts("users", SqlSettings(engine="sqlite", database=str(file), tables="dovecot"))
    accounts.check()
    found = accounts.find(ROSA)
    assert found is not None
    assert (found.locked, found.app_passwords, accounts.forwards) == (False, None, None)
    assert accounts.lock(ROSA).answer is Answer.DONE
    assert "'isp.example','{PLAIN}old','N'" in dump(file)
    assert "'b.example','b','Y'" in dump(file)
    assert accounts.restore(ROSA, found.before).answer is Answer.DONE
    assert dump(file) == at_first


@pytest.mark.parametrize(
    "account", ["", "\0", "rosa@isp.example\0", "\udcff@isp.example", "rosà@isp.example", "' OR 1=1 --"]
)
def test_no_such_account(account: str, accounts: SqlAccounts) -> None:
    assert accounts.find(account) is None
    assert accounts.lock(account).answer is Answer.COULD_NOT


def test_a_lookalike_is_another_account(file: Path) -> None:
    # As MariaDB's collations have it, for which é is e.
    close = (
        "SELECT username AS account, password AS hash, active AS status FROM mailbox "
        "WHERE username = replace(:account, 'á', 'a')"
    )
    accounts = SqlAccounts("panel", msgspec.structs.replace(SETTINGS, database=str(file), find=close))
    assert accounts.find(ROSA) is not None
    assert accounts.find("rosá@isp.example") is None
    assert accounts.set_password("rosá@isp.example", Secret("a")).answer is Answer.COULD_NOT


def test_what_does_not_come_back_is_said(file: Path) -> None:
    accounts = SqlAccounts("panel", msgspec.structs.replace(SETTINGS, database=str(file), restore_app_password=""))
    found = accounts.find(ROSA)
    assert found is not None
    assert "app passwords" in found.cannot_undo
    accounts.revoke_app_passwords(ROSA)
    assert accounts.restore(ROSA, found.before).answer is Answer.COULD_NOT


@pytest.mark.parametrize(
    ("engine", "module", "extra"),
    [("postgresql", "psycopg", "sql-postgresql"), ("mariadb", "pymysql", "sql-mariadb")],
)
def test_a_driver_that_is_not_installed(engine: str, module: str, extra: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    settings = msgspec.structs.replace(SETTINGS, engine=engine, database="mail")
    with pytest.raises(OperatorFault, match=rf"panel: .* install outwarden\[{extra}\]"):
        SqlAccounts("panel", settings)


def test_unknown_account(accounts: SqlAccounts) -> None:
    for outcome in (accounts.lock("x@y.example"), accounts.set_password("x@y.example", Secret("a"))):
        assert outcome.answer is Answer.COULD_NOT
        assert "no account x@y.example" in outcome.words


def test_busy_is_temporary(accounts: SqlAccounts, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("outwarden.responses.accounts.sql_databases._SECONDS", 0)
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(TemporaryFault, match=r"panel: .*locked"):
        accounts.lock(ROSA)
    other.close()


WRONG: list[tuple[str, dict[str, str], Callable[[SqlAccounts], object], str]] = [
    ("no file", {"database": "/nonexistent/x"}, SqlAccounts.check, "unable to open"),
    ("no table", {"find": "SELECT h AS hash FROM none WHERE u = :account"}, SqlAccounts.check, "no such table"),
    (
        "no hash",
        {"find": "SELECT 1 AS x FROM mailbox WHERE username = :account"},
        SqlAccounts.check,
        "no column `hash`",
    ),
    (
        "no status",
        {"find": "SELECT password AS hash FROM mailbox WHERE username = :account"},
        SqlAccounts.check,
        "no column `status`",
    ),
    ("no name", {"forwards": "SELECT address AS x FROM alias WHERE address = :account"}, SqlAccounts.check, "`name`"),
    (
        "a column that is not listed",
        {"restore_forward": "UPDATE alias SET goto = :goto WHERE address = :account"},
        SqlAccounts.check,
        "wants :goto, which forwards does not return",
    ),
    (
        "two accounts",
        {"find": "SELECT password AS hash, active AS status FROM mailbox WHERE username <> :account"},
        lambda accounts: accounts.find("x"),
        "2 rows",
    ),
    (
        "changes two",
        {"set_password": "UPDATE mailbox SET password = :hash WHERE username <> :account || 'x'"},
        lambda accounts: accounts.set_password(ROSA, Secret("a")),
        "would change 2 rows; nothing was changed",
    ),
]


@pytest.mark.parametrize(("name", "changes", "do", "says"), WRONG, ids=[case[0] for case in WRONG])
def test_wrong(name: str, changes: dict[str, str], do: Callable[[SqlAccounts], object], says: str, file: Path) -> None:
    at_first = dump(file)
    accounts = SqlAccounts("panel", msgspec.structs.replace(SETTINGS, **{"database": str(file), **changes}))
    with pytest.raises(OperatorFault, match=f"panel: .*{says}"):
        do(accounts)
    assert dump(file) == at_first


def test_nothing_to_look_with_is_told_at_start() -> None:
    with pytest.raises(OperatorFault, match="panel: find is missing"):
        SqlAccounts("panel", SqlSettings(engine="sqlite", database="x"))


def test_bad_statement_is_told_at_start() -> None:
    with pytest.raises(OperatorFault, match="panel: set_lock: UPDATE without WHERE"):
        SqlAccounts("panel", msgspec.structs.replace(SETTINGS, set_lock="UPDATE mailbox SET a = :status, b = :account"))


def test_a_column_that_is_too_narrow_is_noticed(file: Path) -> None:
    cut = "UPDATE mailbox SET password = substr(:hash, 1, 30) WHERE username = :account"
    accounts = SqlAccounts("panel", msgspec.structs.replace(SETTINGS, database=str(file), set_password=cut))
    outcome = accounts.set_password(ROSA, Secret("a"))
    assert outcome.answer is Answer.COULD_NOT
    assert "long enough" in outcome.words


def test_no_message_repeats_a_hash(file: Path) -> None:
    with sqlite3.connect(file) as opened:
        opened.execute(
            "CREATE TRIGGER t BEFORE UPDATE ON mailbox BEGIN SELECT RAISE(ABORT, '{SHA512-CRYPT}$6$ is bad'); END"
        )
    opened.close()
    accounts = SqlAccounts("panel", msgspec.structs.replace(SETTINGS, database=str(file)))
    with pytest.raises(OperatorFault) as fault:
        accounts.set_password(ROSA, Secret("a"))
    assert "$6$" not in str(fault.value)
    assert fault.value.__cause__ is None
    assert fault.value.__suppress_context__


def test_abilities() -> None:
    only_lock = msgspec.structs.replace(SETTINGS, set_password="", revoke_app_password="")
    assert SqlAccounts("panel", only_lock).abilities == {Deed.LOCK, Deed.UNLOCK}
    assert SqlAccounts("panel", only_lock).set_password(ROSA, Secret("a")).answer is Answer.COULD_NOT
