"""One connection as bytes: what happens in it, and what is answered, step by step as agreed on."""

import struct
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.filter.mail_server import answers_in, connect, frame, hello, macros, offer, rest, sender, strings

from outwarden.filter import Accept, AddHeader, ChangeHeader, Defer, Envelope, Hold, Refuse, Verdict
from outwarden.filter.milter.conversation import (
    Content,
    Conversation,
    Forgotten,
    Happening,
    Left,
    MessageEnded,
    SenderNamed,
)
from outwarden.filter.milter.frames import MOST_BYTES, MOST_CONTENT_BYTES, MalformedMilter
from outwarden.filter.recipients import MOST_BYTES as MOST_RECIPIENT_BYTES

ROSA = Envelope(
    sender="rosa@isp.example",
    login="rosa@isp.example",
    login_mechanism="PLAIN",
    client_address="192.0.2.7",
    client_name="client.example",
    helo="laptop.example",
    host="mail.isp.example",
    daemon="submission",
)
WHOLE = Envelope(
    sender="rosa@isp.example",
    recipients=("ann@bigmail.example",),
    recipient_count=1,
    login="rosa@isp.example",
    login_mechanism="PLAIN",
    client_address="192.0.2.7",
    client_name="client.example",
    helo="laptop.example",
    queue_id="4jYgM74ky5zJbNv",
    host="mail.isp.example",
    daemon="submission",
)
MESSAGE = b"From: rosa@isp.example\r\nSubject: hi\r\n\tand more\r\n\r\nHello.\r\n"


def hear(
    conversation: Conversation,
    octets: bytes,
    of_sender: Verdict = Accept(),  # noqa: B008 - it is frozen
    of_message: Verdict = Accept(),  # noqa: B008
) -> list[Happening]:
    """Give the bytes, answer what waits for a verdict, return what happened."""
    happened = []
    conversation.receive(octets)
    while (happening := conversation.happens()) is not None:
        happened.append(happening)
        if isinstance(happening, SenderNamed):
            conversation.answer(of_sender)
        elif isinstance(happening, MessageEnded):
            conversation.answer(of_message)
    return happened


def begun(octets: bytes = b"") -> Conversation:
    """A conversation whose negotiation is over and answered."""
    conversation = Conversation()
    hear(conversation, octets or hello())
    conversation.unsent()
    return conversation


def letters(octets: bytes) -> str:
    return "".join(letter for letter, _ in answers_in(octets))


def test_a_message_from_the_first_byte_to_the_last() -> None:
    conversation = Conversation()
    assert hear(conversation, hello() + sender() + rest() + frame("Q")) == [
        SenderNamed(ROSA),
        Content(bytearray(MESSAGE)),
        MessageEnded(WHOLE),
        Left(),
    ]
    assert letters(conversation.unsent()) == "Oca"
    assert conversation.unsent() == b""


def test_a_sender_about_whom_nobody_is_asked_is_not_answered() -> None:
    conversation = Conversation(senders_answered=False)
    assert hear(conversation, hello() + sender() + rest() + sender()) == [
        Content(bytearray(MESSAGE)),
        MessageEnded(WHOLE),
    ]
    assert letters(conversation.unsent()) == "Oa"
    assert conversation.in_message
    # A sender who takes the place of another ends that one's message.
    assert hear(conversation, sender("ann@isp.example") + rest())[0] == Forgotten()


def test_a_server_that_insists_is_answered_about_senders() -> None:
    conversation = Conversation(senders_answered=False)
    happened = hear(conversation, offer(steps=0x1FFFFF & ~0x4000) + sender())
    assert [type(one) for one in happened] == [SenderNamed]
    assert letters(conversation.unsent()) == "Oc"


NO_ANSWER = {"C": 0x1000, "H": 0x2000, "R": 0x8000, "T": 0x10000, "U": 0x20000, "L": 0x80, "N": 0x40000, "B": 0x80000}
IN_MESSAGE = {"R": strings("R", "<a@b.example>"), "T": frame("T"), "L": strings("L", "A", "b"), "N": frame("N")}
STEPS = {"C": connect(), "H": strings("H", "x"), "U": strings("U", "FOO"), "B": frame("B", b"x"), **IN_MESSAGE}


@pytest.mark.parametrize("letter", STEPS)
@pytest.mark.parametrize("granted", [True, False])
def test_a_step_is_answered_unless_the_server_expects_none(letter: str, granted: bool) -> None:
    # What is granted for every other step says nothing about this one.
    steps = NO_ANSWER[letter] if granted else 0x1FFFFF & ~NO_ANSWER[letter]
    conversation = begun(offer(steps=steps) + connect() + sender())
    hear(conversation, STEPS[letter])
    assert letters(conversation.unsent()) == ("" if granted else "c")


VERDICTS: list[tuple[str, int, Verdict, list[tuple[str, bytes]]]] = [
    ("accepted", 0x1FF, Accept(), [("a", b"")]),
    (
        "accepted with changes",
        0x1FF,
        Accept((AddHeader("X-A", "b"), ChangeHeader("X-B", 1, ""))),
        [("h", b"X-A\0 b\0"), ("m", b"\0\0\0\1X-B\0\0"), ("a", b"")],
    ),
    ("changes not allowed", 0x1EE, Accept((AddHeader("X-A", "b"), ChangeHeader("X-B", 1, ""))), [("a", b"")]),
    ("held", 0x1FF, Hold("why", (AddHeader("X-A", "b"),)), [("h", b"X-A\0 b\0"), ("q", b"why\0"), ("a", b"")]),
    ("cannot be held", 0x1DF, Hold("why"), [("y", b"451 4.7.1 why\0")]),
    ("deferred", 0x1FF, Defer("later"), [("y", b"451 4.7.1 later\0")]),
    ("refused", 0x1FF, Refuse("never"), [("y", b"550 5.7.1 never\0")]),
]


@pytest.mark.parametrize(
    ("actions", "verdict", "said"), [case[1:] for case in VERDICTS], ids=[case[0] for case in VERDICTS]
)
def test_what_a_verdict_on_a_message_says(actions: int, verdict: Verdict, said: list[tuple[str, bytes]]) -> None:
    conversation = begun(offer(actions=actions) + connect())
    hear(conversation, sender() + rest(), of_message=verdict)
    assert answers_in(conversation.unsent())[1:] == said
    assert not conversation.in_message


@pytest.mark.parametrize(
    ("verdict", "said", "goes_on"),
    [
        (Accept(), ("c", b""), True),
        (Accept((AddHeader("X-A", "b"),)), ("c", b""), True),
        (Hold("why"), ("c", b""), True),
        (Defer("later"), ("y", b"451 4.7.1 later\0"), False),
        (Refuse("never"), ("y", b"550 5.7.1 never\0"), False),
    ],
)
def test_what_a_verdict_on_a_sender_says(verdict: Verdict, said: tuple[str, bytes], goes_on: bool) -> None:
    conversation = begun()
    hear(conversation, sender(), of_sender=verdict)
    assert answers_in(conversation.unsent()) == [said]
    assert conversation.in_message == goes_on


def test_while_a_verdict_is_owed_nothing_happens() -> None:
    conversation = begun()
    conversation.receive(sender() + rest())
    assert isinstance(conversation.happens(), SenderNamed)
    assert conversation.happens() is None
    assert conversation.unsent() == b""
    conversation.answer(Accept())
    assert conversation.happens() == Content(bytearray(MESSAGE))
    assert isinstance(conversation.happens(), MessageEnded)
    assert conversation.happens() is None


def test_the_second_message_knows_nothing_of_the_first() -> None:
    conversation = begun()
    hear(conversation, sender() + rest("ann@bigmail.example", "bob@bigmail.example"))
    # No login and no queue ID are told this time: they must not be those of before.
    happened = hear(conversation, strings("M", "<jan@isp.example>") + frame("E"))
    second = Envelope(
        sender="jan@isp.example",
        client_address="192.0.2.7",
        client_name="client.example",
        helo="laptop.example",
        host="mail.isp.example",
        daemon="submission",
    )
    assert happened == [SenderNamed(second), Content(bytearray(b"\r\n")), MessageEnded(second)]


@pytest.mark.parametrize("before", [frame("A"), b"", frame("A") + frame("A")])
def test_an_aborted_message_is_forgotten(before: bytes) -> None:
    conversation = begun()
    hear(conversation, sender() + rest().removesuffix(frame("E")))
    happened = hear(conversation, before + strings("M", "<jan@isp.example>") + frame("E"))
    assert happened[: 1 if before else 0] == ([Forgotten()] if before else [])
    whole = happened[-1]
    assert isinstance(whole, MessageEnded)
    assert (whole.envelope.login, whole.envelope.queue_id, whole.envelope.recipients) == ("", "", ())
    assert happened[-2] == Content(bytearray(b"\r\n"))


def test_another_client_over_the_same_connection() -> None:
    conversation = begun()
    hear(conversation, sender() + rest())
    again = frame("K") + connect("2001:db8::7", "other.example") + strings("M", "<>")
    assert hear(conversation, again) == [
        SenderNamed(Envelope(sender="<>", client_address="2001:db8::7", client_name="other.example"))
    ]


@pytest.mark.parametrize(
    ("payload", "name", "address"),
    [
        (b"mail.example\x004\0\x19192.0.2.1\0", "mail.example", "192.0.2.1"),
        (b"mail.example\x006\0\x192001:db8::1\0", "mail.example", "2001:db8::1"),
        (b"mail.example\x006\0\x19IPv6:2001:db8::1\0", "mail.example", "2001:db8::1"),
        (b"localhost\0U", "localhost", ""),
        (b"localhost\0L\0\0/run/socket\0", "localhost", ""),
        # As Postfix tells of what its sendmail command hands in, and of an application server.
        (b"localhost\x004\0\x00127.0.0.1\0", "localhost", ""),
        (b"localhost\x004\x9e\xc0127.0.0.1\0", "localhost", "127.0.0.1"),
        (b"[198.51.100.9]\x004\0\x00198.51.100.9\0", "[198.51.100.9]", "198.51.100.9"),
    ],
)
def test_where_a_client_comes_from(payload: bytes, name: str, address: str) -> None:
    conversation = begun(offer() + frame("C", payload))
    (named,) = hear(conversation, strings("M", "<>"))
    assert isinstance(named, SenderNamed)
    assert (named.envelope.client_name, named.envelope.client_address) == (name, address)


@pytest.mark.parametrize(
    ("steps", "headers", "message"),
    [
        (0x100000, [("A", " b")], b"A: b\r\n\r\n"),
        (0x100000, [("A", "b")], b"A:b\r\n\r\n"),
        (0, [("A", "b")], b"A: b\r\n\r\n"),
        (0, [("A", "b\n c"), ("D", "e\r\n f")], b"A: b\r\n c\r\nD: e\r\n f\r\n\r\n"),
        (0, [], b"\r\n"),
    ],
)
def test_headers_are_as_they_were(steps: int, headers: list[tuple[str, str]], message: bytes) -> None:
    conversation = begun(offer(steps=steps))
    for end in (frame("N") + frame("E"), frame("E"), frame("N") + frame("B", b"") + frame("E")):
        happened = hear(conversation, strings("M", "<>") + b"".join(strings("L", *one) for one in headers) + end)
        assert happened[1] == Content(bytearray(message))


def test_the_end_may_carry_the_last_of_the_body() -> None:
    happened = hear(begun(), strings("M", "<>") + frame("B", b"one ") + frame("E", b"two"))
    assert happened[1] == Content(bytearray(b"\r\none two"))


def test_strangers_bytes_in_names() -> None:
    (named,) = hear(begun(), macros("M", auth_authen="r") + frame("M", b"<r\xff\xc3\xa4@ISP.example>\0"))
    assert isinstance(named, SenderNamed)
    assert named.envelope.sender == "r\\xffä@isp.example"


def test_too_many_recipients_are_counted() -> None:
    conversation = begun()
    hear(conversation, sender())
    one = strings("R", "<" + "x" * 1_000 + "@b.example>")
    happened = hear(conversation, one * 2_000 + frame("E"))
    whole = happened[-1]
    assert isinstance(whole, MessageEnded)
    assert whole.envelope.recipient_count == 2_000
    assert sum(map(len, whole.envelope.recipients)) <= MOST_RECIPIENT_BYTES
    assert len(whole.envelope.recipients) > 900


def test_a_large_message_comes_in_pieces() -> None:
    conversation = begun()
    happened = hear(conversation, sender() + rest(body=b"x" * 1_000_000))
    pieces = [happening.octets for happening in happened if isinstance(happening, Content)]
    assert b"".join(pieces).endswith(b"\r\n\r\n" + b"x" * 1_000_000)
    assert max(map(len, pieces)) < 200_000


def test_headers_without_end_come_in_pieces() -> None:
    conversation = begun()
    hear(conversation, sender())
    happened = hear(conversation, strings("L", "A", "b" * 1_000) * 1_000)
    assert sum(len(happening.octets) for happening in happened if isinstance(happening, Content)) > 900_000


MALFORMED = [
    ("no length", offer() + b"\0\0\0\0B"),
    ("a length and a letter that nobody knows", offer() + b"\0\0\0\1Z"),
    ("an answer", offer() + frame("c")),
    ("a length without end", offer() + b"\xff\xff\xff\xffB"),
    ("too long a piece", offer() + struct.pack(">I", MOST_CONTENT_BYTES + 2) + b"B"),
    ("too long a command", offer() + struct.pack(">I", MOST_BYTES + 2) + b"R"),
    ("no negotiation", connect()),
    ("two negotiations", offer() + offer()),
    ("no offer", frame("O")),
    ("no sender", offer() + frame("M")),
    ("a sender without end", offer() + frame("M", b"<a@b.example>")),
    ("a greeting without end", offer() + frame("H", b"x")),
    ("a recipient of nothing", offer() + strings("R", "<a@b.example>")),
    ("a header of nothing", offer() + strings("L", "A", "b")),
    ("a body of nothing", offer() + frame("B", b"x")),
    ("the end of headers of nothing", offer() + frame("N")),
    ("the end of nothing", offer() + frame("E")),
    ("a part of what was refused", offer() + strings("M", "<>") + frame("E") + strings("R", "<a@b.example>")),
    ("a header without value", offer() + strings("M", "<>") + strings("L", "A")),
    ("a header after the headers", offer() + strings("M", "<>") + frame("N") + strings("L", "A", "b")),
    ("a connection from nowhere", offer() + frame("C", b"x\0")),
    ("a connection without a name", offer() + frame("C", b"x")),
    ("a connection without an address", offer() + frame("C", b"x\x004")),
    ("macros of no stage", offer() + frame("D")),
    ("macros of no known stage", offer() + frame("D", b"Zi\0x\0")),
    ("macros without end", offer() + frame("D", b"Mi\0x")),
]


@pytest.mark.parametrize("octets", [case[1] for case in MALFORMED], ids=[case[0] for case in MALFORMED])
def test_what_is_not_the_protocol(octets: bytes) -> None:
    with pytest.raises(MalformedMilter):
        hear(Conversation(), octets)


@pytest.mark.parametrize("odd", [b"Mi\0", b"Mi\0x\0j\0", b"M", b"M\0", b"M\0\0\0"])
def test_odd_macros_are_no_reason_to_break_off(odd: bytes) -> None:
    hear(Conversation(), offer() + frame("D", odd) + strings("M", "<>"))


def course(pieces: list[bytes]) -> tuple[list[Happening], bytes, str]:
    """What happens when the bytes come in these pieces, what is answered, and what is wrong with them."""
    conversation, happened, said = Conversation(), [], b""
    try:
        for piece in pieces:
            conversation.receive(piece)
            while (happening := conversation.happens()) is not None:
                happened.append(happening)
                if isinstance(happening, SenderNamed | MessageEnded):
                    conversation.answer(Accept((AddHeader("X-A", "b"),)))
            said += conversation.unsent()
    except MalformedMilter as error:
        return happened, said + conversation.unsent(), str(error)
    return happened, said, ""


LETTERS = st.sampled_from("ABCDEHKLMNOQRTUZ")
CONTENTS = st.one_of(
    st.binary(max_size=40),
    st.lists(st.text(max_size=10), max_size=4).map(lambda words: "".join(f"{word}\0" for word in words).encode()),
)
SOME_FRAMES = st.builds(frame, LETTERS, CONTENTS)
KNOWN = st.sampled_from([sender(), rest(), connect(), frame("A"), frame("K"), macros("C", j="x"), strings("H", "y")])
STREAMS = st.builds(
    lambda head, frames, tail: head + b"".join(frames) + tail,
    st.sampled_from([offer(), hello(), hello(), b"", offer(2, 0x3F, 0x7F)]),
    st.lists(st.one_of(KNOWN, KNOWN, SOME_FRAMES), max_size=12),
    st.binary(max_size=8),
)


@settings(max_examples=400, deadline=None)
@given(stream=STREAMS, cuts=st.lists(st.integers(0, 600), max_size=8))
def test_it_is_the_same_however_the_bytes_are_split(stream: bytes, cuts: list[int]) -> None:
    places = sorted({min(cut, len(stream)) for cut in cuts} | {0, len(stream)})
    assert course([stream[start:end] for start, end in pairwise(places)]) == course([stream])


@settings(max_examples=100, deadline=None)
@given(stream=STREAMS)
def test_it_is_the_same_byte_by_byte(stream: bytes) -> None:
    assert course([stream[at : at + 1] for at in range(len(stream))]) == course([stream])


@settings(max_examples=400, deadline=None)
@given(garbage=st.binary(max_size=400), begins=st.booleans())
def test_garbage_raises_nothing_else(garbage: bytes, begins: bool) -> None:
    course([offer() + garbage if begins else garbage])
