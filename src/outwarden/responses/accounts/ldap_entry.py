"""What stands in an entry of a directory: whether it is locked, since when its password, and what undoing needs."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from outwarden.responses.accounts.ldap_settings import LdapSettings

LOCKED_FOR_GOOD = b"000001010000Z"
"""What ppolicy takes for "until somebody unlocks it" (draft-behera-ldap-password-policy-10 section 5.3.3)."""
_ACCOUNTDISABLE = 0x2
_TIME_FORMS = ("%Y%m%d%H%M%SZ", "%Y%m%d%H%M%S.%fZ", "%Y%m%d%H%MZ")

Values = list[bytes]


class Entry(NamedTuple):
    """An entry: its DN, and the attributes that were asked for."""

    dn: str
    attributes: Mapping[str, Values]

    def values(self, attribute: str) -> Values:
        """Return the values of an attribute; none for the name that is empty."""
        return list(self.attributes.get(attribute, ())) if attribute else []


class Lock:
    """The attribute that locks an account, as the settings say."""

    def __init__(self, settings: LdapSettings) -> None:
        self._kind = settings.lock
        self._values = (settings.locked.encode(), settings.unlocked.encode())
        self.attribute = {
            "ppolicy": "pwdAccountLockedTime",
            "active-directory": "userAccountControl",
            "attribute": settings.lock_attribute,
            "none": "",
        }[settings.lock]

    def holds(self, entry: Entry) -> bool:
        """Return whether nobody can log in until somebody unlocks it."""
        values = entry.values(self.attribute)
        if self._kind == "active-directory":
            return bool(_flags(values) & _ACCOUNTDISABLE)
        # In ppolicy a time is the lock of too many wrong passwords, which ends by itself: no lock of ours.
        return (LOCKED_FOR_GOOD if self._kind == "ppolicy" else self._values[0]) in values

    def changed(self, entry: Entry, locked: bool) -> Values:
        """Return the attribute's values with the lock, or without."""
        if self._kind == "active-directory":
            flags = _flags(entry.values(self.attribute))
            return [b"%d" % (flags | _ACCOUNTDISABLE if locked else flags & ~_ACCOUNTDISABLE)]
        if self._kind == "ppolicy":
            return [LOCKED_FOR_GOOD] if locked else []
        value = self._values[0 if locked else 1]
        return [value] if value else []


def texts(values: Iterable[bytes]) -> list[str]:
    """Return values so that they can be kept as JSON."""
    return [base64.b64encode(value).decode() for value in values]


def values(kept: Iterable[str]) -> Values:
    """Return what ``texts`` was given."""
    return [base64.b64decode(text) for text in kept]


def changed_at(entry: Entry) -> datetime | None:
    """Return when the password changed: RFC 4517 section 3.3.13 in OpenLDAP, 100 ns since 1601 in Active Directory."""
    ticks = b"".join(entry.values("pwdLastSet")[:1])
    # The largest number there is, of 19 digits, means never.
    if ticks.isdigit() and len(ticks) < 19 and int(ticks):
        return datetime(1601, 1, 1, tzinfo=UTC) + timedelta(microseconds=int(ticks) // 10)
    text = b"".join(entry.values("pwdChangedTime")[:1]).decode(errors="replace")
    for form in _TIME_FORMS:
        try:
            return datetime.strptime(text, form).replace(tzinfo=UTC)
        except ValueError:
            continue
    return None


def _flags(values: Values) -> int:
    return int(values[0]) if values and values[0].isdigit() else 0
