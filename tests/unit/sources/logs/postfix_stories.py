"""Stories told by Postfix's log, each with the counts per account that a reader must find.

``account kind: messages recipients delivered deferred bounced expired returned`` is one row.
"""

# ruff: noqa: E501 - a log line is as long as it is.
from typing import NamedTuple

LOGIN = "client=p1.example[198.51.100.7], sasl_method=PLAIN, sasl_username="
SENT = "delay=0.5, delays=0.1/0/0.2/0.2, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as 5F00AA11BB)"
UNKNOWN = (
    "delay=0.5, delays=0.1/0/0.2/0.2, dsn=5.1.1, status=bounced (host mx.far.example[192.0.2.25] said: "
    "550 5.1.1 <x@far.example>: Recipient address rejected: User unknown (in reply to RCPT TO command))"
)
DEFERRED = "delay=9, delays=9/0/0/0, dsn=4.4.1, status=deferred (connect to mx.far.example[192.0.2.25]:25: Connection timed out)"
MX = "relay=mx.far.example[192.0.2.25]:25, "
FILTER = "relay=127.0.0.1[127.0.0.1]:10024, "


class Story(NamedTuple):
    """Lines as (program, text), and the rows expected."""

    name: str
    lines: tuple[tuple[str, str], ...]
    rows: frozenset[str]


def text_of(story: Story, stamp: str = "Jan 15 00:30:{:02}") -> str:
    """Return the story as a log, a second between its lines."""
    return "".join(
        f"{stamp.format(second % 60)} mx1 postfix/{program}[{100 + second}]: {text}\n"
        for second, (program, text) in enumerate(story.lines)
    )


def _story(name: str, lines: str, *rows: str) -> Story:
    pairs = (line.strip().partition(" ") for line in lines.strip().splitlines())
    return Story(name, tuple((program, text) for program, _, text in pairs), frozenset(rows))


def _told(text: str) -> str:
    for name in ("LOGIN", "SENT", "UNKNOWN", "DEFERRED", "MX", "FILTER"):
        text = text.replace("{" + name + "}", globals()[name])
    return text


STORIES = tuple(
    _story(name, _told(lines), *rows)
    for name, lines, *rows in (
        (
            "one login, one recipient",
            """submission/smtpd 4AA091855D: {LOGIN}rosa@isp.example
            cleanup 4AA091855D: message-id=<1@isp.example>
            qmgr 4AA091855D: from=<rosa@isp.example>, size=900, nrcpt=1 (queue active)
            smtp 4AA091855D: to=<a@far.example>, {MX}{SENT}
            qmgr 4AA091855D: removed""",
            "rosa@isp.example login: 1 1 1 0 0 0 0",
        ),
        (
            "long queue ID, login followed by sasl_sender, domain in capitals, connection used again",
            """submission/smtpd 4jYgM74ky5zJbNv: {LOGIN}Rosa@ISP.example, sasl_sender=rosa
            qmgr 4jYgM74ky5zJbNv: from=<rosa@isp.example>, size=900, nrcpt=2 (queue active)
            smtp 4jYgM74ky5zJbNv: to=<a@far.example>, relay=mx.far.example[192.0.2.25]:25, conn_use=2, {SENT}
            smtp 4jYgM74ky5zJbNv: to=<b@far.example>, orig_to=<b@isp.example>, {MX}delay=1, delays=1/0/0/0, tls=dane, dsn=2.0.0, status=sent (250 Ok)
            qmgr 4jYgM74ky5zJbNv: removed""",
            "Rosa@isp.example login: 1 2 2 0 0 0 0",
        ),
        (
            "deferred, tried again, then delivered: the second queue active is no second message",
            """submission/smtpd 4AA091855D: {LOGIN}rosa@isp.example
            qmgr 4AA091855D: from=<rosa@isp.example>, size=900, nrcpt=1 (queue active)
            smtp 4AA091855D: to=<a@far.example>, {MX}{DEFERRED}
            qmgr 4AA091855D: from=<rosa@isp.example>, size=900, nrcpt=1 (queue active)
            smtp 4AA091855D: host mx.far.example[192.0.2.25] said: 450 4.2.0 try later (in reply to RCPT TO command)
            smtp 4AA091855D: to=<a@far.example>, {MX}{SENT}
            qmgr 4AA091855D: removed""",
            "rosa@isp.example login: 1 1 1 1 0 0 0",
        ),
        (
            "bounced, and the sender is told",
            """submission/smtpd 4AA091855D: {LOGIN}rosa@isp.example
            qmgr 4AA091855D: from=<rosa@isp.example>, size=900, nrcpt=1 (queue active)
            smtp 4AA091855D: to=<x@far.example>, {MX}{UNKNOWN}
            cleanup 5BB091855D: message-id=<2@isp.example>
            qmgr 5BB091855D: from=<>, size=2900, nrcpt=1 (queue active)
            bounce 4AA091855D: sender non-delivery notification: 5BB091855D
            qmgr 4AA091855D: removed
            lmtp 5BB091855D: to=<rosa@isp.example>, relay=mx1[private/dovecot-lmtp], {SENT}
            qmgr 5BB091855D: removed""",
            "rosa@isp.example login: 1 1 0 0 1 0 1",
            "<> null: 1 1 1 0 0 0 0",
        ),
        (
            "given up after the queue's lifetime",
            """pickup 4AA091855D: uid=33 from=<www-data>
            qmgr 4AA091855D: from=<www-data@isp.example>, size=900, nrcpt=1 (queue active)
            smtp 4AA091855D: to=<a@far.example>, {MX}{DEFERRED}
            qmgr 4AA091855D: from=<www-data@isp.example>, status=expired, returned to sender
            bounce 4AA091855D: sender non-delivery notification: 5BB091855D
            qmgr 4AA091855D: removed""",
            "www-data@isp.example local: 1 1 0 1 0 1 1",
        ),
        (
            "a queue ID comes back, once after removed and once without",
            """submission/smtpd 4AA091855D: {LOGIN}rosa@isp.example
            qmgr 4AA091855D: from=<rosa@isp.example>, size=900, nrcpt=1 (queue active)
            smtp 4AA091855D: to=<a@far.example>, {MX}{SENT}
            qmgr 4AA091855D: removed
            submission/smtpd 4AA091855D: {LOGIN}ben@isp.example
            qmgr 4AA091855D: from=<ben@isp.example>, size=900, nrcpt=1 (queue active)
            smtp 4AA091855D: to=<a@far.example>, {MX}{SENT}
            submission/smtpd 4AA091855D: {LOGIN}eva@isp.example
            qmgr 4AA091855D: from=<eva@isp.example>, size=900, nrcpt=1 (queue active)
            smtp 4AA091855D: to=<a@far.example>, {MX}{SENT}
            qmgr 4AA091855D: removed""",
            "rosa@isp.example login: 1 1 1 0 0 0 0",
            "ben@isp.example login: 1 1 1 0 0 0 0",
            "eva@isp.example login: 1 1 1 0 0 0 0",
        ),
        (
            "the log begins in mid-message",
            """smtp 4AA091855D: to=<a@far.example>, {MX}{SENT}
            qmgr 4AA091855D: removed
            qmgr 5BB091855D: from=<eva@isp.example>, size=900, nrcpt=1 (queue active)
            smtp 5BB091855D: to=<a@far.example>, {MX}{SENT}
            qmgr 6CC091855D: from=<max@isp.example>, status=force-expired, returned to sender""",
            " address: 0 0 1 0 0 0 0",
            "eva@isp.example address: 1 1 1 0 0 0 0",
            "max@isp.example address: 0 0 0 0 0 1 0",
        ),
        (
            "content filter: the delivery into it is none, the login goes on under the new queue ID",
            """submission/smtpd 4AA091855D: {LOGIN}rosa@isp.example
            qmgr 4AA091855D: from=<rosa@isp.example>, size=900, nrcpt=2 (queue active)
            smtpd 5BB091855D: client=localhost[127.0.0.1]
            qmgr 5BB091855D: from=<rosa@isp.example>, size=990, nrcpt=2 (queue active)
            smtp 4AA091855D: to=<a@far.example>, {FILTER}delay=1, delays=1/0/0/0, dsn=2.0.0, status=sent (250 2.0.0 from MTA(smtp:[127.0.0.1]:10025): 250 2.0.0 Ok: queued as 5BB091855D)
            smtp 4AA091855D: to=<x@far.example>, {FILTER}delay=1, delays=1/0/0/0, dsn=2.0.0, status=sent (250 2.0.0 from MTA(smtp:[127.0.0.1]:10025): 250 2.0.0 Ok: queued as 5BB091855D)
            qmgr 4AA091855D: removed
            smtp 5BB091855D: to=<a@far.example>, {MX}{SENT}
            smtp 5BB091855D: to=<x@far.example>, {MX}{UNKNOWN}
            bounce 5BB091855D: sender non-delivery notification: 6CC091855D
            qmgr 5BB091855D: removed""",
            "rosa@isp.example login: 1 2 1 0 1 0 1",
        ),
        (
            "content filter whose second delivery is over before the first one is logged",
            """submission/smtpd 4AA091855D: {LOGIN}rosa@isp.example
            qmgr 4AA091855D: from=<rosa@isp.example>, size=900, nrcpt=1 (queue active)
            smtpd 5BB091855D: client=filter.isp.example[10.1.1.9]
            qmgr 5BB091855D: from=<rosa@isp.example>, size=990, nrcpt=1 (queue active)
            smtp 5BB091855D: to=<a@far.example>, {MX}{SENT}
            qmgr 5BB091855D: removed
            smtp 4AA091855D: to=<a@far.example>, {FILTER}delay=1, delays=1/0/0/0, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as 5BB091855D)
            qmgr 4AA091855D: removed""",
            "rosa@isp.example login: 1 1 1 0 0 0 0",
        ),
        (
            "content filter so quick that its answer is logged before the queue manager's first line",
            """submission/smtpd 4AA091855D: {LOGIN}rosa@isp.example
            qmgr 4AA091855D: from=<rosa@isp.example>, size=900, nrcpt=2 (queue active)
            smtpd 5BB091855D: client=localhost[127.0.0.1]
            cleanup 5BB091855D: message-id=<1@isp.example>
            smtp 4AA091855D: to=<a@far.example>, {FILTER}delay=1, delays=1/0/0/0, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as 5BB091855D)
            smtp 4AA091855D: to=<b@far.example>, {FILTER}delay=1, delays=1/0/0/0, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as 5BB091855D)
            qmgr 4AA091855D: removed
            qmgr 5BB091855D: from=<rosa@isp.example>, size=990, nrcpt=2 (queue active)
            smtp 5BB091855D: to=<a@far.example>, {MX}{SENT}
            smtp 5BB091855D: to=<b@far.example>, {MX}{DEFERRED}
            smtp 5BB091855D: to=<b@far.example>, {MX}{SENT}
            qmgr 5BB091855D: removed""",
            "rosa@isp.example login: 1 2 2 1 0 0 0",
        ),
        (
            "a quick mailing list, and a message handed in that is never taken up",
            """submission/smtpd 4AA091855D: {LOGIN}rosa@isp.example
            qmgr 4AA091855D: from=<rosa@isp.example>, size=900, nrcpt=2 (queue active)
            smtpd 5BB091855D: client=localhost[127.0.0.1]
            cleanup 5BB091855D: message-id=<1@isp.example>
            smtp 4AA091855D: to=<club@isp.example>, {FILTER}delay=1, delays=1/0/0/0, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as 5BB091855D)
            smtpd 6CC091855D: client=localhost[127.0.0.1]
            smtp 4AA091855D: to=<choir@isp.example>, {FILTER}delay=1, delays=1/0/0/0, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as 6CC091855D)
            qmgr 4AA091855D: removed
            qmgr 5BB091855D: from=<club-bounces@isp.example>, size=990, nrcpt=1 (queue active)
            smtp 5BB091855D: to=<a@far.example>, {MX}{SENT}
            qmgr 5BB091855D: removed""",
            "rosa@isp.example login: 1 2 2 0 0 0 0",
            "club-bounces@isp.example address: 1 1 1 0 0 0 0",
        ),
        (
            "a forward so quick that it is logged before it is taken up",
            """smtpd 4AA091855D: client=mx.far.example[192.0.2.25]
            qmgr 4AA091855D: from=<a@far.example>, size=900, nrcpt=1 (queue active)
            cleanup 5BB091855D: message-id=<1@far.example>
            local 4AA091855D: to=<max@isp.example>, relay=local, delay=1, delays=1/0/0/0, dsn=2.0.0, status=sent (forwarded as 5BB091855D)
            qmgr 4AA091855D: removed
            qmgr 5BB091855D: from=<a@far.example>, size=990, nrcpt=1 (queue active)
            smtp 5BB091855D: to=<max@big.example>, orig_to=<max@isp.example>, {MX}{SENT}
            qmgr 5BB091855D: removed""",
            "a@far.example address: 1 1 1 0 0 0 0",
        ),
        (
            "content filter that passes on XFORWARD",
            """submission/smtpd 4AA091855D: {LOGIN}rosa@isp.example
            qmgr 4AA091855D: from=<rosa@isp.example>, size=900, nrcpt=1 (queue active)
            smtpd 5BB091855D: client=localhost[127.0.0.1], orig_queue_id=4AA091855D, orig_client=p1.example[198.51.100.7]
            qmgr 5BB091855D: from=<rosa@isp.example>, size=990, nrcpt=1 (queue active)
            smtp 5BB091855D: to=<a@far.example>, {MX}{SENT}
            qmgr 5BB091855D: removed
            smtp 4AA091855D: to=<a@far.example>, {FILTER}delay=1, delays=1/0/0/0, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as 5BB091855D)
            qmgr 4AA091855D: removed""",
            "rosa@isp.example login: 1 1 1 0 0 0 0",
        ),
        (
            "a notification from outside goes through the filter",
            """smtpd 4AA091855D: client=mx.far.example[192.0.2.25]
            qmgr 4AA091855D: from=<>, size=900, nrcpt=1 (queue active)
            smtpd 5BB091855D: client=localhost[127.0.0.1]
            qmgr 5BB091855D: from=<>, size=990, nrcpt=1 (queue active)
            smtp 4AA091855D: to=<rosa@isp.example>, {FILTER}delay=1, delays=1/0/0/0, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as 5BB091855D)
            qmgr 4AA091855D: removed
            lmtp 5BB091855D: to=<rosa@isp.example>, relay=mx1[private/dovecot-lmtp], {SENT}
            qmgr 5BB091855D: removed""",
            "<> null: 1 1 1 0 0 0 0",
        ),
        (
            "content filter that passes on XFORWARD, and is quick",
            """submission/smtpd 4AA091855D: {LOGIN}rosa@isp.example
            qmgr 4AA091855D: from=<rosa@isp.example>, size=900, nrcpt=1 (queue active)
            smtpd 5BB091855D: client=localhost[127.0.0.1], orig_queue_id=4AA091855D, orig_client=p1.example[198.51.100.7]
            smtp 4AA091855D: to=<a@far.example>, {FILTER}delay=1, delays=1/0/0/0, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as 5BB091855D)
            qmgr 4AA091855D: removed
            qmgr 5BB091855D: from=<rosa@isp.example>, size=990, nrcpt=1 (queue active)
            smtp 5BB091855D: to=<a@far.example>, {MX}{SENT}
            qmgr 5BB091855D: removed""",
            "rosa@isp.example login: 1 1 1 0 0 0 0",
        ),
        (
            "an application server without login goes through the filter too",
            """smtpd 4AA091855D: client=shop.isp.example[10.1.1.4]
            qmgr 4AA091855D: from=<shop@isp.example>, size=900, nrcpt=1 (queue active)
            smtpd 5BB091855D: client=localhost[127.0.0.1]
            qmgr 5BB091855D: from=<shop@isp.example>, size=990, nrcpt=1 (queue active)
            smtp 4AA091855D: to=<a@far.example>, {FILTER}delay=1, delays=1/0/0/0, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as 5BB091855D)
            qmgr 4AA091855D: removed
            smtp 5BB091855D: to=<a@far.example>, {MX}{DEFERRED}
            smtp 5BB091855D: to=<a@far.example>, {MX}{SENT}
            qmgr 5BB091855D: removed""",
            "shop@isp.example address: 1 1 1 1 0 0 0",
        ),
        (
            "a mailing list hands its copies in on loopback with its own envelope sender",
            """submission/smtpd 4AA091855D: {LOGIN}rosa@isp.example
            qmgr 4AA091855D: from=<rosa@isp.example>, size=900, nrcpt=1 (queue active)
            smtpd 5BB091855D: client=localhost[127.0.0.1]
            qmgr 5BB091855D: from=<club-bounces@isp.example>, size=990, nrcpt=2 (queue active)
            smtp 4AA091855D: to=<club@isp.example>, {FILTER}delay=1, delays=1/0/0/0, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as 5BB091855D)
            qmgr 4AA091855D: removed
            smtp 5BB091855D: to=<a@far.example>, {MX}{SENT}
            smtp 5BB091855D: to=<b@far.example>, {MX}{SENT}
            qmgr 5BB091855D: removed""",
            "rosa@isp.example login: 1 1 1 0 0 0 0",
            "club-bounces@isp.example address: 1 2 2 0 0 0 0",
        ),
        (
            "requeued by the operator",
            """submission/smtpd 4AA091855D: {LOGIN}rosa@isp.example
            qmgr 4AA091855D: from=<rosa@isp.example>, size=900, nrcpt=1 (queue active)
            smtp 4AA091855D: to=<a@far.example>, {MX}{DEFERRED}
            pickup 5BB091855D: uid=0 from=<rosa@isp.example> orig_id=4AA091855D
            qmgr 5BB091855D: from=<rosa@isp.example>, size=900, nrcpt=1 (queue active)
            smtp 5BB091855D: to=<a@far.example>, {MX}{SENT}
            qmgr 5BB091855D: removed""",
            "rosa@isp.example login: 1 1 1 1 0 0 0",
        ),
        (
            "forwarded by the recipient: local(8) queues it anew without a client",
            """smtpd 4AA091855D: client=mx.far.example[192.0.2.25]
            cleanup 4AA091855D: message-id=<1@far.example>
            qmgr 4AA091855D: from=<a@far.example>, size=900, nrcpt=1 (queue active)
            cleanup 5BB091855D: message-id=<1@far.example>
            qmgr 5BB091855D: from=<a@far.example>, size=990, nrcpt=1 (queue active)
            local 4AA091855D: to=<max@isp.example>, relay=local, delay=1, delays=1/0/0/0, dsn=2.0.0, status=sent (forwarded as 5BB091855D)
            qmgr 4AA091855D: removed
            smtp 5BB091855D: to=<max@big.example>, orig_to=<max@isp.example>, {MX}{SENT}
            qmgr 5BB091855D: removed""",
            "a@far.example address: 1 1 1 0 0 0 0",
        ),
        (
            "soft_bounce defers, probes are no deliveries, an odd address is read",
            """pickup 4AA091855D: uid=0 from=<root>
            qmgr 4AA091855D: from=<root@isp.example>, size=900, nrcpt=2 (queue active)
            smtp 4AA091855D: to=<"odd>, name"@far.example>, {MX}{SENT}
            smtp 4AA091855D: to=<b@far.example>, {MX}delay=1, delays=1/0/0/0, dsn=5.1.1, status=SOFTBOUNCE (unknown)
            smtp 4AA091855D: to=<c@far.example>, {MX}delay=1, delays=1/0/0/0, dsn=2.1.5, status=deliverable (250 ok)
            smtp 4AA091855D: to=<c@far.example>, {MX}delay=1, delays=1/0/0/0, dsn=5.1.1, status=undeliverable (no)
            qmgr 4AA091855D: removed""",
            "root@isp.example local: 1 2 1 1 0 0 0",
        ),
        (
            "refused before it was queued, and a line of a server that is not Postfix",
            """submission/smtpd 4AA091855D: {LOGIN}rosa@isp.example
            cleanup 4AA091855D: milter-reject: END-OF-MESSAGE from p1.example[198.51.100.7]: 5.7.1 no; from=<rosa@isp.example> to=<a@far.example> proto=ESMTP helo=<p1>
            smtpd NOQUEUE: reject: RCPT from unknown[192.0.2.9]: 554 5.7.1 <a@b.example>: Relay access denied; from=<x@y.example> to=<a@b.example> proto=SMTP helo=<z>
            smtpd 7DD091855D: to=<a@far.example>, ctladdr=<eva@isp.example> (1000/1000), delay=00:00:01, mailer=esmtp, dsn=2.0.0, stat=Sent""",
        ),
    )
)  # fmt: skip
