"""What a site says about its accounts in SQL tables, and ready statements for three kinds of tables.

``tables = "dovecot"`` fits the table ``users`` of Dovecot's own pages, ``tables = "postfixadmin"`` what PostfixAdmin 4
makes, ``tables = "postfixadmin-3"`` what it made before.  A statement that the site writes itself takes the place of
the ready one; an empty one takes it away.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

import msgspec

Value = bool | int | str
Engine = Literal["sqlite", "postgresql", "mariadb"]
Own = str | None


class SqlSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="sql"):
    """Accounts in SQL tables."""

    engine: Annotated[Engine, msgspec.Meta(description="`sqlite`, `postgresql` or `mariadb` (MySQL too).")]
    database: Annotated[str, msgspec.Meta(min_length=1, description="The database's name; for SQLite its file.")]
    host: Annotated[
        str, msgspec.Meta(description="The server; a path is its socket (PostgreSQL: the folder of it).")
    ] = "localhost"
    port: Annotated[int, msgspec.Meta(ge=0, le=65535, description="Its port; 0 for the usual one.")] = 0
    login: Annotated[str, msgspec.Meta(description="Whom to log in as.")] = ""
    password_file: Annotated[str, msgspec.Meta(description="The file of the password for that; empty for none.")] = ""
    ca_file: Annotated[
        str,
        msgspec.Meta(
            description="Who vouches for the server's certificate; empty for the system's list, and on this machine "
            "for no TLS."
        ),
    ] = ""
    tables: Annotated[
        Literal["own", "dovecot", "postfixadmin", "postfixadmin-3"],
        msgspec.Meta(
            description="Which ready statements to use: `dovecot`, `postfixadmin` (4 and later), `postfixadmin-3`, or "
            "`own` for none."
        ),
    ] = "own"
    scheme: Annotated[
        Literal["SHA512-CRYPT", "BLF-CRYPT", "ARGON2ID"], msgspec.Meta(description="How new passwords are hashed.")
    ] = "SHA512-CRYPT"
    prefix: Annotated[bool, msgspec.Meta(description="Write `{SCHEME}` before the hash, as Dovecot reads it.")] = True
    find: Annotated[
        Own,
        msgspec.Meta(
            description="SELECT of one row: `hash`, and where there are such `account`, `status`, `changed_at`, "
            "`contact`, for `:account` (or `:local` and `:domain`)."
        ),
    ] = None
    set_password: Annotated[Own, msgspec.Meta(description="The statement that writes `:hash`.")] = None
    set_lock: Annotated[Own, msgspec.Meta(description="The statement that writes `:status`.")] = None
    locked: Annotated[
        Value | None, msgspec.Meta(description="The value of `status` for an account that may not log in; else 0.")
    ] = None
    unlocked: Annotated[Value | None, msgspec.Meta(description="Its value for one that may; else 1.")] = None
    app_passwords: Annotated[Own, msgspec.Meta(description="SELECT of the app passwords that work.")] = None
    revoke_app_password: Annotated[Own, msgspec.Meta(description="The statement that ends one of them.")] = None
    restore_app_password: Annotated[Own, msgspec.Meta(description="The statement that brings one back.")] = None
    forwards: Annotated[
        Own,
        msgspec.Meta(
            description="SELECT of the account's forwards: `name`, `words`, and where there is one `changed_at`."
        ),
    ] = None
    disable_forward: Annotated[Own, msgspec.Meta(description="The statement that makes one do nothing.")] = None
    restore_forward: Annotated[Own, msgspec.Meta(description="The statement that brings one back.")] = None


STATEMENTS = (
    "find",
    "set_password",
    "set_lock",
    "app_passwords",
    "revoke_app_password",
    "restore_app_password",
    "forwards",
    "disable_forward",
    "restore_forward",
)
_SECONDS_OF: Mapping[Engine, str] = {
    "sqlite": "CAST(strftime('%s', modified) AS INTEGER)",
    "postgresql": "EXTRACT(EPOCH FROM modified)::bigint",
    "mariadb": "UNIX_TIMESTAMP(modified)",
}
"""A time without a zone says nothing, so each database is asked for seconds since 1970."""


def settled(settings: SqlSettings) -> SqlSettings:
    """Return the settings with what they leave open taken from the ready ones."""
    ready = _ready(settings)
    words = {name: getattr(settings, name) for name in STATEMENTS}
    return msgspec.structs.replace(
        settings,
        **{name: ready.get(name, "") if own is None else own for name, own in words.items()},
        locked=ready.get("locked", 0) if settings.locked is None else settings.locked,
        unlocked=ready.get("unlocked", 1) if settings.unlocked is None else settings.unlocked,
    )


def _ready(settings: SqlSettings) -> Mapping[str, Value]:
    # No alias is `key` or `lock`: MariaDB keeps both words for itself.
    statements = _READY.get(settings.tables, {})
    seconds = _SECONDS_OF[settings.engine]
    return {
        name: value.replace("MODIFIED", seconds) if isinstance(value, str) else value
        for name, value in statements.items()
    }


_DOVECOT: Mapping[str, Value] = {
    "find": "SELECT password AS hash, active AS status FROM users WHERE username = :local AND domain = :domain",
    "set_password": "UPDATE users SET password = :hash WHERE username = :local AND domain = :domain",
    "set_lock": "UPDATE users SET active = :status WHERE username = :local AND domain = :domain",
    "locked": "N",
    "unlocked": "Y",
}
# `active` is a true boolean in PostgreSQL; the other two take one for 0 and 1.
_POSTFIXADMIN_3: Mapping[str, Value] = {
    "find": "SELECT username AS account, password AS hash, active AS status, MODIFIED AS changed_at, "
    "email_other AS contact FROM mailbox WHERE username = :account",
    "set_password": "UPDATE mailbox SET password = :hash WHERE username = :account",
    "set_lock": "UPDATE mailbox SET active = :status WHERE username = :account",
    "locked": False,
    "unlocked": True,
    "forwards": "SELECT address AS name, goto AS words, MODIFIED AS changed_at FROM alias "
    "WHERE address = :account AND goto <> address",
    "disable_forward": "UPDATE alias SET goto = address WHERE address = :account",
    "restore_forward": "UPDATE alias SET goto = :words WHERE address = :account",
}
# Release 4 has a second flag, by which somebody may submit who may not read: a lock is both, and an undo each of them.
_POSTFIXADMIN: Mapping[str, Value] = {
    **_POSTFIXADMIN_3,
    "find": "SELECT username AS account, password AS hash, CASE WHEN active AND smtp_active THEN 'all' "
    "WHEN active THEN 'reads' WHEN smtp_active THEN 'submits' ELSE 'none' END AS status, "
    "MODIFIED AS changed_at, email_other AS contact FROM mailbox WHERE username = :account",
    "set_lock": "UPDATE mailbox SET active = (:status IN ('all', 'reads')), "
    "smtp_active = (:status IN ('all', 'submits')) WHERE username = :account",
    "locked": "none",
    "unlocked": "all",
    "app_passwords": "SELECT id, username, description, password_hash FROM mailbox_app_password "
    "WHERE username = :account",
    "revoke_app_password": "DELETE FROM mailbox_app_password WHERE id = :id AND username = :account",
    "restore_app_password": "INSERT INTO mailbox_app_password (id, username, description, password_hash) "
    "VALUES (:id, :username, :description, :password_hash)",
}
_READY: Mapping[str, Mapping[str, Value]] = {
    "dovecot": _DOVECOT,
    "postfixadmin": _POSTFIXADMIN,
    "postfixadmin-3": _POSTFIXADMIN_3,
}
