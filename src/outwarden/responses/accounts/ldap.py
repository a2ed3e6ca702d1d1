"""Accounts in an LDAP directory: OpenLDAP with or without ppolicy, Active Directory, and others by their attributes.

The password is set by the Password Modify operation (RFC 3062), by writing ``userPassword``, or as Active Directory
wants it; the proof is a bind as the account itself.  The lock is an attribute: ``pwdAccountLockedTime`` of ppolicy, the
second bit of ``userAccountControl``, or one of the site's own.

Not covered: a mail server that reads ``userPassword`` itself instead of binding sees no lock of ppolicy
(``docs/reference/accounts.md``); Active Directory shows no old password, so none can be put back.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from outwarden.responses.accounts.connector import Answer, Before, Deed, Found, OperatorFault, Outcome, not_set_up
from outwarden.responses.accounts.hashes import Scheme, fits, hashed
from outwarden.responses.accounts.ldap_directory import INVALID_CREDENTIALS, NO_SUCH_OBJECT, Directory
from outwarden.responses.accounts.ldap_entry import Entry, Lock, Values, changed_at, texts, values
from outwarden.responses.accounts.ldap_names import dn_for, filter_for, places
from outwarden.responses.accounts.ldap_settings import LdapSettings
from outwarden.responses.accounts.secret import Secret

_NOBODY = "nobody@outwarden.invalid"
_REPLACE = "MODIFY_REPLACE"
# Active Directory's words in a bind's answer: the password is right, but ...
_MUST_CHANGE, _DISABLED = "data 773", "data 533"


class LdapAccounts:
    """An ``AccountBackEnd``.

    Raises ``OperatorFault`` for settings that cannot be right, and where the library is not installed.
    """

    def __init__(self, name: str, settings: LdapSettings, password: Secret | None = None) -> None:
        if not {"account", "local"} & places(settings.filter):
            raise OperatorFault(f"{name}: filter {settings.filter!r} names no account; write (mail={{account}})")
        if settings.lock == "attribute" and not settings.lock_attribute:
            raise OperatorFault(f'{name}: lock = "attribute" needs lock_attribute')
        if settings.lock == "ppolicy" and not settings.policy:
            raise OperatorFault(f'{name}: lock = "ppolicy" needs policy, the entry of the policy in force')
        self.name = name
        self._settings = settings
        self._directory = Directory(name, settings, password)
        self._lock = Lock(settings)

    @property
    def abilities(self) -> frozenset[Deed]:
        """By the settings."""
        able = {
            Deed.LOCK: self._lock.attribute,
            Deed.UNLOCK: self._lock.attribute,
            Deed.SET_PASSWORD: self._settings.set_by != "none",
            Deed.REVOKE_APP_PASSWORDS: self._settings.app_password_attribute,
        }
        return frozenset(deed for deed, there in able.items() if there)

    def check(self) -> None:
        """Bind, search for nobody, and look whether the policy obeys a lock."""
        with self._directory.bound() as connection:
            self._entry(connection, _NOBODY)
            if self._settings.lock == "ppolicy" and (ignored := self._ignored(connection, self._settings.policy)):
                raise OperatorFault(f"{self.name}: {ignored}")

    def find(self, account: str) -> Found | None:
        """Return the account; two entries of one name are the operator's fault."""
        with self._directory.bound() as connection:
            entry = self._entry(connection, account)
        if entry is None:
            return None
        kept = {key: texts(entry.values(attribute)) for key, attribute in self._kept().items()}
        unseen = Deed.SET_PASSWORD in self.abilities and not kept["password"]
        contacts = (value for name in self._settings.contact_attributes for value in entry.values(name))
        return Found(
            Before(kept),
            locked=self._lock.holds(entry) if self._lock.attribute else None,
            changed_at=changed_at(entry),
            contacts=tuple(value.decode(errors="replace") for value in contacts),
            app_passwords=len(kept["app_passwords"]) if self._settings.app_password_attribute else None,
            cannot_undo="the password: the directory does not show the old one" if unseen else "",
        )

    def lock(self, account: str) -> Outcome:
        """Write the lock's attribute."""
        return self._set_lock(account, Deed.LOCK)

    def unlock(self, account: str) -> Outcome:
        """Take the lock away."""
        return self._set_lock(account, Deed.UNLOCK)

    def set_password(self, account: str, secret: Secret) -> Outcome:
        """Set it, by the way that the settings name."""
        if Deed.SET_PASSWORD not in self.abilities:
            return not_set_up(self.name, Deed.SET_PASSWORD)
        with self._directory.bound() as connection:
            entry = self._entry(connection, account)
            if entry is None:
                return self._missing(account)
            if not self._write_password(connection, entry.dn, secret):
                self._directory.refuse(connection, "set password")
            if self._lock.attribute:
                # Some directories end a lock with the password that it was about.
                lock = {self._lock.attribute: entry.values(self._lock.attribute)}
                self._replace(connection, self._entry(connection, account), lock)
        return self.verify(account, Deed.SET_PASSWORD, secret)

    def revoke_app_passwords(self, account: str) -> Outcome:
        """Take every value of the attribute away."""
        if Deed.REVOKE_APP_PASSWORDS not in self.abilities:
            return not_set_up(self.name, Deed.REVOKE_APP_PASSWORDS)
        with self._directory.bound() as connection:
            entry = self._entry(connection, account)
            self._replace(connection, entry, {self._settings.app_password_attribute: []})
        return self.verify(account, Deed.REVOKE_APP_PASSWORDS)

    def verify(self, account: str, deed: Deed, secret: Secret | None = None) -> Outcome:
        """Read the entry again; for a password, bind with it."""
        ignored = ""
        with self._directory.bound() as connection:
            entry = self._entry(connection, account)
            if entry is not None and deed is Deed.LOCK and self._settings.lock == "ppolicy":
                own = b"".join(entry.values("pwdPolicySubentry")[:1]).decode(errors="replace")
                ignored = self._ignored(connection, own or self._settings.policy)
        if entry is None:
            return self._missing(account)
        if deed is Deed.SET_PASSWORD:
            return self._tried(entry, secret)
        if deed is Deed.REVOKE_APP_PASSWORDS:
            left = entry.values(self._settings.app_password_attribute)
            return self._said(not left, "no app password is left", f"{len(left)} app passwords are left")
        locked = self._lock.holds(entry)
        words = f"{self._lock.attribute} says {'locked' if locked else 'not locked'}"
        return self._said(locked is (deed is Deed.LOCK) and not ignored, words, ignored or words)

    def restore(self, account: str, before: Before) -> Outcome:
        """Write the attributes as they were."""
        with self._directory.bound() as connection:
            # The password by itself, as a policy may refuse the old one; the rest again for what a directory changes
            # by itself when it sees a new password.
            for password in (False, True, False):
                entry = self._entry(connection, account)
                if entry is None:
                    return self._missing(account)
                changes = self._as_before(entry, before.kept).items()
                self._replace(connection, entry, {key: v for key, v in changes if (key == "userPassword") is password})
        again = self.find(account)
        if again is None or not _holds(again.before.kept, before.kept):
            return Outcome(Answer.COULD_NOT, f"{self.name}: not everything is as it was; compare the entry")
        if Deed.SET_PASSWORD in self.abilities and not before.kept["password"]:
            return Outcome(Answer.UNKNOWN, f"{self.name}: the lock is as it was; the old password cannot be put back")
        return Outcome(Answer.DONE, f"{self.name}: password, lock and app passwords are as they were")

    def _ignored(self, connection: Any, policy: str) -> str:  # noqa: ANN401 (ldap3 is untyped)
        """Return why the directory would let in whoever is locked; nothing where it would not."""
        connection.search(policy, "(objectClass=*)", "BASE", attributes=["pwdLockout"])
        found = [each for each in connection.response or () if each["type"] == "searchResEntry"]
        if not found:
            return f"policy {policy} cannot be read, so whether a lock is obeyed is not known"
        obeyed = found[0]["raw_attributes"].get("pwdLockout", []) == [b"TRUE"]
        return "" if obeyed else f"pwdLockout is not TRUE in policy {policy}, so that the directory obeys no lock"

    def _kept(self) -> Mapping[str, str]:
        """Return the attributes that undoing needs, by the names under which they are kept."""
        shown = self._settings.set_by in {"operation", "attribute"}
        return {
            "password": "userPassword" if shown else "",
            "must_change": "pwdReset" if shown else "",
            "lock": self._lock.attribute,
            "app_passwords": self._settings.app_password_attribute,
        }

    def _as_before(self, entry: Entry, kept: Mapping[str, Any]) -> dict[str, Values]:
        changes = {attribute: values(kept[key]) for key, attribute in self._kept().items() if attribute}
        if not kept["password"]:
            changes.pop("userPassword", None)
        if attribute := self._settings.app_password_attribute:
            # What the owner made meanwhile stays.
            changes[attribute] += [value for value in entry.values(attribute) if value not in changes[attribute]]
        return changes

    def _tried(self, entry: Entry, secret: Secret | None) -> Outcome:
        if secret is None:
            return Outcome(Answer.UNKNOWN, f"{self.name}: without the new password it cannot be tried")
        code, words = self._directory.binds_as(entry.dn, secret)
        if code == 0 or _MUST_CHANGE in words:
            return Outcome(Answer.DONE, f"{self.name}: the directory takes the new password")
        if code == INVALID_CREDENTIALS and (_DISABLED in words or self._lock.holds(entry)):
            stored = [value.decode(errors="replace") for value in entry.values("userPassword")]
            if stored and all(fits(secret, text) for text in stored):
                return Outcome(
                    Answer.DONE, f"{self.name}: the stored hash fits the new password; the account is locked"
                )
            return Outcome(Answer.UNKNOWN, f"{self.name}: the password was taken; it cannot be tried while locked")
        return Outcome(Answer.COULD_NOT, f"{self.name}: the directory does not take the new password (code {code})")

    def _write_password(self, connection: Any, dn: str, secret: Secret) -> bool:  # noqa: ANN401 (ldap3 is untyped)
        if self._settings.set_by == "operation":
            return bool(connection.extend.standard.modify_password(user=dn, new_password=secret.reveal()))
        changes: dict[str, Values] = {}
        if self._settings.set_by == "attribute":
            # What crypt(3) makes is known to directories and to Dovecot by one name.
            crypt = "{CRYPT}" + hashed(secret, Scheme(self._settings.scheme), prefix=False)
            changes["userPassword"] = [crypt.encode()]
        else:
            # [MS-ADTS] section 3.1.1.3.1.5.1: in quotes, in UTF-16.
            changes["unicodePwd"] = [f'"{secret.reveal()}"'.encode("utf-16-le")]
            if self._settings.must_change:
                changes["pwdLastSet"] = [b"0"]
        return bool(connection.modify(dn, {key: [(_REPLACE, each)] for key, each in changes.items()}))

    def _set_lock(self, account: str, deed: Deed) -> Outcome:
        if deed not in self.abilities:
            return not_set_up(self.name, deed)
        with self._directory.bound() as connection:
            entry = self._entry(connection, account)
            if entry is not None and self._lock.holds(entry) is not (deed is Deed.LOCK):
                changed = self._lock.changed(entry, locked=deed is Deed.LOCK)
                self._replace(connection, entry, {self._lock.attribute: changed})
        return self.verify(account, deed)

    def _replace(self, connection: Any, entry: Entry | None, wanted: Mapping[str, Values]) -> None:  # noqa: ANN401
        """Write what differs, in one step.  Raises ``OperatorFault`` where we may not."""
        if entry is None:
            return
        needed = {key: each for key, each in wanted.items() if sorted(each) != sorted(entry.values(key))}
        if needed and not connection.modify(entry.dn, {key: [(_REPLACE, each)] for key, each in needed.items()}):
            self._directory.refuse(connection, f"write {', '.join(needed)}")

    def _entry(self, connection: Any, account: str) -> Entry | None:  # noqa: ANN401 (ldap3 is untyped)
        wanted = {
            "pwdChangedTime",
            "pwdLastSet",
            "pwdPolicySubentry",
            *self._kept().values(),
            *self._settings.contact_attributes,
        } - {""}
        varies = places(self._settings.base)
        if "domain" in varies and "@" not in account:
            return None
        connection.search(
            dn_for(self._settings.base, account),
            filter_for(self._settings.filter, account),
            attributes=sorted(wanted),
            size_limit=2,
        )
        found = [each for each in connection.response or () if each["type"] == "searchResEntry"]
        if len(found) > 1:
            raise OperatorFault(f"{self.name}: filter finds more than one entry for {account}")
        if found:
            return Entry(found[0]["dn"], found[0]["raw_attributes"])
        code = connection.result["result"]
        if code == NO_SUCH_OBJECT and not varies:
            raise OperatorFault(f"{self.name}: there is no base {self._settings.base}, or bind_dn may not see it")
        if code not in {0, NO_SUCH_OBJECT}:
            self._directory.refuse(connection, "search")
        return None

    def _missing(self, account: str) -> Outcome:
        return Outcome(Answer.COULD_NOT, f"{self.name}: no account {account}")

    def _said(self, holds: bool, yes: str, no: str) -> Outcome:
        return Outcome(Answer.DONE if holds else Answer.COULD_NOT, f"{self.name}: {yes if holds else no}")


def _holds(now: Mapping[str, Any], before: Mapping[str, Any]) -> bool:
    """Return whether all is as it was; what the owner made meanwhile may be there too."""
    single = all(sorted(now[key]) == sorted(each) for key, each in before.items() if key != "app_passwords")
    return single and set(before["app_passwords"]) <= set(now["app_passwords"])
