"""Rspamd's two protocols as bytes: Exim's ``CHECK RSPAMC/1.3`` and HTTP."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.filter.asking import Asking

from outwarden.events import mailbox
from outwarden.filter import Accept, AddHeader, ChangeHeader, Defer, Envelope, Hold, Refuse, Verdict
from outwarden.filter.conversation import MalformedQuestion
from outwarden.filter.rspamd_protocol.conversation import RspamdConversation
from outwarden.filter.rspamd_protocol.postmark import Postmark
from outwarden.filter.rspamd_protocol.requests import MOST_BODY_BYTES, MOST_LINE_BYTES
from outwarden.filter.words import Unspeakable

LETTER = b"Subject: a\n\nHello.\n"
MAILBOX = (
    b"From MAILER-DAEMON Wed Nov 25 07:16:50 2026\nX-Envelope-From: <rosa@isp.example>\nX-Envelope-To: a@b.example\n"
)
ENVELOPE = Envelope(
    sender=mailbox("rosa@isp.example"),
    recipients=(mailbox("ann@bigmail.example"), mailbox("bob@bigmail.example")),
    recipient_count=2,
    login="rosa@isp.example",
    client_address="192.0.2.7",
    client_name="client.example",
    helo="laptop.example",
    queue_id="1xW7FK-0006us-0U",
)


def exim(body: bytes = MAILBOX + LETTER, **more: str) -> bytes:
    """What Exim 4.96 sends."""
    told = {"Content-length": str(len(body)), "Queue-Id": ENVELOPE.queue_id, "From": "<rosa@ISP.example>"} | more
    lines = ["CHECK RSPAMC/1.3", *(f"{name}: {value}" for name, value in told.items()), "Recipient-Number: 2"]
    lines += [f"Rcpt: <{one}>" for one in ENVELOPE.recipients]
    lines += [f"Helo: {ENVELOPE.helo}", f"Hostname: {ENVELOPE.client_name}", f"IP: {ENVELOPE.client_address}"]
    return "\r\n".join([*lines, f"User: {ENVELOPE.login}", "", ""]).encode() + body


def http(body: bytes = LETTER, first: str = "POST /checkv2 HTTP/1.1", **more: str) -> bytes:
    """What a client of rspamd sends; an empty header is left out."""
    told = {
        "Content-Length": str(len(body)),
        "From": "rosa@isp.example",
        "User": ENVELOPE.login,
        "Hostname": ENVELOPE.client_name,
        "Queue-Id": ENVELOPE.queue_id,
        "IP": ENVELOPE.client_address,
        "Helo": ENVELOPE.helo,
    } | {name.replace("_", "-"): value for name, value in more.items()}
    lines = [first, *(f"{name}: {value}" for name, value in told.items() if value)]
    return "\r\n".join([*lines, *(f"Rcpt: {one}" for one in ENVELOPE.recipients), "", ""]).encode() + body


def asking(early: Verdict = Accept(), late: Verdict = Accept()) -> Asking:  # noqa: B008
    return Asking(RspamdConversation(), early, late)


def answers_in(said: bytes) -> list[tuple[int, bytes]]:
    """Return status and body of each answer of HTTP."""
    found = []
    while said:
        head, _, rest = said.partition(b"\r\n\r\n")
        length = int(head.partition(b"Content-Length: ")[2].partition(b"\r\n")[0])
        found.append((int(head.split(b" ")[1]), rest[:length]))
        said = rest[length:]
    return found


@pytest.mark.parametrize("pieces", [1, 4, 9999])
@pytest.mark.parametrize("octets", [exim(), http(), http(first="GET /checkv2 HTTP/1.1")])
def test_a_message(octets: bytes, pieces: int) -> None:
    here = asking()
    assert here.say(octets, pieces)
    assert [kind for kind in here.kinds if kind != "Content"][:2] == ["SenderNamed", "MessageEnded"]
    assert here.content == LETTER
    assert list(here.envelopes()) == [ENVELOPE, ENVELOPE]


def test_exim_hears_one_answer_and_the_end() -> None:
    here = asking(late=Refuse("Spam; Case 1"))
    assert here.say(exim() + exim()).decode() == (
        "RSPAMD/1.3 0 EX_OK\r\nMetric: default; True; 15.00 / 15.00 / 15.00\r\nAction: reject\r\n"
        "Symbol: OUTWARDEN_REFUSE; 15.00\r\nMessage: Spam; Case 1\r\n\r\n"
    )
    assert here.kinds[-1] == "Left"
    assert here.kinds.count("MessageEnded") == 1


@pytest.mark.parametrize(
    ("verdict", "said"),
    [
        (Accept(), ["Action: no action"]),
        (Defer("Later, Müller"), ["Action: soft reject", "Symbol: OUTWARDEN_DEFER; 0.00", "Message: Later, M?ller"]),
        (
            Hold("Case 2", (AddHeader("X-M", "a\n\tb"), ChangeHeader("X-A", 1, ""), ChangeHeader("X-B", 1, "c"))),
            [
                *("Action: quarantine", "Symbol: OUTWARDEN_HOLD; 0.00", "Message: Case 2", "Add-Header: X-M: a\tb"),
                *("Remove-Header: X-A", "Remove-Header: X-B", "Add-Header: X-B: c"),
            ],
        ),
    ],
)
def test_what_exim_is_told(verdict: Verdict, said: list[str]) -> None:
    lines = asking(late=verdict).say(exim()).decode().split("\r\n")
    assert lines[:2] == ["RSPAMD/1.3 0 EX_OK", "Metric: default; False; 0.00 / 15.00 / 15.00"]
    assert lines[2:] == [*said, "", ""]


@pytest.mark.parametrize(
    ("verdict", "action", "score", "words"),
    [
        (Accept(), "no action", 0, None),
        (Hold("Case 2"), "quarantine", 0, "Case 2"),
        (Defer("Later"), "soft reject", 0, "Later"),
        (Refuse('Say "no" to spam'), "reject", 15, 'Say "no" to spam'),
    ],
)
def test_what_a_client_of_rspamd_is_told(verdict: Verdict, action: str, score: float, words: str | None) -> None:
    ((status, body),) = answers_in(asking(late=verdict).say(http()))
    told = json.loads(body)
    assert (status, told["action"], told["score"], told["required_score"]) == (200, action, score, 15)
    assert told["messages"].get("smtp_message") == words
    assert len(told["symbols"]) == (words is not None)
    assert "milter" not in told


def test_changes_of_headers() -> None:
    verdict = Accept((AddHeader("X-Mark", "a\n\tb"), ChangeHeader("X-Old", 2, ""), ChangeHeader("X-New", 1, "c")))
    ((_, body),) = answers_in(asking(late=verdict).say(http()))
    assert json.loads(body)["milter"] == {
        "add_headers": {"X-Mark": [{"value": "a\n\tb", "order": -1}], "X-New": [{"value": "c", "order": -1}]},
        "remove_headers": {"X-Old": 2, "X-New": 1},
    }


@pytest.mark.parametrize(
    ("request_", "times"),
    [
        (http(), 3),
        (http(Connection="close"), 1),
        (http(first="POST /checkv2 HTTP/1.0"), 1),
        (http(first="POST /checkv2 HTTP/1.0", Connection="Keep-Alive"), 3),
        (b"\r\n" + http(first="POST /checkv2?x=1 HTTP/1.1"), 3),
    ],
)
def test_how_long_a_connection_lasts(request_: bytes, times: int) -> None:
    here = asking()
    assert [status for status, _ in answers_in(here.say(request_ * 3))] == [200] * times
    assert ("Left" in here.kinds) == (times == 1)


@pytest.mark.parametrize(
    ("said", "understood"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("192.0.2.7:40000", "192.0.2.7"),
        ("2001:db8::7", "2001:db8::7"),
        ("[2001:db8::7]:40000", "2001:db8::7"),
        ("[2001:db8::7]", "2001:db8::7"),
        ("", ""),
    ],
)
def test_addresses_with_and_without_a_port(said: str, understood: str) -> None:
    here = asking()
    here.say(http(IP=said))
    assert next(iter(here.envelopes())).client_address == understood


def test_ping() -> None:
    assert answers_in(asking().say(b"GET /ping HTTP/1.1\r\nHost: a\r\n\r\n" * 2)) == [(200, b"pong\r\n")] * 2


def test_a_client_that_waits_to_be_told() -> None:
    here = asking()
    head, _, body = http(Expect="100-continue").partition(b"\r\n\r\n")
    assert here.say(head + b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert answers_in(here.say(body))[0][0] == 200


@pytest.mark.parametrize("verdict", [Refuse("Blocked"), Defer("Blocked")])
@pytest.mark.parametrize("octets", [exim(), http()])
def test_who_is_refused_early_is_told_after_the_message(verdict: Verdict, octets: bytes) -> None:
    here = asking(early=verdict)
    assert here.say(octets[:-1]) == b""
    assert b"Blocked" in here.say(octets[-1:])
    assert here.kinds in (["SenderNamed"], ["SenderNamed", "Left"])
    assert here.conversation.in_message is False


@pytest.mark.parametrize("octets", [exim(), http()])
@pytest.mark.parametrize(
    "verdict",
    [
        Refuse("a\r\nAction: no action"),
        Hold("a\nb"),
        Accept((AddHeader("X-Mark", "a\nBcc: b"),)),
        Accept((AddHeader("X-Mark", "a\r\n b"),)),
        Accept((AddHeader("X Mark:", "a"),)),
        Accept((ChangeHeader("X\n", 1, ""),)),
    ],
)
def test_nothing_is_said_that_ends_its_line(verdict: Verdict, octets: bytes) -> None:
    here = asking(late=verdict)
    with pytest.raises(Unspeakable):
        here.say(octets)
    assert here.conversation.unsent() == b""
    assert here.conversation.answer(Defer("Later")) is True
    assert b"Later" in here.conversation.unsent()


@pytest.mark.parametrize(
    ("status", "octets"),
    [
        (400, b"HELO\r\n"),
        (400, b"\x16\x03\x01\r\n"),
        (400, b"POST /checkv2 HTTP/2.0\r\n"),
        (400, b"A" * (MOST_LINE_BYTES + 1)),
        (400, http(X="a\rb")),
        (400, http(X="a\0b")),
        (400, http().replace(b"User: ", b"User : ")),
        (400, http().replace(b"User: ", b" User: ")),
        (400, http().replace(b"User: ", b"")),
        (400, http(Content_Length="-1")),
        (400, http(Content_Length="1e3")),
        (400, http().replace(b"From: ", b"Content-Length: 3\r\nFrom: ")),
        (400, http().replace(b"IP: ", b"User: jan@isp.example\r\nIP: ")),
        (404, http(first="POST / HTTP/1.1")),
        (404, http(first="GET /stat HTTP/1.1")),
        (405, http(first="PUT /checkv2 HTTP/1.1")),
        (411, http(b"", first="GET /checkv2 HTTP/1.1", Content_Length="")),
        (411, http(Content_Length="")),
        (411, http(Transfer_Encoding="chunked")),
        (411, http(Content_Length="", Transfer_Encoding="chunked")),
        (413, http(Content_Length=str(MOST_BODY_BYTES + 1))),
        (415, http(Compression="zstd")),
        (415, http(Content_Encoding="zstd")),
        (415, http(Key="abc")),
        (415, http(File="/etc/passwd")),
        (415, http(Shm="/segment")),
        (431, http(X="a" * MOST_LINE_BYTES)),
    ],
)
def test_malformed_requests_of_http(status: int, octets: bytes) -> None:
    for pieces in (1, 13):
        here = asking()
        with pytest.raises(MalformedQuestion) as malformed:
            here.say(octets, pieces)
        assert [said for said, _ in answers_in(malformed.value.last_words)] == [status]
        assert b"Connection: close" in malformed.value.last_words
        assert here.happened == []


@pytest.mark.parametrize(
    "octets",
    [exim().replace(b"Content-length", b"Length"), exim(Compression="zstd"), exim().replace(b"IP: ", b"IP\n: ")],
)
def test_malformed_requests_of_exim(octets: bytes) -> None:
    with pytest.raises(MalformedQuestion) as malformed:
        asking().say(octets)
    assert malformed.value.last_words == b"RSPAMD/1.3 76 EX_PROTOCOL\r\n\r\n"


@pytest.mark.parametrize(
    ("name", "message", "left"),
    [
        ("all three lines", MAILBOX + LETTER, LETTER),
        ("the null sender", MAILBOX.replace(b"X-Envelope-From: <rosa@isp.example>\n", b"") + LETTER, LETTER),
        ("none of them", LETTER, LETTER),
        ("a header of that name", b"X-Envelope-To: b@c.example\n" + LETTER, b"X-Envelope-To: b@c.example\n" + LETTER),
        ("the same twice", MAILBOX + MAILBOX + LETTER, MAILBOX + LETTER),
        ("many recipients", MAILBOX[:-1] + b", a@b.example" * 20_000 + b"\n" + LETTER, LETTER),
        ("nothing else", MAILBOX, b""),
        ("nothing", b"", b""),
    ],
)
def test_what_exim_puts_before_the_message(name: str, message: bytes, left: bytes) -> None:
    postmark = Postmark()
    pieces = [bytearray(message[at : at + 65_536]) for at in range(0, len(message), 65_536)]
    assert b"".join(postmark.cut(piece) for piece in pieces) == left
    here = asking()
    here.say(exim(message))
    assert here.content == left


def test_a_large_message_in_pieces() -> None:
    letter = LETTER + b"x" * 300_000
    here = asking()
    assert answers_in(here.say(http(letter), 7))[0][0] == 200
    assert here.content == letter
    assert max(len(one.octets) for one in here.happened if hasattr(one, "octets")) <= 65_536
    # A head, four pieces and a rest: who sends slowly must bring each of them in time.
    assert here.conversation.frames_taken == 6


def test_recipients_are_bounded() -> None:
    here = asking()
    many = b"".join(b"Rcpt: <a%d@b.example>\r\n" % number for number in range(50_000))
    here.say(exim().replace(b"Helo: ", many + b"Helo: "))
    envelope = next(iter(here.envelopes()))
    assert envelope.recipient_count == 50_002
    assert 1000 < len(envelope.recipients) < 1 << 14


@settings(max_examples=200, deadline=None)
@given(value=st.text(st.characters(blacklist_categories=["Cc", "Cs"], codec="utf-8")))
def test_any_value_stays_in_its_header(value: str) -> None:
    here = asking()
    assert here.say(http().replace(b"laptop.example", value.encode()))
    envelope = next(iter(here.envelopes()))
    assert (envelope.helo, envelope.login) == (value.strip(), ENVELOPE.login)
