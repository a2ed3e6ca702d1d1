"""Sendmail's lines taken apart: text in, named parts out, no memory of other lines.

Formats: see ``sendmail``.  Fields are separated by a comma and a blank.  The peer's name stands
last in a ``from=`` line and the status last in a ``to=`` line, so that what a sender chose (an
address, a Message-ID) cannot take their place.
"""

import re
from typing import NamedTuple

from outwarden.events import Outcome

_STAMP = r"[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d|\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[^ \n]*+"
_PROGRAM = r"(?:sendmail|sm)(?>(?:-[a-z]++)*)\[(\d++)\]: "
LINES = re.compile(
    rf"^(({_STAMP}) (?>(?:<[^>\n]{{1,40}}> )?)([^ \n]++) {_PROGRAM}"
    r"(?>(?:\[ID \d++ [a-z0-9.]++\] )?)(?>(?:NOQUEUE: )?)(?>(?:((?=[A-Za-z]*+\d)[0-9A-Za-z]{8,20}+): )?)(.*))$",
    re.MULTILINE,
)
RECOGNISED = re.compile(r"^[^\n]{15,80}? " + _PROGRAM, re.MULTILINE)
SENDER = re.compile(r"from=(.*?), size=(\d++), class=-?\d++, nrcpts=(\d++)")
NOTICE = re.compile(r"([0-9A-Za-z]{8,20}+): (DSN|sender notify|return to sender|postmaster notify): (.*)")
OTHER_ENVELOPE = re.compile(
    r"([0-9A-Za-z]{8,20}+): clone: owner=|split: (?>(?:maxrcpts=\d++, rcpts=\d++, )?)count=\d++, ids?=(.*)"
)
_QUEUED_AS = re.compile(r"\b([0-9A-Za-z]{8,20}) Message accepted for delivery")
IDS = re.compile(r"[0-9A-Za-z]{8,20}+")
NO_BOUNCE = ("Warning: ", "Return receipt", "Message ")
EXPIRED = ("Cannot send message for ", "Cannot send message within ", "delivery time expired")

# What Sendmail writes beside the lines that make events.
_KNOWN = re.compile(
    "|".join(
        (
            r"Milter|milter=|STARTTLS|AUTH|ruleset=|tls_|engine=|ESMTP|SYSERR|NOTICE|WARNING: |Warning: ",
            r"POSSIBLE ATTACK|Authentication-Warning: |done; |discarded|quarantine|unquarantine|Saved message in",
            r"Losing |locked|stat=|collect: ",
            r"starting daemon|started as:|stopping daemon|restarting |rejecting |accepting |daemon ",
            r"runqueue: |grew WorkList",
            r"alias database|/[^ ]+: |low on space|queueup|My unqualified|cannot |can't ",
            r"user |forward |include ",
            r"lost input channel|timeout|probable open proxy|invalid domain name|header overflow",
            r"headers too large|message size",
            r"setsender: |SMTP outgoing connect|makeconnection |hostsignature|smtpquit|getauth |dropenvelope",
            r"doublequeue|proc_list",
            r"gethostbyaddr\(|usershellok: |tcpwrappers |Unsupported address family|Bad line on |unable to |could not ",
            r"x-connect|Truncated |--- |<-- |[a-z]+ [^ ]+ attempted to ",
            # A session: the peer's name first.  A refused recipient: the address first.
            r"[^ ]+ (?:\[[^\]]*\] )?(?:\(may be forged\) )?did not issue ",
            r"(?:[^ ]+ )?\[[^\]]*\](?: \(may be forged\))?: ",
            r"<[^>]*>(?:\.\.\.|,) ",
        )
    )
)


def is_known(text: str) -> bool:
    """Say whether Sendmail itself writes such a line, although it carries no event for us."""
    return _KNOWN.match(text) is not None


class Delivery(NamedTuple):
    """A ``to=`` line: several recipients that shared one fate."""

    recipients: list[str]
    outcome: Outcome
    reply: str
    relay: str | None
    status: str | None
    outbound: bool
    handed_to: str | None


def delivery(rest: str) -> Delivery | None:
    """Read a ``to=`` line; None where it tells of no attempt."""
    names, delay, tail = rest[3:].partition(", delay=")
    fields, told, stat = tail.partition(", stat=")
    names = names.partition(", ctladdr=")[0].removesuffix(", [more]")
    if not delay or not told or not names or is_only_queued(rest):
        return None
    fields, _, reply = fields.partition(", reply=")
    status = field(fields, ", dsn=") or None
    relay = field(fields, ", relay=") or None
    address = peer_address(relay or "")
    outcome = _outcome(stat, status)
    handed_to = None
    if address is not None and is_loopback(address) and outcome is Outcome.DELIVERED:
        accepted = _QUEUED_AS.search(stat)
        handed_to = accepted[1] if accepted else None
    return Delivery(
        [name.strip() for name in _recipients(names)],
        outcome,
        reply or stat.removeprefix("Deferred: "),
        relay,
        status,
        _leaves(field(fields, ", mailer="), address),
        handed_to,
    )


def _recipients(names: str) -> list[str]:
    """Split at the commas that do not stand in quotes."""
    whole: list[str] = []
    quoted: list[str] = []
    for part in names.split(","):
        quoted.append(part)
        if part.count('"') % 2 == (len(quoted) > 1):
            whole.append(",".join(quoted))
            quoted = []
    return [*whole, ",".join(quoted)] if quoted else whole


def _leaves(mailer: str, address: str | None) -> bool:
    """Say whether a delivery was on its way out; without a peer's address only the mailer's name tells."""
    return not is_loopback(address) if address else "smtp" in mailer or mailer == "relay"


def _outcome(stat: str, status: str | None) -> Outcome:
    if stat.startswith("Sent"):
        return Outcome.DELIVERED
    if stat.startswith("Deferred") or (status or "").startswith("4"):
        return Outcome.DEFERRED
    return Outcome.DELIVERED if (status or "").startswith("2") else Outcome.BOUNCED


def is_only_queued(rest: str) -> bool:
    """Say whether a ``to=`` line tells only that a recipient waits, in the queue or in quarantine."""
    return rest.endswith((", stat=queued", ", stat=quarantined"))


def field(text: str, name: str) -> str:
    """Return the field's value up to the next field; empty where it is missing."""
    return text.partition(name)[2].partition(", ")[0]


def peer_address(relay: str) -> str | None:
    """Return the peer's address in ``host [192.0.2.7] (may be forged)``; None for a local peer."""
    address = relay.rpartition("[")[2].partition("]")[0] if "[" in relay else ""
    address = address[5:] if address[:5] in ("IPv6:", "ipv6:") else address
    return address.lower() if address and len(address) <= 45 and " " not in address else None


def is_loopback(address: str) -> bool:
    """Say whether the address is this host talking to itself."""
    return address.startswith("127.") or address == "::1"


def local_part(address: str) -> str:
    """Return what stands before the @; the whole name where local submission has not added a domain."""
    return address.partition("@")[0]
