"""The tables ``[accounts.NAME]`` of a configuration, made into places; each kind is loaded only where it is used."""

from __future__ import annotations

import difflib
import re
from pathlib import Path
from typing import Any, TypeGuard

import msgspec

from outwarden.responses.accounts.connector import AccountBackEnd, OperatorFault
from outwarden.responses.accounts.http_settings import HttpSettings
from outwarden.responses.accounts.ldap_settings import LdapSettings
from outwarden.responses.accounts.passwd_file_settings import PasswdFileSettings
from outwarden.responses.accounts.program_settings import ProgramSettings
from outwarden.responses.accounts.secret import Secret
from outwarden.responses.accounts.session_place import SessionPlace
from outwarden.responses.accounts.sql_settings import SqlSettings
from outwarden.service.containment.places import Places
from outwarden.service.settings import Configuration

AccountSettings = SqlSettings | LdapSettings | PasswdFileSettings | HttpSettings | ProgramSettings
_KINDS: dict[str, type[msgspec.Struct]] = {
    "sql": SqlSettings,
    "ldap": LdapSettings,
    "passwd-file": PasswdFileSettings,
    "http": HttpSettings,
    "program": ProgramSettings,
}
_OURS = frozenset({"dovecot", "sieve", "forward-file"})


def places(configuration: Configuration) -> Places:
    """Return every place that is set up.  Raises ``ConfigurationError``; nobody is asked anything yet."""
    back_ends = tuple(_back_end(configuration, name, table) for name, table in configuration.settings.accounts.items())
    leftovers = [each for each in (getattr(one, "forwards", None) for one in back_ends) if each is not None]
    sessions: list[SessionPlace] = [one for one in back_ends if _ends_sessions(one)]
    return _with_this_machine(
        configuration, Places(tuple(one for one in back_ends if one.abilities), tuple(sessions), tuple(leftovers))
    )


def settings_of(configuration: Configuration, name: str, table: dict[str, Any]) -> AccountSettings:
    """Return one table's settings.  Raises ``ConfigurationError`` that names its key."""
    key = f"accounts.{name}"
    if name in _OURS or not name.replace("-", "").replace("_", "").isalnum():
        raise configuration.wrong(key, "a name is letters, digits and hyphens, and none of " + ", ".join(sorted(_OURS)))
    try:
        settings: AccountSettings = msgspec.convert(table, AccountSettings, strict=True)
    except msgspec.ValidationError as fault:
        told, _, path = str(fault).partition(" - at `$")
        inside = path.strip("`").lstrip(".")
        if inside == "kind" or "`kind`" in told:
            raise configuration.wrong(f"{key}.kind", f"there are: {', '.join(_KINDS)}") from None
        if unknown := re.search(r"unknown field `([^`]*)`", told):
            whole = ".".join(part for part in (key, inside, unknown[1]) if part)
            near = difflib.get_close_matches(unknown[1], _KINDS[table["kind"]].__struct_fields__, n=1)
            cure = f"did you mean {near[0]}?" if near and not inside else "remove it"
            raise configuration.wrong(whole, f"there is no such key; {cure}") from None
        raise configuration.wrong(f"{key}.{inside}" if inside else key, told[:1].lower() + told[1:]) from None
    return settings


def _ends_sessions(back_end: AccountBackEnd) -> TypeGuard[SessionPlace]:
    return bool(getattr(back_end, "ends_sessions", False))


def _back_end(configuration: Configuration, name: str, table: dict[str, Any]) -> AccountBackEnd:
    settings = settings_of(configuration, name, table)
    try:
        return _made(configuration, name, settings)
    except OperatorFault as fault:
        raise configuration.wrong(f"accounts.{name}", str(fault).removeprefix(f"{name}: ")) from None


def _made(configuration: Configuration, name: str, settings: AccountSettings) -> AccountBackEnd:
    if isinstance(settings, SqlSettings):
        from outwarden.responses.accounts.sql import SqlAccounts

        return SqlAccounts(name, settings, _secret(configuration, name, "password", settings.password_file))
    if isinstance(settings, LdapSettings):
        from outwarden.responses.accounts.ldap import LdapAccounts

        return LdapAccounts(name, settings, _secret(configuration, name, "password", settings.password_file))
    if isinstance(settings, PasswdFileSettings):
        from outwarden.responses.accounts.passwd_file import PasswdFile

        return PasswdFile(name, settings)
    if isinstance(settings, HttpSettings):
        from outwarden.responses.accounts.http_api import HttpAccounts

        return HttpAccounts(name, settings, _secret(configuration, name, "secret", settings.secret_file))
    from outwarden.responses.accounts.program import AccountProgram

    return AccountProgram(name, settings)


def _secret(configuration: Configuration, name: str, key: str, file: str) -> Secret | None:
    if not file:
        return None
    return Secret(configuration.secrets(f"accounts.{name}", {f"{key}_file": file})[key])


def _with_this_machine(configuration: Configuration, found: Places) -> Places:
    """Add what is on this machine: its Dovecot, and the homes of its accounts."""
    from outwarden.responses.accounts.doveadm import Doveadm
    from outwarden.responses.accounts.forward_file import ForwardFiles, system_home

    named = configuration.settings.containment.dovecot_config
    if named == "none" or not Doveadm.installed():
        return found._replace(leftovers=(*found.leftovers, ForwardFiles(system_home)))
    from outwarden.responses.accounts.sessions import DovecotSessions
    from outwarden.responses.accounts.sieve_scripts import DovecotSieve

    config = Path(named) if named else None
    dovecot, doveadm = DovecotSessions(config), Doveadm(config)
    leftovers = (*found.leftovers, ForwardFiles(lambda account: doveadm.home(account) or system_home(account)))
    if doveadm.has("sieve"):
        leftovers = (*leftovers, DovecotSieve(config))
    return Places(found.accounts, (*found.sessions, dovecot), leftovers, dovecot)
