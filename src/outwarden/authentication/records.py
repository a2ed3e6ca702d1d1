"""Asks resolvers for records, one question at a time, and remembers the answers of one run.

Every question ends: after two rounds through the resolvers, or when the time for the whole run is
over.  A resolver that never answered is not waited for again.  What comes back is bounded by the 64 KB
of a DNS message.
"""

import socket
import threading
import time
from collections.abc import Sequence

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rdata
from dns.rdtypes.ANY.MX import MX
from dns.rdtypes.ANY.NS import NS
from dns.rdtypes.ANY.PTR import PTR
from dns.rdtypes.ANY.SOA import SOA
from dns.rdtypes.ANY.TLSA import TLSA
from dns.rdtypes.ANY.TXT import TXT
from dns.rdtypes.IN.A import A
from dns.rdtypes.IN.AAAA import AAAA

from outwarden.authentication.answers import Answer, RecordType

QUESTION_SECONDS = 2.0
"""How long one packet may take: a resolver that has to ask others needs some."""
RUN_SECONDS = 30.0
_ROUNDS = 2
_PAYLOAD = 1232  # Octets that pass without fragments on any path.
_MOST_VALUES = 1000
_UNANSWERED_BEFORE_GIVING_UP = 2


class DnsRecords:
    """A ``RecordSource`` that asks ``servers``, each an address and a port, in their order.

    ``question_seconds`` is for one packet, ``run_seconds`` for all that is asked of this object, counted
    from its making.  It may be used from several threads.
    """

    def __init__(
        self,
        servers: Sequence[tuple[str, int]],
        question_seconds: float = QUESTION_SECONDS,
        run_seconds: float = RUN_SECONDS,
    ) -> None:
        self._servers = tuple(servers)
        self._question_seconds = question_seconds
        self._ends_at = time.monotonic() + run_seconds
        self._known: dict[tuple[str, RecordType], Answer] = {}
        self._lock = threading.Lock()
        self._answered = False
        self._unanswered = 0

    @property
    def ever_answered(self) -> bool:
        """Whether any resolver said anything yet."""
        return self._answered

    def ask(self, name: str, kind: RecordType) -> Answer:
        """Return what the resolvers say of ``name``, or why none could be asked."""
        question = name.lower(), kind
        with self._lock:
            if question in self._known:
                return self._known[question]
        answer = self._ask(*question)
        with self._lock:
            return self._known.setdefault(question, answer)

    def _ask(self, name: str, kind: RecordType) -> Answer:
        try:
            query = _query(name, kind)
        except dns.exception.DNSException:
            return Answer(exists=False)  # No such name can be, so none is.
        failure = "no resolver"
        for server in self._servers * _ROUNDS:
            seconds = min(self._question_seconds, self._ends_at - time.monotonic())
            if seconds <= 0 or self._given_up():
                return Answer(failure="timeout")
            answer = _exchange(query, server, seconds)
            self._note(answer)
            if answer.failure is None:
                return answer
            failure = answer.failure
            if failure == "formerr":
                query.use_edns(False)  # RFC 6891 section 7: a server that does not know EDNS says so like this.
        return Answer(failure=failure)

    def _given_up(self) -> bool:
        return not self._answered and self._unanswered >= _UNANSWERED_BEFORE_GIVING_UP * len(self._servers)

    def _note(self, answer: Answer) -> None:
        if answer.failure in {"timeout", "unreachable"}:
            self._unanswered += 1
        else:
            self._answered = True


def _query(name: str, kind: RecordType) -> dns.message.QueryMessage:
    labels = [label.encode("utf-8", "surrogateescape") for label in name.split(".")]
    query = dns.message.make_query(dns.name.Name([*labels, b""]), kind.value, use_edns=0, payload=_PAYLOAD)
    query.flags |= dns.flags.AD  # RFC 6840 section 5.7: asks whether the answer is validated.
    return query


def _exchange(query: dns.message.QueryMessage, server: tuple[str, int], seconds: float) -> Answer:
    try:
        return _read(_send(query, server, seconds))
    except dns.exception.Timeout:
        return Answer(failure="timeout")
    except OSError:
        return Answer(failure="unreachable")
    except dns.exception.DNSException:
        return Answer(failure="malformed")


def _send(query: dns.message.QueryMessage, server: tuple[str, int], seconds: float) -> dns.message.Message:
    address, port = server
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as connection:
        # A connected socket hears at once when nobody listens there, and takes packets of no one else.
        connection.setblocking(False)
        connection.connect((address, port))
        try:
            return dns.query.udp(
                query, address, seconds, port, sock=connection, raise_on_truncation=True, ignore_errors=True
            )
        except dns.message.Truncated:
            return dns.query.tcp(query, address, seconds, port)


def _read(reply: dns.message.Message) -> Answer:
    code = reply.rcode()
    if code not in {dns.rcode.NOERROR, dns.rcode.NXDOMAIN}:
        return Answer(failure=dns.rcode.to_text(code).lower())
    if not isinstance(reply, dns.message.QueryMessage):
        return Answer(failure="malformed")
    secure = bool(reply.flags & dns.flags.AD)
    found = reply.resolve_chaining().answer
    # Servers rotate records; in order, the same zone gives the same report every time.
    values = tuple(sorted(_text(record) for record in list(found or ())[:_MOST_VALUES]))
    return Answer(values, code == dns.rcode.NOERROR, secure)


def _text(record: dns.rdata.Rdata) -> str:
    """Return a record in the form that ``Answer`` promises."""
    match record:
        case A() | AAAA():
            return str(record.address)
        case TXT():
            return b"".join(record.strings).decode("utf-8", "surrogateescape")
        case MX():
            return f"{record.preference} {_host(record.exchange)}"
        case TLSA():
            return f"{record.usage} {record.selector} {record.mtype} {record.cert.hex()}"
        case SOA():
            return _host(record.mname)
        case NS() | PTR():
            return _host(record.target)
        case _:
            return f"{record}"


def _host(name: dns.name.Name) -> str:
    return name.to_text(omit_final_dot=True).lower().removesuffix(".")
