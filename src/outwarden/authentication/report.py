"""What a check says: how it stands, how much that matters, and the record that would cure it."""

from enum import StrEnum

from msgspec import Struct

from outwarden.authentication.receiver_rules import RULES, Severity

_LONGEST_STRING = 255  # Octets of one string of a TXT record, RFC 1035 section 3.3.14.


class State(StrEnum):
    """How one check ended.  ``UNKNOWN`` is "could not ask" or "nobody said", and never a fault."""

    PASS = "pass"  # noqa: S105 (a state, no password)
    WARN = "warn"
    FAIL = "fail"
    UNKNOWN = "unknown"


class Check(Struct, frozen=True):
    """One check of one domain.

    ``severity`` is how much it matters when it fails.  ``why`` says who wants it.  ``record_to_publish``
    is a line of a zone file, complete and exact, or the text to publish where ``text`` says so.
    """

    name: str
    severity: Severity
    state: State
    text: str
    why: str = ""
    record_to_publish: str | None = None
    standard: str = ""


class DomainReport(Struct, frozen=True):
    """All checks of one domain, in the order in which an operator would cure them."""

    domain: str
    checks: tuple[Check, ...]

    @property
    def verdict(self) -> State:
        """The worst state, where "unknown" is worse than "pass" alone."""
        states = {check.state for check in self.checks}
        return next(state for state in (State.FAIL, State.WARN, State.UNKNOWN, State.PASS) if state in states)


def check(name: str, state: State, text: str, publish: str | None = None, severity: Severity | None = None) -> Check:
    """Return a check with the severity, reason and standard that the receivers' rules give it."""
    rule = RULES[name]
    return Check(name, severity or rule.severity, state, text, rule.why, publish, rule.standard)


def passed(name: str, text: str) -> Check:
    """Return a check that holds."""
    return check(name, State.PASS, text)


def warned(name: str, text: str, publish: str | None = None, severity: Severity | None = None) -> Check:
    """Return a check that holds, but not as well as it might."""
    return check(name, State.WARN, text, publish, severity)


def failed(name: str, text: str, publish: str | None = None, severity: Severity | None = None) -> Check:
    """Return a check that does not hold."""
    return check(name, State.FAIL, text, publish, severity)


def unknown(name: str, text: str) -> Check:
    """Return a check that could not be made."""
    return check(name, State.UNKNOWN, text)


def txt_line(name: str, text: str) -> str:
    """Return the line of a zone file that publishes ``text``, in strings of at most 255 octets."""
    pieces = [text[at : at + _LONGEST_STRING] for at in range(0, len(text), _LONGEST_STRING)] or [""]
    strings = " ".join('"' + piece.replace("\\", "\\\\").replace('"', '\\"') + '"' for piece in pieces)
    return f"{name}. IN TXT {strings}"
