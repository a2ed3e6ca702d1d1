"""The keys of the mark, out of their file, and the headers that a message is given by the settings.

The file has one key a line; the first signs, all verify, and what follows a ``#`` is a comment.  Whoever can read it
can make marks in our name and read all of them, so it may be readable for its owner and group alone.
"""

from __future__ import annotations

import secrets
import stat
from datetime import datetime
from pathlib import Path

from outwarden.service.settings import Configuration, MarkSettings
from outwarden.sources.message.mark import KEY_BYTES, NONCE_BYTES, MalformedMarkKeys, MarkKeys, key_line
from outwarden.sources.message.marking import (
    Header,
    UnusableHeader,
    checked_cfbl_address,
    checked_feedback_id,
    marked_headers,
)

_FILE, _KEY = "mark.keys_file", "keys"


def mark_keys(configuration: Configuration) -> MarkKeys | None:
    """Return the keys that the settings name, None where they name none.  Raises ``ConfigurationError``."""
    settings = configuration.settings.mark
    _check_headers(configuration, settings)
    if not settings.keys_file:
        return None
    text = configuration.secrets("mark", {f"{_KEY}_file": settings.keys_file})[_KEY]
    _check_rights(configuration, settings.keys_file)
    try:
        return MarkKeys.from_text(text)
    except MalformedMarkKeys as fault:
        raise configuration.wrong(_FILE, f"{settings.keys_file}: {fault}") from None


def marking(keys: MarkKeys, settings: MarkSettings, account: str, host: str, at: datetime) -> tuple[Header, ...]:
    """Return the headers that one message is given, name and folded value."""
    return marked_headers(
        keys,
        account,
        host,
        at,
        secrets.token_bytes(NONCE_BYTES),
        feedback_id=settings.feedback_id,
        cfbl_address=settings.cfbl_address,
    )


def new_key() -> str:
    """Return a new key as a line of a keys file."""
    return key_line(secrets.token_bytes(KEY_BYTES))


def _check_headers(configuration: Configuration, settings: MarkSettings) -> None:
    for key, check in (("feedback_id", checked_feedback_id), ("cfbl_address", checked_cfbl_address)):
        value: str = getattr(settings, key)
        try:
            check(value)
        except UnusableHeader as fault:
            raise configuration.wrong(f"mark.{key}", str(fault)) from None
        if value and not settings.keys_file:
            raise configuration.wrong(f"mark.{key}", "it needs a key; name a file of keys as mark.keys_file")


def _check_rights(configuration: Configuration, path: str) -> None:
    # What has no slash is a systemd credential, which systemd shows to the service alone.
    if "/" in path and stat.S_IMODE(Path(path).stat().st_mode) & (stat.S_IROTH | stat.S_IWOTH):
        raise configuration.wrong(_FILE, f"{path} is open to everybody on this machine; chmod 0640 {path}")
