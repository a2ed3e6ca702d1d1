"""Names inside filters and DNs, locks, times and settings; a real directory is in the end-to-end story."""

import sys
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outwarden.responses.accounts.connector import OperatorFault
from outwarden.responses.accounts.ldap import LdapAccounts
from outwarden.responses.accounts.ldap_entry import LOCKED_FOR_GOOD, Entry, Lock, changed_at, texts, values
from outwarden.responses.accounts.ldap_names import dn_for, filter_for
from outwarden.responses.accounts.ldap_settings import LdapSettings
from outwarden.responses.accounts.secret import Secret

FILTERS = [
    ("plain", "(mail={account})", "rosa@isp.example", "(mail=rosa@isp.example)"),
    ("parts", "(&(uid={local})(o={domain}))", "rosa@isp.example", "(&(uid=rosa)(o=isp.example))"),
    ("no domain", "(&(uid={local})(o={domain}))", "rosa", "(&(uid=rosa)(o=))"),
    ("a star", "(mail={account})", "*@isp.example", r"(mail=\2a@isp.example)"),
    ("another filter", "(mail={account})", "x)(mail=*", r"(mail=x\29\28mail\3d\2a)"),
    ("a zero", "(mail={account})", "a\0b", r"(mail=a\00b)"),
    ("a backslash", "(mail={account})", r"\2a", r"(mail=\5c2a)"),
    ("not ASCII", "(mail={account})", "é", r"(mail=\c3\a9)"),
    ("half a sign", "(mail={account})", "\udcff", r"(mail=\ed\b3\bf)"),
    ("called as a place", "(&(uid={local})(o={domain}))", "{domain}@{local}", r"(&(uid=\7bdomain\7d)(o=\7blocal\7d))"),
]
NAMES = [
    ("plain", "ou=people,o={domain},dc=isp", "rosa@isp.example", "ou=people,o=isp.example,dc=isp"),
    ("another branch", "o={domain},dc=isp", "rosa@x,dc=evil", r"o=x\2cdc\3devil,dc=isp"),
    ("blanks", "cn={local},dc=isp", " rosa @x", r"cn=\20rosa\20,dc=isp"),
]


@pytest.mark.parametrize(("name", "template", "account", "expected"), FILTERS, ids=[case[0] for case in FILTERS])
def test_filter(name: str, template: str, account: str, expected: str) -> None:
    assert filter_for(template, account) == expected


@pytest.mark.parametrize(("name", "template", "account", "expected"), NAMES, ids=[case[0] for case in NAMES])
def test_dn(name: str, template: str, account: str, expected: str) -> None:
    assert dn_for(template, account) == expected


@given(st.text())
def test_no_account_leaves_its_place(account: str) -> None:
    assert not set(filter_for("{account}", account)) & set("()*\0=&|!{}")
    assert not set(dn_for("{account}", account)) & set(',+"<>;=#\0 {}')


LOCKS = [
    ("ppolicy", {"lock": "ppolicy"}, [], [LOCKED_FOR_GOOD], []),
    ("ppolicy after wrong passwords", {"lock": "ppolicy"}, [b"20261125100000Z"], [LOCKED_FOR_GOOD], []),
    ("Active Directory", {"lock": "active-directory"}, [b"66048"], [b"66050"], [b"66048"]),
    (
        "an attribute",
        {"lock": "attribute", "lock_attribute": "status", "locked": "off", "unlocked": "on"},
        [b"on"],
        [b"off"],
        [b"on"],
    ),
    ("an attribute that is not there", {"lock": "attribute", "lock_attribute": "status"}, [], [b"TRUE"], []),
]


@pytest.mark.parametrize(("name", "changes", "at_first", "locked", "unlocked"), LOCKS, ids=[case[0] for case in LOCKS])
def test_lock(
    name: str, changes: dict[str, str], at_first: list[bytes], locked: list[bytes], unlocked: list[bytes]
) -> None:
    lock = Lock(settings(**changes))
    entry = Entry("cn=x", {lock.attribute: at_first})
    assert not lock.holds(entry)
    assert lock.changed(entry, True) == locked
    entry = Entry("cn=x", {lock.attribute: locked})
    assert lock.holds(entry)
    assert lock.changed(entry, False) == unlocked


CHANGED = [
    ("OpenLDAP", {"pwdChangedTime": [b"20261125100000Z"]}, datetime(2026, 11, 25, 10, tzinfo=UTC)),
    (
        "parts of a second",
        {"pwdChangedTime": [b"20261125100000.5Z"]},
        datetime(2026, 11, 25, 10, 0, 0, 500000, tzinfo=UTC),
    ),
    ("Active Directory", {"pwdLastSet": [b"134085348000000000"]}, datetime(2025, 11, 25, 9, tzinfo=UTC)),
    ("must change", {"pwdLastSet": [b"0"]}, None),
    ("never", {"pwdLastSet": [b"9223372036854775807"]}, None),
    ("no time", {"pwdChangedTime": [b"\xff"]}, None),
    ("nothing", {}, None),
]


@pytest.mark.parametrize(("name", "attributes", "expected"), CHANGED, ids=[case[0] for case in CHANGED])
def test_changed_at(name: str, attributes: dict[str, list[bytes]], expected: datetime | None) -> None:
    assert changed_at(Entry("cn=x", attributes)) == expected


def test_values_are_kept_as_they_are() -> None:
    assert values(texts([b"", b"\xff\0", b"{SSHA}x"])) == [b"", b"\xff\0", b"{SSHA}x"]


WRONG = [
    ("no account in the filter", {"filter": "(mail=rosa@isp.example)"}, r"filter .*names no account"),
    ("a lock without its attribute", {"lock": "attribute"}, "lock .*needs lock_attribute"),
    ("ppolicy without its policy", {"lock": "ppolicy"}, "lock .*needs policy"),
    ("another protocol", {"url": "https://ldap.isp.example"}, "url .*is no directory"),
    ("no password", {"bind_dn": "cn=admin"}, "bind_dn cn=admin needs a password_file"),
    ("no such file", {"url": "ldaps://ldap.isp.example", "ca_file": "/nonexistent/ca"}, "ca_file '/nonexistent/ca'"),
]


@pytest.mark.parametrize(("name", "changes", "says"), WRONG, ids=[case[0] for case in WRONG])
def test_wrong(name: str, changes: dict[str, str], says: str) -> None:
    with pytest.raises(OperatorFault, match=f"staff: {says}"):
        LdapAccounts("staff", settings(**changes))


def test_the_library_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ldap3", None)
    with pytest.raises(OperatorFault, match=r"staff: .* install outwarden\[ldap\]"):
        LdapAccounts("staff", settings())


def test_the_password_shows_nowhere() -> None:
    accounts = LdapAccounts("staff", settings(bind_dn="cn=admin"), Secret("Tr0ub4dor"))
    assert "Tr0ub4dor" not in repr(accounts) + repr(vars(accounts)) + repr(vars(accounts._directory))


def settings(**changes: str) -> LdapSettings:
    return LdapSettings(**{"url": "ldap://127.0.0.1:1", "base": "dc=isp,dc=example", **changes})  # type: ignore[arg-type]
