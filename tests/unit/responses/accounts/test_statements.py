"""Which of a site's statements are run, and what is said about the others."""

import pytest

from outwarden.responses.accounts.statements import Statement, UnusableStatement

GOOD = [
    ("Dovecot's table", "SELECT password AS hash FROM users WHERE username = :local AND domain = :domain", True),
    ("a cast and a per cent", "SELECT a::text AS hash FROM t WHERE u = :account AND n LIKE 'x%'", True),
    ("a fixed text with braces", "UPDATE t SET p = '{X}' || :hash WHERE u = :account", False),
    ("a time in quotes", "SELECT h AS hash FROM t WHERE u = :account AND at > '2026-01-01 10:00:00'", True),
    ("an end", "UPDATE mailbox SET active = :lock WHERE username = :account ;", False),
    ("a procedure", "CALL set_it(:account, :hash)", False),
]
BAD = [
    ("no account", "SELECT h AS hash FROM t", True, "for which account"),
    ("every account", "UPDATE t SET p = :hash, note = :account", False, "without WHERE"),
    ("where in quotes only", "UPDATE t SET p = :hash, note = 'where' || :account", False, "without WHERE"),
    ("a place in quotes", "SELECT h AS hash FROM t WHERE u = ':account'", True, "without quotes"),
    ("percent s", "SELECT h AS hash FROM t WHERE u = %s", True, "not how a value"),
    ("named percent", "SELECT h AS hash FROM t WHERE u = %(account)s", True, "not how a value"),
    ("Dovecot's own places", "SELECT h AS hash FROM t WHERE u = %u", True, "not how a value"),
    ("question mark", "SELECT h AS hash FROM t WHERE u = ?", True, "not how a value"),
    ("dollar", "SELECT h AS hash FROM t WHERE u = $1", True, "not how a value"),
    ("braces", "SELECT h AS hash FROM t WHERE u = {account}", True, "not how a value"),
    ("two statements", "SELECT 1 WHERE :account; DROP TABLE t", True, "one statement only"),
    ("a comment", "SELECT h FROM t WHERE u = :account -- AND active", True, "no comments"),
    ("an open quote", "SELECT h FROM t WHERE u = :account AND a = 'x", True, "has no end"),
    ("a backslash", r"SELECT h FROM t WHERE u = :account AND a = \x", True, "backslash"),
    ("a backslash in quotes", r"SELECT h FROM t WHERE a = 'x\' AND u = :account AND b = 'y'", True, "backslash"),
    ("changes where it should look", "DELETE FROM t WHERE u = :account", True, "begins with DELETE"),
    ("looks where it should change", "SELECT h FROM t WHERE u = :account", False, "begins with SELECT"),
    ("drops", "DROP TABLE t", False, "begins with DROP"),
    ("unknown place", "SELECT h FROM t WHERE u = :account AND p = :pasword", True, ":pasword is not known"),
    ("nothing", "", True, "begins with NOTHING"),
]


@pytest.mark.parametrize(("name", "text", "reads"), GOOD, ids=[case[0] for case in GOOD])
def test_usable(name: str, text: str, reads: bool) -> None:
    places = None if not reads else {"account", "local", "domain"}
    assert Statement(text, reads, places).text == text.rstrip("; ")


@pytest.mark.parametrize(("name", "text", "reads", "says"), BAD, ids=[case[0] for case in BAD])
def test_unusable(name: str, text: str, reads: bool, says: str) -> None:
    with pytest.raises(UnusableStatement, match=says):
        Statement(text, reads, {"account", "local", "domain", "hash"})


def test_needs_its_value() -> None:
    with pytest.raises(UnusableStatement, match="does not use :hash"):
        Statement("UPDATE t SET p = 'x' WHERE u = :account", False, {"account", "hash"}, "hash")


def test_places_as_drivers_want_them() -> None:
    statement = Statement("SELECT a::text AS hash FROM t WHERE u = :account AND n LIKE '%:x'", True)
    assert statement.for_driver("named") == statement.text
    assert statement.for_driver("pyformat") == ("SELECT a::text AS hash FROM t WHERE u = %(account)s AND n LIKE '%%:x'")
