"""Accounts in a real OpenLDAP, from which a real Dovecot lets in: by a bind, and by reading the hash itself."""

import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import msgspec
import pytest
from lab import account_life as life
from lab import dovecot_imap, openldap
from lab.certificates import Certificates

from outwarden.responses.accounts.connector import Answer, Deed, OperatorFault
from outwarden.responses.accounts.ldap import LdapAccounts
from outwarden.responses.accounts.ldap_settings import LdapSettings
from outwarden.responses.accounts.secret import Secret

ldap3 = pytest.importorskip("ldap3", reason="ldap3 is not installed")
pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="a real Dovecot needs root"),
    pytest.mark.skipif(not openldap.INSTALLED, reason="slapd is not installed"),
]
needs_dovecot = pytest.mark.skipif(
    not (dovecot_imap.INSTALLED and dovecot_imap.has_driver("ldap")),
    reason="dovecot-imapd or dovecot-ldap is not installed",
)
BASE = openldap.BASE
ENTRIES = f"""\
dn: {BASE}
objectClass: domain
dc: isp

dn: cn=policy,{BASE}
objectClass: device
objectClass: pwdPolicy
cn: policy
pwdAttribute: userPassword
pwdLockout: TRUE
pwdMustChange: TRUE

dn: cn=outwarden,{BASE}
objectClass: device
objectClass: simpleSecurityObject
cn: outwarden
userPassword: connector

dn: cn=reader,{BASE}
objectClass: device
objectClass: simpleSecurityObject
cn: reader
userPassword: reads

dn: ou=people,{BASE}
objectClass: organizationalUnit
ou: people

dn: uid=rosa,ou=people,{BASE}
objectClass: inetOrgPerson
objectClass: oneOfOurs
uid: rosa
cn: Rosa (sales)
sn: Rosa
mail: {life.ROSA}
mobile: +39 0123 456789
employeeType: active
userPassword: {life.OLD}
appPassword: {{PLAIN}}telephone
appPassword: {{PLAIN}}tablet
userAccountControl: 66048

dn: uid=carl,ou=people,{BASE}
objectClass: inetOrgPerson
uid: carl
cn: Carl
sn: Carl
mail: {life.CARL}
employeeType: active
userPassword: {life.CARLS}
"""
BINDS = """\
uris = ldap://127.0.0.1:{port}
dn = cn=reader,{base}
dnpass = reads
base = {base}
auth_bind = yes
pass_filter = (mail=%u)
"""
READS = """\
uris = ldap://127.0.0.1:{port}
dn = cn=root,{base}
dnpass = root
base = {base}
pass_attrs = mail=user,userPassword=password
pass_filter = (&(mail=%u)(!(employeeType=locked)))
default_pass_scheme = PLAIN
"""


@pytest.fixture
def certificates(home: Path) -> Certificates:
    return Certificates(home / "certificates")


@pytest.fixture
def server(home: Path, certificates: Certificates) -> Iterator[openldap.OpenLdap]:
    server = openldap.OpenLdap(home, ENTRIES, certificates)
    yield server
    server.stop()


def accounts(server: openldap.OpenLdap, knows: str = "connector", **changes: object) -> LdapAccounts:
    where = {"url": f"ldap://127.0.0.1:{server.port}", "base": BASE, "bind_dn": f"cn=outwarden,{BASE}"}
    where |= {"lock": "ppolicy", "policy": f"cn=policy,{BASE}"}
    return LdapAccounts("staff", LdapSettings(**{**where, **changes}), Secret(knows))  # type: ignore[arg-type]


def entry(server: openldap.OpenLdap) -> dict[str, list[bytes]]:
    """Return what stands in Rosa's entry, by the eyes of the directory's owner."""
    connection = ldap3.Connection(f"127.0.0.1:{server.port}", f"cn=root,{BASE}", "root", auto_bind=True)
    connection.search(BASE, "(uid=rosa)", attributes=["*", "pwdAccountLockedTime", "pwdReset"])
    (found,) = connection.response
    connection.unbind()
    return {name: sorted(values) for name, values in found["raw_attributes"].items()}


@needs_dovecot
def test_dovecot_binds_and_ppolicy_locks(home: Path, server: openldap.OpenLdap) -> None:
    back_end = accounts(server, contact_attributes=("mobile",))
    found = back_end.find(life.ROSA)
    assert found is not None
    assert (found.contacts, found.cannot_undo) == (("+39 0123 456789",), "")
    settings = BINDS.format(port=server.port, base=BASE)
    dovecot = dovecot_imap.DovecotImap(home / "dovecot", [("ldap", settings)])
    try:
        life.whole_life(back_end, dovecot.lets_in, lambda: entry(server))
    finally:
        dovecot.stop()
    server.stop()
    life.is_down(back_end)
    server.start()
    back_end.check()


@needs_dovecot
@pytest.mark.parametrize("scheme", ["SHA512-CRYPT", "BLF-CRYPT"])
def test_dovecot_reads_the_hash_and_an_attribute_locks(scheme: str, home: Path, server: openldap.OpenLdap) -> None:
    lock = {"lock": "attribute", "lock_attribute": "employeeType", "locked": "locked", "unlocked": "active"}
    back_end = accounts(server, "root", bind_dn=f"cn=root,{BASE}", set_by="attribute", scheme=scheme, **lock)
    settings = READS.format(port=server.port, base=BASE)
    dovecot = dovecot_imap.DovecotImap(home / "dovecot", [("ldap", settings)])
    try:
        life.whole_life(back_end, dovecot.lets_in, lambda: entry(server))
    finally:
        dovecot.stop()


def test_app_passwords(server: openldap.OpenLdap) -> None:
    back_end = accounts(server, app_password_attribute="appPassword")
    at_first = entry(server)
    found = back_end.find(life.ROSA)
    assert found is not None
    assert found.app_passwords == 2
    life.done(back_end.revoke_app_passwords, life.ROSA)
    assert "appPassword" not in entry(server)
    assert back_end.restore(life.ROSA, found.before).answer is Answer.DONE
    assert entry(server) == at_first


def test_by_its_socket_as_who_we_are(server: openldap.OpenLdap) -> None:
    where = LdapSettings(url=server.socket_url, base=BASE, set_by="none", lock="ppolicy", policy=f"cn=policy,{BASE}")
    back_end = LdapAccounts("staff", where)
    back_end.check()
    plain = unquote(server.socket_url)
    LdapAccounts("staff", msgspec.structs.replace(where, url=plain)).check()
    life.done(back_end.lock, life.ROSA)
    assert "pwdAccountLockedTime" in entry(server)
    assert back_end.set_password(life.ROSA, Secret("Kmp4-x7tz")).answer is Answer.COULD_NOT
    life.done(back_end.unlock, life.ROSA)
    server.stop()
    life.is_down(back_end)


def test_active_directory_s_attributes(server: openldap.OpenLdap) -> None:
    back_end = accounts(server, set_by="active-directory", lock="active-directory", must_change=True)
    found = back_end.find(life.ROSA)
    assert found is not None
    assert (found.locked, found.cannot_undo != "") == (False, True)
    life.done(back_end.lock, life.ROSA)
    assert entry(server)["userAccountControl"] == [b"66050"]
    # OpenLDAP takes no password from there, so what is proved is what was written, and that a bind was tried.
    outcome = back_end.set_password(life.ROSA, Secret("Kmp4-x7tz"))
    assert outcome.answer is Answer.UNKNOWN
    written = entry(server)
    assert written["unicodePwd"] == ['"Kmp4-x7tz"'.encode("utf-16-le")]
    assert (written["pwdLastSet"], written["userAccountControl"]) == ([b"0"], [b"66050"])
    restored = back_end.restore(life.ROSA, found.before)
    assert (restored.answer, "old password" in restored.words) == (Answer.UNKNOWN, True)
    assert entry(server)["userAccountControl"] == [b"66048"]
    assert back_end.verify(life.ROSA, Deed.SET_PASSWORD, Secret("Kmp4-x7tz")).answer is Answer.COULD_NOT


def test_names_stay_names(server: openldap.OpenLdap) -> None:
    back_end = accounts(server, base=f"ou={{local}},{BASE}", filter="(|(mail={account})(uid=rosa))")
    assert back_end.find("people@isp.example") is not None
    assert back_end.find(f"people,{BASE}@isp.example") is None
    back_end = accounts(server)
    for account in ("*", "rosa*", "*)(mail=*", "r\\6fsa@isp.example", "\udcff@isp.example", "\0", ""):
        assert back_end.find(account) is None
        assert back_end.lock(account).answer is Answer.COULD_NOT


def test_what_a_person_must_change(home: Path, server: openldap.OpenLdap, certificates: Certificates) -> None:
    life.is_refused(accounts(server, "mistyped"), "bind", "password is wrong")
    life.is_refused(accounts(server, base="dc=nowhere,dc=example"), "base dc=nowhere,dc=example")
    life.is_refused(accounts(server, filter="(mail={account}"), "ilter")
    reads = accounts(server, "reads", bind_dn=f"cn=reader,{BASE}")
    reads.check()
    with pytest.raises(OperatorFault, match=r"staff: write pwdAccountLockedTime: the bind DN may not do this"):
        reads.lock(life.ROSA)
    with pytest.raises(OperatorFault, match=r"staff: set password: "):
        reads.set_password(life.ROSA, Secret("Kmp4-x7tz"))
    with pytest.raises(OperatorFault, match=f"filter finds more than one entry for {life.ROSA}"):
        accounts(server, filter="(|(mail={account})(uid=carl))").find(life.ROSA)

    right, wrong = certificates.authority, Certificates(home / "other").authority
    for url in (f"ldaps://127.0.0.1:{server.tls_port}", f"ldap://127.0.0.1:{server.port}"):
        accounts(server, url=url, ca_file=str(right)).check()
        life.is_refused(accounts(server, url=url, ca_file=str(wrong)), url)
    accounts(server, url=f"ldaps://localhost:{server.tls_port}").check()


def test_a_lock_that_the_policy_ignores_is_not_called_one(home: Path) -> None:
    server = openldap.OpenLdap(home, ENTRIES.replace("pwdLockout: TRUE", "pwdLockout: FALSE"))
    try:
        back_end = accounts(server)
        with pytest.raises(OperatorFault, match="staff: pwdLockout is not TRUE in policy cn=policy"):
            back_end.check()
        outcome = back_end.lock(life.ROSA)
        assert (outcome.answer, "pwdLockout" in outcome.words) == (Answer.COULD_NOT, True)
        elsewhere = accounts(server, policy=f"cn=elsewhere,{BASE}")
        assert "cannot be read" in elsewhere.verify(life.ROSA, Deed.LOCK).words
    finally:
        server.stop()


def test_a_policy_that_refuses_the_old_password_keeps_nothing_else_from_being_undone(home: Path) -> None:
    server = openldap.OpenLdap(home, ENTRIES.replace("pwdLockout: TRUE", "pwdLockout: TRUE\npwdInHistory: 3"))
    try:
        back_end = accounts(server)
        found = back_end.find(life.ROSA)
        assert found is not None
        back_end.lock(life.ROSA)
        back_end.set_password(life.ROSA, Secret("Kmp4-x7tz"))
        with pytest.raises(OperatorFault, match=r"staff: write userPassword: .*history of old passwords"):
            back_end.restore(life.ROSA, found.before)
        assert back_end.verify(life.ROSA, Deed.UNLOCK).answer is Answer.DONE
        as_root = accounts(server, "root", bind_dn=f"cn=root,{BASE}")
        assert as_root.restore(life.ROSA, found.before).answer is Answer.DONE
    finally:
        server.stop()


def test_no_start_tls_is_no_connection(home: Path, certificates: Certificates) -> None:
    server = openldap.OpenLdap(home, ENTRIES)
    try:
        life.is_refused(accounts(server, ca_file=str(certificates.authority)), f"127.0.0.1:{server.port}")
    finally:
        server.stop()
