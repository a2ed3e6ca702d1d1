"""OpenSMTPD's lines become events, in the three generations of its format."""

# ruff: noqa: E501 (a log line is as long as it is)

import itertools
from datetime import UTC, datetime
from typing import TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outwarden.events import AccountKind, Attempted, BounceReturned, Event, Login, Outcome, RefusalClass, Submitted
from outwarden.sources.logs.opensmtpd import OpenSmtpdLog, is_opensmtpd
from outwarden.sources.logs.stamps import Stamps

E = TypeVar("E", Submitted, Attempted, BounceReturned, Login)

HEAD = "Nov 23 03:12:45 mx1 smtpd[77]: "
S1, S2, M1, M2 = "72c1e5b2a0f4d3e1", "72c1e5b3bb01c9f0", "77c1e5b2", "7b0c99d1"
E1, E2 = f"{M1}5f2b8c01", f"{M2}00ab12cd"


def session(identity: str = S1, address: str = "192.0.2.7", user: str = "rosa@ISP.example") -> list[str]:
    lines = [
        f"{identity} smtp connected address={address} host=pc.isp.example",
        f"{identity} smtp tls ciphers=TLSv1.3:TLS_AES_256_GCM_SHA384:256",
    ]
    return lines + ([f"{identity} smtp authentication user={user} result=ok"] if user else [])


def message(identity: str = S1, number: str = M1, sender: str = "rosa@isp.example", *recipients: str) -> list[str]:
    to = recipients or ("a@big.example",)
    return [f"{identity} smtp message msgid={number} size=1042 nrcpt={len(to)} proto=ESMTP"] + [
        f"{identity} smtp envelope evpid={number}{place:08x} from=<{sender}> to=<{one}>" for place, one in enumerate(to)
    ]


def mta(
    envelope: str = E1,
    result: str = "Ok",
    stat: str = "250 2.0.0 OK",
    to: str = "a@big.example",
    relay: str = "198.51.100.9 (mx1.big.example)",
) -> str:
    return (
        f'9e41c3aa00000001 mta delivery evpid={envelope} from=<rosa@isp.example> to=<{to}> rcpt=<-> source="192.0.2.25" '
        f'relay="{relay}" delay=1s result="{result}" stat="{stat}"'
    )


def read(*texts: str) -> list[Event]:
    reader = OpenSmtpdLog(Stamps(datetime(2026, 11, 24, tzinfo=UTC)))
    events = reader.feed("".join(f"{HEAD}{text}\n" for text in texts)) + reader.finish()
    assert reader.lines_not_understood == 0
    return events


def only(events: list[Event], kind: type[E]) -> list[E]:
    return [event for event in events if isinstance(event, kind)]


SUBMISSIONS = [
    ("login", [*session(), *message()], ("rosa@isp.example", AccountKind.LOGIN, "192.0.2.7", 1)),
    ("several recipients", [*session(), *message(S1, M1, "rosa@isp.example", "a@b.example", "c@d.example")],
     ("rosa@isp.example", AccountKind.LOGIN, "192.0.2.7", 2)),
    ("no login, IPv6", [*session(address="[2001:db8::7]", user=""), *message()], ("rosa@isp.example", AccountKind.ADDRESS, "2001:db8::7", 1)),
    ("login refused", [*session(user=""), f"{S1} smtp authentication user=eva result=permfail", *message()],
     ("rosa@isp.example", AccountKind.ADDRESS, "192.0.2.7", 1)),
    ("local program", [*session(address="local", user=""), *message()], ("rosa@isp.example", AccountKind.LOCAL, None, 1)),
    ("null sender", [*session(user=""), *message(sender="")], ("<>", AccountKind.NULL, "192.0.2.7", 1)),
    ("5.9: a line for each recipient", [
        f"{S1} smtp event=connected address=192.0.2.7 host=pc", f"{S1} smtp event=authentication user=rosa@isp.example address=192.0.2.7 host=pc result=ok",
        *(f"{S1} smtp event=message address=192.0.2.7 host=pc msgid={M1} from=<rosa@isp.example> to=<{to}> size=1042 ndest=1 proto=ESMTP" for to in ("a@b.example", "c@d.example")),
        f"{S1} smtp event=closed address=192.0.2.7 host=pc reason=quit"], ("rosa@isp.example", AccountKind.LOGIN, "192.0.2.7", 2)),
    ("5.9, still without the peer's address", [
        f"{S1} smtp event=connected address=192.0.2.7 host=pc",
        f"{S1} smtp event=message msgid={M1} from=<rosa@isp.example> to=<a@b.example> size=1042 ndest=1 proto=ESMTP"],
     ("rosa@isp.example", AccountKind.ADDRESS, "192.0.2.7", 1)),
    ("5.8: sentences", [
        f"smtp-in: New session {S1} from host pc [192.0.2.7]", f"smtp-in: Accepted authentication for user rosa@isp.example on session {S1}",
        *(f"smtp-in: Accepted message {M1} on session {S1}: from=<rosa@isp.example>, to=<{to}>, size=1042, ndest=1, proto=ESMTP" for to in ("a@b.example", "c@d.example")),
        f"smtp-in: Closing session {S1}"], ("rosa@isp.example", AccountKind.LOGIN, "192.0.2.7", 2)),
]  # fmt: skip


@pytest.mark.parametrize(
    ("texts", "expected"), [case[1:] for case in SUBMISSIONS], ids=[case[0] for case in SUBMISSIONS]
)
def test_who_submitted(texts: list[str], expected: tuple[str, AccountKind, str | None, int]) -> None:
    (event,) = only(read(*texts), Submitted)
    assert (event.account, event.kind, event.client_address, event.recipients) == expected
    assert (event.host, event.queue_id, event.size) == ("mx1", M1, 1042)


OLD = "from=<rosa@isp.example>, to=<a@big.example>, rcpt=<->, "
TRIES = [
    ("delivered", mta(), ("a@big.example", Outcome.DELIVERED, "250 2.0.0 OK", None, None, "198.51.100.9 (mx1.big.example)", True)),
    ("deferred", mta(result="TempFail", stat="451 4.7.1 Greylisted"),
     ("a@big.example", Outcome.DEFERRED, "451 4.7.1 Greylisted", "4.7.1", None, "198.51.100.9 (mx1.big.example)", True)),
    ("bounced", mta(result="PermFail", stat='550 5.1.1 No "a" here'),
     ("a@big.example", Outcome.BOUNCED, '550 5.1.1 No "a" here', "5.1.1", None, "198.51.100.9 (mx1.big.example)", True)),
    ("forwarded", mta().replace("rcpt=<->", "rcpt=<eva@isp.example>"),
     ("a@big.example", Outcome.DELIVERED, "250 2.0.0 OK", None, "eva@isp.example", "198.51.100.9 (mx1.big.example)", True)),
    ("mailbox", f"0000000000000000 mda delivery evpid={E1} from=<rosa@isp.example> to=<eva@isp.example> rcpt=<info@isp.example> user=eva delay=0s result=Ok stat=Delivered",
     ("eva@isp.example", Outcome.DELIVERED, "Delivered", None, "info@isp.example", None, False)),
    ("mailbox of 5.9", f"0000000000000000 mda event=delivery evpid={E1} from=<rosa@isp.example> to=<eva@isp.example> user=eva method=maildir delay=0s result=TempFail stat=Error (\"x\")",
     ("eva@isp.example", Outcome.DEFERRED, 'Error ("x")', None, None, None, False)),
    ("to another program on this host", mta(relay="127.0.0.1 (localhost)"),
     ("a@big.example", Outcome.DELIVERED, "250 2.0.0 OK", None, None, "127.0.0.1 (localhost)", False)),
    ("expired", f"relay: Expire for {E1}: {OLD}delay=4d, stat=Envelope expired",
     ("a@big.example", Outcome.EXPIRED, "Envelope expired", None, None, None, True)),
    ("5.8: relayed", f"relay: Ok for {E1}: session=9e41c3aa00000001, {OLD}source=192.0.2.25, relay=198.51.100.9 (mx1.big.example), delay=1s, stat=250 2.0.0 OK, thanks",
     ("a@big.example", Outcome.DELIVERED, "250 2.0.0 OK, thanks", None, None, "198.51.100.9 (mx1.big.example)", True)),
    ("5.8: mailbox", f"delivery: Ok for {E1}: from=<rosa@isp.example>, to=<a@big.example>, user=eva, method=mbox, delay=0s, stat=Delivered",
     ("a@big.example", Outcome.DELIVERED, "Delivered", None, None, None, False)),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), [case[1:] for case in TRIES], ids=[case[0] for case in TRIES])
def test_what_became_of_it(
    text: str, expected: tuple[str, Outcome, str, str | None, str | None, str | None, bool]
) -> None:
    (tried,) = only(read(*session(), *message(), text), Attempted)
    assert (
        tried.recipient,
        tried.outcome,
        tried.reply,
        tried.status,
        tried.original_recipient,
        tried.relay,
        tried.outbound,
    ) == expected
    assert (tried.queue_id, tried.account, tried.kind, tried.sender) == (
        M1,
        "rosa@isp.example",
        AccountKind.LOGIN,
        "rosa@isp.example",
    )


def test_a_refusal_is_classed() -> None:
    (tried,) = only(
        read(mta(result="PermFail", stat="550 5.7.1 Client host [192.0.2.25] blocked using zen.spamhaus.org")),
        Attempted,
    )
    assert (tried.refusal_class, tried.listed, tried.account) == (RefusalClass.ADDRESS_BLOCKLISTED, "192.0.2.25", "")


def test_an_expiry_has_the_cause_of_the_last_deferral() -> None:
    deferred = mta(result="TempFail", stat="452 4.2.2 Mailbox full")
    tries = only(
        read(*session(), *message(), deferred, f"relay: Expire for {E1}: {OLD}delay=4d, stat=Envelope expired"),
        Attempted,
    )
    assert [(t.outcome, t.refusal_class) for t in tries] == [
        (Outcome.DEFERRED, RefusalClass.MAILBOX_FULL),
        (Outcome.EXPIRED, RefusalClass.MAILBOX_FULL),
    ]


def test_a_delivery_that_is_logged_before_the_envelopes_does_not_come_before_the_submission() -> None:
    texts = [*session(), message()[0], mta(), message()[1]]
    assert [type(event) for event in read(*texts)] == [Login, Submitted, Attempted]
    assert only(read(*texts), Submitted)[0].sender == "rosa@isp.example"


def test_our_own_notification_belongs_to_the_account() -> None:
    events = read(
        *session(), *message(), mta(result="PermFail", stat="550 5.1.1 No such user"),
        *session(S2, "local", ""), *message(S2, M2, "", "rosa@isp.example"), f"{S2} smtp disconnected reason=quit",
        f"0000000000000000 mda delivery evpid={E2} from=<> to=<rosa@isp.example> user=rosa delay=0s result=Ok stat=Delivered",
    )  # fmt: skip
    (returned,) = only(events, BounceReturned)
    assert (returned.queue_id, returned.account, returned.notification_queue_id) == (M1, "rosa@isp.example", M2)
    assert [(s.queue_id, s.account) for s in only(events, Submitted)] == [(M1, "rosa@isp.example"), (M2, "<>")]
    assert only(events, Attempted)[-1].kind is AccountKind.NULL


def test_somebody_elses_notification_is_not_ours() -> None:
    failed = [*session(), *message(), mta(result="PermFail", stat="550 no")]
    from_outside = [*session(S2, "203.0.113.5", ""), *message(S2, M2, "", "rosa@isp.example")]
    to_another = [*session(S2, "local", ""), *message(S2, M2, "", "eva@isp.example")]
    assert only(read(*failed, *from_outside), BounceReturned) == []
    assert only(read(*failed, *to_another), BounceReturned) == []


HANDED_BACK = mta(stat=f"250 2.0.0 {M2} Message accepted for delivery", relay="127.0.0.1 (localhost)")
BACK = [*session(S2, "127.0.0.1", ""), *message(S2, M2)]


@pytest.mark.parametrize(
    "texts",
    [[*session(), *message(), *BACK, HANDED_BACK, mta(E2)], [*session(), *message(), *BACK, mta(E2), HANDED_BACK]],
    ids=["then sent on", "sent on before the filter is done"],
)
def test_a_content_filter_does_not_lose_the_login(texts: list[str]) -> None:
    events = read(*texts)
    (submitted,) = only(events, Submitted)
    (tried,) = only(events, Attempted)
    assert (submitted.queue_id, submitted.account) == (M1, "rosa@isp.example")
    assert (tried.queue_id, tried.account, tried.kind) == (M2, "rosa@isp.example", AccountKind.LOGIN)


def test_what_nobody_claims_is_a_message_of_its_own() -> None:
    texts = [*BACK, mta(E2)]
    for number in range(60):
        texts += [*session(f"{number:016x}"), *message(f"{number:016x}", f"{number:08x}")]
    events = read(*texts)
    ours = [event for event in events if not isinstance(event, Login) and event.queue_id == M2]
    assert [type(event) for event in ours] == [Submitted, Attempted]
    assert only(events, Submitted).index(ours[0]) == 50  # type: ignore[arg-type]


LOGINS = [
    ("accepted", f"{S1} smtp authentication user=rosa@ISP.example result=ok", ("rosa@isp.example", True)),
    ("refused", f"{S1} smtp authentication user=rosa result=permfail", ("rosa", False)),
    ("refused, 5.9", f"{S1} smtp event=authentication user=rosa address=192.0.2.7 host=x result=permfail", ("rosa", False)),
    ("refused, 5.8", f"smtp-in: Authentication failed for user rosa on session {S1}", ("rosa", False)),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), [case[1:] for case in LOGINS], ids=[case[0] for case in LOGINS])
def test_logins(text: str, expected: tuple[str, bool]) -> None:
    (event,) = read(f"{S1} smtp connected address=192.0.2.7 host=pc", text)
    assert isinstance(event, Login)
    assert (event.account, event.ok, event.client_address) == (*expected, "192.0.2.7")


QUIET = [
    f"{S1} smtp authentication user=rosa result=tempfail", f'{S1} smtp failed-command command="RCPT TO:<a@b.example>" result="550 Invalid recipient"',
    f"{S1} mta connecting address=smtp://198.51.100.9:25 host=mx1.big.example", f"{S1} mta connected", f"{S1} mta tls ciphers=TLSv1.3:A:256",
    f'{S1} mta server-cert-check result="success"', f"{S1} mta disconnected reason=quit messages=1", f"{S1} mta error reason=Connection closed unexpectedly",
    f"{S1} smtp disconnected reason=quit", "info: OpenSMTPD 7.4.0 starting", "warn: Failed to parse smarthost x", "info: mta paused", "Exiting",
    "smtp-out: Enabling route [] <-> 198.51.100.9 (mx1.big.example)", f"smtp-in: Started TLS on session {S1}: version=TLSv1.2",
    f"warn: PermFail injecting failure report on message {M1} to <rosa@isp.example> for 1 envelope: 550 x",
    f"relay: Remove for {E1}: {OLD}delay=1h, stat=Removed by administrator",
]  # fmt: skip


@pytest.mark.parametrize("text", QUIET)
def test_lines_without_an_event(text: str) -> None:
    assert read(text) == []


@pytest.mark.parametrize(
    "line",
    [
        "Nov 23 03:12:45 mx1 postfix/smtpd[7]: connect from h[192.0.2.7]",
        "Nov 23 03:12:45 mx1 sm-mta[7]: x",
        "",
        "smtpd[7]: x",
    ],
)
def test_lines_of_others_are_passed_over(line: str) -> None:
    reader = OpenSmtpdLog(Stamps(datetime(2026, 11, 24, tzinfo=UTC)))
    assert reader.feed(f"{line}\n") == []
    assert (reader.lines_understood, reader.lines_not_understood) == (0, 0)
    assert not is_opensmtpd(f"{line}\n")


@pytest.mark.parametrize(
    "text", ["a filter's own words", f"{S1} smtp somersault", f"{S1} mta delivery evpid=x", f"{S1} smtp message msgid="]
)
def test_what_is_not_understood_is_counted(text: str) -> None:
    reader = OpenSmtpdLog(Stamps(datetime(2026, 11, 24, tzinfo=UTC)))
    assert reader.feed(f"{HEAD}{text}\n") == []
    assert (reader.lines_understood, reader.lines_not_understood) == (0, 1)
    assert is_opensmtpd(f"{HEAD}{text}\n")


def test_what_is_finished_is_forgotten_in_time() -> None:
    reader = OpenSmtpdLog(Stamps(datetime(2026, 11, 24, tzinfo=UTC)))
    for number in range(5000):
        identity, letter = f"{number:016x}", f"{number:08x}"
        texts = [
            *session(identity),
            *message(identity, letter),
            mta(f"{letter}00000000"),
            f"{identity} smtp disconnected reason=quit",
        ]
        reader.feed("".join(f"{HEAD}{text}\n" for text in texts))
    assert (len(reader._open), len(reader._sessions), len(reader._untold)) == (0, 0, 0)
    assert len(reader._done) <= 2000


STORY = [text for case in SUBMISSIONS for text in case[1]] + [case[1] for case in TRIES] + [*BACK, mta(E2), HANDED_BACK]


@given(st.lists(st.integers(0, len(STORY)), max_size=8))
def test_the_cuts_between_blocks_do_not_matter(cuts: list[int]) -> None:
    reader = OpenSmtpdLog(Stamps(datetime(2026, 11, 24, tzinfo=UTC)))
    events: list[Event] = []
    for start, end in itertools.pairwise([0, *sorted(cuts), len(STORY)]):
        events += reader.feed("".join(f"{HEAD}{text}\n" for text in STORY[start:end]))
    assert events + reader.finish() == read(*STORY)


PIECES = st.sampled_from([f"{S1} ", "smtp ", "mta ", "event=", "message ", "envelope ", "delivery ", "connected ", "authentication ", f"msgid={M1} ", f"evpid={E1} ",
                          "from=<", "> to=<", "> ", "size=1 ", "nrcpt=1 ", "address=", "user=", " result=ok", "stat=", '"', "relay: Ok for ", "\n", ", "])  # fmt: skip


@given(st.one_of(st.text(), st.lists(st.one_of(PIECES, st.text(max_size=3)), max_size=30).map("".join)))
def test_no_text_at_all_raises(text: str) -> None:
    reader = OpenSmtpdLog(Stamps(datetime(2026, 11, 24, tzinfo=UTC)))
    reader.feed(f"{HEAD}{text}\n{text}\n")
    reader.finish()
    is_opensmtpd(text)
