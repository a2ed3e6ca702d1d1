"""Postfix's policy delegation as bytes: what is asked, what is answered, whose recipients are whose."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.filter.asking import Asking

from outwarden.events import Mailbox, mailbox
from outwarden.filter import Accept, AddHeader, Defer, Envelope, Hold, Refuse, Verdict
from outwarden.filter.conversation import MalformedQuestion
from outwarden.filter.policy_delegation.conversation import MOST_WORDS, PolicyConversation
from outwarden.filter.policy_delegation.gathering import Gathering
from outwarden.filter.policy_delegation.requests import MOST_BYTES, attribute, request
from outwarden.filter.words import Unspeakable

DUNNO = b"action=DUNNO\n\n"
COMMON = {
    "request": "smtpd_access_policy",
    "protocol_name": "ESMTP",
    "client_address": "192.0.2.7",
    "client_name": "client.example",
    "helo_name": "laptop.example",
    "sender": "rosa@ISP.example",
    "recipient": "",
    "recipient_count": "0",
    "queue_id": "",
    "instance": "19d4.6925.a.0",
    "size": "0",
    "sasl_method": "plain",
    "sasl_username": "rosa@isp.example",
}
ROSA = Envelope(
    sender=mailbox("rosa@isp.example"),
    login="rosa@isp.example",
    login_mechanism="plain",
    client_address="192.0.2.7",
    client_name="client.example",
    helo="laptop.example",
)


def asked(stage: str, **more: str) -> bytes:
    told = {**COMMON, "protocol_state": stage, **more}
    return "".join(f"{name}={value}\n" for name, value in told.items()).encode() + b"\n"


def rcpt(recipient: str, **more: str) -> bytes:
    return asked("RCPT", recipient=recipient, **more)


def ended(**more: str) -> bytes:
    return asked("END-OF-MESSAGE", **more)


def asking(early: Verdict = Accept(), late: Verdict = Accept(), gathering: Gathering | None = None) -> Asking:  # noqa: B008
    return Asking(PolicyConversation(Gathering() if gathering is None else gathering), early, late)


@pytest.mark.parametrize("pieces", [1, 3, 5000])
def test_a_message(pieces: int) -> None:
    here = asking()
    whole = rcpt("ann@bigmail.example") + rcpt("bob@bigmail.example") + ended(recipient_count="2", size="1234")
    assert here.say(whole, pieces) == DUNNO * 3
    assert here.kinds == ["SenderNamed", "SenderNamed", "MessageEnded"]
    first, second, last = here.envelopes()
    assert first.recipients == ("ann@bigmail.example",)
    assert (second.recipients, second.recipient_count) == (("ann@bigmail.example", "bob@bigmail.example"), 2)
    assert last.recipients == second.recipients
    assert (last.recipient_count, last.announced_size, last.sender) == (2, 1234, "rosa@isp.example")
    assert (last.login, last.login_mechanism, last.client_name) == (ROSA.login, "plain", "client.example")


@pytest.mark.parametrize(
    ("stage", "kinds"),
    [
        ("CONNECT", []),
        ("EHLO", []),
        ("VRFY", []),
        ("ETRN", []),
        ("RCPT", []),
        ("MAIL", ["SenderNamed"]),
        ("DATA", ["MessageEnded"]),
        ("END-OF-MESSAGE", ["MessageEnded"]),
    ],
)
def test_what_is_decided_when(stage: str, kinds: list[str]) -> None:
    here = asking()
    assert here.say(asked(stage)) == DUNNO
    assert here.kinds == kinds


@pytest.mark.parametrize(
    ("verdict", "early", "late"),
    [
        (Accept((AddHeader("X-Mark", "a"),)), "DUNNO", "DUNNO"),
        (Hold("Case 1"), "DUNNO", "HOLD Case 1"),
        (Defer("Wait."), "451 4.7.1 Wait.", "451 4.7.1 Wait."),
        (Refuse("Nein, Müller"), "550 5.7.1 Nein, M?ller", "550 5.7.1 Nein, M?ller"),
        (Refuse("x " * 1000), None, f"550 5.7.1 {'x ' * ((MOST_WORDS - 4) // 2)}..."),
    ],
)
def test_what_is_answered(verdict: Verdict, early: str | None, late: str) -> None:
    if early is not None:
        assert asking(early=verdict).say(rcpt("a@b.example")) == f"action={early}\n\n".encode()
    assert asking(late=verdict).say(ended()) == f"action={late}\n\n".encode()


@pytest.mark.parametrize("words", ["a\nb", "a\r\naction=OK", "a\0b", "a\x7fb", "a\u2028b", "a\x85b"])
@pytest.mark.parametrize("verdict", [Hold, Defer, Refuse])
def test_no_words_end_their_line(words: str, verdict: type[Hold | Defer | Refuse]) -> None:
    here = asking(late=verdict(words))
    with pytest.raises(Unspeakable):
        here.say(ended())
    assert here.conversation.unsent() == b""
    # It still waits, and can be given another verdict.
    assert here.conversation.answer(Defer("Later.")) is True
    assert here.conversation.unsent() == b"action=451 4.7.1 Later.\n\n"


def test_messages_are_told_apart_and_forgotten() -> None:
    gathering = Gathering()
    here, there = asking(gathering=gathering), asking(gathering=gathering)
    here.say(rcpt("ann@bigmail.example", instance="1"))
    there.say(rcpt("bob@bigmail.example", instance="2"))
    # The end may come over another connection.
    there.say(ended(instance="1", recipient_count="1", recipient="ann@bigmail.example"))
    assert list(there.envelopes())[-1].recipients == ("ann@bigmail.example",)
    assert len(gathering) == 1
    there.say(ended(instance="1"))
    assert list(there.envelopes())[-1].recipients == ()


def test_the_end_alone_knows_one_recipient() -> None:
    here = asking()
    here.say(ended(recipient="ann@bigmail.example", recipient_count="1"))
    here.say(ended(recipient="", recipient_count="7"))
    assert [(one.recipients, one.recipient_count) for one in here.envelopes()] == [
        (("ann@bigmail.example",), 1),
        ((), 7),
    ]


def test_what_is_kept_of_recipients_is_bounded() -> None:
    gathering = Gathering(most_messages=3, most_bytes=1000)
    for number in range(10):
        gathering.add(str(number), Mailbox("a@b.example"))
    assert len(gathering) == 3
    # One message that takes all the room is forgotten, too, and begins anew.
    assert max(len(gathering.add("9", Mailbox("a@b.example")).kept) for _ in range(100)) < 1000 // 64
    assert len(gathering) < 2
    gathering.take("9")
    gathering.add("", Mailbox("a@b.example"))
    assert len(gathering) == 0


@pytest.mark.parametrize(
    ("name", "octets"),
    [
        ("nothing asked", b"\n"),
        ("no attribute", b"hello\n\n"),
        ("no name", b"=hello\n\n"),
        ("a zero byte", b"request=smtpd_access_policy\nsender=a\0b\n\n"),
        ("another protocol", b"request=junk\nprotocol_state=RCPT\n\n"),
        ("no stage", b"request=smtpd_access_policy\n\n"),
        ("said twice", b"request=smtpd_access_policy\nsasl_username=a\nsasl_username=b\nprotocol_state=RCPT\n\n"),
        ("no number", ended(size="-1")),
        ("a number that is none", ended(recipient_count="²")),
        ("a number without end", ended(size="9" * 19)),
        ("a long line", b"request=" + b"a" * (MOST_BYTES + 1)),
        ("many lines", b"".join(b"a%d=%s\n" % (number, b"b" * 1000) for number in range(100))),
    ],
)
def test_malformed(name: str, octets: bytes) -> None:
    for pieces in (1, 7):
        with pytest.raises(MalformedQuestion) as malformed:
            asking().say(octets, pieces)
        assert malformed.value.last_words == b""


def test_state_as_the_connection_sees_it() -> None:
    conversation = PolicyConversation(Gathering())
    assert (conversation.agreed, conversation.in_message, conversation.frame_begun) == (False, False, False)
    conversation.receive(b"request=smtpd_access_policy\n")
    assert conversation.happens() is None
    assert conversation.frame_begun
    conversation.receive(b"protocol_state=MAIL\n\n")
    assert conversation.happens() is not None
    assert (conversation.agreed, conversation.in_message, conversation.frame_begun) == (True, True, False)
    assert (conversation.frames_taken, conversation.answer(Accept())) == (1, False)
    assert not conversation.in_message


def test_a_request_as_such() -> None:
    told = dict(attribute(line) for line in rcpt("ann@bigmail.example").splitlines() if line)
    understood = request(told)
    assert (understood.stage, understood.instance) == ("RCPT", COMMON["instance"])
    assert understood.envelope == msgspec.structs.replace(
        ROSA, recipients=(mailbox("ann@bigmail.example"),), recipient_count=1
    )


@settings(max_examples=200, deadline=None)
@given(value=st.text(st.characters(blacklist_characters="\n\r\0", codec="utf-8")))
def test_any_value_stays_in_its_attribute(value: str) -> None:
    here = asking()
    assert here.say(ended(helo_name=value)) == DUNNO
    (envelope,) = here.envelopes()
    assert (envelope.helo, envelope.login) == (value, ROSA.login)
