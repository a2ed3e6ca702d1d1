"""Accounts behind an HTTP interface, by requests that the site declares: a panel, a cloud directory, its own service.

What an interface cannot tell is not claimed: none gives a password's hash away, so a password that was set does not
come back, and whether it holds only the interface's own answer says.  Locks, app passwords and rules are looked at
again.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

from outwarden.responses.accounts.connector import (
    Answer,
    Before,
    Deed,
    Found,
    OperatorFault,
    Outcome,
    not_set_up,
    seen_in,
)
from outwarden.responses.accounts.http_answers import fits, moment_or_none, rows_of, said
from outwarden.responses.accounts.http_exchange import Reply, Server, path_of, pointed
from outwarden.responses.accounts.http_judging import judge
from outwarden.responses.accounts.http_rules import HttpRules
from outwarden.responses.accounts.http_settings import HttpSettings, ListRequest, Request
from outwarden.responses.accounts.http_token import Tokens
from outwarden.responses.accounts.secret import Secret
from outwarden.responses.subjects import MalformedSubject
from outwarden.responses.subjects import account as judged_account
from outwarden.responses.templates import filled

_NOBODY = "nobody@outwarden.invalid"
_LOSES = "no interface gives a password back: its owner chooses a new one"


class HttpAccounts:
    """An ``AccountBackEnd`` and a ``SessionPlace``; ``forwards`` is a ``LeftoverPlace`` where rules are declared.

    Raises ``OperatorFault`` for settings that cannot be right.
    """

    def __init__(self, name: str, settings: HttpSettings, secret: Secret | None = None) -> None:
        self.name, self._settings, self._secret = name, settings, secret
        self._server = Server(name, settings.url, settings.seconds, settings.ca_file)
        self._tokens = _tokens(name, settings, secret)
        judge(name, settings, secret)
        self.ends_sessions = settings.end_sessions is not None
        self.forwards = self._rules()

    def _rules(self) -> HttpRules | None:
        declared = self._settings
        if declared.rules is None:
            return None
        return HttpRules(self.name, self, declared.rules, declared.disable_rule, declared.enable_rule)

    @property
    def abilities(self) -> frozenset[Deed]:
        """By the requests that are declared."""
        needs = {
            Deed.LOCK: self._settings.lock,
            Deed.UNLOCK: self._settings.unlock,
            Deed.SET_PASSWORD: self._settings.set_password,
            Deed.REVOKE_APP_PASSWORDS: self._settings.revoke_app_password,
        }
        return frozenset(deed for deed, request in needs.items() if request is not None)

    def check(self) -> None:
        """Look for nobody."""
        if self.find(_NOBODY) is not None:
            raise OperatorFault(
                f"{self.name}: it finds {_NOBODY}; say with find.exists or find.row what an account has"
            )

    def find(self, account: str) -> Found | None:
        """Look the account up."""
        request = self._settings.find
        reply = self.ask(request, account)
        if reply.status in request.absent:
            return None
        if fault := self.refused(request, reply):
            raise OperatorFault(f"{self.name}: find: {fault}")
        content = reply.content
        if request.rows:
            wanted = filled(request.row, _values(account))
            content = next((row for row in rows_of(reply.content, request.rows) if fits(row, wanted)), None)
        if content is None or (request.exists and not pointed(content, request.exists)):
            return None
        locked = pointed(content, request.locked) if request.locked else None
        app_passwords = self._app_passwords(account)
        is_locked = None if locked is None else locked in request.locked_values
        return Found(
            Before({"locked": is_locked, "app_passwords": app_passwords}),
            is_locked,
            moment_or_none(pointed(content, request.changed_at)) if request.changed_at else None,
            tuple(str(each) for each in (pointed(content, one) for one in request.contacts) if each),
            None if app_passwords is None else len(app_passwords),
            _LOSES if self._settings.set_password else "",
        )

    def lock(self, account: str) -> Outcome:
        """Ask for it, then look."""
        return self._done(account, Deed.LOCK, self._settings.lock)

    def unlock(self, account: str) -> Outcome:
        """Ask for it, then look."""
        return self._done(account, Deed.UNLOCK, self._settings.unlock)

    def set_password(self, account: str, secret: Secret) -> Outcome:
        """Send it in the body; the interface's answer is all that there is to say whether it holds."""
        if self._settings.set_password is None:
            return not_set_up(self.name, Deed.SET_PASSWORD)
        reply = self.ask(self._settings.set_password, account, {"password": secret.reveal()})
        if fault := self.refused(self._settings.set_password, reply):
            return Outcome(Answer.COULD_NOT, f"{self.name}: {fault.replace(secret.reveal(), '<secret>')}")
        return Outcome(Answer.UNKNOWN, f"{self.name}: says that the password is set; that cannot be looked at")

    def revoke_app_passwords(self, account: str) -> Outcome:
        """End each of those that are listed, then list them again."""
        if self._settings.revoke_app_password is None:
            return not_set_up(self.name, Deed.REVOKE_APP_PASSWORDS)
        for item in self._app_passwords(account) or ():
            reply = self.ask(self._settings.revoke_app_password, account, {"item": item})
            if fault := self.refused(self._settings.revoke_app_password, reply):
                return Outcome(Answer.COULD_NOT, f"{self.name}: {fault}")
        return self.verify(account, Deed.REVOKE_APP_PASSWORDS)

    def verify(self, account: str, deed: Deed, secret: Secret | None = None) -> Outcome:
        """Look the account up again."""
        del secret
        found = self.find(account)
        if found is None:
            return Outcome(Answer.COULD_NOT, f"{self.name}: no account {account}")
        holds = seen_in(found, deed)
        answer = Answer.UNKNOWN if holds is None else Answer.DONE if holds else Answer.COULD_NOT
        told = {
            Answer.DONE: "holds",
            Answer.COULD_NOT: "does not hold",
            Answer.UNKNOWN: "is done; it cannot be looked at",
        }
        return Outcome(answer, f"{self.name}: {deed} {told[answer]}")

    def restore(self, account: str, before: Before) -> Outcome:
        """Bring lock and app passwords back; a password does not come back."""
        kept, found = before.kept, self.find(account)
        if found is None:
            return Outcome(Answer.COULD_NOT, f"{self.name}: no account {account} any more")
        if kept.get("locked") is not None and kept["locked"] is not found.locked:
            outcome = self.lock(account) if kept["locked"] else self.unlock(account)
            if outcome.answer is Answer.COULD_NOT:
                return outcome
        return self._app_passwords_back(account, kept.get("app_passwords") or ())

    def end_sessions(self, account: str) -> Outcome:
        """Ask for it."""
        request = self._settings.end_sessions
        if request is None:
            return Outcome(Answer.COULD_NOT, f"{self.name}: not set up to end sessions")
        if fault := self.refused(request, self.ask(request, account)):
            return Outcome(Answer.COULD_NOT, f"{self.name}: {fault}")
        return Outcome(Answer.UNKNOWN, f"{self.name}: says that sessions are ended; that cannot be looked at")

    def forget_logins(self, account: str) -> None:
        """Nothing: what the interface's server remembers is its own affair."""

    def _app_passwords_back(self, account: str, items: Any) -> Outcome:  # noqa: ANN401 (JSON)
        there = self._app_passwords(account) or []
        lost = [item for item in items if item not in there]
        request = self._settings.restore_app_password
        for item in lost:
            if request is None:
                return Outcome(
                    Answer.UNKNOWN, f"{self.name}: back, but for {len(lost)} app passwords: they are made anew"
                )
            if fault := self.refused(request, self.ask(request, account, {"item": item})):
                return Outcome(Answer.COULD_NOT, f"{self.name}: {fault}")
        return Outcome(Answer.DONE, f"{self.name}: lock and app passwords are as before")

    def _done(self, account: str, deed: Deed, request: Request | None) -> Outcome:
        if request is None:
            return not_set_up(self.name, deed)
        if fault := self.refused(request, self.ask(request, account)):
            return Outcome(Answer.COULD_NOT, f"{self.name}: {fault}")
        return self.verify(account, deed)

    def _app_passwords(self, account: str) -> list[str] | None:
        request = self._settings.app_passwords
        if request is None:
            return None
        return sorted(item for item, _ in self.listed(request, account))

    # -- for its rules, too

    def listed(self, request: ListRequest, account: str) -> Iterator[tuple[str, Any]]:
        """Yield what works of a list: its key and its row.  What is not there is an empty list."""
        reply = self.ask(request, account)
        if reply.status == 404:
            return
        if fault := self.refused(request, reply):
            raise OperatorFault(f"{self.name}: {fault}")
        wanted = filled(request.row, _values(account))
        for row in rows_of(reply.content, request.rows):
            if not fits(row, wanted):
                continue
            key = pointed(row, request.key)
            works = not request.active or pointed(row, request.active) in request.active_values
            if isinstance(key, int | str) and works:
                yield str(key), row

    def ask(self, request: Request, account: str, more: Mapping[str, str] | None = None) -> Reply:
        """Send a request for an account."""
        try:
            judged_account(account)
        except MalformedSubject as fault:
            raise OperatorFault(f"{self.name}: {fault}") from None
        values = _values(account)
        fields = self._fields(values)
        path = path_of(self.name, request.path, request.query, {**values, **_item_of(more)})
        body, kind = _body(request, {**values, **(more or {})})
        return self._server.ask(request.method, path, fields, body, kind)

    def refused(self, request: Request, reply: Reply) -> str:
        """Return why an answer is not a good one; empty where it is."""
        if reply.status not in request.success:
            return f"answers {reply.status}{said(reply)}"
        for pointer, wanted in request.expect.items():
            if (found := pointed(reply.content, pointer)) != wanted:
                return f"answers {str(found)[:60]!r} at {pointer} instead of {wanted!r}{said(reply)}"
        wrong = pointed(reply.content, request.fault) if request.fault else None
        return f"answers: {str(wrong)[:200]}" if wrong not in (None, "", 0, "0") else ""

    def _fields(self, values: dict[str, str]) -> dict[str, str]:
        secret = self._secret.reveal() if self._secret else ""
        fields = {name: str(filled(value, {"secret": secret})) for name, value in self._settings.headers.items()}
        if self._settings.login:
            fields["Authorization"] = f"Basic {b64encode(f'{self._settings.login}:{secret}'.encode()).decode()}"
        if self._tokens is not None:
            fields["Authorization"] = f"Bearer {self._tokens.token(values)}"
        return fields


def _values(account: str) -> dict[str, str]:
    local, _, domain = account.rpartition("@")
    return {"account": account, "local": local or domain, "domain": domain if local else ""}


def _item_of(more: Mapping[str, str] | None) -> dict[str, str]:
    """Return what may stand in a path: never a password, which servers write into their logs."""
    return {"item": more["item"]} if more and "item" in more else {}


def _body(request: Request, values: Mapping[str, str]) -> tuple[bytes, str]:
    if request.form:
        return urlencode(filled(request.form, values)).encode(), "application/x-www-form-urlencoded"
    return (b"" if request.json is None else json.dumps(filled(request.json, values)).encode()), "application/json"


def _tokens(name: str, settings: HttpSettings, secret: Secret | None) -> Tokens | None:
    if settings.token is None:
        return None
    if secret is None:
        raise OperatorFault(f"{name}: a token needs a secret_file")
    return Tokens(name, settings.token, secret, settings.seconds, settings.ca_file)
