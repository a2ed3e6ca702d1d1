"""Sendmail's lines become events: who submitted, what became of each recipient, who logged in."""

# ruff: noqa: E501 (a log line is as long as it is)

import itertools
from datetime import UTC, datetime
from typing import TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outwarden.events import AccountKind, Attempted, BounceReturned, Event, Login, Outcome, RefusalClass, Submitted
from outwarden.sources.logs.sendmail import SendmailLog, is_sendmail
from outwarden.sources.logs.stamps import Stamps

E = TypeVar("E", Submitted, Attempted, BounceReturned, Login)

A, B = "4AN3CjX1005133", "4AN3CkX2005140"
HEAD = "Nov 23 03:12:45 mx1 sm-mta[5133]: "
PEER = "pc.isp.example [192.0.2.7]"
AUTH = f"{HEAD}AUTH=server, relay={PEER}, authid=rosa@ISP.example, mech=PLAIN, bits=0"
FROM = f"{HEAD}{A}: from=<rosa@isp.example>, size=1042, class=0, nrcpts=2, msgid=<m1@pc>, proto=ESMTPSA, daemon=MTA, relay={PEER}"
MX = "mailer=esmtp, pri=121042, relay=mx1.big.example. [198.51.100.9]"


def read(*lines: str) -> list[Event]:
    reader = SendmailLog(Stamps(datetime(2026, 11, 24, tzinfo=UTC)))
    events = reader.feed("".join(f"{line}\n" for line in lines)) + reader.finish()
    assert reader.lines_not_understood == 0
    return events


def only(events: list[Event], kind: type[E]) -> list[E]:
    return [event for event in events if isinstance(event, kind)]


SUBMISSIONS = [
    ("login of the connection", [AUTH, FROM], ("rosa@isp.example", AccountKind.LOGIN, "192.0.2.7", None, 2, 1042)),
    ("login with the message's ID", [AUTH.replace(": AUTH", f": {A}: AUTH"), FROM],
     ("rosa@isp.example", AccountKind.LOGIN, "192.0.2.7", None, 2, 1042)),
    ("login of an earlier connection of that pid", [AUTH.replace("192.0.2.7", "192.0.2.8"), FROM],
     ("rosa@isp.example", AccountKind.ADDRESS, "192.0.2.7", None, 2, 1042)),
    ("login on another host", [AUTH.replace("mx1", "mx2"), FROM], ("rosa@isp.example", AccountKind.ADDRESS, "192.0.2.7", None, 2, 1042)),
    ("IPv6, perhaps forged", [FROM.replace(PEER, "x [IPv6:2001:DB8::7] (may be forged)")],
     ("rosa@isp.example", AccountKind.ADDRESS, "2001:db8::7", None, 2, 1042)),
    ("local user", [f"{HEAD}{A}: from=www-data, size=300, class=0, nrcpts=1, msgid=<x@y>, relay=www-data@localhost"],
     ("www-data", AccountKind.LOCAL, None, "www-data", 1, 300)),
    ("null sender", [f"{HEAD}{A}: from=<>, size=300, class=0, nrcpts=1, msgid=<x@y>, bodytype=8BITMIME, proto=ESMTP, relay={PEER}"],
     ("<>", AccountKind.NULL, "192.0.2.7", None, 1, 300)),
    ("a Message-ID cannot forge the peer", [FROM.replace("<m1@pc>", "<m, relay=x [203.0.113.1]")],
     ("rosa@isp.example", AccountKind.ADDRESS, "192.0.2.7", None, 2, 1042)),
    ("other selectors", [f"{HEAD}{A}: from=<Rosa@ISP.example>, size=7, class=-60, nrcpts=1, msgid=<x@y>, proto=ESMTP, daemon=MSA, tls_verify=NO, auth=NONE, relay={PEER}"],
     ("Rosa@isp.example", AccountKind.ADDRESS, "192.0.2.7", None, 1, 7)),
]  # fmt: skip


@pytest.mark.parametrize(
    ("lines", "expected"), [case[1:] for case in SUBMISSIONS], ids=[case[0] for case in SUBMISSIONS]
)
def test_who_submitted(lines: list[str], expected: tuple[str, AccountKind, str | None, str | None, int, int]) -> None:
    (event,) = only(read(*lines), Submitted)
    assert (event.account, event.kind, event.client_address, event.script, event.recipients, event.size) == expected
    assert (event.host, event.queue_id, event.line) == ("mx1", A, lines[-1])


def test_nothing_was_queued_where_every_recipient_was_refused() -> None:
    assert read(FROM.replace("nrcpts=2", "nrcpts=0")) == []


TRIES = [
    ("delivered", f"to=<a@BIG.example>, ctladdr=<rosa@isp.example> (1001/1001), delay=00:00:01, xdelay=00:00:01, {MX}, dsn=2.0.0, stat=Sent (Ok: queued as 4c9X)",
     [("a@big.example", Outcome.DELIVERED, "Sent (Ok: queued as 4c9X)", "2.0.0", "mx1.big.example. [198.51.100.9]", True)]),
    ("several recipients", f"to=<a@big.example>,<b@big.example>, delay=1+19:17:22, xdelay=00:00:01, {MX}, dsn=2.0.0, stat=Sent",
     [(name, Outcome.DELIVERED, "Sent", "2.0.0", "mx1.big.example. [198.51.100.9]", True) for name in ("a@big.example", "b@big.example")]),
    ("a line that is too long", f"to=<a@big.example>, [more], delay=00:00:01, {MX}, dsn=2.0.0, stat=Sent",
     [("a@big.example", Outcome.DELIVERED, "Sent", "2.0.0", "mx1.big.example. [198.51.100.9]", True)]),
    ("a comma in quotes", f'to="a,b"@big.example,<c@big.example>, delay=00:00:01, {MX}, dsn=2.0.0, stat=Sent',
     [(name, Outcome.DELIVERED, "Sent", "2.0.0", "mx1.big.example. [198.51.100.9]", True) for name in ('"a,b"@big.example', "c@big.example")]),
    ("mailbox", "to=rosa, ctladdr=root (0/0), delay=00:00:00, xdelay=00:00:00, mailer=local, pri=30000, dsn=2.0.0, stat=Sent",
     [("rosa", Outcome.DELIVERED, "Sent", "2.0.0", None, False)]),
    ("deferred by the remote", f"to=<a@big.example>, delay=00:00:01, xdelay=00:00:01, {MX}, dsn=4.7.1, stat=Deferred: 451 4.7.1 Greylisted",
     [("a@big.example", Outcome.DEFERRED, "451 4.7.1 Greylisted", "4.7.1", "mx1.big.example. [198.51.100.9]", True)]),
    ("deferred by the network", "to=<a@big.example>, delay=00:00:01, mailer=esmtp, pri=1, relay=mx1.big.example., dsn=4.0.0, stat=Deferred: Connection timed out with mx1.big.example.",
     [("a@big.example", Outcome.DEFERRED, "Connection timed out with mx1.big.example.", "4.0.0", "mx1.big.example.", True)]),
    ("bounced", f"to=<a@big.example>, delay=00:00:01, xdelay=00:00:01, {MX}, dsn=5.1.1, stat=User unknown",
     [("a@big.example", Outcome.BOUNCED, "User unknown", "5.1.1", "mx1.big.example. [198.51.100.9]", True)]),
    ("bounced, with the remote's reply", f"to=<a@big.example>, delay=00:00:01, {MX}, dsn=5.7.1, reply=550 5.7.1 a, b=c, stat=Service unavailable",
     [("a@big.example", Outcome.BOUNCED, "550 5.7.1 a, b=c", "5.7.1", "mx1.big.example. [198.51.100.9]", True)]),
    ("no such host", "to=<a@no.example>, delay=00:00:00, mailer=esmtp, pri=1, relay=no.example, dsn=5.1.2, stat=Host unknown (Name server: no.example: host not found)",
     [("a@no.example", Outcome.BOUNCED, "Host unknown (Name server: no.example: host not found)", "5.1.2", "no.example", True)]),
    ("queued", "to=<a@big.example>, delay=00:00:00, mailer=esmtp, pri=30000, stat=queued", []),
    ("quarantined", "to=<a@big.example>, delay=00:00:00, mailer=esmtp, pri=30000, quarantine=spam, stat=quarantined", []),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), [case[1:] for case in TRIES], ids=[case[0] for case in TRIES])
def test_what_became_of_it(text: str, expected: list[tuple[str, Outcome, str, str, str | None, bool]]) -> None:
    line = f"{HEAD}{A}: {text}"
    tries = only(read(AUTH, FROM, line), Attempted)
    assert [(t.recipient, t.outcome, t.reply, t.status, t.relay, t.outbound) for t in tries] == expected
    assert {(t.account, t.kind, t.sender, t.line) for t in tries} <= {
        ("rosa@isp.example", AccountKind.LOGIN, "rosa@isp.example", line)
    }


def test_a_refusal_is_classed() -> None:
    text = f"to=<a@big.example>, delay=00:00:01, {MX}, dsn=5.7.1, reply=550 5.7.1 Client host [192.0.2.1] blocked using zen.spamhaus.org, stat=Service unavailable"
    (tried,) = only(read(FROM, f"{HEAD}{A}: {text}"), Attempted)
    assert (tried.refusal_class, tried.status, tried.listed) == (RefusalClass.ADDRESS_BLOCKLISTED, "5.7.1", "192.0.2.1")


def test_a_log_that_begins_in_mid_message() -> None:
    (tried,) = only(read(f"{HEAD}{A}: to=<a@big.example>, delay=00:00:01, {MX}, dsn=2.0.0, stat=Sent"), Attempted)
    assert (tried.account, tried.sender) == ("", "")


NOTICES = [
    ("bounce", "DSN: User unknown", [BounceReturned, Submitted]),
    ("a bounce that came back", "return to sender: User unknown", [BounceReturned, Submitted]),
    ("still trying", "sender notify: Warning: could not send message for past 4 hours", [Submitted]),
    ("expired", "sender notify: Cannot send message for 5 days", [Attempted, BounceReturned, Submitted]),
    ("receipt", "DSN: Return receipt", [Submitted]),
    ("the postmaster's copy", "postmaster notify: User unknown", [Submitted]),
]


@pytest.mark.parametrize(("text", "expected"), [case[1:] for case in NOTICES], ids=[case[0] for case in NOTICES])
def test_our_own_notification_belongs_to_the_account(text: str, expected: list[type]) -> None:
    lines = [
        AUTH, FROM,
        f"{HEAD}{A}: to=<a@big.example>, delay=5+00:00:01, {MX}, dsn=4.2.2, stat=Deferred: 452 4.2.2 Mailbox full",
        f"{HEAD}{A}: {B}: {text}",
        f"{HEAD}{B}: to=<rosa@isp.example>, delay=00:00:00, xdelay=00:00:00, mailer=local, pri=30000, dsn=2.0.0, stat=Sent",
    ]  # fmt: skip
    events = read(*lines)[3:]
    assert [type(event) for event in events[:-1]] == expected
    for event in events[:-1]:
        if isinstance(event, Attempted):
            assert (event.outcome, event.recipient, event.refusal_class) == (
                Outcome.EXPIRED,
                "",
                RefusalClass.MAILBOX_FULL,
            )
        if isinstance(event, BounceReturned):
            assert (event.queue_id, event.account, event.notification_queue_id) == (A, "rosa@isp.example", B)
    last = only(events, Attempted)[-1]
    assert (last.queue_id, last.account, last.kind, last.outbound) == (B, "<>", AccountKind.NULL, False)


SUBMIT_PROGRAM = [
    f"Nov 23 03:12:45 mx1 sendmail[41]: {A}: from=www-data, size=300, class=0, nrcpts=1, msgid=<m1@mx1>, relay=www-data@localhost",
    f"Nov 23 03:12:45 mx1 sm-mta[42]: {B}: from=<www-data@mx1.isp.example>, size=540, class=0, nrcpts=1, msgid=<m1@mx1>, proto=ESMTP, daemon=MTA-v4, relay=localhost [127.0.0.1]",
    f"Nov 23 03:12:45 mx1 sendmail[41]: {A}: to=a@big.example, ctladdr=www-data (33/33), delay=00:00:00, xdelay=00:00:00, mailer=relay, pri=30300, relay=[127.0.0.1] [127.0.0.1], dsn=2.0.0, stat=Sent ({B} Message accepted for delivery)",
    f"Nov 23 03:12:46 mx1 sm-mta[44]: {B}: to=<a@big.example>, ctladdr=<www-data@mx1.isp.example> (33/33), delay=00:00:01, xdelay=00:00:01, {MX}, dsn=2.0.0, stat=Sent (OK)",
]
CONTENT_FILTER = [
    AUTH, FROM.replace("nrcpts=2", "nrcpts=1"),
    f"{HEAD}{B}: from=<rosa@isp.example>, size=1400, class=0, nrcpts=1, msgid=<m1@pc>, proto=ESMTP, daemon=MTA, relay=localhost [127.0.0.1]",
    f"{HEAD}{A}: to=<a@big.example>, delay=00:00:01, mailer=esmtp, pri=1, relay=[127.0.0.1] [127.0.0.1], dsn=2.0.0, stat=Sent (from MTA([127.0.0.1]:10025): 250 2.0.0 {B} Message accepted for delivery)",
    f"{HEAD}{B}: to=<a@big.example>, delay=00:00:01, {MX}, dsn=2.0.0, stat=Sent (OK)",
]  # fmt: skip


@pytest.mark.parametrize(
    ("lines", "account", "kind"),
    [(SUBMIT_PROGRAM, "www-data", AccountKind.LOCAL), (CONTENT_FILTER, "rosa@isp.example", AccountKind.LOGIN)],
)
def test_what_goes_on_under_a_new_id_is_one_message(lines: list[str], account: str, kind: AccountKind) -> None:
    events = read(*lines)
    (submitted,) = only(events, Submitted)
    (tried,) = only(events, Attempted)
    assert (submitted.queue_id, submitted.account, submitted.kind) == (A, account, kind)
    assert (tried.queue_id, tried.account, tried.kind, tried.reply) == (B, account, kind, "Sent (OK)")


@pytest.mark.parametrize(
    "text",
    [f"{B}: clone: owner=list-owner", f"split: count=2, id={B}", f"split: maxrcpts=1, rcpts=2, count=2, ids=x; {B}"],
)
def test_an_envelope_that_is_divided_keeps_its_account(text: str) -> None:
    (tried,) = only(
        read(
            AUTH,
            FROM,
            f"{HEAD}{A}: {text}",
            f"{HEAD}{B}: to=<a@big.example>, delay=00:00:01, {MX}, dsn=2.0.0, stat=Sent",
        ),
        Attempted,
    )
    assert tried.account == "rosa@isp.example"


LOGINS = [
    ("logged in", "AUTH=server, relay=x [192.0.2.7] (may be forged), authid=rosa@ISP.example, mech=CRAM-MD5, bits=0", ("rosa@isp.example", True, "192.0.2.7")),
    ("refused", f"{A}: AUTH failure (PLAIN): authentication failure (-13) SASL(-13): authentication failure: checkpass failed, user=rosa, relay=x [192.0.2.7]", ("rosa", False, "192.0.2.7")),
    ("refused, no user named", f"{A}: AUTH failure (LOGIN): authentication failure (-13) SASL(-13): x, relay=[192.0.2.7]", ("", False, "192.0.2.7")),
    ("a name that forges an address", f"{A}: AUTH failure (LOGIN): authentication failure (-13): x, user=eva, relay=[203.0.113.1], relay=[192.0.2.7]",
     ("eva, relay=[203.0.113.1]", False, "192.0.2.7")),
    ("many tries", f"{A}: x.example [192.0.2.7] (may be forged): possible SMTP attack: command=AUTH, count=5", ("", False, "192.0.2.7")),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), [case[1:] for case in LOGINS], ids=[case[0] for case in LOGINS])
def test_logins(text: str, expected: tuple[str, bool, str]) -> None:
    (event,) = read(HEAD + text)
    assert isinstance(event, Login)
    assert (event.account, event.ok, event.client_address) == expected


QUIET = [
    f"{A}: ruleset=check_rcpt, arg1=<a@b.example>, relay=x [192.0.2.7], reject=550 5.7.1 <a@b.example>... Relaying denied",
    f"{A}: Milter: data, reject=554 5.7.1 Command rejected", f"{A}: Milter add: header: X-Scanned: yes", f"{A}: milter=x, quarantine=spam",
    "STARTTLS=server, relay=x [192.0.2.7], version=TLSv1.3, verify=NO, cipher=TLS_AES_256_GCM_SHA384, bits=256/256",
    f"{A}: <a@b.example>... User unknown", f"{A}: x [192.0.2.7] did not issue MAIL/EXPN/VRFY/ETRN during connection to MTA",
    f"{A}: [192.0.2.7] did not issue MAIL/EXPN/VRFY/ETRN during connection to MSA", f"{A}: [192.0.2.7]: VRFY root [rejected]",
    f"{A}: lost input channel from x [192.0.2.7] to MTA after rcpt", f"{A}: collect: premature EOM: Connection reset by x [192.0.2.7]",
    "starting daemon (8.17.1): SMTP+queueing@00:10:00", "rejecting connections on daemon MTA: load average: 20",
    f"{A}: done; delay=00:00:01, ntries=1", f"{A}: Authentication-Warning: mx1: www-data set sender to a@b.example using -f",
    "NOQUEUE: connect from x [192.0.2.7]".replace("connect from", "SYSERR(root):"), f"{A}: timeout waiting for input from x during client greeting",
    "gethostbyaddr(192.0.2.2) failed: 0", "alias database /etc/mail/aliases rebuilt by root", "/etc/mail/aliases: 12 aliases, longest 10 bytes, 130 bytes total",
]  # fmt: skip


@pytest.mark.parametrize("text", QUIET)
def test_lines_without_an_event(text: str) -> None:
    assert read(HEAD + text) == []


@pytest.mark.parametrize(
    "head",
    ["2026-11-23T03:12:45.123456+00:00 mx1 sm-mta[1]: ", "Nov 23 03:12:45 <mail.info> mx1 sendmail[1]: ",
     "Nov 23 03:12:45 mx1 sm-msp-queue[1]: [ID 801593 mail.info] ", "Nov 23 03:12:45 mx1 sm-acceptingconnections[1]: "],
)  # fmt: skip
def test_what_stands_before_the_line(head: str) -> None:
    (event,) = only(read(FROM.replace(HEAD, head)), Submitted)
    assert (event.host, event.queue_id, event.at.replace(microsecond=0)) == (
        "mx1",
        A,
        datetime(2026, 11, 23, 3, 12, 45, tzinfo=UTC),
    )
    assert is_sendmail(FROM.replace(HEAD, head) + "\n")


@pytest.mark.parametrize(
    "line",
    [
        "Nov 23 03:12:45 mx1 postfix/sendmail[7]: fatal: x",
        "Nov 23 03:12:45 mx1 postfix/qmgr[7]: 4AA091855DA0: removed",
        "",
        "from=<x>",
    ],
)
def test_lines_of_others_are_passed_over(line: str) -> None:
    reader = SendmailLog(Stamps(datetime(2026, 11, 24, tzinfo=UTC)))
    assert reader.feed(f"{line}\n") == []
    assert (reader.lines_understood, reader.lines_not_understood) == (0, 0)
    assert not is_sendmail(f"{line}\n")


@pytest.mark.parametrize("text", [f"{A}: what the site's own rules say", f"{A}: to=<a>", f"{A}: from=<a>"])
def test_what_is_not_understood_is_counted(text: str) -> None:
    reader = SendmailLog(Stamps(datetime(2026, 11, 24, tzinfo=UTC)))
    assert reader.feed(f"{HEAD}{text}\n") == []
    assert (reader.lines_understood, reader.lines_not_understood) == (0, 1)


def test_a_finished_message_is_forgotten_in_time() -> None:
    reader = SendmailLog(Stamps(datetime(2026, 11, 24, tzinfo=UTC)))
    for number in range(5000):
        queue_id = f"4AN3Cj{number:08}"
        reader.feed(f"{FROM.replace(A, queue_id).replace('m1@', f'm{number}@')}\n")
        reader.feed(f"{HEAD}{queue_id}: to=<a@b.example>,<c@b.example>, delay=00:00:01, {MX}, dsn=2.0.0, stat=Sent\n")
    assert (len(reader._open), len(reader._by_message_id)) == (0, 0)
    assert len(reader._done) <= 2000


STORY = [
    AUTH,
    FROM,
    *SUBMIT_PROGRAM,
    *CONTENT_FILTER,
    *(f"{HEAD}{A}: {case[1]}" for case in TRIES),
    *(f"{HEAD}{A}: {B}: {case[1]}" for case in NOTICES),
]


@given(st.lists(st.integers(0, len(STORY)), max_size=8))
def test_the_cuts_between_blocks_do_not_matter(cuts: list[int]) -> None:
    reader = SendmailLog(Stamps(datetime(2026, 11, 24, tzinfo=UTC)))
    events: list[Event] = []
    for start, end in itertools.pairwise([0, *sorted(cuts), len(STORY)]):
        events += reader.feed("".join(f"{line}\n" for line in STORY[start:end]))
    assert events + reader.finish() == read(*STORY)


PIECES = st.sampled_from([HEAD, f"{A}: ", "from=", "to=", ", size=1", ", class=0", ", nrcpts=2", ", msgid=", ", relay=", ", delay=", ", stat=", "Sent (",
                          "Deferred: ", ", dsn=5.1.1", "AUTH=server, relay=", "AUTH failure (", ", authid=", ", user=", "[", "]", "<", ">", '"', ",", "\n", "DSN: "])  # fmt: skip


@given(st.one_of(st.text(), st.lists(st.one_of(PIECES, st.text(max_size=3)), max_size=30).map("".join)))
def test_no_text_at_all_raises(text: str) -> None:
    reader = SendmailLog(Stamps(datetime(2026, 11, 24, tzinfo=UTC)))
    reader.feed(f"{HEAD}{text}\n{text}\n")
    reader.finish()
    is_sendmail(text)
