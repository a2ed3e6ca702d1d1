"""Login lines of Dovecot, Cyrus, saslauthd, PAM and Postfix become ``Login`` events.

- Dovecot's login processes: ``imap-login: Login: user=<rosa>, method=PLAIN, rip=192.0.2.7`` (2.4 writes
  ``Logged in:``), and what went wrong (``auth failed, 2 attempts``); its ``auth`` process says
  who was refused by which database (``passwd-file(rosa,192.0.2.7): Password mismatch``).  They come
  by syslog, or under Dovecot's own stamp without a host.
- Cyrus ``login:`` and ``badlogin:``; saslauthd and PAM, which rarely know the client's address.
- Postfix's ``SASL LOGIN authentication failed``; its successes stand in the submission itself.

One refused password can be two lines (the database's and the login process's) and so two events.
No event: a client that left before it tried a password, a connection that never spoke TLS, a
server that could not ask (``Connection lost to authentication server``): nobody was refused.

Whoever logs in chooses the name, so a name may hold what looks like another field.  Where a program
writes the address after the name, the last one in the line counts; names are never searched for it.
A password that Dovecot was told to log is cut from the evidence.
"""

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from outwarden.events import Event, Login, mailbox
from outwarden.sources.logs.saved_state import SavedState, decoded, encoded
from outwarden.sources.logs.stamps import MalformedStamp, Stamps

_ADDRESS = r"[0-9A-Fa-f:.]{2,45}+"
_AN_ADDRESS = re.compile(_ADDRESS)
_HEAD = re.compile(
    r"(@[0-9a-f]{24}|[A-Z][a-z]{2} [ \d]?\d \d\d:\d\d:\d\d(?>(?:\.\d++)?)|\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[^ ]*+) "
    r"(?>(?:([^ ]++)(?<!:) )?)"
)
# Dovecot's programs may be wrapped in others (``dovecot[1]: dovecot: imap-login: Info: ``).
_DOVECOT_LOGIN = re.compile(r"(?>(?:(?![0-9a-z]++-login: )[^ :]++: ){0,3})([0-9a-z]++)-login: (?>(?:Info: )?)")
_DOVECOT_FIELDS = re.compile(r": (?=user=<|method=|rip=)")
_DOVECOT_USER = re.compile(r"user=<([^>]*+)>")
_DOVECOT_REFUSED = re.compile(r"auth failed|tried to use dis(?:abled|allowed) ")
_DOVECOT_AUTH = re.compile(r"(?>(?:dovecot(?>(?:\[\d++\])?): ){0,2})(?:dovecot-)?auth(?>(?:-worker)?)[(<:]")
_DOVECOT_CREDENTIALS = re.compile(rf"\(([^(),]*+),({_ADDRESS})[,)]")
_DOVECOT_AUTH_REFUSED = re.compile(
    r": (?:unknown user|password mismatch|invalid credentials|pam_authenticate\(\) failed)", re.I
)
_PASSWORD = re.compile(r" \((?>(?:[A-Z0-9]++ of )?)given password: ")
_PAM = re.compile(
    r"(?>(?:[^ :]++: ){1,2})pam_[a-z0-9]++\("
    r"(dovecot|imaps?|pop3?s?|smtps?|smtpd|submission|sieve|cyrus)(?>(?::auth)?)\): "
    r"authentication failure;"
)
_PAM_USER = re.compile(r" +user=([^ ]++)")
_SASLAUTHD = re.compile(
    r"saslauthd\[\d++\]: [a-z_]*+ *+: auth (success|failure): \[user=([^]]*+)\] "
    r"\[service=(imaps?|pop3?s?|smtps?|smtpd|submission|sieve)\] \[realm=([^]]*+)\]"
)
_CYRUS = re.compile(
    rf"(?>(?:[^ /]++/)?)(?>(?:tim)?)(imap|pop3|sieve)[a-z]*+\[\d++\]: (?>(bad)?)login: [^\[]*+\[({_ADDRESS})\] "
    r"([^ ]++)(?>(?: ([^ ]++) SASL\()?)"
)
_POSTFIX = re.compile(
    rf"[^ /]++(?:/([^ /\[]++))?/smtpd\[\d++\]: warning: [^\[]*+\[({_ADDRESS})\](?>(?::\d++)?): "
    r"SASL [^ ]++ authentication failed:?+ ?+(.*+)"
)
_NOBODY_WAS_ASKED = "Connection lost to authentication server"

# What stands in each login line; each is looked for in the whole block.
_SIGNS = (
    "login: ",
    ": SASL ",
    "] [service=",
    "assword mismatch",
    ": unknown user",
    "authenticate() failed",
    "nvalid credentials",
    "authentication failure;",
)


class _Outcome(NamedTuple):
    account: str
    ok: bool
    service: str
    client_address: str | None


class _State(SavedState):
    lines_understood: int
    lines_not_understood: int


class LoginLog:
    """Reads login lines.  ``stamps`` must be this reader's own: it follows the order of time."""

    def __init__(self, stamps: Stamps) -> None:
        self.lines_understood = 0
        self.lines_not_understood = 0
        self._stamps = stamps

    def feed(self, block: str) -> list[Event]:
        """Return the logins in a block of whole lines, in its order."""
        starts = {start for sign in _SIGNS for start in _line_starts(block, sign)}
        events: list[Event] = []
        for start in sorted(starts):
            event = self._read(block[start : block.find("\n", start)])
            if event is not None:
                events.append(event)
        return events

    def finish(self) -> list[Event]:
        """Return nothing: no login is held back."""
        return []

    def saved(self) -> bytes:
        """Return the counts: each line stands for itself."""
        return encoded(_State(self.lines_understood, self.lines_not_understood))

    def restore(self, saved: bytes) -> None:
        """Go on with the counts that were saved.  Raises ``MalformedState``."""
        state = decoded(saved, _State)
        self.lines_understood, self.lines_not_understood = state.lines_understood, state.lines_not_understood

    def _read(self, line: str) -> Login | None:
        head = _HEAD.match(line)
        if head is None:
            return None
        for pattern, outcome_of in _PROGRAMS:
            found = pattern.match(line, head.end())
            if found is not None:
                return self._login(line, head, outcome_of(found), pattern is not _POSTFIX)
        return None

    def _login(self, line: str, head: re.Match[str], outcome: _Outcome | None, is_ours: bool) -> Login | None:
        """Return the event; count the line, unless Postfix's own reader counts it."""
        try:
            at = self._stamps.read(head[1])
        except MalformedStamp:
            self.lines_not_understood += is_ours
            return None
        self.lines_understood += is_ours
        if outcome is None:
            return None
        account, ok, service, address = outcome
        return Login(
            at=at,
            host=head[2] or "",
            account=mailbox(account) if account else "",
            ok=ok,
            service=service,
            client_address=address.removeprefix("::ffff:") if address else None,
            line=line if ok else _PASSWORD.split(line, maxsplit=1)[0],
        )


def _line_starts(block: str, sign: str) -> Iterator[int]:
    """Yield where each line begins that holds the sign."""
    at = block.find(sign)
    while at >= 0:
        yield block.rfind("\n", 0, at) + 1
        end = block.find("\n", at)
        at = block.find(sign, end) if end >= 0 else -1


def _last_address(text: str, label: str) -> re.Match[str] | None:
    """Return the address after the last ``label`` in the text."""
    at = text.rfind(label)
    return _AN_ADDRESS.match(text, at + len(label)) if at >= 0 else None


def _dovecot_login(found: re.Match[str]) -> _Outcome | None:
    text = found.string[found.end() :]
    fields = _DOVECOT_FIELDS.search(text)
    if fields is None:
        return None
    why = text[: fields.start()]
    ok = why in ("Login", "Logged in") or (why.startswith("proxy(") and ": started proxying to " in why)
    if not ok and not _DOVECOT_REFUSED.search(why):
        return None
    account = _DOVECOT_USER.match(text, fields.end())
    address = _last_address(text[fields.end() :], "rip=")
    return _Outcome(account[1] if account else "", ok, found[1], address[0] if address else None)


def _dovecot_auth(found: re.Match[str]) -> _Outcome | None:
    credentials = _DOVECOT_CREDENTIALS.search(found.string, found.end() - 1)
    if credentials is None or not _DOVECOT_AUTH_REFUSED.search(found.string, credentials.end()):
        return None
    return _Outcome(credentials[1], False, "dovecot", credentials[2])


def _pam(found: re.Match[str]) -> _Outcome:
    text = found.string[found.end() :]
    before, _, after = text.rpartition(" rhost=")
    address = _AN_ADDRESS.match(after)
    account = _PAM_USER.search(after)
    name = account[1] if account else before.partition(" ruser=")[2]
    return _Outcome(name, False, found[1], address[0] if address else None)


def _saslauthd(found: re.Match[str]) -> _Outcome:
    name, realm = found[2], found[4]
    account = f"{name}@{realm}" if realm and "@" not in name else name
    return _Outcome(account, found[1] == "success", found[3], None)


def _cyrus(found: re.Match[str]) -> _Outcome:
    protocol, bad, address, first, second = found.groups()
    return _Outcome((second or "") if bad else first, not bad, protocol, address)


def _postfix(found: re.Match[str]) -> _Outcome | None:
    why, _, account = found[3].partition(", sasl_username=")
    if why.startswith(_NOBODY_WAS_ASKED):
        return None
    return _Outcome(account, False, found[1] or "smtp", found[2])


_PROGRAMS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], _Outcome | None]], ...] = (
    (_DOVECOT_LOGIN, _dovecot_login),
    (_POSTFIX, _postfix),
    # PAM's words come through Dovecot's auth process too, so they are looked for before its own.
    (_PAM, _pam),
    (_DOVECOT_AUTH, _dovecot_auth),
    (_CYRUS, _cyrus),
    (_SASLAUTHD, _saslauthd),
)
