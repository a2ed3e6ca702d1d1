"""OpenSMTPD's lines taken apart: text in, named parts out, no memory of other lines.

Three generations of the format are read, from the source of each: that of 6.4 and later
(``SESSION smtp message msgid=``: smtp_session.c, ``mta_log`` in mta.c, ``mda_log`` in mda.c,
``queue_log`` in queue.c), that of 5.9 to 6.3 (``SESSION smtp event=message address=``), and the
sentences of 5.8 and before (``smtp-in: Accepted message``, ``relay: Ok for``).
"""

import re

import msgspec

_STAMP = r"[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d|\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[^ \n]*+"
LINES = re.compile(rf"^(({_STAMP}) (?>(?:<[^>\n]{{1,40}}> )?)([^ \n]++) smtpd\[\d++\]: (.*))$", re.MULTILINE)
RECOGNISED = re.compile(rf"^(?:{_STAMP}) (?>(?:<[^>\n]{{1,40}}> )?)[^ \n]++ smtpd\[\d++\]: ", re.MULTILINE)

_SESSION_LINE = re.compile(r"([0-9a-f]{16}) (smtp|mta|mda) (?:event=)?([a-z-]++) ?(.*)")
_ON_SESSION = r"session (?P<session>[0-9a-f]{16})"
_SENTENCES = {
    "connected": re.compile(rf"smtp-in: New {_ON_SESSION} from host [^ ]* \[(?P<address>[^ ]*)\]$"),
    "accepted": re.compile(rf"smtp-in: Accepted authentication for user (?P<user>.*) on {_ON_SESSION}$"),
    "refused": re.compile(rf"smtp-in: Authentication failed for user (?P<user>.*) on {_ON_SESSION}$"),
    "message": re.compile(
        rf"smtp-in: Accepted message (?P<message>[0-9a-f]{{8}}) on {_ON_SESSION}: "
        r"from=<(?P<sender>[^>]*)>, to=<(?P<recipient>[^>]*)>, size=(?P<size>\d+), "
    ),
    "closed": re.compile(rf"smtp-in: (?:Closing |Disconnecting |Received disconnect from ){_ON_SESSION}"),
}
_MESSAGE = re.compile(
    r"(?:address=[^ ]+ host=[^ ]+ )?msgid=([0-9a-f]{8}) (?:from=<([^>]*)> to=<([^>]*)> )?"
    r"size=(\d+) (?:nrcpt=(\d+)|ndest=\d+) "
)
_ENVELOPE = re.compile(r"evpid=([0-9a-f]{8})[0-9a-f]{8} from=<([^>]*)> to=<([^>]*)>")
_CONNECTED = re.compile(r"address=([^ ]+)")
_AUTHENTICATION = re.compile(r"user=(.*?) (?:address=[^ ]+ host=[^ ]+ )?result=([a-z]+)$")
_DELIVERY = re.compile(
    r"evpid=([0-9a-f]{8})[0-9a-f]{8} from=<([^>]*)> to=<([^>]*)> (?:rcpt=<([^>]*)> )?"
    r'(?:source="[^"]*" relay="([^"]*)" |user=[^ ]* )(?:method=[^ ]* )?delay=[^ ]* '
    r'result="?(Ok|TempFail|PermFail)"? stat="?(.*)'
)
_QUEUE = re.compile(
    r"(relay|delivery): ([A-Z][A-Za-z]+) for ([0-9a-f]{8})[0-9a-f]{8}: (?:session=[0-9a-f]+, )?"
    r"from=<([^>]*)>, to=<([^>]*)>, (?:rcpt=<([^>]*)>, )?"
    r"(?:source=[^,]*, relay=([^,]*), |user=[^,]*, )?(?:method=[^,]*, )?delay=[^,]*, stat=(.*)"
)
_ACCEPTED_AS = re.compile(r"\b([0-9a-f]{8}) Message accepted for delivery")

_KNOWN_EVENTS = frozenset(
    "tls starttls cert-check client-cert-check server-cert-check failed-command bad-input proxy connecting connected"
    " error closing closed disconnected host-rejects-all-mails authentication".split()
)
_KNOWN = re.compile(
    r"(?:info|warn|debug|fatal|queue|envelope|queue-fs|queue-proc|mda_expand_format|lka_find_ancestor): "
    r"|smtp-(?:in|out): |(?:relay|delivery): |proxy |startup|version: |Exiting$|OpenSMTPD |getaddrinfo: "
    r"|getnameinfo: |SRS |commands executed|[0-9a-f]{16} mta ssl_check_name: "
)


class Line(msgspec.Struct, frozen=True, gc=False):
    """A line that matters: ``what`` it tells, of which session or message, and the parts it has.

    ``what`` is connected, login, message, envelope, closed, or an outcome: Ok, TempFail, PermFail,
    Expire.  ``user`` and ``accepted`` belong to a login; ``text`` is the reply to a delivery, and
    ``local`` says that the delivery was one to a mailbox.
    """

    what: str
    session: str = ""
    message: str = ""
    address: str = ""
    user: str = ""
    accepted: bool = False
    sender: str | None = None
    recipient: str = ""
    original: str | None = None
    size: int = 0
    recipients: int = 0
    relay: str | None = None
    text: str = ""
    local: bool = False


def read(text: str) -> Line | None:
    """Read a line; None where it tells of nothing that matters, or is unknown."""
    line = _SESSION_LINE.match(text)
    if line is not None:
        session, agent, event, rest = line.groups()
        return _of_session(session, rest, event) if agent == "smtp" else _of_delivery(agent, rest, event)
    if text.startswith("smtp-in: "):
        return _sentence(text)
    told = _QUEUE.match(text) if text.startswith(("relay: ", "delivery: ")) else None
    if told is None:
        return None
    kind, what, message, sender, recipient, original, relay, stat = told.groups()
    if what not in ("Ok", "TempFail", "PermFail", "Expire"):
        return None
    return Line(
        what, message=message, sender=sender, recipient=recipient, original=_original(original, recipient),
        relay=relay, text=stat, local=kind == "delivery",
    )  # fmt: skip


def is_known(text: str) -> bool:
    """Say whether OpenSMTPD itself writes such a line, although it carries no event for us."""
    line = _SESSION_LINE.match(text)
    return line[3] in _KNOWN_EVENTS if line is not None else _KNOWN.match(text) is not None


def accepted_as(reply: str) -> str | None:
    """Return the message that a receiving OpenSMTPD names in its reply."""
    found = _ACCEPTED_AS.search(reply)
    return found[1] if found else None


def is_loopback(address: str) -> bool:
    """Say whether the address is this host talking to itself."""
    return address.startswith(("127.", "[::1]", "::1"))


def _of_session(session: str, rest: str, event: str) -> Line | None:
    if event == "message" and (told := _MESSAGE.match(rest)):
        message, sender, recipient, size, recipients = told.groups()
        return Line(
            "message", session, message, sender=sender, recipient=recipient or "", size=int(size[:12]),
            recipients=int((recipients or "1")[:9]),
        )  # fmt: skip
    if event == "envelope" and (told := _ENVELOPE.match(rest)):
        return Line("envelope", session, told[1], sender=told[2], recipient=told[3])
    if event == "connected" and (told := _CONNECTED.match(rest)):
        return Line("connected", session, address=told[1].strip("[]"))
    if event == "authentication" and (told := _AUTHENTICATION.match(rest)):
        # A temporary failure is ours: nobody's password was refused.
        return Line("login", session, user=told[1], accepted=told[2] == "ok") if told[2] != "tempfail" else None
    return Line("closed", session) if event in ("closed", "disconnected") else None


def _of_delivery(agent: str, rest: str, event: str) -> Line | None:
    told = _DELIVERY.match(rest) if event == "delivery" else None
    if told is None:
        return None
    message, sender, recipient, original, relay, what, stat = told.groups()
    text = stat.removesuffix('"') if agent == "mta" else stat
    return Line(
        what, message=message, sender=sender, recipient=recipient, original=_original(original, recipient),
        relay=relay, text=text, local=agent == "mda",
    )  # fmt: skip


def _sentence(text: str) -> Line | None:
    for what, form in _SENTENCES.items():
        if (told := form.match(text)) is None:
            continue
        part = told.groupdict()
        session = part["session"]
        if what in ("accepted", "refused"):
            return Line("login", session, user=part["user"], accepted=what == "accepted")
        if what == "message":
            return Line(
                "message", session, part["message"], sender=part["sender"], recipient=part["recipient"],
                size=int(part["size"][:12]), recipients=1,
            )  # fmt: skip
        return Line(what, session, address=part.get("address", ""))
    return None


def _original(text: str | None, recipient: str) -> str | None:
    return None if text in (None, "-", "", recipient) else text
