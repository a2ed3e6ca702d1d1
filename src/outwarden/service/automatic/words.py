"""What the owner of an account is told by the mail server: what happened, what to do, whom to ask, by which reference.

One line, 400 characters at most, of nothing that would end it; no addresses, subjects or links of anybody's mail.  The
reader may be the thief as well: it says what everybody may know, and no number of points.
"""

from typing import NamedTuple

from outwarden.events import AccountCause, Action, Decision, Finding
from outwarden.service.automatic.in_force import InForce
from outwarden.service.settings import ActingSettings
from outwarden.store.responses import ResponseKind

MOST = 400
_MOST_WHY = 230
_MOST_CONTACT = 80
_CUT = "..."


class _Told(NamedTuple):
    """What happened, and what its owner can do."""

    happened: str
    cure: str


_NEW_PASSWORD = "it stays so until its password is changed"  # noqa: S105
_INFECTED = _Told(
    "a computer or telephone that uses it probably has malware, which sends spam in your name",
    f"clean that first; {_NEW_PASSWORD}",
)
_STOLEN = _Told("somebody else probably knows its password and sends spam with it", _NEW_PASSWORD)
_PHISHING = _Told(
    "somebody else probably knows its password and writes to your contacts in your name",
    f"warn them; {_NEW_PASSWORD}",
)
_SITE = _Told(
    "a web site or program that sends by it is probably used by somebody else for spam",
    "close the way in and remove what does not belong there",
)
_BULK_ELSEWHERE = _Told(
    "bulk mail comes from where it never came from, or leads to where it never led",
    "have whoever sends it confirm that it is yours",
)
_SPAM = _Told(
    "what it sends looks like spam, or was not asked for by those who get it",
    "write only to people who asked for it",
)
_FORWARDS = _Told("it passes on spam that comes in", "have that filtered before it is forwarded")
_INVENTED = _Told(
    "many of the addresses it writes to do not exist, as on bought lists",
    "write only to addresses that you have from their owners",
)
_MORE = _Told(
    "it sends far more than it ever did, or to far more people it never wrote to",
    "say that it is you, and what it is for",
)

BY_A_PERSON = "the people who run this mail server have stopped it"
"""Their reason may name others, and is for the journal."""

_BY_CAUSE = {
    AccountCause.STOLEN_PASSWORD: _STOLEN,
    AccountCause.INFECTED_MACHINE: _INFECTED,
    AccountCause.HIJACKED_SITE: _SITE,
    AccountCause.HIJACKED_BULK_SENDER: _BULK_ELSEWHERE,
    AccountCause.BULK_MAILER: _SPAM,
    AccountCause.FORWARDER: _FORWARDS,
    AccountCause.LATERAL_PHISHING: _PHISHING,
}
# By the names of the streams; the heaviest speaks where no cause is known.
_BY_RULE = {
    "campaign": _SPAM,
    "complaints": _SPAM,
    "content-verdict": _SPAM,
    "fresh-links": _SPAM,
    "listed-links": _SPAM,
    "many-links": _SPAM,
    "refused": _SPAM,
    "same-reply": _PHISHING,
    "same-text": _SPAM,
    "network": _STOLEN,
    "foreign-from": _SITE,
    "unknown-recipients": _INVENTED,
}


def why(decision: Decision) -> str:
    """Return in words what happened to the account, and what its owner can do."""
    told = _MORE if decision.cause is None else _BY_CAUSE[decision.cause]
    heaviest = max(decision.findings, key=lambda finding: finding.points, default=None)
    if decision.cause is None and heaviest is not None:
        told = _BY_RULE.get(heaviest.rule, _MORE)
    return f"{told.happened}; {told.cure}"


def verdict_words(decision: Decision | None, in_force: InForce | None, settings: ActingSettings) -> str:
    """Return what is told about a message that is held, put off or refused.

    ``in_force`` alone does, as where the account is refused before its message is known; so does ``decision`` alone.
    """
    happened = in_force.why if in_force is not None else why(decision) if decision is not None else ""
    blocked = in_force.kind is ResponseKind.BLOCK_ACCOUNT if in_force is not None else _blocks(decision)
    if blocked:
        begin = "This account may send no mail for now"
    elif decision is not None and decision.action is Action.DEFER:
        begin = "Mail of this account is put off for now; it is tried again by itself"
    else:
        begin = "Mail of this account is kept back for now, and not lost"
    reference = "" if in_force is None else f", reference {in_force.reference}"
    return _line(f"{begin}: {one_line(happened, _MOST_WHY)}. {_asked(settings)}{reference}")


def limit_words(limit: Finding, settings: ActingSettings) -> str:
    """Return what is told about a message that is over a limit."""
    return _line(
        f"A limit of this account is reached: {one_line(limit.text, _MOST_WHY)}. "
        f"Send the rest later, or ask for more. {_asked(settings)}"
    )


def one_line(text: str, most: int) -> str:
    """Return a text as one line of what can be printed, cut to ``most`` characters."""
    line = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    return line if len(line) <= most else line[: most - len(_CUT)].rstrip() + _CUT


def _asked(settings: ActingSettings) -> str:
    return f"Questions: {one_line(settings.contact, _MOST_CONTACT)}"


def _blocks(decision: Decision | None) -> bool:
    return decision is not None and decision.action is Action.BLOCK


def _line(text: str) -> str:
    return one_line(text, MOST)
