"""DNS messages as bytes: queries packed, answers read, within bounds.

Queries carry one question, recursion desired, and no EDNS: a blocklist's answer fits into the 512 bytes of
RFC 1035 section 4.2.1, what does not is asked again by TCP, and an answer that small is of no use to those
who would have resolvers flood somebody.

Answers are strangers' bytes.  Whatever they are, ``read_answer`` returns or raises ``MalformedAnswer``, in a
time bounded by a fixed number of records and of steps in a name.

Not done: EDNS, DNSSEC, and names with dots inside a label in a question.
"""

import struct
from enum import IntEnum
from ipaddress import IPv6Address
from typing import NamedTuple

QUERY_FLAGS = bytes.fromhex("0100")
"""What follows the id in each query: recursion desired (RFC 1035 section 4.1.1)."""

HEADER_LENGTH = 12
_ONE_QUESTION = bytes.fromhex("0001 0000 0000 0000")
_CLASS_IN = 1
_LONGEST_NAME = 255
_LONGEST_LABEL = 63
# Every label of the longest name, and a few pointers between them; and far more records than any list gives.
_MOST_STEPS = 160
_MOST_RECORDS = 500
# An address's four labels, then what follows: those few hundred parts come again and again.
_LABELS_APART = 4
_MOST_PARTS = 4096

_HEADER = struct.Struct(">6H")
_QUESTION = struct.Struct(">2H")
_RECORD = struct.Struct(">HHIH")
_LETTERS = bytes(0x20 if chr(byte).isascii() and chr(byte).isalpha() else 0 for byte in range(256))
_PLAIN = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"


class RecordType(IntEnum):
    """The record types asked for here (RFC 1035 section 3.2.2, RFC 3596, RFC 6698)."""

    A = 1
    NS = 2
    CNAME = 5
    SOA = 6
    PTR = 12
    MX = 15
    TXT = 16
    AAAA = 28
    TLSA = 52


class ResponseCode(IntEnum):
    """The response codes that something follows from (RFC 1035 section 4.1.1)."""

    NOERROR = 0
    SERVFAIL = 2
    NXDOMAIN = 3
    REFUSED = 5


class MalformedAnswer(ValueError):
    """A message that is not an answer: whose fault it is, the remote's; what is wrong, in words."""


class MalformedName(ValueError):
    """A name that cannot be asked: an empty or too long label, too long as a whole, or not ASCII."""


class DnsAnswer(NamedTuple):
    """What an answer says about its question.

    ``name`` is as it was asked, without the last dot; without a question it is empty and ``qtype`` is 0.
    ``addresses`` are of A and AAAA records, ``texts`` of all others of the asked type, in presentation form;
    both only of the asked name, or what it is an alias of.  ``ttl`` in seconds: the least of these records, or
    how long a negative answer may be kept, or 0 (RFC 2308 section 5).  Of a truncated answer nothing is read.
    """

    query_id: int
    name: str
    qtype: int
    rcode: int
    truncated: bool
    addresses: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    ttl: int = 0


class _Record(NamedTuple):
    owner: str
    rtype: int
    ttl: int
    at: int
    length: int


# --- packing ---------------------------------------------------------------------------------


class _Labels(dict[str, bytes]):
    """The wire form of one or more labels: each after its length (RFC 1035 section 3.1)."""

    def __missing__(self, part: str) -> bytes:
        try:
            labels = part.encode("ascii").split(b".")
        except UnicodeEncodeError:
            raise MalformedName(f"{part!r} is not ASCII") from None
        if not all(0 < len(label) <= _LONGEST_LABEL for label in labels):
            raise MalformedName(f"{part!r} has a label that is empty or longer than {_LONGEST_LABEL} bytes")
        if len(self) >= _MOST_PARTS:
            self.clear()
        packed = self[part] = b"".join(bytes([len(label)]) + label for label in labels)
        return packed


class _QuestionEnds(dict[int, bytes]):
    """What stands after a name's labels: the root, the type, the class."""

    def __missing__(self, qtype: int) -> bytes:
        end = self[qtype] = b"\0" + _QUESTION.pack(qtype, _CLASS_IN)
        return end


_wire_form = _Labels().__getitem__
_ENDS = _QuestionEnds()


def pack_body(name: str, qtype: int) -> bytes:
    """Return a query after id and flags: the counts, then the question, of class IN.  Raises ``MalformedName``.

    An answer without records has the very same body.
    """
    try:
        labels = b"".join(map(_wire_form, name.split(".", _LABELS_APART)))
    except MalformedName:
        if not name.endswith(".") or name.endswith(".."):
            raise
        return pack_body(name[:-1], qtype)
    if len(labels) >= _LONGEST_NAME:
        raise MalformedName(f"{name[:80]!r}... is longer than a name can be")
    return _ONE_QUESTION + labels + _ENDS[qtype]


def mix_case(body: bytes, bits: int) -> bytes:
    """Return the query's body with the case of its letters changed where ``bits`` says so, eight for each byte.

    Random bits make an answer harder to forge: it must repeat them (draft-vixie-dnsext-dns0x20).
    """
    # A length is at most 63 and a count here 1, so that nothing but a letter looks like one; the type may.
    letters = int.from_bytes(body[:-4].translate(_LETTERS)) << 32
    return (int.from_bytes(body) ^ (letters & bits)).to_bytes(len(body))


def pack_query(query_id: int, name: str, qtype: int, case_bits: int = 0) -> bytes:
    """Return a whole query.  ``case_bits`` as ``bits`` of ``mix_case``.  Raises ``MalformedName``."""
    return query_id.to_bytes(2) + QUERY_FLAGS + mix_case(pack_body(name, qtype), case_bits)


def frame(message: bytes) -> bytes:
    """Return the message as it goes by TCP: after its length (RFC 1035 section 4.2.2)."""
    return len(message).to_bytes(2) + message


def unframe(received: bytes | bytearray) -> bytes | None:
    """Return the first message of what came by TCP, or None while it is not there as a whole."""
    end = 2 + int.from_bytes(received[:2])
    return bytes(received[2:end]) if len(received) >= max(end, 2) else None


# --- reading ---------------------------------------------------------------------------------


def read_answer(message: bytes) -> DnsAnswer:
    """Read a whole message as it came.  Raises ``MalformedAnswer`` and nothing else."""
    try:
        return _read(message)
    except (IndexError, struct.error):
        raise MalformedAnswer("the message is cut off") from None


def is_bare_answer(message: bytes, body: bytes) -> bool:
    """Return whether the message is an untruncated answer without records to the query of this body.

    There is nothing in it to read but its response code, the low half of the fourth byte.
    """
    return message[4:] == body and message[2] & 0xFA == 0x80


def denial(message: bytes, body: bytes) -> tuple[int, int] | None:
    """Return what an untruncated answer without records to the query of this body says; None for any other.

    It is the response code, and for how many seconds it may be remembered.  None also where the name is not repeated
    letter by letter, or where anything is so that only ``read_answer_to`` can tell what is wrong.
    """
    section = body[HEADER_LENGTH - 4 :]
    at = HEADER_LENGTH + len(section)
    if message[4:8] != _ONE_QUESTION[:4] or message[HEADER_LENGTH:at] != section or message[2] & 0xFA != 0x80:
        return None
    rcode = message[3] & 0x0F
    if message[8:10] == b"\0\0":
        return rcode, 0
    try:
        # The zone's name needs no reading: labels, and a pointer or the root at their end.
        while 0 < message[at] <= _LONGEST_LABEL:
            at += 1 + message[at]
        at += 2 if message[at] else 1
        rtype, rclass, ttl, length = _RECORD.unpack_from(message, at)
    except (IndexError, struct.error):
        return None
    end = at + _RECORD.size + length
    if message[8:10] != b"\0\1" or (rtype, rclass) != (RecordType.SOA, _CLASS_IN) or length < 22 or end > len(message):
        return None
    return rcode, min(_seconds(ttl), int.from_bytes(message[end - 4 : end]))


def read_answer_to(body: bytes, message: bytes, same_case: bool) -> DnsAnswer | None:
    """Read what came under the id of the query with this body; None for what does not answer it.

    With ``same_case`` an answer that lost the case of the question's letters is to be asked for again by TCP: it
    counts as truncated.  Raises ``MalformedAnswer``.
    """
    section = body[HEADER_LENGTH - 4 :]
    asked = message[HEADER_LENGTH : HEADER_LENGTH + len(section)]
    if asked and asked.lower() != section.lower():
        return None
    answer = read_answer(message)
    if not asked and answer.rcode in (ResponseCode.NOERROR, ResponseCode.NXDOMAIN):
        # Some servers give an error without repeating the question; nothing else may come so.
        return None
    return answer._replace(truncated=True) if same_case and asked and asked != section else answer


def _read(message: bytes) -> DnsAnswer:
    query_id, flags, questions, answers, authorities, _ = _HEADER.unpack_from(message)
    # QR must be set, and the operation be a plain query.
    if flags & 0xF800 != 0x8000:
        raise MalformedAnswer("the message is no answer to a query")
    if questions > 1 or answers + authorities > _MOST_RECORDS:
        raise MalformedAnswer(f"{questions} questions, {answers} answers and {authorities} authorities")
    name, qtype, at = "", 0, HEADER_LENGTH
    if questions:
        name, at = _name(message, at)
        qtype, qclass = _QUESTION.unpack_from(message, at)
        if qclass != _CLASS_IN:
            raise MalformedAnswer(f"the question is of class {qclass}")
        at += _QUESTION.size
    rcode, truncated = flags & 0x000F, bool(flags & 0x0200)
    if truncated:
        return DnsAnswer(query_id, name, qtype, rcode, truncated)
    records, at = _records(message, at, answers)
    wanted = _of_name(message, records, name, qtype)
    if wanted:
        addresses, texts = _values(message, wanted)
        return DnsAnswer(query_id, name, qtype, rcode, truncated, addresses, texts, min(each.ttl for each in wanted))
    kept = _negative_ttl(message, _records(message, at, authorities)[0])
    return DnsAnswer(query_id, name, qtype, rcode, truncated, ttl=kept)


def _name(message: bytes, at: int) -> tuple[str, int]:
    """Return the name that begins at ``at``, and where what follows it begins."""
    labels: list[str] = []
    length, end, earliest = 1, 0, at
    for _ in range(_MOST_STEPS):
        size = message[at]
        if size == 0:
            return ".".join(labels), end or at + 1
        if size <= _LONGEST_LABEL:
            label = message[at + 1 : at + 1 + size]
            length += 1 + size
            if len(label) < size or length > _LONGEST_NAME:
                raise MalformedAnswer("a name is cut off or too long")
            labels.append(_label_text(label))
            at += 1 + size
        elif size >= 0xC0:
            # RFC 1035 section 4.1.4: a pointer names a prior occurrence.  Each must lead further back.
            end = end or at + 2
            at = (size & 0x3F) << 8 | message[at + 1]
            if at >= earliest:
                raise MalformedAnswer("a name points forward, or at itself")
            earliest = at
        else:
            raise MalformedAnswer(f"a label of the unknown kind {size >> 6}")
    raise MalformedAnswer("a name has too many parts")


def _label_text(label: bytes) -> str:
    """Return a label in presentation form, what is not plain escaped (RFC 1035 section 5.1)."""
    if not label.translate(None, _PLAIN):
        return label.decode("ascii")
    return "".join(chr(byte) if byte in _PLAIN else f"\\{byte:03d}" for byte in label)


def _records(message: bytes, at: int, count: int) -> tuple[list[_Record], int]:
    """Return ``count`` records of class IN from ``at`` on, and where what follows begins."""
    records = []
    for _ in range(count):
        owner, at = _name(message, at)
        rtype, rclass, ttl, length = _RECORD.unpack_from(message, at)
        at += _RECORD.size
        if at + length > len(message):
            raise MalformedAnswer("a record is cut off")
        if rclass == _CLASS_IN:
            records.append(_Record(owner.lower(), rtype, _seconds(ttl), at, length))
        at += length
    return records, at


def _seconds(ttl: int) -> int:
    """RFC 2181 section 8: with the highest bit set, a TTL is 0."""
    return ttl if ttl < 1 << 31 else 0


def _of_name(message: bytes, records: list[_Record], name: str, qtype: int) -> list[_Record]:
    """Return the records of the type and name, or of the name that this is an alias of."""
    aliases = {each.owner: each for each in records if each.rtype == RecordType.CNAME != qtype}
    owner = name.lower()
    passed = []
    while alias := aliases.pop(owner, None):
        owner = _name(message, alias.at)[0].lower()
        passed.append(alias)
    wanted = [each for each in records if each.owner == owner and each.rtype == qtype]
    # An alias is kept no longer than what it leads to, but is itself no answer.
    least = min((each.ttl for each in passed), default=wanted[0].ttl if wanted else 0)
    return [each._replace(ttl=min(each.ttl, least)) for each in wanted]


def _negative_ttl(message: bytes, records: list[_Record]) -> int:
    """Return how long it may be remembered that there is nothing: RFC 2308 section 5, 0 without a SOA."""
    for each in records:
        if each.rtype == RecordType.SOA and each.length >= 22:
            return min(each.ttl, int.from_bytes(message[each.at + each.length - 4 : each.at + each.length]))
    return 0


def _values(message: bytes, records: list[_Record]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the addresses and the texts of the records."""
    addresses, texts = [], []
    for each in records:
        content = message[each.at : each.at + each.length]
        if each.rtype == RecordType.A:
            if each.length != 4:
                raise MalformedAnswer(f"an A record of {each.length} bytes")
            addresses.append(".".join(map(str, content)))
        elif each.rtype == RecordType.AAAA:
            if each.length != 16:
                raise MalformedAnswer(f"an AAAA record of {each.length} bytes")
            addresses.append(str(IPv6Address(content)))
        else:
            texts.append(_text(message, each, content))
    return tuple(addresses), tuple(texts)


def _text(message: bytes, record: _Record, content: bytes) -> str:
    """Return a record's content as text."""
    match record.rtype:
        case RecordType.TXT:
            return _strings(content)
        case RecordType.PTR | RecordType.NS | RecordType.CNAME:
            return _name(message, record.at)[0]
        case RecordType.MX:
            return f"{int.from_bytes(content[:2])} {_name(message, record.at + 2)[0]}"
        case RecordType.SOA:
            primary, at = _name(message, record.at)
            mailbox, at = _name(message, at)
            return " ".join([primary, mailbox, *map(str, struct.unpack_from(">5I", message, at))])
    # RFC 3597 section 5: the form of a type that is not known.
    return f"\\# {len(content)} {content.hex()}"


def _strings(content: bytes) -> str:
    """Return a TXT record's strings, joined without anything between (RFC 7208 section 3.3)."""
    parts = []
    at = 0
    while at < len(content):
        part = content[at + 1 : at + 1 + content[at]]
        if len(part) < content[at]:
            raise MalformedAnswer("a text is cut off")
        parts.append(part)
        at += 1 + len(part)
    return b"".join(parts).decode("utf-8", "replace")
