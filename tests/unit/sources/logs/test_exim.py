"""Exim's lines become events: who submitted, what became of each recipient, who logged in."""

# ruff: noqa: E501 (a log line is as long as it is)

import itertools
from datetime import UTC, datetime
from typing import TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outwarden.events import AccountKind, Attempted, BounceReturned, Event, Login, Outcome, RefusalClass, Submitted
from outwarden.sources.logs.exim import EximLog, is_exim
from outwarden.sources.logs.stamps import Stamps

E = TypeVar("E", Submitted, Attempted, BounceReturned, Login)

A, B, C = "10HmaX-000000005vi-0000", "10HmaY-000000005vi-0000", "1xVoYw-0003cF-2C"
AT = "2026-11-23 03:12:45"
ROSA = f"{AT} {A} <= rosa@isp.example H=(pc) [192.0.2.7]:4123 P=esmtpsa A=login:rosa S=1042 id=m1@pc"


def read(*lines: str) -> list[Event]:
    reader = EximLog(Stamps(datetime(2026, 11, 24, tzinfo=UTC)))
    events = reader.feed("".join(f"{line}\n" for line in lines)) + reader.finish()
    assert reader.lines_not_understood == 0
    return events


def only(events: list[Event], kind: type[E]) -> list[E]:
    return [event for event in events if isinstance(event, kind)]


def submission(line: str) -> Submitted:
    (event,) = read(line)
    assert isinstance(event, Submitted)
    return event


SUBMISSIONS = [
    ("login", "rosa@ISP.example H=host.example (pc) [192.0.2.7] P=esmtpa A=plain:Rosa@ISP.example S=7",
     ("Rosa@isp.example", AccountKind.LOGIN, "192.0.2.7", "rosa@isp.example", 7)),
    ("login without domain, port, interface and TLS",
     'rosa@isp.example H=([192.168.2.1]) [2001:db8::7]:5 I=[192.0.2.1]:587 P=esmtpsa X=TLS1.3:A:256 CV=no SNI="x" A=login:rosa S=8',
     ("rosa", AccountKind.LOGIN, "2001:db8::7", "rosa@isp.example", 8)),
    ("authenticator, login and sender (+smtp_mailauth)", "a@b.example H=h [192.0.2.7] P=esmtpa A=plain:rosa:a@b.example S=9",
     ("rosa", AccountKind.LOGIN, "192.0.2.7", "a@b.example", 9)),
    ("an authenticator that keeps no login", "a@b.example H=h [192.0.2.7] P=esmtpa A=external S=9",
     ("a@b.example", AccountKind.ADDRESS, "192.0.2.7", "a@b.example", 9)),
    ("no login", "a@b.example H=h [192.0.2.7] P=esmtps X=TLS1.3:A:256 CV=no S=9 id=x@y",
     ("a@b.example", AccountKind.ADDRESS, "192.0.2.7", "a@b.example", 9)),
    ("local user", "www-data@web.example U=www-data P=local S=10",
     ("www-data@web.example", AccountKind.LOCAL, None, "www-data@web.example", 10)),
    ("null sender", "<> H=h [192.0.2.7] P=esmtp S=11", ("<>", AccountKind.NULL, "192.0.2.7", "", 11)),
    ("ident of the client is no local user", "a@b.example H=h [192.0.2.7] U=root P=esmtp S=12",
     ("a@b.example", AccountKind.ADDRESS, "192.0.2.7", "a@b.example", 12)),
    ("a certificate cannot forge a login",
     'a@b.example H=h [192.0.2.7] P=esmtps X=TLS1.3:A:256 CV=no DN="/CN=x A=login:rosa S=1" S=13',
     ("a@b.example", AccountKind.ADDRESS, "192.0.2.7", "a@b.example", 13)),
    ("no login where Exim says that nobody logged in", "a@b.example H=h [192.0.2.7] P=esmtp A=login:rosa S=14",
     ("a@b.example", AccountKind.ADDRESS, "192.0.2.7", "a@b.example", 14)),
    ("quoted sender", '"rosa luz"@isp.example H=h [192.0.2.7] P=esmtp S=15',
     ('"rosa luz"@isp.example', AccountKind.ADDRESS, "192.0.2.7", '"rosa luz"@isp.example', 15)),
    ("local user with a blank", '"a b"@isp.example U=a b P=local S=16',
     ('"a b"@isp.example', AccountKind.LOCAL, None, '"a b"@isp.example', 16)),
]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "expected"), [case[1:] for case in SUBMISSIONS], ids=[case[0] for case in SUBMISSIONS]
)
def test_who_submitted(text: str, expected: tuple[str, AccountKind, str | None, str, int]) -> None:
    event = submission(f"{AT} {A} <= {text}")
    assert (event.account, event.kind, event.client_address, event.sender, event.size) == expected


@pytest.mark.parametrize(
    ("tail", "message_id", "subject", "recipients"),
    [
        ("S=5", None, None, 0),
        ("S=5 id=x@y", "x@y", None, 0),
        ("S=5 id*=x@y for a@b.example", "x@y", None, 1),
        ("S=5 M8S=8 DKIM=isp.example RT=0.1s id=x@y T=\"Hi for all\" for a@b.example c@d.example", "x@y", "Hi for all", 2),
        ('S=5 T="a \\"b\\" for x" from <rosa@isp.example> for "a b"@c.example d@e.example', None, 'a \\"b\\" for x', 2),
        ("S=5 for a@b.example", None, None, 1),
    ],
)  # fmt: skip
def test_the_tail_of_an_arrival(tail: str, message_id: str | None, subject: str | None, recipients: int) -> None:
    event = submission(f"{AT} {A} <= rosa@isp.example U=rosa P=local {tail}")
    assert (event.message_id, event.subject, event.recipients) == (message_id, subject, recipients)


HEADERS = [
    ("plain", f"{AT} {C} ", "", datetime(2026, 11, 23, 3, 12, 45, tzinfo=UTC), C),
    ("milliseconds, zone and pid", f"{AT}.123 +0100 [17] {A} ", "", datetime(2026, 11, 23, 2, 12, 45, 123000, UTC), A),
    ("syslog without stamp of its own", f"Nov 23 03:12:45 mx1 exim[17]: {A} ", "mx1",
     datetime(2026, 11, 23, 3, 12, 45, tzinfo=UTC), A),
    ("syslog with both stamps", f"Nov 23 03:12:44 mx1 exim4[17]: {AT} {A} ", "mx1",
     datetime(2026, 11, 23, 3, 12, 45, tzinfo=UTC), A),
    ("RFC 3339 syslog", f"2026-11-23T03:12:45.000001+01:00 mx1 exim[17]: [17] {A} ", "mx1",
     datetime(2026, 11, 23, 2, 12, 45, 1, UTC), A),
    ("priority in the header", f"Nov 23 03:12:45 <mail.info> mx1 exim[17]: {A} ", "mx1",
     datetime(2026, 11, 23, 3, 12, 45, tzinfo=UTC), A),
    ("a line split for syslog", f"Nov 23 03:12:45 mx1 exim[17]: [1/2] {A} ", "mx1",
     datetime(2026, 11, 23, 3, 12, 45, tzinfo=UTC), A),
]  # fmt: skip


@pytest.mark.parametrize(
    ("head", "host", "at", "queue_id"), [case[1:] for case in HEADERS], ids=[c[0] for c in HEADERS]
)
def test_what_stands_before_the_line(head: str, host: str, at: datetime, queue_id: str) -> None:
    line = f"{head}<= rosa@isp.example U=rosa P=local S=5"
    event = submission(line)
    assert (event.host, event.at, event.queue_id, event.line) == (host, at, queue_id, line)


MX = "H=mx.big.example [198.51.100.9]"
SAID = "SMTP error from remote mail server after RCPT TO:<a@big.example>: "
ATTEMPTS = [
    ("delivered", f'=> a@big.example R=dns T=smtp {MX} X=TLS1.3:A:256 CV=yes C="250 2.0.0 Ok: queued as 1"',
     ("a@big.example", Outcome.DELIVERED, "250 2.0.0 Ok: queued as 1", "mx.big.example [198.51.100.9]", None, True)),
    ("further recipient, port, same connection, all the selectors",
     f'-> a@BIG.example F=<r@isp.example> P=<r@isp.example> R=dns T=smtp S=9 {MX}:25* I=[192.0.2.1]:9 L K C="250- a\\\\n250 \\"b\\"" QT=1s DT=0s',
     ("a@big.example", Outcome.DELIVERED, '250- a 250 "b"', "mx.big.example [198.51.100.9]:25", None, True)),
    ("forwarded", f"=> a@big.example <rosa@isp.example> R=dns T=smtp {MX}",
     ("a@big.example", Outcome.DELIVERED, "", "mx.big.example [198.51.100.9]", "rosa@isp.example", True)),
    ("all parents", f"=> a@big.example (b@isp.example, c@isp.example) <rosa@isp.example> R=dns T=smtp {MX}",
     ("a@big.example", Outcome.DELIVERED, "", "mx.big.example [198.51.100.9]", "rosa@isp.example", True)),
    ("mailbox", "=> rosa <rosa@isp.example> R=local T=mailbox", ("rosa@isp.example", Outcome.DELIVERED, "", None, None, False)),
    ("file", "=> /home/a b/mbox <rosa@isp.example> R=local T=file",
     ("rosa@isp.example", Outcome.DELIVERED, "", None, None, False)),
    ("pipe", '=> |/bin/sh -c "x" <rosa@isp.example> R=f T=pipe', ("rosa@isp.example", Outcome.DELIVERED, "", None, None, False)),
    ("autoreply", "=> >b@c.example <rosa@isp.example> R=f T=reply", ("rosa@isp.example", Outcome.DELIVERED, "", None, None, False)),
    ("thrown away", "=> :blackhole: <rosa@isp.example> R=a", ("rosa@isp.example", Outcome.DELIVERED, "", None, None, False)),
    ("LMTP over the network", '=> rosa@isp.example R=l T=dovecot_lmtp H=box [192.0.2.3] C="250 2.0.0 saved"',
     ("rosa@isp.example", Outcome.DELIVERED, "250 2.0.0 saved", "box [192.0.2.3]", None, False)),
    ("quoted recipient", f'=> "a b"@big.example R=dns T=smtp {MX}',
     ('"a b"@big.example', Outcome.DELIVERED, "", "mx.big.example [198.51.100.9]", None, True)),
    ("deferred by the remote", f"== a@big.example R=dns T=smtp defer (-44) {MX} DT=1s: {SAID}451 4.7.1 Greylisted",
     ("a@big.example", Outcome.DEFERRED, "451 4.7.1 Greylisted", "mx.big.example [198.51.100.9]", None, True)),
    ("deferred by the network", "== a@big.example R=dns T=smtp defer (110): Connection timed out",
     ("a@big.example", Outcome.DEFERRED, "Connection timed out", None, None, True)),
    ("deferred at home", "== a@isp.example R=local T=mailbox defer (-22): mailbox is full",
     ("a@isp.example", Outcome.DEFERRED, "mailbox is full", None, None, False)),
    ("deferred, errno and text", f"== a@big.example R=dns T=smtp defer (110): Connection timed out {MX}: SMTP timeout after MAIL FROM:<r@isp.example>",
     ("a@big.example", Outcome.DEFERRED, "Connection timed out: SMTP timeout after MAIL FROM:<r@isp.example>",
      "mx.big.example [198.51.100.9]", None, True)),
    ("routing deferred", "== a@big.example routing defer (-52): retry time not reached",
     ("a@big.example", Outcome.DEFERRED, "retry time not reached", None, None, False)),
    ("paused by a router", "== a@big.example <rosa@isp.example> R=pause_all defer (-1): paused",
     ("a@big.example", Outcome.DEFERRED, "paused", None, "rosa@isp.example", False)),
    ("bounced", f"** a@big.example F=<r@isp.example> R=dns T=smtp {MX} X=TLS1.2:A:256 CV=yes : {SAID}550-5.1.1 No\\n550 5.1.1 such user DT=0.2s",
     ("a@big.example", Outcome.BOUNCED, "550-5.1.1 No 550 5.1.1 such user", "mx.big.example [198.51.100.9]", None, True)),
    ("bounced, as older Exims write it", f"** a@big.example R=dns T=smtp: {SAID}host mx.big.example [198.51.100.9]: 550 5.1.1 No such user",
     ("a@big.example", Outcome.BOUNCED, "550 5.1.1 No such user", None, None, True)),
    ("bounced by ourselves", "** x@isp.example : Unrouteable address",
     ("x@isp.example", Outcome.BOUNCED, "Unrouteable address", None, None, False)),
    ("expired", "** a@big.example <rosa@isp.example>: retry timeout exceeded",
     ("a@big.example", Outcome.EXPIRED, "retry timeout exceeded", None, "rosa@isp.example", False)),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), [case[1:] for case in ATTEMPTS], ids=[case[0] for case in ATTEMPTS])
def test_what_became_of_it(text: str, expected: tuple[str, Outcome, str, str | None, str | None, bool]) -> None:
    line = f"{AT} {A} {text}"
    submitted, tried = read(ROSA, line)
    assert isinstance(submitted, Submitted)
    assert isinstance(tried, Attempted)
    assert (
        tried.recipient,
        tried.outcome,
        tried.reply,
        tried.relay,
        tried.original_recipient,
        tried.outbound,
    ) == expected
    assert (tried.account, tried.kind, tried.sender, tried.line) == (
        "rosa",
        AccountKind.LOGIN,
        "rosa@isp.example",
        line,
    )
    assert submitted.recipients == 1


def test_an_expiry_has_the_cause_of_the_last_deferral() -> None:
    events = read(
        ROSA,
        f"{AT} {A} == a@big.example R=dns T=smtp defer (-44) {MX}: {SAID}451 4.7.1 Greylisted, try again later",
        f"{AT} {A} ** a@big.example: retry timeout exceeded",
    )
    expired = only(events, Attempted)[-1]
    assert (expired.outcome, expired.refusal_class, expired.outbound) == (
        Outcome.EXPIRED,
        RefusalClass.GREYLISTED,
        True,
    )


def test_a_refusal_is_classed() -> None:
    text = (
        f"** a@big.example R=dns T=smtp {MX} : {SAID}550 5.7.1 Client host [192.0.2.1] blocked using zen.spamhaus.org"
    )
    (tried,) = only(read(ROSA, f"{AT} {A} {text}"), Attempted)
    assert (tried.refusal_class, tried.status, tried.listed) == (RefusalClass.ADDRESS_BLOCKLISTED, "5.7.1", "192.0.2.1")


def test_recipients_are_counted_until_the_message_is_completed() -> None:
    events = read(
        ROSA,
        f"{AT} {A} => a@big.example R=dns T=smtp {MX}",
        f"{AT} {A} == b@big.example R=dns T=smtp defer (-44) {MX}: {SAID}451 later",
        f"{AT} {A} ** c@big.example R=dns T=smtp {MX} : {SAID}550 no",
        f"{AT} {A} => b@big.example R=dns T=smtp {MX}",
        f"{AT} {A} Completed",
    )
    assert [type(event) for event in events] == [Submitted] + 4 * [Attempted]
    assert only(events, Submitted)[0].recipients == 3


def test_a_message_is_let_go_after_fifty_others() -> None:
    reader = EximLog(Stamps(datetime(2026, 11, 24, tzinfo=UTC)))
    others = [f"{AT} 1xVoYw-0003cF-{n:02} <= a@b.example U=a P=local S=1 for c@d.example" for n in range(60)]
    first = f"{AT} {A} == a@big.example R=dns T=smtp defer (110): Connection timed out"
    events = reader.feed("\n".join([ROSA, first, *others, first.replace("a@", "b@")]) + "\n")
    ours = [event for event in events if event.queue_id == A]  # type: ignore[union-attr]
    assert [type(event) for event in ours] == [Submitted, Attempted, Attempted]
    assert only(ours, Submitted)[0].recipients == 1
    assert events.index(ours[0]) == 50
    assert reader.finish() == []


def test_cut_through_delivery_stands_before_its_submission() -> None:
    cut = f'{AT} {A} >> a@big.example R=dns T=smtp {MX} C="250 OK"'
    events = read(cut, ROSA, f"{AT} {A} Completed")
    assert [type(event) for event in events] == [Submitted, Attempted]
    assert only(events, Attempted)[0].account == "rosa"


def test_a_log_that_begins_in_mid_message() -> None:
    (tried,) = only(read(f"{AT} {A} => a@big.example R=dns T=smtp {MX}", f"{AT} {A} Completed"), Attempted)
    assert (tried.account, tried.sender) == ("", "")


def test_our_own_notification_belongs_to_the_account() -> None:
    events = read(
        ROSA,
        f"{AT} {A} ** a@big.example R=dns T=smtp {MX} : {SAID}550 no",
        f"{AT} {B} <= <> R={A} U=exim P=local S=1500",
        f"{AT} {B} => rosa <rosa@isp.example> R=local T=mailbox",
        f"{AT} {B} Completed",
        f"{AT} {A} Completed",
    )
    (returned,) = only(events, BounceReturned)
    assert (returned.queue_id, returned.account, returned.notification_queue_id) == (A, "rosa", B)
    assert [(s.account, s.kind) for s in only(events, Submitted)] == [
        ("<>", AccountKind.NULL),
        ("rosa", AccountKind.LOGIN),
    ]


FILTER = "H=localhost [127.0.0.1]"
BACK = f"{AT} {B} <= rosa@isp.example {FILTER} P=esmtp S=1400"
OUT = f"{AT} {B} => a@big.example R=dns T=smtp {MX}"
REINJECTIONS = [
    ("over SMTP, the same Message-ID", [
        ROSA, f"{BACK} id=m1@pc", f'{AT} {A} => a@big.example R=scan T=scan {FILTER} C="250 OK"',
        f"{AT} {A} Completed", OUT, f"{AT} {B} Completed"]),
    ("through a pipe, sent on before the pipe is done", [
        ROSA, f"{AT} {B} <= rosa@isp.example U=mail P=scanned-ok S=1400 id=m1@pc", OUT, f"{AT} {B} Completed",
        f"{AT} {A} => a <a@big.example> R=scan T=spamcheck", f"{AT} {A} Completed"]),
    ("only the filter's reply names it", [
        ROSA, BACK, f'{AT} {A} => a@big.example R=scan T=scan {FILTER} C="250 2.0.0 from MTA: 250 OK id={B}"',
        f"{AT} {A} Completed", OUT, f"{AT} {B} Completed"]),
    ("the reply comes last", [
        ROSA, BACK, OUT, f'{AT} {A} => a@big.example R=scan T=scan {FILTER} C="250 OK id={B}"',
        f"{AT} {A} Completed", f"{AT} {B} Completed"]),
    ("a Message-ID that Exim made itself", [
        ROSA.removesuffix(" id=m1@pc"), f"{BACK} id=E{A}@isp.example",
        f'{AT} {A} => a@big.example R=scan T=scan {FILTER} C="250 OK"', f"{AT} {A} Completed", OUT]),
    ("only the reply names it, and recipients are listed", [
        ROSA, f"{BACK} id=other@filter for a@big.example", OUT,
        f'{AT} {A} => a@big.example R=scan T=scan {FILTER} C="250 OK id={B}"', f"{AT} {A} Completed"]),
    ("the number of recipients is known", [
        f"{ROSA} for a@big.example", f"{BACK} id=m1@pc", f'{AT} {A} => a@big.example R=scan T=scan {FILTER} C="250 OK"',
        f"{AT} {A} Completed", OUT]),
]  # fmt: skip


@pytest.mark.parametrize("lines", [case[1] for case in REINJECTIONS], ids=[case[0] for case in REINJECTIONS])
def test_a_content_filter_does_not_lose_the_login(lines: list[str]) -> None:
    submitted, tried = read(*lines)
    assert isinstance(submitted, Submitted)
    assert isinstance(tried, Attempted)
    assert (submitted.queue_id, submitted.account, submitted.recipients) == (A, "rosa", 1)
    assert (tried.queue_id, tried.account, tried.kind, tried.recipient) == (
        B,
        "rosa",
        AccountKind.LOGIN,
        "a@big.example",
    )


NOT_REINJECTED = [
    ("from another host", f"{AT} {B} <= rosa@isp.example H=h [198.51.100.7] P=esmtp S=9 id=m1@pc"),
    ("another envelope sender", f"{AT} {B} <= list@isp.example {FILTER} P=esmtp S=9 id=m1@pc"),
    ("with a login of its own", f"{AT} {B} <= rosa@isp.example {FILTER} P=esmtpa A=plain:eva S=9 id=m1@pc"),
    ("another message", f"{AT} {B} <= rosa@isp.example {FILTER} P=esmtp S=9 id=m2@pc"),
]


@pytest.mark.parametrize("line", [case[1] for case in NOT_REINJECTED], ids=[case[0] for case in NOT_REINJECTED])
def test_a_message_of_its_own(line: str) -> None:
    assert {s.queue_id for s in only(read(ROSA, line), Submitted)} == {A, B}


def test_a_list_manager_hands_in_one_message_in_several_parts() -> None:
    part = f"{AT} {A} <= list-bounces@isp.example {FILTER} P=esmtp S=9 id=m1@pc for a@big.example"
    assert len(only(read(part, part.replace(A, B), part.replace(A, C)), Submitted)) == 3


LOCAL = f"{AT} {A} <= web@isp.example U=web P=local S=5"
SCRIPTS = [
    ("the user", [LOCAL], "web"),
    ("the directory before it", [f"{AT} cwd=/home/web/shop 4 args: /usr/sbin/sendmail -t -i -fweb", LOCAL], "/home/web/shop"),
    ("not Exim's own call", [f"{AT} cwd=/var/spool/exim4 3 args: /usr/sbin/exim4 -Mc {C}", LOCAL], "web"),
    ("the same process", [
        f"{AT} [7] cwd=/home/web/shop 2 args: sendmail -t", f"{AT} [8] cwd=/home/eva/blog 2 args: sendmail -t",
        LOCAL.replace(A, f"[7] {A}")], "/home/web/shop"),
    ("what PHP says", [f"{AT} {A} X-PHP-Originating-Script: 33:mailer.php", LOCAL], "33:mailer.php"),
]  # fmt: skip


@pytest.mark.parametrize(("lines", "script"), [case[1:] for case in SCRIPTS], ids=[case[0] for case in SCRIPTS])
def test_which_script(lines: list[str], script: str) -> None:
    (event,) = only(read(*lines), Submitted)
    assert event.script == script


LOGINS = [
    ("refused", "dovecot_login authenticator failed for (User) [192.0.2.37]:5 I=[192.0.2.1]:587 Ci=3: 535 Incorrect authentication data (set_id=rosa@ISP.example)",
     ("rosa@isp.example", False, "submission", "192.0.2.37")),
    ("refused, newer form", "plain authenticator failed for H=h.example ([10.0.0.1]) [2001:db8::7] U=x: 535 Incorrect authentication data",
     ("", False, "smtp", "2001:db8::7")),
    ("logged in and sent nothing", "no MAIL in SMTP connection from (x) [192.0.2.37] D=1s A=plain:rosa X=TLS1.3:A:256 C=EHLO,AUTH,QUIT",
     ("rosa", True, "smtp", "192.0.2.37")),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), [case[1:] for case in LOGINS], ids=[case[0] for case in LOGINS])
def test_logins(text: str, expected: tuple[str, bool, str, str | None]) -> None:
    (event,) = read(f"{AT} {text}")
    assert isinstance(event, Login)
    assert (event.account, event.ok, event.service, event.client_address) == expected


QUIET = [
    "Start queue run: pid=1235 -qf", "End queue run: pid=1235", "exim 4.98 daemon started: pid=1, -q30m, listening for SMTP on port 25",
    "SMTP connection from [192.0.2.7] (TCP/IP connection count = 1)", "no host name found for IP address 192.0.2.8",
    "H=(x) [192.0.2.7] F=<a@b.example> A=plain:rosa rejected RCPT <c@d.example>: relay not permitted",
    "login authenticator failed for H=h [192.0.2.7]: 435 Unable to authenticate at present (set_id=rosa): x",
    f"{A} H=(x) [192.0.2.7] F=<a@b.example> rejected after DATA: spam", f"{A} frozen by ACL", f"{A} Message is frozen",
    f"{A} no immediate delivery: load average 9.00", f"{A} removed by root", f"{A} cancelled by root", f"{A} Unfrozen by auto-thaw",
    f"{A} mx.big.example [198.51.100.9] Connection timed out", f"{A} H=mx.big.example [198.51.100.9]: {SAID}451 later",
    f"{A} => blackhole (DATA ACL discarded recipients)", f"{A} *> a@b.example R=r T=t", f"{A} a@b.example: error ignored",
    f"{A} DKIM: d=isp.example s=s c=relaxed/relaxed a=rsa-sha256 b=1024 [verification succeeded]", f"{A} Completed QT=2s",
    "Remote host closed connection in response to initial connection",
]  # fmt: skip


@pytest.mark.parametrize("text", QUIET)
def test_lines_without_an_event(text: str) -> None:
    assert read(f"{AT} {text}") == []


OF_OTHERS = [
    "Nov 23 03:12:45 mx1 postfix/qmgr[7]: 4AA091855DA0: removed", "Nov 23 03:12:45 mx1 dovecot: imap-login: Login: user=<rosa>",
    "2026-11-23 03:12:45 mx1 postfix/smtpd[7]: connect from h[192.0.2.7]", "2026-11-23 03:12:45 imap-login: Info: Login: user=<rosa>",
    "2026-11-23T03:12:45+00:00 mx1 smtpd[7]: info: mta paused", "", "******** SERVER ********",
]  # fmt: skip


@pytest.mark.parametrize("line", OF_OTHERS)
def test_lines_of_others_are_passed_over(line: str) -> None:
    reader = EximLog(Stamps(datetime(2026, 11, 24, tzinfo=UTC)))
    assert reader.feed(f"{line}\n") == []
    assert (reader.lines_understood, reader.lines_not_understood) == (0, 0)
    assert not is_exim(f"{line}\n")


@pytest.mark.parametrize(
    "line",
    [
        f"{AT} {A} ordered by the site's own ACL",
        "2026-13-45 03:12:45 Start queue run: pid=1",
        f"{AT} {A} <= ",
        f"{AT} {A} == x",
    ],
)
def test_what_is_not_understood_is_counted(line: str) -> None:
    reader = EximLog(Stamps(datetime(2026, 11, 24, tzinfo=UTC)))
    assert reader.feed(f"{line}\n") == []
    assert (reader.lines_understood, reader.lines_not_understood) == (0, 1)


@pytest.mark.parametrize(
    "line", [ROSA, HEADERS[2][1] + "Completed", f"{AT} Start queue run: pid=7", *SCRIPTS[1][1], *SCRIPTS[4][1]]
)
def test_exim_is_recognised(line: str) -> None:
    assert is_exim(f"x\n{line}\ny\n")


STORY = [line for case in REINJECTIONS for line in case[1]] + [line for case in SCRIPTS for line in case[1]]


@given(st.lists(st.integers(0, len(STORY)), max_size=8))
def test_the_cuts_between_blocks_do_not_matter(cuts: list[int]) -> None:
    reader = EximLog(Stamps(datetime(2026, 11, 24, tzinfo=UTC)))
    events: list[Event] = []
    places = [0, *sorted(cuts), len(STORY)]
    for start, end in itertools.pairwise(places):
        events += reader.feed("".join(f"{line}\n" for line in STORY[start:end]))
    assert events + reader.finish() == read(*STORY)


PIECES = st.sampled_from([AT, A, B, "<=", "=>", "**", "==", ">>", "Completed", " ", "\n", "H=", "[", "]", "(", ")", "<", ">", '"', "\\",
                          "P=esmtpa", "A=login:", "S=", "id=", 'T="', " for ", "a@b", ":", " : ", "defer (", "R=", "T=", 'C="', "exim[1]: "])  # fmt: skip


@given(st.one_of(st.text(), st.lists(st.one_of(PIECES, st.text(max_size=3)), max_size=30).map(" ".join)))
def test_no_text_at_all_raises(text: str) -> None:
    reader = EximLog(Stamps(datetime(2026, 11, 24, tzinfo=UTC)))
    reader.feed(f"{text}\n")
    reader.finish()
    is_exim(text)
