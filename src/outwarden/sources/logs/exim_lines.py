"""The lines of Exim's main log taken apart: text in, named parts out, no memory of other lines.

The order and form of the fields are those that Exim 4.98 writes (``add_host_info_for_log`` and the
``<=`` line in receive.c; ``delivery_log``, ``deferral_log``, ``failure_log`` and
``string_log_address`` in deliver.c; ``log_vwrite`` and ``write_syslog`` in log.c).

Fields are found from the left by their names.  A client that Exim lets say anything in HELO
(helo_accept_junk_hosts) can therefore hide its own address, but it cannot forge a login: the
``A=`` field counts only where Exim's own ``P=`` field says that the session was authenticated.
Of a line that Exim has split for syslog only the first part is read.
"""

import re

import msgspec

_ID = r"[0-9A-Za-z]{6}-(?:[0-9A-Za-z]{11}-[0-9A-Za-z]{4}|[0-9A-Za-z]{6}-[0-9A-Za-z]{2})"
_OWN_STAMP = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?>(?:\.\d{1,6}+)?)(?>(?: [+-]\d{4})?)"
_SYSLOG_STAMP = r"[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d|\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[^ \n]*+"
_FLAGS = r"<=|\(=|=>|->|>>|\*>|==|\*\*|Completed"
# Another program's line may begin with a stamp like Exim's own.
_NOT_ANOTHER = r"(?!(?:[^ \n]++ ){0,2}[^ \n\[]++\[\d++\]: |[\w-]++: (?:Debug|Info|Warning|Error|Fatal|Panic): )"

LINES = re.compile(
    rf"^((?:({_OWN_STAMP}) |((?>(?:(?:{_SYSLOG_STAMP}) )?)(?:[^ \n]++ ){{0,2}}?"
    rf"exim4?\[\d+\]: (?>(?:\[1[/\\]\d+\] )?)(?>(?:{_OWN_STAMP} )?)))"
    rf"(?>(?:\[(\d+)\] )?)(?:({_ID}) (?>(?:({_FLAGS})(?: |$))?)|{_NOT_ANOTHER})(.*))$",
    re.MULTILINE,
)
"""Each of Exim's lines in a block.  Groups: the line, Exim's stamp, else the header that syslog put
before it (see ``header``), the pid, the message ID, the flag, the rest."""

RECOGNISED = re.compile(
    rf"^{_OWN_STAMP} (?:\[\d+\] )?(?:{_ID} "
    r"|cwd=|exim [^ \n]+ daemon started|(?:Start|End) queue run:|no MAIL in |[^ \n]+ authenticator failed for )"
    r"|^(?:[^ \n]++ ){0,5}exim4?\[\d+\]: ",
    re.MULTILINE,
)

_HEADER = re.compile(
    rf"(?>(?:({_SYSLOG_STAMP}) )?)(?:[^ ]++ )??(?:([^ ]++) )?exim4?\[(\d+)\]: "
    rf"(?>(?:\[1[/\\]\d+\] )?)(?>(?:({_OWN_STAMP}) )?)$"
)
_ARRIVAL = re.compile(
    r"""("(?>(?:[^"\\]++|\\.)*)"[^ ]*+|[^ ]++)(?>(?: R=([^ ]++))?)(?>(?: DS)?)"""
    r"(?>(?:( H=)(?>(?:(?>(?:[^ (\[]++ )?)(?>(?:\([^)]*+\) )?)\[([^\] ]{2,45}+)\])?)[^ ]*+)?)"
    r"(?>(?: (?![UP]=)[^ ]++)*)(?>(?: U=((?>(?:(?! (?:P|Ci)=).)*)))?)(?>(?: Ci=[^ ]++)?)(?>(?: P=([^ ]++))?)"
    r"(?>(?: (?![AS]=)[^ ]++)*)(?>(?: A=[^ :]++:?+([^ :]*+)[^ ]*+)?)(?>(?: (?!S=)[^ ]++)*) S=(\d*+)[^ ]*+"
    r"""(?>(?: (?!id\*?=|T="|for )[^ ]++)*)(?>(?: id\*?=([^ ]++))?)"""
    r"""(?>(?: T="((?>(?:[^"\\]++|\\.)*))"?+)?)(?:.*? for (.*))?"""
)
_QUOTED_TEXT = re.compile(r'((?>(?:[^"\\]++|\\.)*))')
_CERTIFICATE = re.compile(r' DN="[^"]*"')
_RECIPIENT = re.compile(
    r'(:[a-z]++:|[^ "|/](?>(?:[^ :]++|:(?! |$))*)|"(?>(?:[^"\\]++|\\.)*)"[^ :]*+)'
    r"(?>(?: \([^)]*+\))?)(?>(?: <([^>]*+)>)?)"
    r"(?= [A-Z][A-Za-z]*+=|:| : | defer | routing | mua_wrapper |$)"
)
_RELAY = re.compile(r" H=([^ ]++(?>(?: DS)?) \[([^\] ]*+)\](?>(?::\d++)?))")
_DEFERRED = re.compile(
    r"(?:: ([^:]*?))?(?: H=([^ ]+(?: DS)?(?: \[[^\]\n]{0,60}\])?(?::\d+)?)\*?(?: I=[^ ]+)?)?(?: DT=[^ :]+)?(?:: (.*))?$"
)
_REMOTE_CODE = re.compile(r": (?=[2-5]\d\d[ -])")
_DELIVERY_TIME = re.compile(r" DT=[0-9.smhdw]+$")
_SUBMISSION_PORT = re.compile(r" I=\[[^\] ]*\]:(?:587|465)\b")
_NEW_ID = re.compile(rf"\b(?:id=|queued as )({_ID})\b")


class Arrival(msgspec.Struct, frozen=True, gc=False):
    """A ``<=`` line: a message was received and queued.

    ``answers`` is the message that this one is a notification about, ``local_user`` the user of a
    local submission, ``recipients`` the count behind ``for`` (0 where the log has no such list).
    ``way_in`` tells apart how messages come to this host: login, network, loopback, local, or the
    protocol that a local program gave itself (``-oMr``).
    """

    sender: str
    answers: str | None
    client_address: str | None
    local_user: str | None
    login: str | None
    size: int
    message_id: str | None
    subject: str | None
    recipients: int
    way_in: str


class Attempt(msgspec.Struct, frozen=True, gc=False):
    """One recipient's delivery line; ``original`` is the address before aliases and forwards."""

    recipient: str
    original: str | None
    relay: str | None
    outbound: bool
    reply: str


def header(text: str) -> tuple[str, str, str]:
    """Return stamp, host and pid of the header that syslog put before a line; each may be empty.

    Exim's own stamp, where it follows, is preferred to that of syslog, which may lack the year.
    """
    found = _HEADER.match(text)
    return (found[4] or found[1] or "", found[2] or "", found[3]) if found else ("", "", "")


def arrival(text: str) -> Arrival | None:
    """Read what stands behind ``<=``; None where it has no sender or size."""
    found = _ARRIVAL.match(_CERTIFICATE.sub("", text) if ' DN="' in text else text)
    if found is None:
        return None
    sender, answers, network, address, user, protocol, login, size, message_id, subject, names = found.groups()
    if login and not (protocol and (protocol[-1] == "a" or protocol.startswith("asmtp"))):
        login = None
    return Arrival(
        sender,
        answers,
        address,
        None if network else user,
        login,
        int(size[:12] or 0),
        message_id,
        subject,
        _count(names) if names else 0,
        _way_in(login, address if network else None, protocol or ""),
    )


def delivery(text: str) -> Attempt | None:
    """Read what stands behind ``=>``, ``->`` or ``>>``."""
    recipient, original, rest = _recipient(text)
    if not recipient or (" R=" not in rest and " T=" not in rest):
        return None
    reply = ""
    reply_at = rest.find(' C="')
    if reply_at >= 0:
        spoken = _QUOTED_TEXT.match(rest, reply_at + 4)
        reply = _unescaped(spoken[1]) if spoken else ""
    host_at = rest.find(" H=")
    hop = _RELAY.match(rest, host_at) if host_at >= 0 else None
    if hop is None:
        return Attempt(recipient, original, None, False, reply)
    relay, address = hop.groups()
    outbound = not is_loopback(address) and rest.find("lmtp", 0, host_at) < 0
    return Attempt(recipient, original, relay, outbound, reply)


def failure(text: str) -> Attempt | None:
    """Read what stands behind ``**``."""
    recipient, original, rest = _recipient(text)
    if not recipient or text.startswith("mua_wrapper "):
        return None
    if rest.startswith(": "):
        head, reply = "", rest[2:]
    else:
        head, mark, reply = rest.partition(" : ")
        reply = reply if mark else rest.strip()
    hop = _RELAY.search(head)
    reply = _remote_words(_DELIVERY_TIME.sub("", reply))
    return Attempt(recipient, original, hop[1] if hop else None, _leaves(head, hop[2] if hop else None), reply)


def deferral(text: str) -> Attempt | None:
    """Read what stands behind ``==``."""
    recipient, original, rest = _recipient(text)
    _, deferred, tail = rest.partition(" defer (")
    why = _DEFERRED.match(tail.partition(")")[2])
    if not recipient or not deferred or why is None:
        return None
    relay = why[2]
    reply = f"{why[1]}: {why[3]}" if why[1] and why[3] else why[1] or why[3] or ""
    address = relay.partition(" [")[2].partition("]")[0] if relay else None
    return Attempt(recipient, original, relay, _leaves(rest, address), _remote_words(reply))


def new_id(reply: str) -> str | None:
    """Return the message ID that a receiving Exim on this host names in its reply."""
    found = _NEW_ID.search(reply)
    return found[1] if found else None


def failed_login(text: str) -> tuple[str, str | None] | None:
    """Return login and client address of an ``authenticator failed`` line that refuses the password."""
    who, mark, _ = text.partition(" authenticator failed for ")[2].partition(": 535 ")
    if not mark:
        return None
    return text.partition("(set_id=")[2].partition(")")[0], _client_address(who)


def silent_login(text: str) -> tuple[str, str | None] | None:
    """Return login and client address of a session that logged in and sent nothing."""
    who, mark, session = text.partition(" from ")[2].partition(" D=")
    login = _login(" " + session) if mark else ""
    return (login, _client_address(who)) if login else None


def service(text: str) -> str:
    """Return which of Exim's services a client talked to, by our port (RFC 8314: 587 and 465)."""
    return "submission" if _SUBMISSION_PORT.search(text) else "smtp"


def is_loopback(address: str) -> bool:
    """Say whether the address is this host talking to itself."""
    return address.startswith("127.") or address == "::1"


def _way_in(login: str | None, address: str | None, protocol: str) -> str:
    if login:
        return "login"
    if address:
        return "loopback" if is_loopback(address) else "network"
    return "local" if protocol.startswith(("local", "utf8local")) else protocol


def _login(session: str) -> str:
    """Return the login in ``A=authenticator:login``; empty where Exim did not keep it."""
    return _word(session, " A=").partition(":")[2].partition(":")[0]


def _word(text: str, name: str) -> str:
    return text.partition(name)[2].partition(" ")[0]


def _client_address(who: str) -> str | None:
    """Return the last bracketed address before the interface and the ident of the client."""
    address = who.partition(" I=[")[0].partition(" U=")[0].rpartition("[")[2].partition("]")[0]
    return address if address and len(address) <= 45 and " " not in address else None


def _count(names: str) -> int:
    """Count the recipients: one more than there are blanks outside quotes."""
    return sum(outside.count(" ") for outside in names.split('"')[::2]) + 1


def _recipient(text: str) -> tuple[str, str | None, str]:
    """Return a delivery line's address, what it was before, and the rest of the line.

    A local delivery may show a local part, a file or a pipe first: then the address in angle
    brackets is the recipient.
    """
    found = _RECIPIENT.match(text)
    if found is not None:
        address, original, rest = found[1], found[2], text[found.end() :]
    else:
        address, mark, rest = text.partition(" <")
        if not mark:
            address = text.partition(" R=")[0].partition(" T=")[0].partition(" : ")[0]
            return address, None, text[len(address) :]
        original, _, rest = rest.partition(">")
    if original is None or "@" not in original:
        return address, None, rest
    if "@" not in address or address[0] in "|/>:" or found is None:
        return original, None, rest
    return address, original, rest


def _leaves(head: str, address: str | None) -> bool:
    """Say whether a failed delivery was on its way out; without a host only the transport's name tells."""
    transport = _word(head, " T=")
    return "smtp" in transport if address is None else not is_loopback(address) and "lmtp" not in transport


def _remote_words(reply: str) -> str:
    """Return the remote's own reply where the text quotes one, else the whole text."""
    code = _REMOTE_CODE.search(reply) if " after " in reply or "host " in reply else None
    return _unescaped(reply[code.end() :] if code else reply)


def _unescaped(text: str) -> str:
    """Undo Exim's quoting: an escaped newline inside a multi-line reply becomes a space."""
    if "\\" not in text:
        return text
    return text.replace("\\\\n", " ").replace("\\n", " ").replace('\\"', '"')
