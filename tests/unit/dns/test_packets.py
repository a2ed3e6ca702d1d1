import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outwarden.dns.packets import (
    DnsAnswer,
    MalformedAnswer,
    MalformedName,
    RecordType,
    denial,
    frame,
    is_bare_answer,
    mix_case,
    pack_body,
    pack_query,
    read_answer,
    read_answer_to,
    unframe,
)

A, NS, CNAME, SOA, PTR, MX, TXT, AAAA, TLSA = (int(each) for each in RecordType)

# --- written out by hand, byte for byte, as RFC 1035 has it ------------------------------------


def wire(name: str) -> bytes:
    return b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0"


def record(rtype: int, content: bytes, ttl: int = 60, owner: bytes = b"\xc0\x0c", rclass: int = 1) -> bytes:
    return owner + struct.pack(">HHIH", rtype, rclass, ttl, len(content)) + content


def message(
    *answers: bytes,
    name: bytes | None = None,
    qtype: int = A,
    flags: int = 0x8180,
    authority: tuple[bytes, ...] = (),
    counts: tuple[int, int, int, int] | None = None,
) -> bytes:
    counts = counts or (1, len(answers), len(authority), 0)
    question = (wire("l.example") if name is None else name) + struct.pack(">HH", qtype, 1)
    return struct.pack(">6H", 7, flags, *counts) + question + b"".join(answers) + b"".join(authority)


# --- packing -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("2.0.0.127.zen.example", b"\x012\x010\x010\x03127\x03zen\x07example\0"),
        ("example", b"\x07example\0"),
        ("example.", b"\x07example\0"),
        ("a.b.", b"\x01a\x01b\0"),
        ("1.0.0.127.l.example.", b"\x011\x010\x010\x03127\x01l\x07example\0"),
        ("_Url.Key", b"\x04_Url\x03Key\0"),
        ("x" * 63 + ".example", b"\x3f" + b"x" * 63 + b"\x07example\0"),
        (".".join(["x" * 63] * 3 + ["x" * 61]), (b"\x3f" + b"x" * 63) * 3 + b"\x3d" + b"x" * 61 + b"\0"),
    ],
)
def test_a_query_is_packed(name: str, expected: bytes) -> None:
    assert pack_query(0x1234, name, TXT) == bytes.fromhex("1234 0100 0001 0000 0000 0000") + expected + b"\0\x10\0\x01"


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "a..b",
        "a.b..",
        ".a",
        "x" * 64,
        "x" * 64 + ".example",
        ".".join(["x" * 63] * 4),
        "bücher.example",
        "a" * 10**5,
    ],
)
def test_what_is_no_name_is_not_packed(name: str) -> None:
    with pytest.raises(MalformedName):
        pack_body(name, A)


def test_mixed_case_changes_letters_only() -> None:
    body = pack_body("1.2.Ab-z.example", 65)  # The type 65 looks like a letter.
    mixed = mix_case(body, (1 << 8 * len(body)) - 1)
    assert mixed == pack_body("1.2.aB-Z.EXAMPLE", 65)
    assert mix_case(body, 0) == body


@settings(deadline=None)
@given(st.from_regex(r"[a-zA-Z0-9_-]{1,20}(\.[a-zA-Z0-9_-]{1,20}){0,5}", fullmatch=True), st.integers(0, 1 << 2400))
def test_a_packed_name_is_read_again(name: str, bits: int) -> None:
    query = pack_query(5, name, A, bits)
    answer = read_answer(query[:2] + b"\x81\x83" + query[4:])
    assert answer.name.lower() == name.lower()
    assert answer == DnsAnswer(5, answer.name, A, 3, False)


# --- reading -----------------------------------------------------------------------------------

LISTED = record(A, bytes([127, 0, 0, 2]))

ANSWERS = [
    ("nothing", message(flags=0x8183), A, DnsAnswer(7, "l.example", A, 3, False)),
    ("an address", message(LISTED), A, DnsAnswer(7, "l.example", A, 0, False, ("127.0.0.2",), (), 60)),
    (
        "two, the lesser TTL counts",
        message(LISTED, record(A, bytes([127, 0, 0, 4]), ttl=9)),
        A,
        DnsAnswer(7, "l.example", A, 0, False, ("127.0.0.2", "127.0.0.4"), (), 9),
    ),
    (
        "a TTL with the highest bit is 0",
        message(record(A, b"\x7f\0\0\2", ttl=1 << 31)),
        A,
        DnsAnswer(7, "l.example", A, 0, False, ("127.0.0.2",), (), 0),
    ),
    (
        "of another class",
        message(record(A, b"\x7f\0\0\2", rclass=3)),
        A,
        DnsAnswer(7, "l.example", A, 0, False),
    ),
    (
        "of another name",
        message(record(A, b"\x7f\0\0\2", owner=wire("m.example"))),
        A,
        DnsAnswer(7, "l.example", A, 0, False),
    ),
    (
        "of the same name in other letters",
        message(record(A, b"\x7f\0\0\2", owner=wire("L.EXAMPLE"))),
        A,
        DnsAnswer(7, "l.example", A, 0, False, ("127.0.0.2",), (), 60),
    ),
    (
        "by an alias, in any order",
        message(record(A, b"\x7f\0\0\2", owner=wire("a.b")), record(CNAME, wire("a.b"), ttl=5)),
        A,
        DnsAnswer(7, "l.example", A, 0, False, ("127.0.0.2",), (), 5),
    ),
    (
        "an alias of itself",
        message(record(CNAME, b"\xc0\x0c")),
        A,
        DnsAnswer(7, "l.example", A, 0, False),
    ),
    (
        "a negative answer's TTL",
        message(flags=0x8183, authority=(record(SOA, b"\0\0" + struct.pack(">5I", 1, 2, 3, 4, 100), ttl=300),)),
        A,
        DnsAnswer(7, "l.example", A, 3, False, ttl=100),
    ),
    ("truncated, nothing more is read", message(LISTED[:5], flags=0x8380), A, DnsAnswer(7, "l.example", A, 0, True)),
    ("an error without a question", struct.pack(">6H", 7, 0x8185, 0, 0, 0, 0), 0, DnsAnswer(7, "", 0, 5, False)),
    ("odd letters", message(name=b"\x03a.\xff\0"), A, DnsAnswer(7, "a\\046\\255", A, 0, False)),
]


@pytest.mark.parametrize(
    ("content", "qtype", "expected"), [case[1:] for case in ANSWERS], ids=[case[0] for case in ANSWERS]
)
def test_an_answer_is_read(content: bytes, qtype: int, expected: DnsAnswer) -> None:
    assert read_answer(content) == expected


@pytest.mark.parametrize(
    ("rtype", "content", "text"),
    [
        (TXT, b"\x03a b\x00\x02\xc3\xa9", "a bé"),
        (TXT, b"\x01\xff", "�"),
        (TXT, b"", ""),
        (PTR, wire("Mail.example"), "Mail.example"),
        (NS, b"\x02ns\xc0\x0c", "ns.l.example"),
        (CNAME, b"\0", ""),
        (MX, b"\0\x0a\xc0\x0c", "10 l.example"),
        (SOA, b"\xc0\x0c\x01h\xc0\x0c" + struct.pack(">5I", 1, 2, 3, 4, 5), "l.example h.l.example 1 2 3 4 5"),
        (TLSA, b"\x03\x01\x01\xab", "\\# 4 030101ab"),
    ],
)
def test_other_records_are_texts(rtype: int, content: bytes, text: str) -> None:
    assert read_answer(message(record(rtype, content), qtype=rtype)).texts == (text,)


def test_an_ipv6_address_is_an_address() -> None:
    content = bytes.fromhex("20010db8 00000000 00000000 00000001")
    assert read_answer(message(record(AAAA, content), qtype=AAAA)).addresses == ("2001:db8::1",)


POINTERS = b"".join(struct.pack(">H", 0xC000 | (27 + 2 * at)) for at in range(300))

MALFORMED = [
    ("empty", b""),
    ("a header cut off", message(LISTED)[:11]),
    ("a query", message(flags=0x0100)),
    ("a notification", message(flags=0xA180)),
    ("two questions", message(counts=(2, 0, 0, 0))),
    ("more records than there are", message(LISTED, counts=(1, 2, 0, 0))),
    ("more records than anybody gives", message(*[LISTED] * 501)),
    ("cut off in a record", message(LISTED)[:-1]),
    ("cut off in a name", message()[:-8]),
    ("a question of another class", message()[:-1] + b"\x03"),
    ("an address of five bytes", message(record(A, b"\x7f\0\0\2\0"))),
    ("an IPv6 address of four", message(record(AAAA, b"\x7f\0\0\2"), qtype=AAAA)),
    ("a text longer than its record", message(record(TXT, b"\x05abc"), qtype=TXT)),
    ("a name that points at itself", message(record(A, b"\x7f\0\0\2", owner=b"\xc0\x1b"))),
    ("a name that points forward", message(record(A, b"\x7f\0\0\2", owner=b"\xc0\x30"))),
    ("a loop with labels", message(record(A, b"\x7f\0\0\2", owner=b"\x01a\xc0\x1b"))),
    ("a label of an unknown kind", message(name=b"\x41a\0")),
    ("a name of 256 bytes", message(name=(b"\x3f" + b"x" * 63) * 4 + b"\0")),
    (
        "a chain of pointers",
        message(record(10, b"\0" + POINTERS), record(A, b"\x7f\0\0\2", owner=struct.pack(">H", 0xC000 | 620))),
    ),
]


@pytest.mark.parametrize("content", [case[1] for case in MALFORMED], ids=[case[0] for case in MALFORMED])
def test_what_is_no_answer_is_malformed(content: bytes) -> None:
    with pytest.raises(MalformedAnswer):
        read_answer(content)


def test_an_answer_without_records_needs_no_reading() -> None:
    body = pack_body("l.example", A)
    for flags, bare in ((0x8183, True), (0x8580, True), (0x8382, False), (0x0100, False), (0xA180, False)):
        assert is_bare_answer(struct.pack(">HH", 7, flags) + body, body) is bare
    assert not is_bare_answer(message(LISTED), body)
    assert not is_bare_answer(b"\0\7\x81\x83" + pack_body("m.example", A), body)
    assert not is_bare_answer(b"", body)


ZONE = record(SOA, wire("ns.example") + wire("host.example") + struct.pack(">5I", 1, 2, 3, 4, 30), ttl=40)
LONG_ZONE = record(SOA, ZONE[12:-4] + struct.pack(">I", 90), ttl=40, owner=wire("example"))
FOREVER = record(SOA, ZONE[12:], ttl=1 << 31)
DENIALS = [
    ("no records", message(flags=0x8183), (3, 0)),
    ("the zone, kept as long as it says", message(flags=0x8183, authority=(ZONE,)), (3, 30)),
    ("the zone, kept as long as its record", message(authority=(LONG_ZONE,)), (0, 40)),
    ("a refusal", message(flags=0x8185), (5, 0)),
    ("a TTL that is none", message(authority=(FOREVER,)), (0, 0)),
    ("more behind it", message(flags=0x8583, authority=(ZONE,)) + b"\0", (3, 30)),
    ("a record", message(LISTED), None),
    ("two authorities", message(authority=(ZONE, ZONE)), None),
    ("another authority", message(authority=(record(NS, wire("ns.example")),)), None),
    ("an authority of another class", message(authority=(record(SOA, ZONE[12:], rclass=3),)), None),
    ("a zone that is too short", message(authority=(record(SOA, b"\0\0" + b"\0" * 19),)), None),
    ("a zone that is cut off", message(authority=(ZONE[:-1],)), None),
    ("an authority without its name", message(counts=(1, 0, 1, 0)), None),
    ("truncated", message(flags=0x8383), None),
    ("a query", message(flags=0x0100), None),
    ("an answer to another name", message(name=wire("m.example")), None),
    ("an answer in another case", message(name=wire("L.example")), None),
    ("no question", message(flags=0x8183, counts=(0, 0, 0, 0)), None),
    ("nothing", b"", None),
]


@pytest.mark.parametrize(("content", "expected"), [case[1:] for case in DENIALS], ids=[case[0] for case in DENIALS])
def test_denials(content: bytes, expected: tuple[int, int] | None) -> None:
    assert denial(content, pack_body("l.example", A)) == expected


@settings(deadline=None)
@given(st.sampled_from([case[1] for case in DENIALS]), st.binary(max_size=4), st.integers(0, 110), st.integers(0, 4))
def test_a_denial_is_what_a_whole_reading_says(content: bytes, other: bytes, at: int, removed: int) -> None:
    body = pack_body("l.example", A)
    content = content[:at] + other + content[at + removed :]
    said = denial(content, body)
    try:
        answer = read_answer_to(body, content, same_case=True)
    except MalformedAnswer:
        # Only the names, which a denial is not read for, may be wrong.
        return
    if said is not None:
        assert answer is not None
        assert (answer.rcode, answer.ttl, answer.addresses, answer.truncated) == (*said, (), False)


# --- whatever comes ----------------------------------------------------------------------------

KNOWN = [case[1] for case in ANSWERS] + [case[1] for case in MALFORMED]


ASKED = pack_body("L.example", A)
ADDRESS = record(A, bytes([127, 0, 0, 2]))
NO_QUESTION = (0, 0, 0, 0)
# what came, whether its case must be right, is it an answer, and must it be asked for by TCP
TO_THE_QUESTION = [
    (message(ADDRESS, name=wire("L.example")), True, True, False),
    (message(ADDRESS), False, True, False),
    (message(ADDRESS), True, True, True),
    (message(flags=0x8380, name=wire("L.example")), True, True, True),
    (message(ADDRESS, name=wire("m.example")), False, False, False),
    (message(ADDRESS, qtype=TXT), False, False, False),
    (message(ADDRESS, name=wire("L.example.other")), False, False, False),
    (message(flags=0x8185, counts=NO_QUESTION)[:12], True, True, False),
    (message(flags=0x8183, counts=NO_QUESTION)[:12], True, False, False),
    (message(flags=0x8180, counts=NO_QUESTION)[:12], True, False, False),
]


@pytest.mark.parametrize(("came", "same_case", "is_answer", "truncated"), TO_THE_QUESTION)
def test_what_answers_a_question(came: bytes, same_case: bool, is_answer: bool, truncated: bool) -> None:
    answer = read_answer_to(ASKED, came, same_case)
    assert (answer is not None) == is_answer
    assert answer is None or answer.truncated == truncated


def read_or_malformed(content: bytes) -> None:
    try:
        read_answer_to(ASKED, content, same_case=True)
        read_answer_to(b"\0\0\0\0\0\0\0\0" + content[12:40], content, same_case=False)
    except MalformedAnswer:
        pass
    try:
        answer = read_answer(content)
    except MalformedAnswer:
        return
    assert isinstance(answer, DnsAnswer)


@settings(deadline=None)
@given(st.binary(max_size=600))
def test_any_bytes(content: bytes) -> None:
    read_or_malformed(content)


@settings(deadline=None)
@given(st.binary(max_size=300), st.integers(0, 3), st.integers(0, 3))
def test_any_bytes_after_a_header(content: bytes, answers: int, authorities: int) -> None:
    read_or_malformed(struct.pack(">6H", 1, 0x8180, 1, answers, authorities, 0) + content)


@settings(deadline=None)
@given(st.sampled_from(KNOWN), st.data())
def test_known_messages_with_a_few_bytes_changed(known: bytes, drawn: st.DataObject) -> None:
    content = bytearray(known[: drawn.draw(st.integers(0, len(known)))])
    for at in drawn.draw(st.lists(st.integers(0, max(0, len(content) - 1)), max_size=4)):
        if content:
            content[at] = drawn.draw(st.integers(0, 255))
    read_or_malformed(bytes(content))


def test_the_most_hostile_64_kib_are_read_in_bounded_time() -> None:
    longest = b"\x01a" * 126 + b"\0"
    name_at = struct.pack(">H", 0xC00C)
    read_or_malformed(message(*[record(CNAME, name_at, owner=name_at)] * 500, name=longest))
    read_or_malformed(message(*[record(NS, b"\x01b" + name_at)] * 500, name=longest[2:], qtype=NS))


@settings(deadline=None)
@given(st.binary(max_size=2000), st.binary(max_size=50), st.integers(0, 2100))
def test_a_message_by_tcp_may_be_split_anywhere(content: bytes, more: bytes, cut: int) -> None:
    received = frame(content) + more
    assert unframe(received) == content
    whole = cut >= len(content) + 2
    assert unframe(received[:cut]) == (content if whole else None)
    assert unframe(bytearray(received)) == content
