"""Whether the requests that a site declares can be right at all, before one is sent."""

from __future__ import annotations

from outwarden.responses.accounts.connector import OperatorFault
from outwarden.responses.accounts.http_settings import HttpSettings, Request
from outwarden.responses.accounts.secret import Secret
from outwarden.responses.templates import places_in

_WHO = frozenset({"account", "local", "domain"})
_PLACES: dict[str, set[str]] = {
    "find": set(),
    "set_password": {"password"},
    "lock": set(),
    "unlock": set(),
    "app_passwords": set(),
    "revoke_app_password": {"item"},
    "restore_app_password": {"item"},
    "end_sessions": set(),
    "rules": set(),
    "disable_rule": {"item"},
    "enable_rule": {"item"},
}
"""The requests, and what may be put into each beside the account."""


def judge(name: str, settings: HttpSettings, secret: Secret | None) -> None:
    """Raise ``OperatorFault`` for a request that cannot be right."""
    if secret is None and (settings.login or "secret" in places_in(settings.headers)):
        raise OperatorFault(f"{name}: a secret is to be sent, and no secret_file is set")
    if settings.find.rows and not settings.find.row:
        raise OperatorFault(f"{name}: find.rows needs find.row, which says which row is the account's")
    for key, more in _PLACES.items():
        request: Request | None = getattr(settings, key)
        if request is None:
            continue
        line, body = places_in([request.path, request.query]), places_in([request.form, request.json])
        if not request.path.startswith("/") or "?" in request.path or "#" in request.path:
            raise OperatorFault(f"{name}: {key}.path begins with / and has no ? or #; what follows a ? is its query")
        if unknown := (line - _WHO - (more - {"password"})) | (body - _WHO - more):
            raise OperatorFault(f"{name}: {key} has {{{min(unknown)}}}, which cannot be put in there")
        if not (line | body) & (_WHO | {"item"}) and settings.token is None:
            raise OperatorFault(f"{name}: {key} names no account; write {{account}} where it belongs")
        if key == "set_password" and "password" not in body:
            raise OperatorFault(f"{name}: set_password has no {{password}} in its form or json")
