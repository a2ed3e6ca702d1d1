"""Exim's questions about accounts as bytes: a line each, a line for an answer."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.filter.asking import Asking

from outwarden.filter import Accept, Defer, Envelope, Hold, Refuse, Verdict
from outwarden.filter.conversation import MalformedQuestion
from outwarden.filter.readsocket.conversation import MOST_BYTES, MOST_WORDS, ReadsocketConversation, question
from outwarden.filter.words import Unspeakable

LINE = (
    b"stage=rcpt\tuser=rosa@isp.example\tip=192.0.2.7\tsender=Rosa@ISP.example"
    b"\thelo=[192.0.2.7]\trecipient=a@b.example\n"
)


def asking(verdict: Verdict = Accept()) -> Asking:  # noqa: B008
    return Asking(ReadsocketConversation(), verdict)


@pytest.mark.parametrize(
    ("verdict", "said"),
    [
        (Accept(), b"ACCEPT\n"),
        (Hold("Case 1"), b"HOLD Case 1\n"),
        (Defer("Wait."), b"DEFER Wait.\n"),
        (Refuse("Blocked, Müller. Case 2"), b"REFUSE Blocked, M?ller. Case 2\n"),
        (Refuse("x" * 1000), b"REFUSE ...\n"),
        (Refuse("x " * 1000), b"REFUSE " + b"x " * ((MOST_WORDS - 4) // 2) + b"...\n"),
    ],
)
@pytest.mark.parametrize("pieces", [1, 9])
def test_what_is_answered(verdict: Verdict, said: bytes, pieces: int) -> None:
    assert asking(verdict).say(LINE * 2, pieces) == said * 2


def test_what_is_asked() -> None:
    assert question(LINE.rstrip()) == Envelope(
        sender="Rosa@isp.example",
        recipients=("a@b.example",),
        recipient_count=1,
        login="rosa@isp.example",
        client_address="192.0.2.7",
        helo="[192.0.2.7]",
    )
    assert question(b"stage=rcpt\tsender=\tnew=1\tuser=a=b") == Envelope(sender="<>", login="a=b")


@pytest.mark.parametrize("words", ["a\nACCEPT", "a\rb", "a\0b", "a\tb"])
def test_no_words_end_their_line(words: str) -> None:
    here = asking(Refuse(words))
    with pytest.raises(Unspeakable):
        here.say(LINE)
    assert here.conversation.answer(Defer("Later.")) is True
    assert here.conversation.unsent() == b"DEFER Later.\n"


@pytest.mark.parametrize(
    ("name", "octets"),
    [
        ("nothing", b"\n"),
        ("no stage", b"user=rosa\n"),
        ("another stage", b"stage=data\tuser=rosa\n"),
        ("no name", b"stage=rcpt\trosa\n"),
        ("said twice", b"stage=rcpt\tuser=rosa\tuser=jan\n"),
        ("a zero byte", b"stage=rcpt\tuser=ro\0sa\n"),
        ("a carriage return", b"stage=rcpt\tuser=ro\rsa\n"),
        ("too long", b"stage=rcpt\tuser=" + b"a" * MOST_BYTES + b"\n"),
        ("too long and no end", b"a" * (MOST_BYTES + 1)),
    ],
)
def test_malformed(name: str, octets: bytes) -> None:
    for pieces in (1, 5):
        with pytest.raises(MalformedQuestion) as malformed:
            asking().say(octets, pieces)
        assert malformed.value.last_words.startswith(b"MALFORMED ")
        assert malformed.value.last_words.count(b"\n") == 1


def test_a_line_of_windows_is_a_line() -> None:
    assert asking().say(b"stage=rcpt\tuser=rosa\r\n") == b"ACCEPT\n"


@settings(max_examples=200, deadline=None)
@given(octets=st.binary(max_size=60))
def test_any_octets_stay_in_their_value(octets: bytes) -> None:
    try:
        envelope = question(b"stage=rcpt\tuser=" + octets + b"\tip=192.0.2.7")
    except MalformedQuestion:
        assert any(octet < 32 or octet == 127 for octet in octets)
    else:
        assert b"\t" in octets or envelope.login == octets.decode("utf-8", "backslashreplace")
        assert envelope.client_address == "192.0.2.7"
